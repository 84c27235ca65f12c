/* team.c: the loops over the nodes for a team; a barrier between two, if one of them is shared. */
#include "net/team.h"

#include "net/net_node.h"

/* What a barrier costs, in multiply-adds of a vector: a node must have more than that for each
 * thread. */
enum { BARRIER_COST = 20000 };

int team_pays(const struct graph *graph, int threads)
{
    return threads > 1 &&
           graph->multiply_adds > (double)BARRIER_COST * threads * (double)graph->count;
}

int team_spares(const struct node *node)
{
    return node->input_count == 1 && node->inputs[0] == NETWORK_INPUT && node->trained;
}

int team_reads_less(const struct graph *graph, int tiles)
{
    double values = 0, spared = 0;
    for (int i = 0; i < graph->count; i++) {
        const struct node *node = &graph->nodes[i];
        if (!(node->type->flags & LAYER_POINTWISE)) {
            values += (double)shape_size(node->in) * tiles * LANES;
        }
        if (team_spares(node)) {
            spared += (double)node->needs.parameters[0].size;
        }
    }
    return values < spared;
}

static float *block_of(const struct plan *plan, const struct team *team, int tile)
{
    return team->blocks + (size_t)tile * (team->passing ? plan->kept : plan->floats);
}

/* What a tile, or a member, has of its own beside its block. */
static float *passing_of(const struct plan *plan, const struct team *team, int tile)
{
    return team->passing ? team->passing + (size_t)tile * (plan->floats - plan->kept) : NULL;
}

float *team_at(const struct plan *plan, const struct team *team, int tile, size_t offset)
{
    const struct run run = {.passing = passing_of(plan, team, tile)};
    return net_at(plan, &run, block_of(plan, team, tile), offset);
}

static void set_scratch(const struct plan *plan, const struct team *team, struct run *run)
{
    run->scratch = team_at(plan, team, team->me, plan->scratch);
}

static int is_shared(const struct team *team, const struct node *node)
{
    return node->shares && (!team->whole || team_spares(node));
}

/* Whether the member has something to do for a node of a tile, and then which share. */
static int takes(const struct plan *plan, struct team *team, int shared, int tile)
{
    struct run *run = &team->runs[tile];
    run->passing = passing_of(plan, team, tile);
    set_scratch(plan, team, run);
    run->part = shared ? team->me : 0;
    run->parts = shared ? team->threads : 0;
    return shared || team_owns(team, tile);
}

/* Time, waiting included, to a row of the profile. */
static void lap(const struct team *team, int row) { stopwatch_lap(team->runs[0].watch, row); }

static void wait_for_all(const struct team *team)
{
    if (team->threads > 1) {
#pragma omp barrier
    }
}

enum { STEP_NONE, STEP_WHOLE, STEP_SHARED };

void team_begin(struct team *team) { team->step = STEP_NONE; }

void team_step(struct team *team, int shared)
{
    if (team->step == STEP_SHARED || (team->step == STEP_WHOLE && shared)) {
        wait_for_all(team);
    }
    team->step = shared ? STEP_SHARED : STEP_WHOLE;
}

/* Wait until what has been done last is done by all. */
static void team_end(struct team *team)
{
    wait_for_all(team);
    team_begin(team);
}

/* The member's part of node i, for its input k. */
static void forward(const struct graph *graph, const struct plan *plan, struct team *team, int i,
                    int k)
{
    const int shared = is_shared(team, &graph->nodes[i]);
    int first = team->tiles, last = 0, taken = 0;
    team_step(team, shared);
    for (int tile = 0; tile < team->tiles; tile++) {
        if (takes(plan, team, shared, tile)) {
            first = tile < first ? tile : first;
            last = tile;
            taken++;
        }
    }
    if (taken > 1 && last - first + 1 == taken &&
        node_forward_tiles(graph, plan, &team->runs[first], block_of(plan, team, first),
                           block_of(plan, team, first + 1), taken, i)) {
        return;
    }
    for (int tile = 0; tile < team->tiles; tile++) {
        if (shared || team_owns(team, tile)) {
            node_forward(graph, plan, &team->runs[tile], block_of(plan, team, tile), i, k);
        }
    }
}

void net_forward_team(const struct graph *graph, const struct plan *plan, struct team *team,
                      int segment)
{
    const int end = net_segment_end(graph, plan, segment);
    for (int i = segment ? plan->cuts[segment - 1] : 0; i < end; i++) {
        for (int k = 0; k < graph->nodes[i].input_count && plan->places[i].runs; k++) {
            forward(graph, plan, team, i, k);
            lap(team, net_row(i, NET_FORWARD));
        }
    }
    if (end == graph->count) {
        return;
    }
    team_step(team, 0);
    for (int tile = 0; tile < team->tiles; tile++) {
        if (team_owns(team, tile)) {
            node_gather(graph, plan, &team->runs[tile], block_of(plan, team, tile), end,
                        team->sums + (size_t)tile * team->sums_stride);
        }
    }
    team_end(team);
}

/* What was made for input k of node i is added to what other nodes made for it. */
static void add_gradients(const struct graph *graph, const struct plan *plan, struct team *team,
                          int i, int k)
{
    team_step(team, !team->whole);
    for (int tile = 0; tile < team->tiles; tile++) {
        if (takes(plan, team, !team->whole, tile)) {
            node_add(graph, plan, &team->runs[tile], block_of(plan, team, tile), i, k);
        }
    }
}

static void backward(const struct graph *graph, const struct plan *plan, struct team *team, int i)
{
    const struct node *node = &graph->nodes[i];
    const int shared = is_shared(team, node);
    for (int k = node->input_count - 1; k >= 0; k--) {
        team_step(team, shared);
        for (int tile = 0; tile < team->tiles; tile++) {
            if (takes(plan, team, shared, tile)) {
                node_backward(graph, plan, &team->runs[tile], block_of(plan, team, tile), i, k);
            }
        }
        if (plan->places[i].inputs[k].gradient == GRADIENT_ADD) {
            add_gradients(graph, plan, team, i, k);
        }
    }
}

void net_backward_team(const struct graph *graph, const struct plan *plan, struct team *team,
                       int segment)
{
    const int first = segment ? plan->cuts[segment - 1] : -1,
              end = net_segment_end(graph, plan, segment);
    for (int i = end < graph->count ? end : end - 1; i > first; i--) {
        if (plan->places[i].learns && plan->places[i].runs) {
            backward(graph, plan, team, i);
            lap(team, net_row(i, NET_BACKWARD));
        }
    }
    if (segment && plan->places[first].learns) {
        team_step(team, 0);
        for (int tile = 0; tile < team->tiles; tile++) {
            if (team_owns(team, tile)) {
                set_scratch(plan, team, &team->runs[tile]);
                node_gather_back(graph, plan, &team->runs[tile], block_of(plan, team, tile), first,
                                 team->sums + (size_t)tile * team->sums_stride);
            }
        }
    }
    team_end(team);
}
