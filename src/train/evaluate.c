/* evaluate.c: rounds of tiles: computed by all threads, then visited by one, in order. */
#include "train/evaluate.h"

#include <omp.h>
#include <stdlib.h>

enum { ROUND = 64 }; /* tiles */

/* Where the memory's parts stand, in floats. */
static size_t result_floats(const struct evaluator *e)
{
    return (size_t)e->classes * LANES + LANES + /* outputs, losses, labels */
           (sizeof(struct labels) + 63) / 64 * LANES;
}

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
                                    .threads = threads};
    TRY(plan_make(&evaluator->plan, graph, 0, arena, e));
    const size_t bytes =
        ((size_t)threads * evaluator->plan.floats + ROUND * result_floats(evaluator)) *
        sizeof(float);
    evaluator->memory = block_allocate(bytes);
    return evaluator->memory ? 0 : error_memory(e, bytes);
}

void evaluator_close(struct evaluator *evaluator)
{
    free(evaluator->memory);
    evaluator->memory = NULL;
}

int tile_correct(const float *z, int classes, const int32_t *labels, int live)
{
    int correct = 0;
    for (int lane = 0; lane < live; lane++) {
        int best = 0;
        for (int k = 1; k < classes; k++) {
            if (z[(size_t)k * LANES + lane] > z[(size_t)best * LANES + lane]) {
                best = k;
            }
        }
        correct += best == labels[lane];
    }
    return correct;
}

/* One tile in a worker's block; outputs, losses and labels to `result`. */
static void evaluate_tile(const struct evaluator *e, const struct subset *subset, size_t first,
                          int live, float *block, float *result)
{
    struct run run = {.kernels = e->kernels, .parameters = e->parameters};
    struct labels *labels = (void *)(result + (size_t)(e->classes + 1) * LANES);
    const struct loss_type *loss = (const void *)e->loss->type;
    input_tile(e->input, subset->set, subset->index + first, live, block + e->plan.input, labels,
               e->kernels);
    net_forward(e->graph, &e->plan, &run, block);
    const float *z = block + e->plan.logits;
    loss->evaluate(e->loss->options, e->kernels, e->classes, z, labels, 1.0f,
                   result + (size_t)e->classes * LANES, NULL);
    loss->predict(e->kernels, e->classes, z, result);
}

int evaluate(const struct evaluator *e, const struct subset *subset,
             int (*visit)(void *user, const struct evaluated_tile *tile), void *user)
{
    const size_t tiles = (subset->count + LANES - 1) / LANES, stride = result_floats(e);
    float *results = e->memory + (size_t)e->threads * e->plan.floats;
    for (size_t round = 0; round < tiles; round += ROUND) {
        const int count = (int)(tiles - round < ROUND ? tiles - round : ROUND);
#pragma omp parallel for schedule(dynamic, 1) num_threads(e->threads)
        for (int t = 0; t < count; t++) {
            const size_t first = (round + (size_t)t) * LANES, rest = subset->count - first;
            evaluate_tile(e, subset, first, (int)(rest < LANES ? rest : LANES),
                          e->memory + (size_t)omp_get_thread_num() * e->plan.floats,
                          results + (size_t)t * stride);
        }
        for (int t = 0; t < count; t++) {
            const size_t first = (round + (size_t)t) * LANES, rest = subset->count - first;
            const float *result = results + (size_t)t * stride;
            const struct labels *labels = (const void *)(result + (size_t)(e->classes + 1) * LANES);
            const int live = (int)(rest < LANES ? rest : LANES);
            struct evaluated_tile tile = {
                .first = first,
                .live = live,
                .correct = tile_correct(result, e->classes, labels->first, live),
                .p = result,
                .loss = result + (size_t)e->classes * LANES,
                .labels = labels->first,
            };
            for (int lane = 0; lane < live; lane++) {
                tile.weight[lane] = loss_weight(e->loss->options, labels, lane);
            }
            const int end = visit(user, &tile);
            if (end) {
                return end;
            }
        }
    }
    return 0;
}
