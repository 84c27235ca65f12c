/* evaluate.c: rounds of tiles: computed by all threads; and visited by one, in order, while the
 * next round is computed. */
#include "train/evaluate.h"

#include "net/fold.h"
#include "net/team.h"

#include <omp.h>
#include <stdlib.h>

/* Of tiles whose weights are more than their values: read once for so many. */
enum { TOGETHER = 4 };
enum { ROUND_BYTES = 1 << 19, MOST_ROUND = 256 };

/* Where the memory's parts stand, in floats. */
static size_t result_floats(const struct evaluator *e)
{
    return (size_t)e->classes * LANES + LANES + /* outputs, losses, labels */
           (sizeof(struct labels) + 63) / 64 * LANES;
}

static struct labels *labels_in(const struct evaluator *e, float *result)
{
    return (void *)(result + (size_t)(e->classes + 1) * LANES);
}

/* Tiles of a round: enough that waiting for the last one costs little. */
static int round_tiles(const struct evaluator *e)
{
    const int fit = (int)(ROUND_BYTES / (result_floats(e) * sizeof(float)));
    const int least = 4 * e->threads * e->together;
    return fit < least ? least : fit < MOST_ROUND ? fit : MOST_ROUND;
}

/* The tiles in memory at a time. */
static size_t blocks(const struct evaluator *e) { return (size_t)e->threads * (size_t)e->together; }

int evaluator_open(struct evaluator *evaluator, const struct graph *graph,
                   const struct input *input, const struct choice *loss, const float *parameters,
                   const struct kernels *kernels, int classes, int threads, struct arena *arena,
                   struct error *e)
{
    *evaluator = (struct evaluator){.graph = graph,
                                    .input = input,
                                    .loss = loss,
                                    .parameters = parameters,
                                    .kernels = kernels,
                                    .classes = classes,
                                    .threads = threads,
                                    .together = team_reads_less(graph, TOGETHER) ? TOGETHER : 1};
    TRY(plan_make(&evaluator->plan, graph, PLAN_FOLDED, arena, e));
    if (graph->folds) {
        evaluator->folded = block_allocate(graph->parameters * sizeof(float));
        if (!evaluator->folded) {
            return error_memory(e, graph->parameters * sizeof(float));
        }
    }
    evaluator->shared = block_allocate((graph->shared + 1) * sizeof(float));
    if (!evaluator->shared) {
        return error_memory(e, graph->shared * sizeof(float));
    }
    evaluator->teams = block_allocate((size_t)threads * sizeof *evaluator->teams);
    if (!evaluator->teams) {
        return error_memory(e, (size_t)threads * sizeof *evaluator->teams);
    }
    const size_t bytes = (blocks(evaluator) * evaluator->plan.floats +
                          2 * (size_t)round_tiles(evaluator) * result_floats(evaluator)) *
                         sizeof(float);
    evaluator->memory = block_allocate(bytes);
    return evaluator->memory ? 0 : error_memory(e, bytes);
}

/* Where the image, the logits and the results stand in `single_memory`, behind the block. */
static size_t single_image(const struct evaluator *e) { return e->single.floats; }

static size_t single_logits(const struct evaluator *e)
{
    return single_image(e) + (shape_size(e->graph->input) + LANES - 1) / LANES * LANES;
}

static size_t single_result(const struct evaluator *e)
{
    return single_logits(e) + (size_t)e->classes * LANES;
}

int evaluator_single(struct evaluator *evaluator, struct arena *arena, struct error *e)
{
    struct mosaic *mosaic = arena_alloc(arena, sizeof *mosaic);
    if (!mosaic) {
        return error_memory(e, sizeof *mosaic);
    }
    TRY(mosaic_make(mosaic, evaluator->graph, arena, e));
    TRY(plan_make(&evaluator->single, &mosaic->graph, PLAN_FOLDED, arena, e));
    const size_t floats = single_result(evaluator) + result_floats(evaluator);
    evaluator->single_memory = block_allocate(floats * sizeof(float));
    evaluator->mosaic = mosaic;
    return evaluator->single_memory ? 0 : error_memory(e, floats * sizeof(float));
}

/* What a worker needs of `augmented`: a tile's images, then the outputs and losses of a draw. */
static size_t augmented_floats(const struct evaluator *e)
{
    return augmenter_scratch(e->augmenter) + (size_t)(e->classes + 1) * LANES;
}

int evaluator_augment(struct evaluator *evaluator, const struct augmenter *augmenter, int draws,
                      struct error *e)
{
    evaluator->augmenter = augmenter;
    evaluator->draws = draws;
    const size_t bytes = (size_t)evaluator->threads * augmented_floats(evaluator) * sizeof(float);
    evaluator->augmented = block_allocate(bytes);
    return evaluator->augmented ? 0 : error_memory(e, bytes);
}

size_t evaluator_uses(const struct evaluator *e, size_t samples)
{
    const size_t tiles = (samples + LANES - 1) / LANES, rounds = 2 * (size_t)round_tiles(e);
    return ((tiles < blocks(e) ? tiles : blocks(e)) * e->plan.floats +
            (tiles < rounds ? tiles : rounds) * result_floats(e) +
            (e->folded ? e->graph->parameters : 0)) *
           sizeof(float);
}

void evaluator_close(struct evaluator *evaluator)
{
    free(evaluator->memory);
    free(evaluator->folded);
    free(evaluator->shared);
    free(evaluator->teams);
    free(evaluator->augmented);
    free(evaluator->single_memory);
    evaluator->memory = evaluator->folded = evaluator->shared = NULL;
    evaluator->augmented = evaluator->single_memory = NULL;
    evaluator->teams = NULL;
}

int tile_correct(const float *z, int classes, const int32_t *labels, int live)
{
    int correct = 0;
    for (int lane = 0; lane < live; lane++) {
        int best = 0;
        for (int k = 1; k < classes; k++) {
            if (z[(size_t)k * LANES + (size_t)lane] > z[(size_t)best * LANES + (size_t)lane]) {
                best = k;
            }
        }
        correct += best == labels[lane];
    }
    return correct;
}

static struct run run_of(const struct evaluator *e)
{
    return (struct run){.kernels = e->kernels,
                        .folded = 1,
                        .parameters = e->folded ? e->folded : e->parameters,
                        .shared = e->shared,
                        .watch = profile_watch(e->profile)};
}

/* What the logits of a tile say: p[classes][16], then loss[16], to `result`. */
static void judge_logits(const struct evaluator *e, const struct labels *labels, const float *z,
                         float *result)
{
    const struct loss_type *loss = (const void *)e->loss->type;
    loss->evaluate(e->loss->options, e->kernels, e->classes, z, labels, 1.0f,
                   result + (size_t)e->classes * LANES, NULL);
    loss->predict(e->kernels, e->classes, z, result);
    profile_lap(e->profile, profile_watch(e->profile), PROFILE_LOSS);
}

/* One image by itself, as the first of a tile. */
static void judge_single(const struct evaluator *e, const struct subset *subset)
{
    struct run run = run_of(e);
    float *block = e->single_memory, *image = block + single_image(e);
    float *logits = block + single_logits(e), *result = block + single_result(e);
    struct labels *labels = labels_in(e, result);
    const uint32_t sample = subset->index[0];
    run.shared = NULL; /* for the windows of patches nothing is prepared */
    for (int lane = 0; lane < LANES; lane++) {
        labels->first[lane] = labels->second[lane] = lane ? -1 : subset->set->labels[sample];
        labels->share[lane] = 1;
    }
    input_image(e->input, subset->set, sample, image, e->kernels);
    mosaic_relay(&e->mosaic->in, e->kernels, image, block + e->single.input);
    profile_lap(e->profile, run.watch, PROFILE_INPUT);
    net_forward(&e->mosaic->graph, &e->single, &run, block);
    mosaic_relay(&e->mosaic->out, e->kernels, block + e->single.logits, logits);
    judge_logits(e, labels, logits, result);
}

/* How many samples tile `tile` has. */
static int live_of(const struct subset *subset, size_t tile)
{
    const size_t rest = subset->count - tile * LANES;
    return (int)(rest < LANES ? rest : LANES);
}

/* Tell of `count` tiles from `first`, whose results are at hand. */
static int visit_tiles(const struct evaluator *e, const struct subset *subset, size_t first,
                       int count, float *result,
                       int (*visit)(void *user, const struct evaluated_tile *tile), void *user)
{
    int end = 0;
    for (int t = 0; t < count && !end; t++, result += result_floats(e)) {
        const struct labels *labels = labels_in(e, result);
        const int live = live_of(subset, first + (size_t)t);
        struct evaluated_tile tile = {
            .first = (first + (size_t)t) * LANES,
            .live = live,
            .correct = tile_correct(result, e->classes, labels->first, live),
            .p = result,
            .loss = result + (size_t)e->classes * LANES,
            .labels = labels->first,
        };
        for (int lane = 0; lane < live; lane++) {
            tile.weight[lane] = loss_weight(e->loss->options, labels, lane);
        }
        end = visit(user, &tile);
    }
    return end;
}

/* Draws 1, 2, ... of a tile's images added to `result`, then the mean. */
static void judge_draws(const struct evaluator *e, const uint32_t *index, int live, float *block,
                        float *result)
{
    const size_t values = (size_t)(e->classes + 1) * LANES;
    float *scratch = e->augmented + (size_t)omp_get_thread_num() * augmented_floats(e);
    float *one = scratch + augmenter_scratch(e->augmenter);
    for (int draw = 1; draw < e->draws; draw++) {
        struct labels labels;
        augment_tile(e->augmenter, AUGMENT_TEST + (uint32_t)draw, index, live,
                     block + e->plan.input, &labels, scratch);
        profile_lap(e->profile, profile_watch(e->profile), PROFILE_INPUT);
        struct run run = run_of(e);
        net_forward(e->graph, &e->plan, &run, block);
        judge_logits(e, &labels, block + e->plan.logits, one);
        for (size_t i = 0; i < values; i++) {
            result[i] += one[i];
        }
    }
    for (size_t i = 0; i < values; i++) {
        result[i] /= (float)e->draws;
    }
}

/* The calling worker's view of `tiles` tiles in `blocks`, as one of so many. */
static struct team *make_team(const struct evaluator *e, float *blocks, int tiles, int threads)
{
    const int worker = omp_get_thread_num();
    struct team *team = &e->teams[worker];
    team->threads = threads;
    team->me = threads > 1 ? worker : 0;
    team->tiles = tiles;
    team->whole = 0;
    team->passing = NULL;
    team->sums = NULL;
    team->blocks = blocks;
    for (int tile = 0; tile < tiles; tile++) {
        team->runs[tile] = run_of(e);
        team->shard[tile] = tile;
    }
    return team;
}

/* `count` tiles from `first` in `blocks`, by the calling worker or all `threads` of them together;
 * outputs, losses and labels to `results`. */
static void evaluate_tiles(const struct evaluator *e, const struct subset *subset, size_t first,
                           int count, float *blocks, int threads, float *results)
{
    struct team *team = make_team(e, blocks, count, threads);
    for (int k = team->me; k < count; k += threads) {
        const size_t tile = first + (size_t)k;
        input_tile(e->input, subset->set, subset->index + tile * LANES, live_of(subset, tile),
                   blocks + (size_t)k * e->plan.floats + e->plan.input,
                   labels_in(e, results + (size_t)k * result_floats(e)), e->kernels);
    }
    profile_lap(e->profile, profile_watch(e->profile), PROFILE_INPUT);
    if (threads > 1) {
#pragma omp barrier
    }
    team_begin(team);
    net_forward_team(e->graph, &e->plan, team, 0);
    team_step(team, 0);
    for (int k = team->me; k < count; k += threads) {
        float *block = blocks + (size_t)k * e->plan.floats,
              *result = results + (size_t)k * result_floats(e);
        judge_logits(e, labels_in(e, result), block + e->plan.logits, result);
        if (e->augmenter != NULL) {
            const size_t tile = first + (size_t)k;
            judge_draws(e, subset->index + tile * LANES, live_of(subset, tile), block, result);
        }
    }
}

static int evaluate_single(const struct evaluator *e, const struct subset *subset,
                           int (*visit)(void *user, const struct evaluated_tile *tile), void *user)
{
    judge_single(e, subset);
    const int end = visit_tiles(e, subset, 0, 1, e->single_memory + single_result(e), visit, user);
    profile_all(e->profile, PROFILE_RESULTS);
    profile_count(e->profile, 0, 1);
    return end;
}

/* Fewer tiles than threads, which share them out: where there is work for some milliseconds, less
 * is not worth waking them. */
static int is_for_team(const struct evaluator *e, size_t tiles)
{
    const double least = 5e7;
    return tiles < (size_t)e->threads && tiles <= MOST_TEAM_TILES && !e->augmenter &&
           (double)tiles * e->graph->multiply_adds > least && team_pays(e->graph, e->threads);
}

static int evaluate_together(const struct evaluator *e, const struct subset *subset,
                             int (*visit)(void *user, const struct evaluated_tile *tile),
                             void *user)
{
    const int tiles = (int)((subset->count + LANES - 1) / LANES);
    float *results = e->memory + blocks(e) * e->plan.floats;
#pragma omp parallel num_threads(e->threads)
    {
        const struct run run = run_of(e);
        net_prepare(e->graph, &run);
        profile_lap(e->profile, run.watch, PROFILE_PREPARE);
        evaluate_tiles(e, subset, 0, tiles, e->memory, omp_get_num_threads(), results);
    }
    profile_all(e->profile, PROFILE_WAIT);
    const int end = visit_tiles(e, subset, 0, tiles, results, visit, user);
    profile_all(e->profile, PROFILE_RESULTS);
    profile_count(e->profile, 0, subset->count);
    return end;
}

/* The tiles that a worker takes at once, of so many: no worker shall wait long for the last. */
static int step_of(const struct evaluator *e, int tiles)
{
    const int most = tiles / (4 * e->threads);
    return most < 1 ? 1 : most < e->together ? most : e->together;
}

/* The bytes of those of `count` tiles from `tile` that there are. */
static void prefetch_tiles(const struct subset *subset, size_t tile, int count)
{
    for (const size_t end = tile + (size_t)count; tile < end && tile * LANES < subset->count;
         tile++) {
        input_prefetch(subset->set, subset->index + tile * LANES, live_of(subset, tile));
    }
}

int evaluate(const struct evaluator *e, const struct subset *subset,
             int (*visit)(void *user, const struct evaluated_tile *tile), void *user)
{
    const size_t tiles = (subset->count + LANES - 1) / LANES, round = (size_t)round_tiles(e);
    const size_t stride = result_floats(e);
    float *now = e->memory + blocks(e) * e->plan.floats, *before = now + round * stride;
    int done = 0, end = 0; /* tiles of the round before */
    if (e->folded) {
        net_fold(e->graph, e->parameters, e->folded);
    }
    profile_all(e->profile, PROFILE_OTHER);
    if (e->mosaic && subset->count == 1 && !e->augmenter) {
        return evaluate_single(e, subset, visit, user);
    }
    if (is_for_team(e, tiles)) {
        return evaluate_together(e, subset, visit, user);
    }
    const struct run run = run_of(e);
#pragma omp parallel num_threads(e->threads)
    net_prepare(e->graph, &run);
    profile_all(e->profile, PROFILE_PREPARE);
    for (size_t first = 0; (first < tiles || done > 0) && !end; first += round) {
        const size_t rest = first < tiles ? tiles - first : 0;
        const int count = (int)(rest < round ? rest : round), step = step_of(e, count);
#pragma omp parallel for schedule(dynamic, 1) num_threads(e->threads)
        for (int t = -step; t < count; t += step) {
            if (t < 0) {
                profile_lap(e->profile, profile_watch(e->profile), PROFILE_WAIT);
                end = visit_tiles(e, subset, first - round, done, before, visit, user);
                profile_lap(e->profile, profile_watch(e->profile), PROFILE_RESULTS);
                continue;
            }
            prefetch_tiles(subset, first + (size_t)t + (size_t)(e->threads * step), step);
            const size_t worker = (size_t)(omp_get_thread_num() * e->together);
            profile_lap(e->profile, profile_watch(e->profile), PROFILE_WAIT);
            evaluate_tiles(e, subset, first + (size_t)t, count - t < step ? count - t : step,
                           e->memory + worker * e->plan.floats, 1, now + (size_t)t * stride);
        }
        profile_all(e->profile, PROFILE_WAIT);
        float *other = before;
        before = now;
        now = other;
        done = count;
    }
    profile_count(e->profile, 0, subset->count * (size_t)(e->augmenter ? e->draws : 1));
    return end;
}
