/* deferred.c: what a tile leaves behind, and what becomes of it.
 *
 * A node has, for all tiles of a batch: xt[tiles][dense_scratch(in)], dy[tiles][out][16]. */
#include "net/deferred.h"

#include "net/net.h"
#include "net/team.h"

#include <string.h>

static size_t inputs(const struct node *node) { return shape_size(node->in); }

static size_t outputs(const struct node *node) { return shape_size(node->out); }

int deferred_can(const struct node *node)
{
    const struct parameter *weight = &node->needs.parameters[0];
    return node->dense && node->trained && (weight->used == 0 || weight->used == weight->size);
}

size_t deferred_size(const struct node *node)
{
    return dense_scratch((int)inputs(node)) + outputs(node) * LANES;
}

struct deferred deferred_own(const struct deferred *all, const struct graph *graph, int member)
{
    const size_t floats = graph->deferred * (size_t)all->tiles;
    return (struct deferred){
        .floats = all->floats + (size_t)member * floats, .tiles = all->tiles, .own = 1};
}

/* Whether the calling member of a team leaves the node's and finds them for itself alone. */
static int is_own(const struct node *node, const struct run *run)
{
    return run->deferred->own && (!run->deferred->common || team_spares(node));
}

static float *turned_of(const struct node *node, const struct run *run)
{
    const struct deferred *all = run->deferred;
    float *floats = all->own && !is_own(node, run) ? all->common : all->floats;
    return floats + node->deferred * (size_t)all->tiles;
}

static float *dy_of(const struct node *node, const struct run *run)
{
    return turned_of(node, run) + dense_scratch((int)inputs(node)) * (size_t)run->deferred->tiles;
}

void deferred_keep(const struct node *node, const struct run *run, const float *x, const float *dy)
{
    const size_t tile = (size_t)run->tile, in = inputs(node), out = outputs(node);
    float *turned = turned_of(node, run) + tile * dense_scratch((int)in);
    const struct run whole = {.parts = 0};
    size_t first;
    size_t end = run_share(is_own(node, run) ? &whole : run, (in + LANES - 1) / LANES, &first);
    end = end * LANES < in ? end * LANES : in;
    first *= LANES;
    if (first < end) {
        run->kernels->dense_turn((int)(end - first), x + first * LANES, turned + first * LANES);
    }
    end = run_share(run, out, &first);
    memcpy(dy_of(node, run) + (tile * out + first) * LANES, dy + first * LANES,
           (end - first) * LANES * sizeof *dy);
}

void deferred_backward(const struct graph *graph, const struct run *run, int tiles, int part,
                       int parts)
{
    struct run share = {.part = part, .parts = parts};
    for (int i = graph->count - 1; i >= 0; i--) {
        const struct node *node = &graph->nodes[i];
        size_t first, in = inputs(node), out = outputs(node);
        const size_t end = run_share(&share, out, &first);
        if (!node->defers || first == end) {
            continue;
        }
        run->kernels->dense_backward_weight(
            (int)in, (int)(end - first), tiles, turned_of(node, run),
            dy_of(node, run) + first * LANES, out * LANES, run->add,
            node_gradient(node, run, 0) + first * in,
            node->needs.parameter_count > 1 ? node_gradient(node, run, 1) + first : NULL);
        stopwatch_lap(run->watch, net_row(i, NET_BACKWARD));
    }
}
