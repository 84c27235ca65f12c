/* curves_draw.c: curves as a picture: gnuplot draws it from a script that holds the data, and hands
 * it over through a pipe, so that the file can be replaced as a whole. Texts in the script are in
 * single quotes, where gnuplot knows nothing but a doubled one. */
#include "report/curves.h"

#include "base/file.h"
#include "base/retry.h"

#include <errno.h>
#include <fcntl.h>
#include <math.h>
#include <spawn.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

enum { MOST_BYTES = 1 << 28 };

static const struct picture_kind {
    const char *ending, *terminal;
} KINDS[] = {
    {".svg", "svg size 960,800 dynamic background '#ffffff' font 'sans-serif,14'"},
    {".png", "pngcairo size 960,800 background '#ffffff' font 'sans,11'"},
    {NULL, NULL},
};

static const char *terminal_of(const char *path)
{
    const size_t length = strlen(path);
    for (const struct picture_kind *kind = KINDS; kind->ending; kind++) {
        if (length > 4 && strcmp(path + length - 4, kind->ending) == 0) {
            return kind->terminal;
        }
    }
    return NULL;
}

static void append_quoted(struct text *script, const char *name, const char *more)
{
    text_append(script, "'");
    for (; *name != '\0'; name++) {
        text_append(script, "%s%c", *name == '\'' ? "'" : "", *name);
    }
    text_append(script, "%s'", more);
}

static void append_data(struct text *script, const struct curves *run, int number)
{
    text_append(script, "$run%d << END\n", number);
    for (size_t i = 0; i < run->epochs; i++) {
        for (int c = 0; c < CURVE_COLUMNS; c++) {
            const double value = run->values[c][i];
            if (isnan(value)) {
                text_append(script, "NaN ");
            } else {
                text_append(script, "%.9g ", value);
            }
        }
        text_append(script, "\n");
    }
    text_append(script, "END\n");
}

static int has_any(const struct curves *run, enum curve_column column)
{
    for (size_t i = 0; i < run->epochs; i++) {
        if (!isnan(run->values[column][i])) {
            return 1;
        }
    }
    return 0;
}

/* Of each run a colour; train is dashed, validation a full line. */
static void append_plot(struct text *script, const struct curves *runs, int count,
                        const char *title, enum curve_column train)
{
    const char *before = "plot ";
    text_append(script, "set title '%s'\n", title);
    for (int r = 0; r < count; r++) {
        for (int k = 0; k < 2; k++) {
            const enum curve_column column = train + (k == 0);
            if (!has_any(&runs[r], column)) {
                continue;
            }
            text_append(script,
                        "%s$run%d using 1:%d with linespoints lc %d dt %d lw 2 pt 7 ps %s title ",
                        before, r, (int)column + 1, r + 1, k == 0 ? 1 : 2,
                        runs[r].epochs < 40 ? "0.4" : "0");
            append_quoted(script, runs[r].name, k == 0 ? " validation" : " train");
            before = ", ";
        }
    }
    text_append(script, "%s\n", strcmp(before, ", ") == 0 ? "" : "plot [0:1] NaN notitle");
}

static void append_script(struct text *script, const struct curves *runs, int count,
                          const char *terminal)
{
    text_append(
        script,
        "set encoding utf8\nset terminal %s\nset grid lc '#dddddd'\nset border lc '#444444'\n"
        "set key outside right top noenhanced\nset xlabel 'epoch'\nset xrange [*:*] noextend\n",
        terminal);
    for (int r = 0; r < count; r++) {
        append_data(script, &runs[r], r);
    }
    text_append(script, "set multiplot layout 2,1\n");
    append_plot(script, runs, count, "loss", CURVE_TRAIN_LOSS);
    append_plot(script, runs, count, "accuracy", CURVE_TRAIN_ACCURACY);
    text_append(script, "unset multiplot\n");
}

/* Everything that comes from the pipe. */
static int read_all(int fd, struct text *out)
{
    char buffer[8192];
    for (;;) {
        const ssize_t n = RETRY(read(fd, buffer, sizeof buffer));
        if (n <= 0) {
            return n == 0 && !out->failed ? 0 : -1;
        }
        if (out->length + (size_t)n <= MOST_BYTES) {
            text_append_bytes(out, buffer, (size_t)n);
        }
    }
}

/* Start gnuplot with `script` on its standard input; its standard output comes from *fd. 0, or an
 * error number. */
static int start(FILE *script, int *fd, pid_t *child)
{
    extern char **environ;
    char *const arguments[] = {(char[]){"gnuplot"}, NULL};
    posix_spawn_file_actions_t actions;
    int ends[2];
    if (pipe2(ends, O_CLOEXEC) != 0) {
        return errno;
    }
    int status = posix_spawn_file_actions_init(&actions);
    if (status == 0) {
        posix_spawn_file_actions_adddup2(&actions, fileno(script), STDIN_FILENO);
        posix_spawn_file_actions_adddup2(&actions, ends[1], STDOUT_FILENO);
        status = posix_spawnp(child, arguments[0], &actions, NULL, arguments, environ);
        posix_spawn_file_actions_destroy(&actions);
    }
    close(ends[1]);
    if (status != 0) {
        close(ends[0]);
    }
    *fd = ends[0];
    return status;
}

static int run_gnuplot(const struct text *script, struct text *picture, struct error *e)
{
    pid_t child = -1;
    int fd = -1, state = 0;
    FILE *file = tmpfile();
    if (!file || fwrite(script->data, 1, script->length, file) != script->length ||
        fflush(file) != 0 || fseek(file, 0, SEEK_SET) != 0) {
        error_errno(e, ERROR_IO, "", "cannot write a temporary file for gnuplot");
        if (file) {
            (void)fclose(file);
        }
        return -1;
    }
    const int status = start(file, &fd, &child);
    (void)fclose(file); /* it was flushed */
    if (status == ENOENT) {
        return error_set(e, ERROR_IO, "",
                         "gnuplot, which draws the curves, is not installed: scripts/deps.sh ci "
                         "installs it; without --output they are drawn on the terminal");
    }
    if (status != 0) {
        errno = status;
        return error_errno(e, ERROR_IO, "gnuplot", "cannot start");
    }
    const int failed = read_all(fd, picture);
    close(fd);
    if (RETRY(waitpid(child, &state, 0)) != child || state != 0 || picture->length == 0) {
        return error_set(e, ERROR_IO, "gnuplot", "could not draw the curves");
    }
    return failed ? error_memory(e, picture->capacity * 2) : 0;
}

/* Into the open folder of the path, as a whole. */
static int write_picture(const struct text *picture, const char *path, struct error *e)
{
    const struct chunk chunk = {picture->data, picture->length};
    const char *name;
    const int dir = file_open_folder(path, &name, e);
    if (dir < 0) {
        return -1;
    }
    const struct file_target target = {dir, name, path, NULL};
    const int status = file_replace(&target, &chunk, 1, e);
    close(dir);
    return status;
}

int curves_draw(const struct curves *runs, int count, const char *path, struct error *e)
{
    struct text script = {0}, picture = {0};
    const char *terminal = terminal_of(path);
    if (!terminal) {
        return error_set(e, ERROR_USAGE, path,
                         "the name of a picture of curves ends in .svg or .png");
    }
    append_script(&script, runs, count, terminal);
    int status =
        script.failed ? error_memory(e, script.capacity * 2) : run_gnuplot(&script, &picture, e);
    if (status == 0) {
        status = write_picture(&picture, path, e);
    }
    text_free(&script);
    text_free(&picture);
    return status;
}
