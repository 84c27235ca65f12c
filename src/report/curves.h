/* curves.h: loss and accuracy of one or more runs by epoch, from their log.csv: as a picture, which
 * gnuplot draws, or as text of block characters. */
#ifndef CNNTRAIN_REPORT_CURVES_H
#define CNNTRAIN_REPORT_CURVES_H

#include "base/error.h"
#include "base/text.h"

#include <stddef.h>

enum curve_column {
    CURVE_EPOCH,
    CURVE_TRAIN_LOSS,
    CURVE_VAL_LOSS,
    CURVE_TRAIN_ACCURACY,
    CURVE_VAL_ACCURACY,
    CURVE_COLUMNS
};
struct curves {
    char name[200]; /* of the run: that of the log's folder; safe to print */
    size_t epochs;
    double *values[CURVE_COLUMNS]; /* owned, as one piece; NAN where the log has nothing */
};
/* Read a log.csv, or that in a run's directory. ERROR_IO; ERROR_DATA with the line where it is no
 * log, or has no epoch yet. On failure nothing is left allocated. */
int curves_read(struct curves *curves, const char *path, struct error *e);
void curves_free(struct curves *curves);

/* Write a picture, atomically; the path ends in .svg or .png. ERROR_USAGE when it does not;
 * ERROR_IO, also when there is no gnuplot; ERROR_LIMIT. */
int curves_draw(const struct curves *runs, int count, const char *path, struct error *e);
/* Append the runs as columns of blocks, of at most `width` characters a line; without `unicode` of
 * '#'. */
void curves_append(const struct curves *runs, int count, int width, int unicode, struct text *out);

#endif
