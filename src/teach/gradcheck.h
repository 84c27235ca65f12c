/* gradcheck.h: are the gradients of a user's own network right? What backward finds for a tile of
 * the first batch, against differences of the outputs.
 *
 * Floats have seven digits, and the difference of two losses keeps three of them; so the chain is
 * cut behind the network. With z the outputs, g = dL/dz, which the loss gives,
 *
 *     dL/dw = sum over samples and classes of g dz/dw,
 *
 * and differences are taken of z, weighed by g: the loss's own curvature and rounding stay out of
 * it, and where the network is linear in w, any step will do. That g is right is checked in the
 * same way, of the loss by z, in the table's first row.
 *
 * Everything random (dropout, noise, augmentation) is a function of seed, epoch and sample, so it
 * is the same in all evaluations. relu, max pooling and their like have kinks, at which no
 * difference tells the derivative; in a network of any size, some value crosses one at every step.
 * So each value is held on the branch that it takes in the unchanged network (layer.h, `hold`),
 * which is what its derivative is of; how many elements that made a difference to is in the table.
 *
 * What rounding does to the outputs is measured: by how much they move when every weight becomes
 * the next float. The tolerance of an element is 3 times the error that differentiate() estimates,
 * and for the floats of backward itself 1e-4 of the greater of the two and 1e-5 of the tensor's
 * root mean square. */
#ifndef CNNTRAIN_TEACH_GRADCHECK_H
#define CNNTRAIN_TEACH_GRADCHECK_H

#include "train/trainer.h"

struct gradcheck_row {
    const char *layer, *tensor; /* of the first row "loss" and "outputs" */
    size_t size;                /* elements that have a gradient */
    int frozen;                 /* the layer's weights do not move: nothing is checked */
    int checked, wrong;
    int kinks; /* elements for which some value was held */
    int faint; /* elements whose error is above 2 % of them: both are near 0, or equal within it */
    double relative, absolute; /* greatest deviations of those that are not faint */
    double typical;            /* the root mean square of the tensor's gradient */
    double used;               /* the greatest share of its tolerance that an element took */
};

struct gradcheck {
    struct gradcheck_row *rows; /* in the trainer's arena */
    int count, wrong;           /* wrong: rows that have a wrong element */
    int samples;
    double loss;
};

/* For a prepared trainer, of which only the memory is used; `elements` of each tensor at most,
 * chosen by (seed, RNG_GRADCHECK), and the one of the greatest gradient. The same whatever the
 * number of threads. ERROR_LIMIT; ERROR_NUMERIC when the loss is not finite. */
int gradcheck_run(struct trainer *trainer, int elements, struct gradcheck *check, struct error *e);
/* Append the table. */
void gradcheck_append(const struct gradcheck *check, const struct trainer *trainer,
                      struct text *out);

#endif
