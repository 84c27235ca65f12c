/* report.h: the results of cnneval, for people and for programs. Names of classes and paths come
 * from files that others wrote: none of them reaches a terminal, a JSON reader or a spreadsheet as
 * it is. */
#ifndef CNNTRAIN_TOOLS_REPORT_H
#define CNNTRAIN_TOOLS_REPORT_H

#include "base/text.h"
#include "config/option.h"
#include "train/metrics.h"

struct report {
    const char *model, *test_set; /* paths */
    const struct texts *classes;
    const struct metrics *metrics;
};
/* For people: the numbers, a table of the classes, the confusion matrix (of up to 20 classes; of
 * more the pairs most often confused). */
void report_text(const struct report *report, FILE *out);
/* One JSON object. ERROR_LIMIT. */
int report_json(const struct report *report, FILE *out, struct error *e);

/* A row an image: its path, or its index where it has none; label, prediction, and what the network
 * says of each class. */
struct rows {
    const char *path; /* "-": stdout */
    int dir;          /* where the file goes; -1 when it is written in place */
    const char *name; /* in that directory */
    const struct texts *classes;
    struct text text;
};
/* The directory must be there before any work is done. ERROR_IO. */
int rows_open(struct rows *rows, const char *path, const struct texts *classes, struct error *e);
/* p[k * stride]: the output for class k; `path` NULL: the index stands for it, in all rows alike.
 */
void rows_add(struct rows *rows, const char *path, size_t index, int label, int prediction,
              const float *p, size_t stride);
/* To the file: replaced as a whole; what is no regular file (a pipe, /dev/stdout) is written to.
 * ERROR_IO, ERROR_LIMIT. */
int rows_write(const struct rows *rows, struct error *e);
void rows_close(struct rows *rows);

#endif
