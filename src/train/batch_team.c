/* batch_team.c: a batch's gradients where all threads work on all tiles at once (net/team.h). */
#include "net/team.h"
#include "train/batch.h"

#include <omp.h>

/* Where the calling member has a tile for itself, or NULL. */
static float *entered_of(const struct trainer *t, int tile)
{
    const size_t size = shape_size(t->model.graph.input) * LANES,
                 before = (size_t)omp_get_thread_num() * (size_t)t->batch_tiles + (size_t)tile;
    return t->entered ? t->entered + before * size : NULL;
}

/* Lay the tiles of a batch out: each member all of them for itself, or some for all, which are then
 * there when it returns. The labels of a tile come from the member that finds its loss. */
static void begin_tiles(const struct batch *b, const struct team *team)
{
    const struct trainer *t = b->trainer;
    if (t->entered) {
        struct labels unread;
        for (int tile = 0; tile < b->tiles; tile++) {
            batch_tile_begin(b, tile, entered_of(t, tile),
                             team_owns(team, tile) ? &t->tile_labels[tile] : &unread);
        }
    } else {
#pragma omp for schedule(static, 1)
        for (int tile = 0; tile < b->tiles; tile++) {
            batch_tile_begin(b, tile, team_at(&t->plan, team, tile, t->plan.input),
                             &t->tile_labels[tile]);
        }
    }
}

/* The calling member's view. */
static void make_team(const struct batch *b, struct team *team)
{
    const struct trainer *t = b->trainer;
    team->threads = omp_get_num_threads();
    team->me = omp_get_thread_num();
    team->tiles = b->tiles;
    team->blocks = t->blocks;
    team->passing = t->plan.cut_count ? t->passing : NULL;
    team->deferred = t->deferred_copies > 1 ? deferred_own(&t->deferred, &t->model.graph, team->me)
                                            : t->deferred;
    /* where each has as many tiles and shards as the others */
    team->whole = b->tiles % team->threads == 0 && b->shards % team->threads == 0;
    team->deferred.common = team->whole ? t->deferred.floats : NULL;
    team->sums = t->tile_sums;
    team->sums_stride = t->model.graph.sums;
    for (int s = 0; s < b->shards; s++) {
        for (int tile = batch_shard_begin(b, s); tile < batch_shard_begin(b, s + 1); tile++) {
            team->runs[tile] = batch_run(b, tile);
            team->runs[tile].deferred = t->deferred.floats ? &team->deferred : NULL;
            team->runs[tile].gradients = batch_shard_gradients(b, s);
            team->runs[tile].add = b->add || tile > batch_shard_begin(b, s);
            team->runs[tile].entered = entered_of(t, tile);
            team->shard[tile] = s;
        }
    }
}

void batch_team_gradients(const struct batch *b)
{
    const struct trainer *t = b->trainer;
    const struct graph *graph = &t->model.graph;
    const int last = t->plan.cut_count;
    struct stopwatch *watch = profile_watch(t->profile);
    struct team *team = &t->teams[omp_get_thread_num()];
    make_team(b, team);
    team_begin(team);
    for (int part = 0; part < b->parts; part++) {
        if (part == 0) {
            begin_tiles(b, team);
            profile_lap(t->profile, watch, PROFILE_INPUT);
        }
        if (part <= last) {
            net_forward_team(graph, &t->plan, team, part);
        }
        if (part == last) {
            team_step(team, 0);
            for (int tile = 0; tile < b->tiles; tile++) {
                if (team_owns(team, tile)) {
                    batch_loss(b, tile, team_at(&t->plan, team, tile, t->plan.logits),
                               team_at(&t->plan, team, tile, t->plan.dlogits));
                }
            }
            profile_lap(t->profile, watch, PROFILE_LOSS);
        }
        if (part >= last) {
            net_backward_team(graph, &t->plan, team, 2 * last - part);
        }
        if (part + 1 < b->parts) {
#pragma omp single
            batch_meet(b, part);
            profile_lap(t->profile, watch, PROFILE_WAIT);
        }
    }
}
