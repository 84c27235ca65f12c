/* loss.h: what a loss is: from the last layer's outputs and the labels to a number a sample and the
 * gradient. `options` is the type's own struct (struct choice), NULL where it has none. */
#ifndef CNNTRAIN_NET_LOSS_H
#define CNNTRAIN_NET_LOSS_H

#include "config/option.h"
#include "kernels/kernels.h"

struct loss_type {
    struct member member;
    int takes_logits; /* z are logits: an activation before them is a mistake */
    /* loss[16] and, unless NULL, dz[classes][16] (scaled) from z[classes][16] and the labels; 0 in
     * dead lanes. */
    void (*evaluate)(const void *options, const struct kernels *, int classes, const float *z,
                     const struct labels *labels, float scale, float *loss, float *dz);
    /* What the outputs say of each class: probabilities under cross_entropy, the outputs themselves
     * under mse. p may be z. */
    void (*predict)(const struct kernels *, int classes, const float *z, float *p);
};
extern const struct family LOSSES; /* losses.def; members are struct loss_type */

#endif
