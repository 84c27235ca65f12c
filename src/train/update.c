/* update.c: the end of a step, one range of the parameters at a time. */
#include "train/trainer.h"

#include <math.h>
#include <omp.h>
#include <string.h>

static struct schedule_clock clock_of(const struct trainer *t, long long step)
{
    return (struct schedule_clock){step, trainer_steps(t)};
}

float update_rate(const struct trainer *t, long long step)
{
    const struct optimizer_options *optimizer = t->model.settings.train.optimizer.options;
    const struct schedule_clock now = clock_of(t, step);
    return schedule_rate(&t->model.settings.train.schedule, optimizer->lr, &now,
                         &t->position.schedule);
}

void update_begin(struct trainer *t)
{
    const struct schedule_clock now = clock_of(t, t->position.step);
    struct optimizer_step *step = &t->update.step;
    step->kernels = t->kernels;
    step->number = t->position.step + 1;
    step->lr = update_rate(t, t->position.step);
    step->momentum = schedule_momentum(&t->model.settings.train.schedule, &now);
    t->update.bias_step = *step;
    t->update.bias_step.lr *= t->model.settings.train.bias_lr;
    t->optimizer->begin(t->model.settings.train.optimizer.options, step);
    t->optimizer->begin(t->model.settings.train.optimizer.options, &t->update.bias_step);
}

/* The sum of x^2, in one order on every machine: eight sums side by side, then these. */
static double sum_of_squares(const float *x, size_t n)
{
    double sums[8] = {0};
    size_t i = 0;
    for (; i + 8 <= n; i += 8) {
        for (int k = 0; k < 8; k++) {
            const double value = (double)x[i + (size_t)k];
            sums[k] += value * value;
        }
    }
    for (; i < n; i++) {
        sums[i % 8] += (double)x[i] * (double)x[i];
    }
    return ((sums[0] + sums[1]) + (sums[2] + sums[3])) +
           ((sums[4] + sums[5]) + (sums[6] + sums[7]));
}

/* Between threads it matters how a line of memory is handed over. One that several cores have read
 * costs its next writer a message to each, before it can write another: weights, so they are moved
 * in a copy, which is streamed to their place. One that a core has written goes over whole to the
 * next: gradients, so who reads the shards leaves the sum in them, where their owners will write
 * again. */

/* Piece by piece through [first, first + n), whose gradient is given; `shared`: other threads read
 * these weights. */
static void move_range(struct trainer *t, size_t first, size_t n, int shared, float *gradient)
{
    const struct update *update = &t->update;
    float copy[UPDATE_RANGE] __attribute__((aligned(64)));
    for (int i = 0; i < update->piece_count && update->pieces[i].begin < first + n; i++) {
        const struct piece *piece = &update->pieces[i];
        const size_t begin = piece->begin > first ? piece->begin : first,
                     end = piece->end < first + n ? piece->end : first + n;
        if (begin >= end) {
            continue;
        }
        float *w = t->parameters + begin, *g = gradient + (begin - first);
        float *states[MOST_STATES] = {NULL};
        for (int k = 0; k < t->optimizer->states; k++) {
            states[k] = t->states[k] + begin;
        }
        if (piece->l1 > 0 || piece->l2 > 0) {
            t->kernels->penalize(piece->l1, piece->l2, end - begin, w, g);
        }
        float *to = shared ? memcpy(copy, w, (end - begin) * sizeof *w) : w;
        t->optimizer->move(t->model.settings.train.optimizer.options,
                           piece->bias ? &update->bias_step : &update->step, piece->weights,
                           end - begin, to, g, states);
        if (to != w) {
            t->kernels->stream(end - begin, to, w);
        }
    }
}

/* The shards of a range added up: the gradient, where deferred ones are already. */
static void add_shards(const struct trainer *t, size_t first, size_t n, int shards)
{
    float *gradient = t->gradient + first;
    t->kernels->reduce(n, t->shard_gradients + first, shards, t->model.graph.summed, gradient);
    for (int s = 0; s < shards && t->threads > 1; s++) {
        const int own = s % t->threads == omp_get_thread_num(); /* as in find_gradients */
        float *shard = t->shard_gradients + first + (size_t)s * t->model.graph.summed;
        if (!own && shard != gradient) {
            memcpy(shard, gradient, n * sizeof *shard);
        }
    }
}

/* The gradient of a range, each number clipped where that is wanted. */
static void sum_range(const struct trainer *t, size_t first, size_t n, int shards)
{
    const size_t summed = t->model.graph.summed;
    const float most = t->model.settings.train.clip_value;
    if (first < summed) {
        add_shards(t, first, first + n < summed ? n : summed - first, shards);
    }
    if (most > 0) {
        t->kernels->clip(most, n, t->gradient + first);
    }
}

/* All that is there to be added, in one go, since lines from another core come faster the more of
 * them are asked for. */
static void sum_shards(struct trainer *t, int shards)
{
    for (struct update_range r = {.stretch = -1}; update_next(&t->update, &r);) {
        sum_range(t, r.first, r.n, shards);
        if (t->model.settings.train.clip_norm > 0) {
            t->update.squares[r.number] = sum_of_squares(t->gradient + r.first, r.n);
        }
    }
}

/* What the gradient is to be multiplied with: its norm must be known before the first weight moves.
 * Pascanu, Mikolov, Bengio 2013; torch.nn.utils.clip_grad_norm_. */
static double norm_factor(const struct trainer *t)
{
    double sum = 0;
#pragma omp barrier
    /* every thread adds them up for itself, in order */
    for (size_t i = 0; i < update_squares(t); i++) {
        sum += t->update.squares[i];
    }
    return (double)t->model.settings.train.clip_norm / (sqrt(sum) + 1e-6);
}

/* Each thread moves what it has added up: the loops are alike. */
static void move_weights(struct trainer *t, double factor)
{
    for (struct update_range r = {.stretch = -1}; update_next(&t->update, &r);) {
        if (!(factor >= 1)) {
            t->kernels->scale((float)factor, r.n, t->gradient + r.first);
        }
        const int shared = t->threads > 1 && !t->update.stretches[r.stretch].own;
        move_range(t, r.first, r.n, shared, t->gradient + r.first);
    }
    t->kernels->stream_end();
}

/* Scale down the rows that have grown too large. Tensors are independent of each other. */
static void bound_rows(struct trainer *t)
{
    for (int i = 0; i < t->update.bounded_count; i++) {
        const struct bounded *b = &t->update.bounded[i];
#pragma omp for schedule(static) nowait
        for (size_t row = 0; row < b->rows; row++) {
            float *w = t->parameters + b->offset + row * b->row;
            const double norm = sqrt(sum_of_squares(w, b->row));
            if (norm > (double)b->most) {
                t->kernels->scale((float)((double)b->most / norm), b->row, w);
            }
        }
    }
}

void update_step(struct trainer *t, int shards)
{
    struct stopwatch *watch = profile_watch(t->profile);
    double factor = 1;
    sum_shards(t, shards);
    profile_lap(t->profile, watch, PROFILE_REDUCE);
    if (t->model.settings.train.clip_norm > 0) {
        factor = norm_factor(t);
        profile_lap(t->profile, watch, PROFILE_WAIT);
    }
    move_weights(t, factor);
    if (t->update.bounded_count > 0) {
#pragma omp barrier
        bound_rows(t);
#pragma omp barrier
    }
    average_step(t);
    profile_lap(t->profile, watch, PROFILE_OPTIMIZER);
}
