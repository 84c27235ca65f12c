/* walk.h: a tile through the network with every output kept in a place of its own: slower and
 * larger than a plan (net/plan.h), for those who want to look at each layer. Nothing is folded,
 * fused or overwritten. */
#ifndef CNNTRAIN_TEACH_WALK_H
#define CNNTRAIN_TEACH_WALK_H

#include "net/graph.h"

struct walk {
    const struct graph *graph;
    const float *input; /* the tile that entered, [c][h][w][16] */
    const float **y;    /* [graph->count]: each node's output, here or, where a node did nothing or
                           was not walked, another's */
    float **own;        /* [graph->count] */
    float *memory;      /* owned */
    size_t scratch;     /* where in it */
    double *sums;       /* owned */
    float *shared;      /* owned */
    size_t crossed;     /* values that would have left their branch in the last walk */
};
/* ERROR_LIMIT. To be closed in either case. */
int walk_open(struct walk *walk, const struct graph *graph, struct arena *arena, struct error *e);
void walk_close(struct walk *walk);
/* Through the nodes from `first` on, as run->training says, with the parameters, whose running
 * statistics move in training (NULL in evaluation: the run's). `input` must stay. With `base`, a
 * walk of the same graph and input: outputs of the nodes before `first` are taken from there, and
 * nodes that branch by their input (layer.h, `hold`) take the branches that they took there. */
void walk_forward(struct walk *walk, const struct run *run, float *parameters, const float *input,
                  int first, const struct walk *base);
/* What input k of a node was. */
const float *walk_input(const struct walk *walk, const struct node *node, int k);

#endif
