/* adam.c: Adam (Kingma and Ba 2014, algorithm 1). The formulas stand in adam.h. */
#include "optim/adam.h"

#include "base/real.h"

#include <math.h>

static const struct option OPTIONS[] = {
    OPTIMIZER_LR_ROW("0.001"),
    ADAM_BETA_ROWS,
    ADAM_EPS_ROW,
    OPTION_END,
};

struct adam adam_constants(const struct adam_options *o, const struct optimizer_step *step)
{
    const double beta1 = step->momentum < 0 ? o->beta1 : step->momentum;
    return (struct adam){
        .lr = step->lr,
        .beta1 = (float)beta1,
        .beta2 = (float)o->beta2,
        .epsilon = o->eps,
        .rest1 = (float)(1 - beta1),
        .rest2 = (float)(1 - o->beta2),
        .correction1 = (float)(1 - real_power(beta1, step->number)),
        .correction2 = (float)sqrt(1 - real_power(o->beta2, step->number)),
    };
}

void adam_begin(const void *options, struct optimizer_step *step)
{
    const struct adam a = adam_constants(options, step);
    STEP_KEEP(step, a);
}

static void adam_move(const void *options, const struct optimizer_step *step, int weights, size_t n,
                      float *w, const float *g, float *const *state)
{
    (void)options;
    (void)weights;
    step->kernels->adam(STEP_KEPT(step, struct adam), n, w, g, state[0], state[1]);
}

extern const struct optimizer_type OPTIMIZER_adam;
const struct optimizer_type OPTIMIZER_adam = {
    .member = {.name = "adam",
               .help = "adaptive moments",
               .options = OPTIONS,
               .size = sizeof(struct adam_options)},
    .states = 2,
    .state_names = {"m", "v"},
    .squares = 2,
    .cycles = 1,
    .begin = adam_begin,
    .move = adam_move,
};
