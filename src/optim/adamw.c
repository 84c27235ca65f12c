/* adamw.c: Adam with decoupled weight decay (Loshchilov and Hutter 2017, algorithm 2; decay.h):
 *
 *     w = w - lr weight_decay w, then Adam's step (adam.h) */
#include "optim/adam.h"
#include "optim/decay.h"

struct adamw_options {
    struct adam_options adam;
    struct decay decay;
};

static const struct option OPTIONS[] = {
    OPTIMIZER_LR_ROW("0.001"),
    ADAM_BETA_ROWS,
    ADAM_EPS_ROW,
    DECAY_ROWS(struct adamw_options, decay, "0.01"),
    OPTION_END,
};

static int adamw_check(const struct choice *choice, struct error_list *errors)
{
    const struct adamw_options *o = choice->options;
    return decay_check(&o->decay, choice->where, errors);
}

static int adamw_spares(const void *options)
{
    const struct adamw_options *o = options;
    return decay_spares(&o->decay);
}

static void adamw_begin(const void *options, struct optimizer_step *step)
{
    const struct adamw_options *o = options;
    struct adam a = adam_constants(&o->adam, step);
    a.decay = step->lr * o->decay.weight_decay;
    STEP_KEEP(step, a);
}

static void adamw_move(const void *options, const struct optimizer_step *step, int weights,
                       size_t n, float *w, const float *g, float *const *state)
{
    struct adam a = *STEP_KEPT(step, struct adam);
    (void)options;
    a.decay = weights ? a.decay : 0;
    step->kernels->adam(&a, n, w, g, state[0], state[1]);
}

extern const struct optimizer_type OPTIMIZER_adamw;
const struct optimizer_type OPTIMIZER_adamw = {
    .member = {.name = "adamw",
               .help = "adam with a weight decay of its own",
               .options = OPTIONS,
               .size = sizeof(struct adamw_options)},
    .states = 2,
    .state_names = {"m", "v"},
    .squares = 2,
    .cycles = 1,
    .check = adamw_check,
    .spares = adamw_spares,
    .begin = adamw_begin,
    .move = adamw_move,
};
