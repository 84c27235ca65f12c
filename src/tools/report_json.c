/* report_json.c: --json. Shares are 0 to 1; what has no value (the precision of a class that was
 * never predicted) is null. Pure ASCII, so that no name can do anything to a terminal. */
#include "tools/report.h"

#include "report/json.h"

#include <stdlib.h>
#include <string.h>

/* 15 digits: 0.9897 stays 0.9897; the counts are there for who wants the last bit. */
#define FORMAT (JSON_INDENT(2) | JSON_ENSURE_ASCII | JSON_REAL_PRECISION(15))

static json_t *path_or_null(const char *path)
{
    char safe[4096];

    return json_string(text_sanitize(safe, sizeof safe, path, strlen(path)));
}

int report_json(const struct report *report, FILE *out, struct error *e)
{
    const struct metrics *m = report->metrics;
    const double n = m->count > 0 ? (double)m->count : 1;
    double low, high;

    wilson_interval(m->correct, m->count, &low, &high);
    json_t *root = json_pack(
        "{s:o, s:o, s:I, s:I, s:f, s:[f, f], s:f, s:{s:i, s:I, s:f}, s:o, s:o}", "model",
        path_or_null(report->model), "test_set", path_or_null(report->test_set), "count",
        (json_int_t)m->count, "correct", (json_int_t)m->correct, "accuracy", metrics_accuracy(m),
        "accuracy_interval_95", low, high, "loss", metrics_loss(m), "top_k", "k", m->top_k,
        "correct", (json_int_t)m->in_top_k, "accuracy", (double)m->in_top_k / n, "classes",
        json_classes(m, report->classes), "confusion", json_confusion(m));

    /* All of it or nothing. */
    char *text = root != NULL ? json_dumps(root, FORMAT) : NULL;

    json_decref(root);
    if (text == NULL) {
        return error_set(e, ERROR_LIMIT, NULL, "out of memory for the JSON report");
    }
    fputs(text, out); /* cli_finish sees whether it got there */
    fputc('\n', out);
    free(text);
    return 0;
}
