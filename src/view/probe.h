/* probe.h: a trained network open to view: one tile through it with the output of every layer kept,
 * and the gradient of any output by everything before it. It is the network as evaluation sees it:
 * normalisations use their running statistics, dropout and noise pass their input on. The walk is
 * the types' own forward and backward (net/layer.h); only what rectifiers pass back may be replaced
 * by a rule. */
#ifndef CNNTRAIN_VIEW_PROBE_H
#define CNNTRAIN_VIEW_PROBE_H

#include "base/error.h"
#include "net/graph.h"

/* What a rectifier (LAYER_RECTIFIES) passes back: dx from dy; all sizes are the node's. */
typedef void rectifier_rule(const struct node *node, const struct run *run, const float *x,
                            const float *y, const float *dy, float *dx);

struct probe {
    const struct graph *graph;
    struct node *nodes; /* the graph's, with nothing trained and no samples coupled; owned, as all
                           that follows */
    struct run run;
    int *content;  /* [count + 1]: of the input, then of each node: whose output it hands on */
    size_t *place; /* [count + 1]: where that is, in floats */
    char *reached; /* [count + 1]: backward has been there */
    float *y, *dy; /* all outputs [c][h][w][16], the input first, and the gradients by them */
    float *spare;  /* of the greatest of them */
    size_t size;   /* of y, in floats */
};

/* `gradients`: probe_backward will be called. ERROR_LIMIT. */
int probe_open(struct probe *probe, const struct graph *graph, const float *parameters,
               const struct kernels *kernels, int gradients, struct error *e);
void probe_close(struct probe *probe);
/* One for each of `count` threads; `gradients` is the first one's. NULL with ERROR_LIMIT. */
struct probe *probes_open(int count, const struct graph *graph, const float *parameters,
                          const struct kernels *kernels, int gradients, struct error *e);
void probes_close(struct probe *probes, int count);

/* The output of a node, or with NETWORK_INPUT the tile that enters, and the gradient by it. */
float *probe_output(const struct probe *probe, int node);
float *probe_gradient(const struct probe *probe, int node);
/* One image [c][h][w] into a lane of the input, or into all of them with lane -1. */
void probe_put(struct probe *probe, int lane, const float *x);
/* A lane of a tensor of `n` vectors, as planes. */
void probe_take(const float *tile, size_t n, int lane, float *planes);

/* From the input as far as the node `last`. */
void probe_forward(struct probe *probe, int last);
/* All gradients become zero. Then some output's is set by the caller, at `from` ... */
void probe_clear(struct probe *probe);
/* ... and goes back from there to the input. `rule` NULL: the gradient itself. */
void probe_backward(struct probe *probe, int from, rectifier_rule *rule);

#endif
