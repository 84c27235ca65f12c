/* outcome.h: what an evaluation found, sample by sample, for a page: the counts of train/metrics.h,
 * how far the probabilities can be believed, and the mistakes that were made with the greatest of
 * them. All memory is taken when it is opened. */
#ifndef CNNTRAIN_REPORT_OUTCOME_H
#define CNNTRAIN_REPORT_OUTCOME_H

#include "data/dataset.h"
#include "report/calibration.h"
#include "train/metrics.h"

enum { MOST_MISTAKES = 40 };

struct mistake {
    uint32_t sample; /* of the set */
    int label, prediction;
    float p, p_label; /* what the network says of the prediction, and of what it is */
};

struct outcome {
    const struct subset *subset;
    int probable; /* outputs are probabilities */
    struct metrics metrics;
    struct calibration calibration;
    int mistakes;
    struct mistake mistake[MOST_MISTAKES]; /* the greatest p first; equal ones in order */
    size_t kept, stride; /* outputs of each stride-th sample are kept, for the temperature */
    float *p;            /* owned; [kept][classes] */
    int32_t *labels;     /* of them; behind p in memory */
};
/* `flags` of the loss that the outputs are made for (net/loss.h). ERROR_LIMIT. */
int outcome_open(struct outcome *outcome, const struct subset *subset, int classes, int top_k,
                 unsigned flags, struct error *e);
void outcome_close(struct outcome *outcome);
/* Forget all samples. */
void outcome_clear(struct outcome *outcome);
/* The next sample of the subset: as metrics_add, whose result is returned. */
int outcome_add(struct outcome *outcome, const float *p, size_t stride, int label, float loss,
                double weight);

#endif
