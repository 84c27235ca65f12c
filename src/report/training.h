/* training.h: the report of a training run, report.html in its output directory: written when the
 * run starts, after an epoch, and at the end, when everything else of that epoch is; while the run
 * goes on at most once a second, for an epoch of a small network takes less. What it shows
 * of the validation set comes from the validation that the run does anyway; nothing of the run
 * depends on it. */
#ifndef CNNTRAIN_REPORT_TRAINING_H
#define CNNTRAIN_REPORT_TRAINING_H

#include "report/outcome.h"
#include "train/trainer.h"

struct training_report {
    struct watcher watcher;
    struct outcome now, model; /* of the last validation; of the weights in model.bin */
    long long model_epoch;     /* after which these stood; 0: not known yet */
    double next_page;          /* not before, as progress_now counts, unless it is the last */
    int behind;                /* an epoch has ended of which the page does not know */
};
/* Watch a prepared trainer, until closed. ERROR_LIMIT. */
int training_report_open(struct training_report *report, struct trainer *trainer, struct error *e);
void training_report_close(struct training_report *report);

#endif
