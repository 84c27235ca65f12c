/* net_node.h: what the loops over the nodes are made of: one node's work on one tile. For net.c and
 * team.c. */
#ifndef CNNTRAIN_NET_NET_NODE_H
#define CNNTRAIN_NET_NET_NODE_H

#include "net/net.h"

/* Where a segment ends: the node behind its last. */
int net_segment_end(const struct graph *graph, const struct plan *plan, int segment);
/* Node i, for its input k. Backward leaves out what node_add does where the gradient is
 * GRADIENT_ADD: share run->part of adding it to what other nodes found. */
void node_forward(const struct graph *graph, const struct plan *plan, struct run *run, float *block,
                  int i, int k);
/* Forward for several tiles at once, of which two runs and blocks are given, the others being as
 * far behind one another as these: whether the node can (it has one input). */
int node_forward_tiles(const struct graph *graph, const struct plan *plan, struct run *runs,
                       float *first, float *second, int tiles, int i);
void node_backward(const struct graph *graph, const struct plan *plan, struct run *run,
                   float *block, int i, int k);
void node_add(const struct graph *graph, const struct plan *plan, const struct run *run,
              float *block, int i, int k);
/* What node i brings to its meeting. */
void node_gather(const struct graph *graph, const struct plan *plan, struct run *run, float *block,
                 int i, double *sums);
void node_gather_back(const struct graph *graph, const struct plan *plan, struct run *run,
                      float *block, int i, double *sums);

#endif
