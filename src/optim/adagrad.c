/* adagrad.c: AdaGrad (Duchi, Hazan, Singer 2011), as in PyTorch:
 *
 *     s = s + g^2        w = w - lr / (1 + (t - 1) lr_decay) * g / (sqrt(initial + s) + eps)
 *
 * s begins with 0 here, and initial_accumulator_value is added when it is read. */
#include "optim/optimizer.h"

struct adagrad_options {
    struct optimizer_options optimizer;
    double lr_decay;
    float initial, eps;
};

#define FIELD(name) .offset = offsetof(struct adagrad_options, name)
static const struct option OPTIONS[] = {
    OPTIMIZER_LR_ROW("0.01"),
    {.key = "lr_decay",
     .kind = &OPTION_DOUBLE,
     FIELD(lr_decay),
     .fallback = "0",
     .low = 0,
     .high = 1000,
     .help = "the rate falls as 1 / (1 + steps * lr_decay)"},
    {.key = "initial_accumulator_value",
     .kind = &OPTION_NUMBER,
     FIELD(initial),
     .fallback = "0",
     .low = 0,
     .high = 1000000,
     .help = "what the sums of squares begin with"},
    {.key = "eps",
     .kind = &OPTION_NUMBER,
     FIELD(eps),
     .fallback = "1e-10",
     .low = 0,
     .high = 1,
     .open = 1,
     .help = "added to the root"},
    OPTION_END,
};

static void adagrad_begin(const void *options, struct optimizer_step *step)
{
    const struct adagrad_options *o = options;
    const double slower = 1 + (double)(step->number - 1) * o->lr_decay;
    const struct adagrad a = {
        .lr = (float)((double)step->lr / slower), .epsilon = o->eps, .initial = o->initial};
    STEP_KEEP(step, a);
}

static void adagrad_move(const void *options, const struct optimizer_step *step, int weights,
                         size_t n, float *w, const float *g, float *const *state)
{
    (void)options;
    (void)weights;
    step->kernels->adagrad(STEP_KEPT(step, struct adagrad), n, w, g, state[0]);
}

extern const struct optimizer_type OPTIMIZER_adagrad;
const struct optimizer_type OPTIMIZER_adagrad = {
    .member = {.name = "adagrad",
               .help = "a rate for each weight, by the sum of its squared gradients",
               .options = OPTIONS,
               .size = sizeof(struct adagrad_options)},
    .states = 1,
    .state_names = {"sum"},
    .squares = 1,
    .begin = adagrad_begin,
    .move = adagrad_move,
};
