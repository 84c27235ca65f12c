/* evaluation.h: the report of cnneval --report: what a model does on a labelled set, as a page like
 * that of a run. */
#ifndef CNNTRAIN_REPORT_EVALUATION_H
#define CNNTRAIN_REPORT_EVALUATION_H

#include "base/file.h"
#include "report/outcome.h"
#include "train/model.h"

struct evaluation {
    const char *model_path, *set_path;
    const struct model *model;
    const struct outcome *outcome;
    int draws; /* over which outputs are means (--tta); 1: the image alone */
};
/* Open (and make, and lock) the directory, before any work is done. One that holds a run has a
 * report of that run, which is not replaced: ERROR_USAGE. ERROR_IO, ERROR_BUSY. */
int evaluation_open(struct output_dir *dir, const char *path, struct error *e);
/* Write report.html there. ERROR_IO, ERROR_LIMIT, or what dataset_failed says. */
int evaluation_write(const struct evaluation *evaluation, const struct output_dir *dir,
                     struct error *e);

#endif
