/* graph.h: the network: its nodes, in an order in which each comes behind all that it reads. Built
 * from the config's `network` list; read-only afterwards. */
#ifndef CNNTRAIN_NET_GRAPH_H
#define CNNTRAIN_NET_GRAPH_H

#include "net/layer.h"

enum { MOST_LAYERS = 1024, MOST_BRANCHES = 64 };

/* The `network` list as decoded, or a list within it: layers not yet joined. */
struct network {
    int count;
    struct choice *layers;
    const struct yaml *where;
};
extern const struct option_kind OPTION_NETWORK; /* field: struct network */

/* Lists side by side; they may be empty. */
struct branches {
    int count;
    struct network *lists;
};
extern const struct option_kind OPTION_BRANCHES; /* field: struct branches */

struct graph {
    int folds;          /* nodes that are part of the one before them in evaluation (net/fold.h) */
    int count, edges;   /* edges: inputs of all nodes */
    struct node *nodes; /* in order, the last one's output is the network's; the arena owns them */
    struct shape input;
    size_t parameters; /* length of the flat vector: tensors at multiples of 16 floats, zeros
                          between; first those that the optimizer moves, then the fixed ones */
    size_t moved;      /* length of the first part, which has gradients */
    size_t summed;     /* length of its own first part: whose gradients are sums of shards; those of
                          the rest are deferred (net/deferred.h) */
    size_t deferred;   /* floats a tile for all nodes that defer */
    size_t values;     /* elements of all tensors */
    int prepares;      /* a node has something to prepare of its weights */
    size_t shared, sums; /* floats a batch for all coupling nodes; doubles a tile for any of them */
    size_t trained, frozen; /* parameters in the usual sense */
    double multiply_adds;   /* for one sample, forward */
};

/* Join the layers: names, `activation` options as nodes of their own, the layers within layers,
 * shapes, parameters, initialisers that suit. Defaults are written back into the options, so that
 * the network can be emitted as resolved. All faults are reported, but shapes only up to the first:
 * those behind it are unknown. 0 or -1. */
int graph_build(struct graph *graph, const struct network *network, struct shape input,
                struct arena *arena, struct error_list *errors);
/* The last layer must give one value a class. 0, or -1 with a fault at that layer. */
int graph_check_classes(const struct graph *graph, int classes, struct error_list *errors);
/* Floats that the node with the most scratch needs. */
size_t graph_scratch(const struct graph *graph);
/* Fill the flat vector: weights by their initialisers, the rest zero. */
void graph_initialize(const struct graph *graph, uint64_t seed, float *parameters);

#endif
