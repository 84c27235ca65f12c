/* team.h: all threads on the same tiles at once, for a batch with fewer shards than there are
 * threads, or one whose values are fewer than the weights. Node by node, each member makes its
 * share of every tile's outputs (node->shares), and then waits for the others; of a node that
 * cannot share, each tile has one member. Every number is made as by a thread alone, so nothing
 * depends on how many there are. A team of one has several tiles at each node, and waits for
 * nobody: for layers that read many weights, once for all tiles. */
#ifndef CNNTRAIN_NET_TEAM_H
#define CNNTRAIN_NET_TEAM_H

#include "net/deferred.h"
#include "net/net.h"

enum { MOST_TEAM_TILES = 64 };

/* One member's view. */
struct team {
    int threads, me;
    int tiles;
    struct run runs[MOST_TEAM_TILES]; /* its own, one a tile; scratch and part are set here */
    int shard[MOST_TEAM_TILES];       /* of each tile; ascending */
    int whole;     /* only what is spared (team_spares) is shared out; at other nodes a tile has one
                      member, who waits for nobody from one such node to the next */
    int step;      /* what has been done last, kept here */
    float *blocks; /* a tile's and a member's scratch: of plan->floats each, */
    float *passing;           /* or of plan->kept, and here the rest; or NULL */
    struct deferred deferred; /* of its own, where runs say so */
    double *sums;             /* what tiles bring to a meeting */
    size_t sums_stride;
};

/* Whether the tile is the calling member's, where it has one: at nodes that are not shared out, and
 * at its loss. */
static inline int team_owns(const struct team *team, int tile)
{
    return team->shard[tile] % team->threads == team->me;
}
/* Before each step of all members, `shared` out or not: wait, unless both this and the one before
 * have a member for each tile. Before the first, team_begin. */
void team_begin(struct team *team);
void team_step(struct team *team, int shared);
/* What the plan has at an offset, of a tile. */
float *team_at(const struct plan *plan, const struct team *team, int tile, size_t offset);
/* As net_forward_segment and net_backward_segment, called by every member of the innermost parallel
 * region, or by the one that is a team alone. Backward, and forward to a cut, end when all of it is
 * done; else what follows forward is another step (team_step). */
void net_forward_team(const struct graph *graph, const struct plan *plan, struct team *team,
                      int segment);
void net_backward_team(const struct graph *graph, const struct plan *plan, struct team *team,
                       int segment);
/* Whether sharing a tile out among so many threads is worth the waiting. */
int team_pays(const struct graph *graph, int threads);
/* Whether members have the weights of their outputs of the node for themselves, forward and
 * backward: its input wants no gradient. */
int team_spares(const struct node *node);
/* Whether in a step with so many tiles the members of a team read less that other cores have
 * written than threads with tiles of their own do. Those read what the others moved, of all
 * weights; a member reads the other members' values at each node, but not the weights that it is
 * spared. Of one thread the same is so: as a team it reads the weights once for all tiles, and in
 * return each tile's values again at each node. */
int team_reads_less(const struct graph *graph, int tiles);

#endif
