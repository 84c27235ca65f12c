/* plan.h: where everything stands. A worker's memory for one tile is one block; the plan gives each
 * tensor a place in it for as long as it is needed, so tensors whose lives do not overlap share
 * memory, and the whole stays in the cache. Nothing is allocated later. In a network
 * with cuts each tile of a batch has memory of its own, but what lives between two cuts, gradients
 * on their way and scratch above all, it shares with the other tiles of its worker. */
#ifndef CNNTRAIN_NET_PLAN_H
#define CNNTRAIN_NET_PLAN_H

#include "net/graph.h"

/* What backward does with the gradient by an input: nothing is trained before it; this is the first
 * to come, and is written where it belongs; it is written beside that and added to it. */
enum gradient { GRADIENT_SKIP, GRADIENT_WRITE, GRADIENT_ADD };

/* Where one input of a node enters; offsets in floats, here and below. */
struct edge {
    enum gradient gradient;
    size_t dx; /* where backward writes; meaningless where it does not */
};

struct place {
    size_t y;
    size_t dy; /* gradient by y; meaningless unless it learns */
    int runs;  /* 0: passes its input through: a training-only layer in evaluation, a folded
                  one, or an activation that the layer before does or the next absorbs */
    const struct node *absorbed; /* the activation before it, which it does too; or NULL */
    const struct node *does;     /* the activation behind it, which it does too; or NULL */
    int learns;                  /* backward passes here: this node, or one before it, is trained */
    struct edge *inputs;         /* one an input */
};

enum { PLAN_EVALUATION, PLAN_TRAINING, PLAN_FOLDED };

struct plan {
    int training;
    int folded; /* an evaluation in which folded nodes pass their input through (net/fold.h) */
    struct place *places;   /* one a node; the arena owns them */
    size_t input;           /* the tile that enters, [c][h][w][16] */
    size_t logits, dlogits; /* the last layer's output and the gradient by it */
    size_t scratch;
    int cut_count; /* a training plan has one segment more than cuts */
    int *cuts;     /* the nodes that couple the samples of a batch, in order; the arena owns them */
    size_t floats; /* size of the memory for a tile, a multiple of 16 */
    size_t kept;   /* its first part: what a tile must find again when all have met at a cut. The
                      rest passes from tile to tile: a worker needs it once. Without cuts: all */
};

/* For one of PLAN_EVALUATION, PLAN_TRAINING, PLAN_FOLDED. 0, or -1 when there is no memory for the
 * plan itself. */
int plan_make(struct plan *plan, const struct graph *graph, int purpose, struct arena *arena,
              struct error *e);

#endif
