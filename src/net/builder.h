/* builder.h: a graph in the making, for the types that are made of other layers (layer.h,
 * `expand`).
 *
 * Nodes are named by their numbers, for they move while others come; the network's input is
 * NETWORK_INPUT. Faults are kept in the builder and in its list of errors: after one, what comes is
 * still looked at, for faults of its own. */
#ifndef CNNTRAIN_NET_BUILDER_H
#define CNNTRAIN_NET_BUILDER_H

#include "net/graph.h"

struct builder {
    struct graph *graph;
    struct arena *arena;
    struct error_list *errors;
    int room; /* of graph->nodes */
    struct named {
        const struct layer_type *type;
        const char *name;
    } * named; /* [MOST_LAYERS]: the layers of the lists, in the order of the config */
    int named_count;
    int depth;     /* lists within lists */
    int copies;    /* > 0 within a repeated block: a layer makes several nodes, each with options of
                      its own */
    int failed;    /* a fault was found */
    int shapeless; /* a shape could not be found; no shape behind it can */
    int stopped;   /* no memory, or over a limit: nothing more is added */
};

/* Put the layers of a list behind node `input`; returns the last one's node, which is `input` for
 * an empty list. */
int builder_list(struct builder *b, const struct network *list, int input);
/* Put one node into the graph. Its name is its layer's own, or `owner`'s with the type behind a
 * point when it belongs to another. Returns it. */
int builder_node(struct builder *b, const struct choice *layer, const char *owner,
                 const int *inputs, int count);
/* The shape of a node's output; only when !b->shapeless. */
struct shape builder_shape(const struct builder *b, int node);

/* Floats in whole vectors. */
static inline size_t graph_padded(size_t floats) { return (floats + LANES - 1) / LANES * LANES; }
/* Find which nodes defer their gradients, and where each tensor stands in the flat vector. */
void graph_place_parameters(struct graph *graph);
/* Give the weights without an `init` one that suits (initializers.c); `next`: room for a number a
 * node, zeros. */
void graph_choose_initializers(struct graph *graph, int *next);

#endif
