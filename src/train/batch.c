/* batch.c: one step: the shards of a batch forward and backward, those of further batches added
 * where gradients are accumulated, then the update, range by range.
 *
 * A batch with fewer shards than threads, or fewer values than weights, is shared out within its
 * tiles instead (batch_team.c).
 *
 * Where nothing couples the samples of a batch, a thread takes a tile through the whole network and
 * back while it is in its cache. Each layer that does (layer.h, struct coupling) is a place where
 * all tiles wait for each other, on the way there and back. */
#include "train/batch.h"

#include "net/team.h"

#include <math.h>
#include <omp.h>

/* How many samples a tile has. */
static int live_of(const struct batch *b, int tile)
{
    const size_t rest = b->n - (size_t)tile * LANES;
    return (int)(rest < LANES ? rest : LANES);
}

/* Where the images are in their set, of `count` numbers of an epoch. */
static void stored_samples(const struct trainer *t, const uint32_t *index, int count,
                           uint32_t *samples)
{
    for (int i = 0; i < count; i++) {
        samples[i] = drawn_sample(index[i], t->train.set);
    }
}

void batch_tile_begin(const struct batch *b, int tile, float *x, struct labels *labels)
{
    const struct trainer *t = b->trainer;
    const uint32_t *index = b->index + (size_t)tile * LANES;
    uint32_t samples[LANES];
    if (tile + 1 < b->tiles) {
        stored_samples(t, index + LANES, live_of(b, tile + 1), samples);
        input_prefetch(t->train.set, samples, live_of(b, tile + 1));
    }
    stored_samples(t, index, live_of(b, tile), samples);
    if (t->augmenter.list) {
        float *scratch =
            t->augment_scratch + (size_t)omp_get_thread_num() * augmenter_scratch(&t->augmenter);
        augment_tile(&t->augmenter, (uint32_t)t->position.epoch, index, live_of(b, tile), x, labels,
                     scratch);
        return;
    }
    input_tile(&t->model.input, t->train.set, samples, live_of(b, tile), x, labels, t->kernels);
}

struct run batch_run(const struct batch *b, int tile)
{
    const struct trainer *t = b->trainer;
    const int live = live_of(b, tile);
    struct run run = {
        .kernels = t->kernels,
        .training = 1,
        .seed = t->model.settings.seed,
        .epoch = (uint32_t)t->position.epoch,
        .parameters = t->parameters,
        .shared = t->shared,
        .deferred = t->deferred.floats ? &t->deferred : NULL,
        .tile = tile,
        .watch = profile_watch(t->profile),
    };
    for (int lane = 0; lane < LANES; lane++) {
        run.samples[lane] = b->index[(size_t)tile * LANES + (size_t)(lane < live ? lane : 0)];
        run.live[lane] = lane < live ? 1 : 0;
    }
    return run;
}

void batch_loss(const struct batch *b, int tile, const float *z, float *dz)
{
    const struct trainer *t = b->trainer;
    const struct labels *labels = &t->tile_labels[tile];
    const int live = live_of(b, tile), classes = t->model.classes.count;
    float loss[LANES] __attribute__((aligned(64)));
    t->tile_correct[tile] = tile_correct(z, classes, labels->first, live);
    t->loss->evaluate(t->model.settings.train.loss.options, t->kernels, classes, z, labels,
                      (float)(1.0 / t->batch_weight), loss, dz);
    double sum = 0;
    for (int lane = 0; lane < live; lane++) {
        sum += (double)loss[lane];
    }
    t->tile_loss[tile] = sum;
}

/* One part of a tile. Its memory: where tiles meet, what is kept of each and what passes of one a
 * thread; else a tile a thread. */
static void tile_part(const struct batch *b, int part, int tile, float *gradients, int add)
{
    const struct trainer *t = b->trainer;
    const struct graph *graph = &t->model.graph;
    const int last = t->plan.cut_count;
    const size_t worker = (size_t)omp_get_thread_num(), kept = t->plan.kept;
    float *block = t->blocks + (last ? (size_t)tile : worker) * kept;
    double *sums = t->tile_sums + (size_t)tile * graph->sums;
    struct run run = batch_run(b, tile);
    run.gradients = gradients;
    run.add = add;
    run.passing = t->passing + worker * (t->plan.floats - kept);
    if (part == 0) {
        batch_tile_begin(b, tile, net_at(&t->plan, &run, block, t->plan.input),
                         &t->tile_labels[tile]);
        profile_lap(t->profile, run.watch, PROFILE_INPUT);
    }
    if (part <= last) {
        net_forward_segment(graph, &t->plan, &run, block, part, sums);
    }
    if (part == last) {
        batch_loss(b, tile, net_at(&t->plan, &run, block, t->plan.logits),
                   net_at(&t->plan, &run, block, t->plan.dlogits));
        profile_lap(t->profile, run.watch, PROFILE_LOSS);
    }
    if (part >= last) {
        net_backward_segment(graph, &t->plan, &run, block, 2 * last - part, sums);
    }
}

void batch_meet(const struct batch *b, int part)
{
    const struct trainer *t = b->trainer;
    const struct graph *graph = &t->model.graph;
    const int last = t->plan.cut_count;
    const struct run run = batch_run(b, 0);
    const struct meeting meeting = {b->tiles, b->n, t->tile_sums, graph->sums};
    if (part < last) {
        net_meet(graph, &t->plan, &run, part, &meeting, t->parameters);
    } else {
        net_meet_back(graph, &t->plan, &run, 2 * last - part - 1, &meeting);
    }
}

int batch_shard_begin(const struct batch *b, int s)
{
    return (int)((long long)b->tiles * s / b->shards);
}

float *batch_shard_gradients(const struct batch *b, int s)
{
    return b->trainer->shard_gradients + (size_t)s * b->trainer->model.graph.summed;
}

/* The gradients that wait for all tiles; returns when all threads have theirs. */
static void find_deferred(const struct batch *b, const struct deferred *deferred)
{
    const struct trainer *t = b->trainer;
    const struct run run = {.kernels = t->kernels,
                            .gradients = t->gradient,
                            .add = b->add,
                            .deferred = deferred,
                            .watch = profile_watch(t->profile)};
    if (t->deferred.floats) {
        deferred_backward(&t->model.graph, &run, b->tiles, omp_get_thread_num(),
                          omp_get_num_threads());
#pragma omp barrier
        profile_lap(t->profile, run.watch, PROFILE_WAIT);
    }
}

/* All tiles through all parts, into the gradients of the shards; called by every thread of a team.
 */
static void find_gradients(const struct batch *b)
{
    const struct trainer *t = b->trainer;
    struct stopwatch *watch = profile_watch(t->profile);
    for (int part = 0; part < b->parts; part++) {
#pragma omp for schedule(static, 1) /* a tile stays in the cache of the core that had it */
        for (int s = 0; s < b->shards; s++) {
            const int begin = batch_shard_begin(b, s);
            for (int tile = begin; tile < batch_shard_begin(b, s + 1); tile++) {
                tile_part(b, part, tile, batch_shard_gradients(b, s), b->add || tile > begin);
            }
        }
        profile_lap(t->profile, watch, PROFILE_WAIT);
        if (part + 1 < b->parts) {
#pragma omp single
            batch_meet(b, part);
            profile_lap(t->profile, watch, PROFILE_WAIT);
        }
    }
}

/* The batch of a step that begins with its sample `at`; the step has n samples from order[first].
 */
static struct batch batch_at(struct trainer *t, size_t first, size_t n, size_t at)
{
    const size_t most = (size_t)t->model.settings.train.batch_size,
                 count = n - at < most ? n - at : most;
    const int tiles = (int)((count + LANES - 1) / LANES);
    return (struct batch){.trainer = t,
                          .index = t->order + first + at,
                          .n = count,
                          .tiles = tiles,
                          .shards = tiles < t->shards ? tiles : t->shards,
                          .parts = 2 * t->plan.cut_count + 1,
                          .add = at > 0};
}

/* The first layer in a step whose weights or output are not finite, or NULL. */
static const struct node *find_not_finite(struct trainer *t, size_t first, size_t n, int *parameter)
{
    for (size_t at = 0; at < n;) {
        const struct batch batch = batch_at(t, first, n, at);
        for (int tile = 0; tile < batch.tiles; tile++) {
            struct run run = batch_run(&batch, tile);
            run.passing = t->passing;
            batch_tile_begin(&batch, tile, net_at(&t->plan, &run, t->blocks, t->plan.input),
                             &t->tile_labels[tile]);
            const struct node *node =
                net_find_not_finite(&t->model.graph, &t->plan, &run, t->blocks, parameter);
            if (node) {
                return node;
            }
        }
        at += batch.n;
    }
    return NULL;
}

/* Say where the first number that is not finite comes from. */
static int not_finite(struct trainer *t, size_t first, size_t n, struct error *e)
{
    int parameter;
    const struct node *node = find_not_finite(t, first, n, &parameter);
    if (node) {
        return error_set(
            e, ERROR_NUMERIC, "",
            "the loss is not finite in epoch %lld, step %lld: first the %s of %s '%s'; a lower "
            "learning rate may help",
            t->position.epoch + 1, t->position.step + 1, parameter ? "weights" : "output",
            node->type->member.name, node->name);
    }
    return error_set(e, ERROR_NUMERIC, "",
                     "the loss is not finite in epoch %lld, step %lld, though every layer's output "
                     "is; a lower learning rate may help",
                     t->position.epoch + 1, t->position.step + 1);
}

/* The samples of a batch, or the sum of the class weights of their labels. */
static double weigh_batch(const struct trainer *t, const uint32_t *index, size_t n)
{
    const struct loss_options *options = t->model.settings.train.loss.options;
    double sum = 0;
    for (size_t i = 0; options->terms.weights && i < n; i++) {
        const uint32_t sample = drawn_sample(index[i], t->train.set);
        sum += (double)options->terms.weights[t->train.set->labels[sample]];
    }
    return options->terms.weights ? sum : (double)n;
}

/* Of a batch or several. */
struct batch_sums {
    double loss;
    long long correct;
};

static void add_tiles(const struct batch *b, struct batch_sums *sums)
{
    for (int tile = 0; tile < b->tiles; tile++) {
        sums->loss += b->trainer->tile_loss[tile];
        sums->correct += b->trainer->tile_correct[tile];
    }
}

int trainer_batch(struct trainer *t, size_t first, size_t n, struct error *e)
{
    const int shards = batch_at(t, first, n, 0).shards; /* no later batch has more */
    struct batch_sums all = {0};
    t->batch_weight = weigh_batch(t, t->order + first, n);
    update_begin(t);
    profile_all(t->profile, PROFILE_OTHER);
#pragma omp parallel num_threads(t->threads)
    {
        profile_lap(t->profile, profile_watch(t->profile), PROFILE_WAIT);
        /* every thread adds the losses up for itself: cheaper than waiting for one that does */
        struct batch_sums sums = {0};
        const struct run run = {
            .kernels = t->kernels, .parameters = t->parameters, .shared = t->shared};
        net_prepare(&t->model.graph, &run);
        profile_lap(t->profile, profile_watch(t->profile), PROFILE_PREPARE);
        for (size_t at = 0; at < n;) {
            const struct batch batch = batch_at(t, first, n, at);
            if (batch.add) { /* all must have read what the batch before left */
#pragma omp barrier
            }
            if (batch.tiles <= t->passing_count && trainer_teams(t, batch.tiles, batch.shards)) {
                batch_team_gradients(&batch);
                find_deferred(&batch, &t->teams[omp_get_thread_num()].deferred);
            } else {
                find_gradients(&batch);
                find_deferred(&batch, &t->deferred);
            }
            add_tiles(&batch, &sums);
            at += batch.n;
        }
        if (isfinite(sums.loss)) {
            update_step(t, shards);
        }
#pragma omp master
        all = sums;
    }
    profile_all(t->profile, PROFILE_WAIT);
    profile_count(t->profile, 1, n);
    TRY(dataset_failed(t->train.set, e));
    if (!isfinite(all.loss)) {
        return not_finite(t, first, n, e);
    }
    t->position.loss_sum += all.loss * ((double)n / t->batch_weight);
    t->position.correct += all.correct;
    t->position.step++;
    t->position.batch++;
    return 0;
}
