/* deferred.h: the weight gradients of dense layers, for a whole batch at once.
 *
 * dw = dy x^T is a small product for 16 images, and dw a large thing to write, to add to, and to
 * send to another core. So a tile only leaves its x and dy behind, and when all tiles of a batch
 * have been there, the threads share out the rows of dw: each is written once, by the one that has
 * its sum in registers. Such a gradient is in no shard: tiles are added in their order. */
#ifndef CNNTRAIN_NET_DEFERRED_H
#define CNNTRAIN_NET_DEFERRED_H

#include "net/graph.h"

struct deferred {
    float *floats; /* graph->deferred for each of so many tiles, 64-byte aligned */
    int tiles;
    int own; /* a member's of a team: it turns all inputs for itself rather than read what others
                have turned, and has the dy of its own rows, which are all that it needs */
    float *common; /* then, for nodes that are not shared out: where all members leave and find
                      them; NULL: there are none */
};

/* Whether a node can: it is trained, dense, and none of its weights is zero for ever. */
int deferred_can(const struct node *node);
/* The floats of a tile that a node which can leaves behind. */
size_t deferred_size(const struct node *node);
/* One of several that stand one after the other: that of a member of a team (net/team.h). */
struct deferred deferred_own(const struct deferred *all, const struct graph *graph, int member);
/* Leave x and dy of tile run->tile behind, share run->part of them. */
void deferred_keep(const struct node *node, const struct run *run, const float *x, const float *dy);
/* Share `part` of `parts` of the gradients, by the first `tiles` tiles, into run->gradients,
 * written or added to as run->add says. */
void deferred_backward(const struct graph *graph, const struct run *run, int tiles, int part,
                       int parts);

#endif
