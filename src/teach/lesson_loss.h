/* lesson_loss.h: what a loss with a softmax makes of the network's outputs, as a lecture works it
 * out: e^z of each class, their sum, the probabilities, and the cost of the right class; compared
 * with the probabilities that the loss itself computes. */
#ifndef CNNTRAIN_TEACH_LESSON_LOSS_H
#define CNNTRAIN_TEACH_LESSON_LOSS_H

#include "net/graph.h"
#include "net/loss.h"

/* What to explain. */
struct loss_lesson {
    const struct graph *graph;
    const float *parameters; /* the flat vector */
    const struct kernels *kernels;
    const float *input;           /* a tile, the image in lane 0 */
    const struct loss_type *loss; /* with LOSS_LOGITS */
    const struct texts *classes;  /* their names */
    int label;                    /* the right class; -1: not known */
    int everything;               /* every class, however many */
};

/* Append the text. ERROR_LIMIT; ERROR_NUMERIC when an output is not finite; ERROR_INTERNAL when the
 * steps do not come to what the loss computes. */
int loss_lesson_append(const struct loss_lesson *lesson, struct text *out, struct error *e);

#endif
