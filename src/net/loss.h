/* loss.h: what a loss is: from the last layer's outputs and the labels to a number a sample and the
 * gradient. A batch's loss is the mean of its samples'; with class weights, their sum divided by
 * the sum of the weights of the samples' classes, as in PyTorch. */
#ifndef CNNTRAIN_NET_LOSS_H
#define CNNTRAIN_NET_LOSS_H

#include "config/option.h"
#include "kernels/kernels.h"

/* First field of every loss's options: what the keys of `train` that concern a loss say, and the
 * loss's own numbers. */
struct loss_options {
    struct loss_terms terms;
};

enum loss_flags {
    LOSS_SMOOTHING = 1, /* train.label_smoothing means something for it */
    LOSS_WEIGHTS = 2,   /* so does train.class_weights */
    LOSS_LOGITS = 4     /* it takes logits: an activation before it is a mistake */
};

struct loss_type {
    struct member member;
    unsigned flags;
    /* loss[16] and, unless NULL, dz[classes][16] (scaled) from z[classes][16] and the labels; 0 in
     * dead lanes. */
    void (*evaluate)(const struct loss_options *options, const struct kernels *, int classes,
                     const float *z, const struct labels *labels, float scale, float *loss,
                     float *dz);
    /* What the outputs say of each class: probabilities where the loss takes their logarithms, else
     * the outputs themselves. p may be z. */
    void (*predict)(const struct kernels *, int classes, const float *z, float *p);
};
extern const struct family LOSSES; /* losses.def; members are struct loss_type */

/* The names of those that have a flag, for messages: "cross_entropy or focal". */
void losses_with(unsigned flag, char *text, size_t size);
/* What a lane counts in a mean: 1, or the class weights by their shares; 0 in a dead lane. */
double loss_weight(const struct loss_options *options, const struct labels *labels, int lane);

#endif
