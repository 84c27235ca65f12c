/* update.c: the end of a step, one range of the parameters at a time: gradients of the shards
 * added, weights moved. */
#include "train/trainer.h"

/* Whether the two can be one piece. */
static int alike(const struct piece *a, const struct piece *b) { return a->weights == b->weights; }

int update_prepare(struct trainer *t, struct error *e)
{
    const struct graph *graph = &t->model.graph;
    const void *options = t->model.settings.train.optimizer.options;
    const int spares = t->optimizer->spares && t->optimizer->spares(options);
    struct update *update = &t->update;
    const size_t most = (size_t)graph->count * MOST_PARAMETERS;
    update->pieces = arena_alloc(&t->model.arena, most * sizeof *update->pieces);
    if (!update->pieces) {
        return error_memory(e, most * sizeof *update->pieces);
    }
    for (int i = 0; i < graph->count; i++) {
        const struct needs *needs = &graph->nodes[i].needs;
        for (int k = 0; k < needs->parameter_count; k++) {
            const struct parameter *p = &needs->parameters[k];
            if (p->fixed) {
                continue;
            }
            const size_t end = p->offset + (p->size + LANES - 1) / LANES * LANES;
            const struct piece piece = {p->offset, end, !spares || p->fan_in > 0};
            struct piece *last = update->pieces + update->piece_count - 1;
            if (update->piece_count > 0 && last->end == piece.begin && alike(last, &piece)) {
                last->end = piece.end;
            } else {
                update->pieces[update->piece_count++] = piece;
            }
        }
    }
    return 0;
}

void update_begin(struct trainer *t)
{
    const struct optimizer_options *options = t->model.settings.train.optimizer.options;
    struct optimizer_step *step = &t->update.step;
    step->kernels = t->kernels;
    step->number = t->position.step + 1;
    step->lr = options->lr;
    step->momentum = -1;
    t->optimizer->begin(options, step);
}

/* Piece by piece through [first, first + n), whose gradient is given. */
static void move_range(struct trainer *t, size_t first, size_t n, const float *gradient)
{
    const struct update *update = &t->update;
    for (int i = 0; i < update->piece_count && update->pieces[i].begin < first + n; i++) {
        const struct piece *piece = &update->pieces[i];
        const size_t begin = piece->begin > first ? piece->begin : first,
                     end = piece->end < first + n ? piece->end : first + n;
        if (begin >= end) {
            continue;
        }
        float *states[MOST_STATES] = {NULL};
        for (int k = 0; k < t->optimizer->states; k++) {
            states[k] = t->states[k] + begin;
        }
        t->optimizer->move(t->model.settings.train.optimizer.options, &update->step, piece->weights,
                           end - begin, t->parameters + begin, gradient + (begin - first), states);
    }
}

void update_step(struct trainer *t, int shards)
{
    const size_t all = t->model.graph.moved; /* what is fixed stands behind */
#pragma omp for schedule(static) nowait
    for (size_t first = 0; first < all; first += UPDATE_RANGE) {
        const size_t n = all - first < UPDATE_RANGE ? all - first : UPDATE_RANGE;
        float gradient[UPDATE_RANGE] __attribute__((aligned(64)));
        t->kernels->reduce(n, t->shard_gradients + first, shards, all, gradient);
        move_range(t, first, n, gradient);
    }
}
