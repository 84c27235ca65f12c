/* net.h: one tile through the network, forward and backward, in a worker's block of memory laid out
 * by a plan. */
#ifndef CNNTRAIN_NET_NET_H
#define CNNTRAIN_NET_NET_H

#include "net/plan.h"

/* In a worker's stopwatch each node has two rows; those of other work stand behind them. */
enum net_direction { NET_FORWARD, NET_BACKWARD };
static inline int net_row(int node, enum net_direction direction)
{
    return 2 * node + (int)direction;
}

/* Let the nodes prepare what they need of run->parameters, in run->shared: before the first tile
 * and after each change of the parameters. Called by every thread of a team, which shares the work,
 * or by one alone; at the end all of it is done. */
void net_prepare(const struct graph *graph, const struct run *run);

/* What the plan has at an offset, of the tile whose memory is `block`: plan->floats floats, or with
 * run->passing plan->kept. */
static inline float *net_at(const struct plan *plan, const struct run *run, float *block,
                            size_t offset)
{
    return offset < plan->kept || !run->passing ? block + offset
                                                : run->passing + (offset - plan->kept);
}

/* From block[plan->input] to block[plan->logits]. `run->scratch` is set here. `block`: plan->floats
 * floats, 64-byte aligned. For plans without cuts. */
void net_forward(const struct graph *graph, const struct plan *plan, struct run *run, float *block);
/* From block[plan->dlogits] to run->gradients, written or added to. After net_forward with the same
 * run and a training plan. */
void net_backward(const struct graph *graph, const struct plan *plan, struct run *run,
                  float *block);

/* The same in parts, between which all tiles of a batch meet. Segment s ends before the node
 * plan->cuts[s], the last one with the network. Forward ends with the sums for the cut behind it,
 * and backward, which comes from the last segment to the first, with those for the cut before it.
 */
void net_forward_segment(const struct graph *graph, const struct plan *plan, struct run *run,
                         float *block, int segment, double *sums);
void net_backward_segment(const struct graph *graph, const struct plan *plan, struct run *run,
                          float *block, int segment, double *sums);
/* What all tiles brought to a cut becomes node_shared(); `parameters` is what run->parameters is.
 */
void net_meet(const struct graph *graph, const struct plan *plan, const struct run *run, int cut,
              const struct meeting *meeting, float *parameters);
void net_meet_back(const struct graph *graph, const struct plan *plan, const struct run *run,
                   int cut, const struct meeting *meeting);
/* The first layer that has a parameter, or makes an output from this tile, that is not finite;
 * *parameter says which of the two it is. NULL when there is none. Works as net_forward does, on a
 * tile that has been laid in again. */
const struct node *net_find_not_finite(const struct graph *graph, const struct plan *plan,
                                       struct run *run, float *block, int *parameter);
/* Whether n floats are all finite. */
int all_finite(const float *values, size_t n);

#endif
