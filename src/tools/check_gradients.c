/* check_gradients.c: see check_gradients.h. */
#include "tools/check_gradients.h"

#include "teach/gradcheck.h"

#include <stdio.h>

enum { ELEMENTS = 12 }; /* of each tensor */

int check_gradients(const struct cli *cli, struct trainer *trainer)
{
    struct error e = {.offset = -1};
    struct gradcheck check;
    struct text text = {0};
    if (gradcheck_run(trainer, ELEMENTS, &check, &e) != 0) {
        return cli_fail(cli, &e);
    }
    gradcheck_append(&check, trainer, &text);
    if (text.failed) {
        error_memory(&e, text.length);
        text_free(&text);
        return cli_fail(cli, &e);
    }
    fputs(text.data, stdout);
    text_free(&text);
    if (check.wrong == 0) {
        return 0;
    }
    fflush(stdout);
    error_set(&e, ERROR_CHECK, NULL, "the gradient by %d of %d tensors deviates", check.wrong,
              check.count);
    return cli_fail(cli, &e);
}
