/* gradcheck_internal.h: what the parts of the gradient check share. */
#ifndef CNNTRAIN_TEACH_GRADCHECK_INTERNAL_H
#define CNNTRAIN_TEACH_GRADCHECK_INTERNAL_H

#include "teach/differences.h"
#include "teach/gradcheck.h"
#include "teach/walk.h"

/* One number to be checked. */
struct element {
    int row;
    const struct node *node; /* NULL: an output; `at` is then in z */
    size_t at;               /* in the flat vector */
    double start;            /* the first step */
    double gradient;
    struct derivative numeric;
    size_t crossed;
};

/* What one thread works with. */
struct bench {
    struct walk walk;
    float *parameters; /* a copy that it may change */
    float *z;          /* outputs that it may change */
};

struct checker {
    struct trainer *t;
    const struct graph *graph;
    struct run run;
    struct labels labels;
    float *input, *z, *dz, *parameters, *gradients, *loss, *used; /* owned, by `memory` */
    void *memory;
    double scale;     /* of the loss of a lane in that of the batch */
    double z_noise;   /* what rounding puts into the sum of g z */
    struct walk base; /* of the unchanged network */
    struct bench *benches;
    struct element *elements;
    int count;
};

/* Rows and elements for the outputs and for all tensors that the optimizer moves; `used` has room
 * for the largest of them. */
void gradcheck_choose(struct checker *c, struct gradcheck *check, int elements, float *used);
/* What an element says of its row. */
void gradcheck_judge(struct gradcheck *check, const struct element *element);

#endif
