/* average.c: averages of the weights. */
#include "train/trainer.h"

#include <string.h>

size_t average_size(const struct trainer *t)
{
    const struct train_settings *train = &t->model.settings.train;
    return train->ema > 0 || train->swa_start > 0 ? t->model.graph.parameters : 0;
}

void average_start(struct trainer *t)
{
    memcpy(t->average, t->parameters, average_size(t) * sizeof *t->average);
}

void average_step(struct trainer *t)
{
    const double ema = t->model.settings.train.ema;
    const size_t all = t->model.graph.moved;
    if (ema == 0) {
        return;
    }
#pragma omp for schedule(static) nowait
    for (size_t first = 0; first < all; first += UPDATE_RANGE) {
        const size_t rest = all - first, n = rest < UPDATE_RANGE ? rest : UPDATE_RANGE;
        t->kernels->average((float)ema, (float)(1 - ema), n, t->parameters + first,
                            t->average + first);
    }
}

void average_settle(struct trainer *t)
{
    const size_t all = t->model.graph.parameters, moved = t->model.graph.moved;
    if (t->model.settings.train.ema > 0) {
        memcpy(t->average + moved, t->parameters + moved, (all - moved) * sizeof *t->average);
    }
}

void average_epoch(struct trainer *t)
{
    const struct train_settings *train = &t->model.settings.train;
    average_settle(t);
    if (train->swa_start > 0 && t->position.epoch >= train->swa_start) {
        const double count = (double)(t->position.epoch - train->swa_start + 1);
        t->kernels->average((float)(1 - 1 / count), (float)(1 / count), average_size(t),
                            t->parameters, t->average);
    }
}

float *average_judged(const struct trainer *t)
{
    return t->model.settings.train.ema > 0 ? t->average : t->parameters;
}

float *average_model(const struct trainer *t)
{
    const long long start = t->model.settings.train.swa_start;
    return start > 0 && t->position.epoch >= start ? t->average : average_judged(t);
}
