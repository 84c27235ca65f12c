/* average.c: averages of the weights. */
#include "base/real.h"
#include "train/trainer.h"

#include <string.h>

/* Whether there is an average by which all goes but the training itself. */
static int has_slow(const struct trainer *t)
{
    return t->model.settings.train.ema > 0 || t->model.settings.train.lookahead.every > 0;
}

size_t average_size(const struct trainer *t)
{
    const struct train_settings *train = &t->model.settings.train;
    return has_slow(t) || train->swa_start > 0 ? t->model.graph.parameters : 0;
}

void average_start(struct trainer *t)
{
    memcpy(t->average, t->parameters, average_size(t) * sizeof *t->average);
}

/* The share of the slow weights that this step's meeting keeps; 1: they do not meet. */
static double kept_by_lookahead(const struct trainer *t)
{
    const struct lookahead *o = &t->model.settings.train.lookahead;
    const long long number = t->update.step.number,
                    all = trainer_steps(t) * t->model.settings.train.epochs;
    if (o->every == 0 || number % o->every != 0) {
        return 1;
    }
    return (1 - o->alpha) * (o->power > 0 ? real_pow((double)number / (double)all, o->power) : 1);
}

void average_step(struct trainer *t)
{
    const double ema = t->model.settings.train.ema;
    const double keep = ema > 0 ? ema : kept_by_lookahead(t);
    if (keep == 1) {
        return;
    }
    for (struct update_range r = {.stretch = -1}; update_next(&t->update, &r);) {
        float *average = t->average + r.first, *parameters = t->parameters + r.first;
        t->kernels->average((float)keep, (float)(1 - keep), r.n, parameters, average);
        if (ema == 0) {
            memcpy(parameters, average, r.n * sizeof *parameters);
        }
    }
}

void average_settle(struct trainer *t)
{
    const size_t all = t->model.graph.parameters, moved = t->model.graph.moved;
    if (has_slow(t)) {
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

float *average_judged(const struct trainer *t) { return has_slow(t) ? t->average : t->parameters; }

float *average_model(const struct trainer *t)
{
    const long long start = t->model.settings.train.swa_start;
    return start > 0 && t->position.epoch >= start ? t->average : average_judged(t);
}
