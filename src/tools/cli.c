/* cli.c: what a command does besides its job: start-up, messages, --help, the last look at stdout.
 * The options themselves are read in cli_parse.c. */
#include "tools/cli_internal.h"

#include "kernels/kernels.h"

#include <errno.h>
#include <fcntl.h>
#include <jansson.h>
#include <signal.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#ifndef VERSION
#define VERSION "unknown"
#endif

enum { HELP_COLUMN = 28 };

#define COMMON(field) .offset = offsetof(struct cli_common, field)
static const struct cli_option COMMON_OPTIONS[] = {
    {.name = "threads",
     .letter = 't',
     .kind = &CLI_INTEGER,
     COMMON(threads),
     .argument = "N",
     .low = 1,
     .high = CLI_MOST_THREADS,
     .help = "use N threads (default: all cores)"},
    {.name = "quiet",
     .letter = 'q',
     .kind = &CLI_FLAG,
     COMMON(quiet),
     .help = "say nothing but errors and results"},
    {.name = "verbose", .letter = 'v', .kind = &CLI_FLAG, COMMON(verbose), .help = "say more"},
    {.name = "help", .letter = 'h', .kind = &CLI_FLAG, COMMON(help), .help = "print this help"},
    {.name = "version",
     .letter = 'V',
     .kind = &CLI_FLAG,
     COMMON(version),
     .help = "print the version"},
    {.name = NULL},
};

struct cli_rows cli_rows(const struct cli *cli)
{
    const struct cli_option *const tables[] = {cli->options, COMMON_OPTIONS};
    struct cli_rows rows = {0};

    for (size_t i = 0; i < sizeof tables / sizeof tables[0]; i++) {
        for (const struct cli_option *row = tables[i]; row->name != NULL; row++) {
            if (rows.count == CLI_MOST_OPTIONS) {
                abort();
            }
            rows.items[rows.count++] = row;
        }
    }
    return rows;
}

/* A closed descriptor 0, 1 or 2 would be given to the next file that is opened, and messages or
 * results would end up in it. /dev/null takes the place, opened the wrong way round, so that using
 * it is still an error. */
static int fill_closed_descriptors(void)
{
    for (int fd = 0; fd <= 2; fd++) {
        if (fcntl(fd, F_GETFD) == -1 && errno == EBADF &&
            open("/dev/null", fd == STDIN_FILENO ? O_WRONLY : O_RDONLY) != fd) {
            return -1;
        }
    }
    return 0;
}

/* jansson does not look at every failure of its allocator: a string is then cut short without a
 * word, or an assertion fails. So it never hears of one. Nothing is half written: JSON is made and
 * read in memory, and files are replaced whole. */
static void *allocate_for_json(size_t size)
{
    void *memory = malloc(size);

    if (memory == NULL) {
        struct error e;

        error_memory(&e, size);
        error_print(stderr, &e, program_invocation_short_name, "error", cli_colour());
        _exit((int)e.kind);
    }
    return memory;
}

int cli_start(const struct cli *cli)
{
    json_set_alloc_funcs(allocate_for_json, free);
    if (fill_closed_descriptors() != 0) {
        return -1;
    }
    signal(SIGXFSZ, SIG_IGN); /* a limit of file size is then an error of write */
    if (cli->survives_pipe) {
        signal(SIGPIPE, SIG_IGN);
    }
    return 0;
}

static void print_usage(const struct cli *cli, FILE *out)
{
    fprintf(out, "usage: %s [options]", cli->program);
    for (int i = 0; cli->arguments[i] != NULL; i++) {
        fprintf(out, " %s", cli->arguments[i]);
    }
    fprintf(out, "%s\n", cli->many ? "..." : "");
}

/* One row of --help; what does not fit in its column puts the help on lines of their own. */
static void print_option(const struct cli_option *row, FILE *out)
{
    int column = row->letter ? fprintf(out, "  -%c, --%s", row->letter, row->name)
                             : fprintf(out, "      --%s", row->name);

    if (row->argument != NULL) {
        column += fprintf(out, row->optional ? " [%s]" : " %s", row->argument);
    }
    for (const char *line = row->help; line != NULL;) {
        const char *end = strchr(line, '\n');
        const int length = end != NULL ? (int)(end - line) : (int)strlen(line);

        if (column > HELP_COLUMN - 2) {
            fputc('\n', out);
            column = 0;
        }
        fprintf(out, "%*s%.*s\n", HELP_COLUMN - column, "", length, line);
        column = 0;
        line = end != NULL ? end + 1 : NULL;
    }
}

void cli_help(const struct cli *cli)
{
    const struct cli_rows rows = cli_rows(cli);

    print_usage(cli, stdout);
    printf("%s\n\n", cli->purpose);
    for (int i = 0; i < rows.count; i++) {
        print_option(rows.items[i], stdout);
    }
    if (cli->epilogue != NULL) {
        printf("\n%s", cli->epilogue);
    }
}

void cli_version(const struct cli *cli) { printf("%s %s\n", cli->program, VERSION); }

int cli_usage_only(const struct cli *cli)
{
    print_usage(cli, stderr);
    fprintf(stderr, "try '%s --help'\n", cli->program);
    return ERROR_USAGE;
}

int cli_missing(const struct cli *cli, const char *argument)
{
    struct error e;

    error_set(&e, ERROR_USAGE, NULL, "%s is missing", argument);
    cli_fail(cli, &e);
    return cli_usage_only(cli);
}

int cli_usage(const struct cli *cli, const char *format, ...)
{
    struct error e;
    char message[sizeof e.message];
    va_list arguments;

    va_start(arguments, format);
    vsnprintf(message, sizeof message, format, arguments);
    va_end(arguments);
    error_set(&e, ERROR_USAGE, NULL, "%s", message);
    cli_fail(cli, &e);
    fprintf(stderr, "try '%s --help'\n", cli->program);
    return ERROR_USAGE;
}

int cli_fail(const struct cli *cli, const struct error *e)
{
    error_print(stderr, e, cli->program, "error", cli_colour());
    return (int)e->kind;
}

static void print_all(const struct cli *cli, const struct error_list *list, const char *severity)
{
    for (int i = 0; i < list->count; i++) {
        error_print(stderr, &list->items[i], cli->program, severity, cli_colour());
    }
    if (list->total > list->count) {
        fprintf(stderr, "%s: and %lld more\n", cli->program, list->total - list->count);
    }
}

void cli_warn_all(const struct cli *cli, const struct error_list *warnings)
{
    print_all(cli, warnings, "warning");
}

int cli_fail_all(const struct cli *cli, const struct error_list *errors)
{
    const struct error *first = error_first(errors);

    if (errors->count > 0 && error_is_memory(first)) {
        return cli_fail(cli, first);
    }
    print_all(cli, errors, "error");
    return errors->count > 0 ? (int)errors->items[0].kind : ERROR_INTERNAL;
}

int cli_flush(struct error *e)
{
    if (ferror(stdout)) { /* long ago: the cause is not known any more */
        return error_set(e, ERROR_IO, NULL, "cannot write results: a write has failed");
    }
    return fflush(stdout) == 0 ? 0 : error_errno(e, ERROR_IO, NULL, "cannot write results");
}

int cli_finish(const struct cli *cli, int code)
{
    struct error e;

    if (code != 0 && code != ERROR_CHECK) {
        return code;
    }
    if (cli_flush(&e) == 0) {
        if (close(STDOUT_FILENO) == 0 || errno == EINTR) { /* network file systems tell only here */
            return code;
        }
        error_errno(&e, ERROR_IO, NULL, "cannot write results");
    }
    return cli_fail(cli, &e);
}

int cli_colour(void)
{
    const char *no_colour = getenv("NO_COLOR"), *terminal = getenv("TERM");

    return isatty(STDERR_FILENO) && (no_colour == NULL || no_colour[0] == '\0') &&
           terminal != NULL && strcmp(terminal, "dumb") != 0;
}

const struct kernels *cli_kernels(const struct cli *cli)
{
    const char *cap = getenv("CNNTRAIN_CPU");
    const struct kernels *kernels = kernels_select(cap);

    if (kernels == NULL) {
        char shown[400];

        cli_usage(cli, "CNNTRAIN_CPU must be generic, avx2 or avx512, got '%s'",
                  text_escape(shown, sizeof shown, cap, strlen(cap)));
    }
    return kernels;
}
