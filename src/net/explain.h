/* explain.h: how a layer finds one value of its output in evaluation, as data: what it looks at and
 * what it makes of that, step by step. A type says so of itself (layer.h, `explain`), in double and
 * apart from its kernels; src/teach prints it. */
#ifndef CNNTRAIN_NET_EXPLAIN_H
#define CNNTRAIN_NET_EXPLAIN_H

#include "net/layer.h"

/* A value of a layer's output. */
struct spot {
    int channel, y, x;
};

/* The values of the input that count, of one channel. */
struct explained_patch {
    int channel; /* -1: the columns are the channels, of one value each */
    int rows, columns;
    int y, x, step_y, step_x; /* where the first stands in the input, and from one to the next */
    const double *values;     /* [rows][columns]; 0 where outside */
    const char *outside;      /* [rows][columns]: 1 in the padding */
    const double *weights;    /* [rows][columns], by which the values are multiplied; NULL: none */
    double sum;               /* of the values, or of the products */
};

/* A step: "sum of the products: 3", "bias: 1"; the last one is the output. */
struct explained_row {
    const char *what;
    double value;
};

enum { MOST_EXPLAINED_ROWS = 12 };

struct explanation {
    const char *rule; /* "output = sum of patch x kernel + bias" */
    struct explained_patch *patches;
    int patch_count, room;
    struct explained_row rows[MOST_EXPLAINED_ROWS];
    int row_count;
    double magnitude;    /* of all that is added: the rounding of floats is in proportion to it */
    struct arena *arena; /* owns what is here */
    int failed;          /* no memory */
};

/* Add what the window at `at` sees of input channel `channel`, in lane 0 of the tile x; `weights`
 * are those of this channel, [kh][kw], or NULL. NULL without memory. */
const struct explained_patch *explain_window(struct explanation *e, const struct node *node,
                                             const struct spot *at, const float *x, int channel,
                                             const float *weights);
/* Add a whole channel of the input, or, where each channel is one value, all of them. */
const struct explained_patch *explain_map(struct explanation *e, const struct node *node,
                                          const float *x, int channel, const float *weights);
/* The sums of all patches, added up. */
double explain_sum(const struct explanation *e);
/* Add the steps of the greatest value of a patch, or of its mean, over all of it or what is not
 * padding; `patch` may be NULL. */
void explain_greatest(struct explanation *e, const struct explained_patch *patch);
void explain_mean(struct explanation *e, const struct explained_patch *patch, int padding);
/* Add a step. */
void explain_row(struct explanation *e, const char *what, double value);
/* The value at `at` of a tile of the node's input, in lane 0. */
double explain_input(const struct node *node, const float *x, const struct spot *at);

#endif
