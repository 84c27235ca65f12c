/* lion.c: Lion, evolved sign momentum (Chen et al. 2023, "Symbolic Discovery of Optimization
 * Algorithms", algorithm 2):
 *
 *     w = w - lr weight_decay w - lr sign(beta1 m + (1 - beta1) g)
 *     m = beta2 m + (1 - beta2) g
 *
 * Every weight moves by lr, so that lr is to be a third to a tenth of Adam's. */
#include "optim/decay.h"

struct lion_options {
    struct optimizer_options optimizer;
    double beta1, beta2;
    struct decay decay;
};

#define FIELD(name) .offset = offsetof(struct lion_options, name)
static const struct option OPTIONS[] = {
    OPTIMIZER_LR_ROW("0.0001"),
    {.key = "beta1",
     .kind = &OPTION_DOUBLE,
     FIELD(beta1),
     .fallback = "0.9",
     .low = 0,
     .high = 1,
     .open = 2,
     .help = "memory of the step's direction"},
    {.key = "beta2",
     .kind = &OPTION_DOUBLE,
     FIELD(beta2),
     .fallback = "0.99",
     .low = 0,
     .high = 1,
     .open = 2,
     .help = "memory of the mean gradient"},
    DECAY_ROWS(struct lion_options, decay, "0"),
    OPTION_END,
};

static int lion_check(const struct choice *choice, struct error_list *errors)
{
    const struct lion_options *o = choice->options;
    return decay_check(&o->decay, choice->where, errors);
}

static int lion_spares(const void *options)
{
    const struct lion_options *o = options;
    return decay_spares(&o->decay);
}

static void lion_begin(const void *options, struct optimizer_step *step)
{
    const struct lion_options *o = options;
    const struct lion a = {
        .lr = step->lr,
        .beta1 = (float)o->beta1,
        .beta2 = (float)o->beta2,
        .rest1 = (float)(1 - o->beta1),
        .rest2 = (float)(1 - o->beta2),
        .decay = step->lr * o->decay.weight_decay,
    };
    STEP_KEEP(step, a);
}

static void lion_move(const void *options, const struct optimizer_step *step, int weights, size_t n,
                      float *w, const float *g, float *const *state)
{
    struct lion a = *STEP_KEPT(step, struct lion);
    (void)options;
    a.decay = weights ? a.decay : 0;
    step->kernels->lion(&a, n, w, g, state[0]);
}

extern const struct optimizer_type OPTIMIZER_lion;
const struct optimizer_type OPTIMIZER_lion = {
    .member = {.name = "lion",
               .help = "the sign of the momentum; a weight decay of its own",
               .options = OPTIONS,
               .size = sizeof(struct lion_options)},
    .states = 1,
    .state_names = {"m"},
    .check = lion_check,
    .spares = lion_spares,
    .begin = lion_begin,
    .move = lion_move,
};
