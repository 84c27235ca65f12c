/* doctor.c: see doctor.h. */
#include "tools/doctor.h"

#include "kernels/kernels.h"
#include "teach/symptom.h"

int doctor(const struct cli *cli, const char *directory, int threads)
{
    static struct error_list errors; /* too large for a small stack */
    struct patient patient;
    struct text text = {0};
    struct error e = {.offset = -1};
    const struct kernels *kernels = cli_kernels(cli);
    int code = 0;
    if (kernels == NULL) {
        return ERROR_USAGE;
    }
    if (patient_open(&patient, directory, kernels, threads, &errors) != 0) {
        code = cli_fail_all(cli, &errors);
    } else {
        diagnose(&patient, &text);
        if (text.failed) {
            error_memory(&e, text.length);
            code = cli_fail(cli, &e);
        } else {
            fputs(text.data, stdout);
        }
    }
    text_free(&text);
    patient_free(&patient);
    return code;
}
