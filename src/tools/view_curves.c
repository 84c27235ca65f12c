/* view_curves.c: see view_curves.h. */
#include "tools/view_curves.h"

#include "report/curves.h"
#include "train/progress.h"

#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

enum { MOST_RUNS = 64, USUAL_WIDTH = 80 };

/* Of the terminal, or what COLUMNS says. */
static int width_of_output(void)
{
    struct winsize size;
    const char *columns = getenv("COLUMNS");
    long long width = 0;
    if (isatty(STDOUT_FILENO) && ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_col > 0) {
        return size.ws_col;
    }
    return columns != NULL && text_to_integer(columns, strlen(columns), &width) == 0 && width > 0 &&
                   width < 10000
               ? (int)width
               : USUAL_WIDTH;
}

static int draw(const struct curves *runs, int count, const char *output, struct error *e)
{
    struct text text = {0};
    if (output != NULL) {
        return curves_draw(runs, count, output, e);
    }
    curves_append(runs, count, width_of_output(), progress_locale_is_utf8(), &text);
    const int status = text.failed ? error_memory(e, text.capacity * 2) : 0;
    if (status == 0) {
        fputs(text.data, stdout);
    }
    text_free(&text);
    return status;
}

int view_curves(const struct cli *cli, const struct cli_arguments *logs, const char *output)
{
    struct error e = {.offset = -1};
    int count = 0, failed = 0;
    if (logs->count > MOST_RUNS) {
        return cli_usage(cli, "--curves takes at most %d logs", MOST_RUNS);
    }
    struct curves *runs = calloc(MOST_RUNS, sizeof *runs);
    if (runs == NULL) {
        error_memory(&e, MOST_RUNS * sizeof *runs);
        return cli_fail(cli, &e);
    }
    while (count < logs->count && !failed) {
        failed = curves_read(&runs[count], logs->values[count], &e) != 0;
        count += !failed;
    }
    if (!failed) {
        failed = draw(runs, count, output, &e) != 0;
    }
    while (count > 0) {
        curves_free(&runs[--count]);
    }
    free(runs);
    return failed ? cli_fail(cli, &e) : 0;
}
