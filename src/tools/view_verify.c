/* view_verify.c: see view_verify.h. The report comes first and whole, so that the faults follow it
 * wherever both go to one terminal. */
#include "tools/view_verify.h"

#include "train/verify.h"

int view_verify(const struct cli *cli, const char *path, const struct cli_common *common)
{
    static struct error_list errors; /* too large for a small stack */
    struct text report = {0};
    struct error e = {.offset = -1};
    const int status = verify_file(path, common->verbose, &report, &errors);
    if (report.failed) {
        error_memory(&e, report.length);
        text_free(&report);
        return cli_fail(cli, &e);
    }
    if (report.data != NULL && !(common->quiet && status == 0)) {
        fputs(report.data, stdout);
    }
    text_free(&report);
    if (status == 0) {
        return 0;
    }
    if (cli_flush(&e) != 0) {
        *error_next(&errors) = e;
    }
    return cli_fail_all(cli, &errors);
}
