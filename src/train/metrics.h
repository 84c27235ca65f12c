/* metrics.h: what a classifier got right and wrong. Fed sample by sample, in order; then asked. */
#ifndef CNNTRAIN_TRAIN_METRICS_H
#define CNNTRAIN_TRAIN_METRICS_H

#include "base/error.h"

#include <stddef.h>
#include <stdint.h>

struct metrics {
    int classes, top_k;
    size_t count, correct;
    size_t in_top_k; /* the right class was among the k with the greatest outputs; ties go to the
                        lower class */
    double loss_sum, weight_sum;
    size_t *confusion; /* owned; [actual][predicted] */
    size_t *support,
        *predicted; /* sums over the rows and columns of confusion, behind it in memory */
};
/* ERROR_LIMIT when there is no memory for classes * classes counts. */
int metrics_open(struct metrics *metrics, int classes, int top_k, struct error *e);
void metrics_close(struct metrics *metrics);
/* Forget all samples. */
void metrics_clear(struct metrics *metrics);
/* One sample: outputs p[k * stride], finite, for each class k; returns the predicted class (the
 * greatest output; ties: the lowest class). `weight` is what it counts in the mean loss, by which
 * `loss` has been multiplied. */
int metrics_add(struct metrics *metrics, const float *p, size_t stride, int label, float loss,
                double weight);

double metrics_loss(const struct metrics *metrics);     /* weighted mean; 0 for no samples */
double metrics_accuracy(const struct metrics *metrics); /* share; 0 for no samples */
/* The 95 % interval of Wilson 1927 for a share of `correct` in `count`. */
void wilson_interval(size_t correct, size_t count, double *low, double *high);

struct class_metrics {
    size_t support, predicted;    /* samples of the class; samples taken for it */
    double precision, recall, f1; /* -1 where a denominator is 0 */
};
struct class_metrics metrics_of_class(const struct metrics *metrics, int k);

#endif
