/* report_rows.c: CSV (RFC 4180, but for lines that end with "\n" as in log.csv), a row an image.
 *
 * A spreadsheet takes a cell that begins with = + - or @ for a formula, and runs it; an apostrophe
 * before it makes it a text. Outputs may begin with a minus: they are numbers, and stay. */
#include "tools/report.h"

#include "base/file.h"
#include "base/retry.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static int is_stdout(const char *path) { return strcmp(path, "-") == 0; }

int rows_open(struct rows *rows, const char *path, const struct texts *classes, struct error *e)
{
    struct stat status;
    char folder[1024];
    const char *slash = strrchr(path, '/');
    const size_t length = slash != NULL ? (size_t)(slash - path) : 0;

    *rows = (struct rows){
        .path = path, .dir = -1, .name = slash != NULL ? slash + 1 : path, .classes = classes};
    if (is_stdout(path) ||
        (stat(path, &status) == 0 && !S_ISREG(status.st_mode) && !S_ISDIR(status.st_mode))) {
        return 0;
    }
    if (length >= sizeof folder) {
        errno = ENAMETOOLONG;
        return error_errno(e, ERROR_IO, path, "cannot write");
    }
    snprintf(folder, sizeof folder, "%.*s", (int)length, path);
    const char *where = slash == NULL ? "." : length == 0 ? "/" : folder;

    rows->dir = RETRY(open(where, O_RDONLY | O_DIRECTORY | O_CLOEXEC));
    return rows->dir >= 0 ? 0 : error_errno(e, ERROR_IO, path, "cannot write");
}

static void append_name(struct text *text, const char *name, const char *before)
{
    char safe[2100];
    const char *formula = strchr("=+-@", name[0]) != NULL && name[0] != '\0' ? "'" : "";

    text_sanitize(safe, sizeof safe, name, strlen(name));
    if (strpbrk(safe, ",\"") == NULL) {
        text_append(text, "%s%s%s", before, formula, safe);
        return;
    }
    text_append(text, "%s\"%s", before, formula);
    for (const char *at = safe; *at != '\0'; at++) {
        text_append_bytes(text, "\"\"", *at == '"' ? 2 : 0);
        text_append_bytes(text, at, *at == '"' ? 0 : 1);
    }
    text_append(text, "\"");
}

static void append_header(struct rows *rows, const char *first)
{
    text_append(&rows->text, "%s,label,prediction", first);
    for (int k = 0; k < rows->classes->count; k++) {
        append_name(&rows->text, rows->classes->values[k], ",");
    }
    text_append(&rows->text, "\n");
}

void rows_add(struct rows *rows, const char *path, size_t index, int label, int prediction,
              const float *p, size_t stride)
{
    if (rows->text.length == 0) {
        append_header(rows, path != NULL ? "path" : "index");
    }
    if (path != NULL) {
        append_name(&rows->text, path, "");
    } else {
        text_append(&rows->text, "%zu", index);
    }
    append_name(&rows->text, rows->classes->values[label], ",");
    append_name(&rows->text, rows->classes->values[prediction], ",");
    for (int k = 0; k < rows->classes->count; k++) {
        char number[32];

        text_append(&rows->text, ",%s", text_from_float(number, p[(size_t)k * stride]));
    }
    text_append(&rows->text, "\n");
}

static int write_in_place(const struct rows *rows, struct error *e)
{
    const int fd = RETRY(open(rows->path, O_WRONLY | O_NOCTTY | O_CLOEXEC));

    if (fd < 0) {
        return error_errno(e, ERROR_IO, rows->path, "cannot open");
    }
    int status = file_write_all(fd, rows->text.data, rows->text.length, rows->path, e);

    if (close(fd) != 0 && status == 0) {
        status = error_errno(e, ERROR_IO, rows->path, "cannot write");
    }
    return status;
}

int rows_write(const struct rows *rows, struct error *e)
{
    const struct file_target target = {rows->dir, rows->name, rows->path, NULL};
    const struct chunk chunk = {rows->text.data, rows->text.length};

    if (rows->text.failed) {
        return error_memory(e, rows->text.capacity * 2);
    }
    if (is_stdout(rows->path)) {
        fwrite(rows->text.data, 1, rows->text.length,
               stdout); /* cli_finish sees whether it got there */
        return 0;
    }
    return rows->dir < 0 ? write_in_place(rows, e) : file_replace(&target, &chunk, 1, e);
}

void rows_close(struct rows *rows)
{
    if (rows->dir >= 0) {
        close(rows->dir);
    }
    rows->dir = -1;
    text_free(&rows->text);
}
