/* nadam.c: NAdam, Adam with Nesterov's lookahead (Dozat 2016, "Incorporating Nesterov Momentum into
 * Adam"), as in PyTorch: m and v are Adam's, and the momentum grows from step to step,
 *
 *     mu(t) = beta1 (1 - 0.96^(t momentum_decay) / 2)        M(t) = mu(1) mu(2) ... mu(t)
 *     w = w - lr ((1 - mu(t)) / (1 - M(t)) g + mu(t+1) / (1 - M(t+1)) m)
 *             / (sqrt(v / (1 - beta2^t)) + eps) */
#include "base/real.h"
#include "optim/adam.h"

#include <math.h>

struct nadam_options {
    struct adam_options adam;
    double momentum_decay;
};

static const struct option OPTIONS[] = {
    OPTIMIZER_LR_ROW("0.002"),
    ADAM_BETA_ROWS,
    ADAM_EPS_ROW,
    {.key = "momentum_decay",
     .kind = &OPTION_DOUBLE,
     .offset = offsetof(struct nadam_options, momentum_decay),
     .fallback = "0.004",
     .low = 0,
     .high = 1000,
     .help = "how soon the momentum grows to beta1"},
    OPTION_END,
};

static double momentum_of(const struct nadam_options *o, long long t)
{
    return o->adam.beta1 * (1 - 0.5 * real_pow(0.96, (double)t * o->momentum_decay));
}

/* M(t): the factor of this step times the product that the step before left, or all of it anew: the
 * same bits. */
static double product_of(const struct nadam_options *o, struct optimizer_step *step)
{
    if (step->factors >= step->number || step->factors == 0) {
        step->factors = 0;
        step->product = 1;
    }
    while (step->factors < step->number) {
        step->product *= momentum_of(o, ++step->factors);
    }
    return step->product;
}

static void nadam_begin(const void *options, struct optimizer_step *step)
{
    const struct nadam_options *o = options;
    const double now = momentum_of(o, step->number), next = momentum_of(o, step->number + 1);
    const double product = product_of(o, step);
    const struct nadam a = {
        .beta1 = (float)o->adam.beta1,
        .beta2 = (float)o->adam.beta2,
        .epsilon = o->adam.eps,
        .rest1 = (float)(1 - o->adam.beta1),
        .rest2 = (float)(1 - o->adam.beta2),
        .correction2 = (float)sqrt(1 - real_power(o->adam.beta2, step->number)),
        .rate_gradient = (float)((double)step->lr * (1 - now) / (1 - product)),
        .rate_mean = (float)((double)step->lr * next / (1 - product * next)),
    };
    STEP_KEEP(step, a);
}

static void nadam_move(const void *options, const struct optimizer_step *step, int weights,
                       size_t n, float *w, const float *g, float *const *state)
{
    (void)options;
    (void)weights;
    step->kernels->nadam(STEP_KEPT(step, struct nadam), n, w, g, state[0], state[1]);
}

extern const struct optimizer_type OPTIMIZER_nadam;
const struct optimizer_type OPTIMIZER_nadam = {
    .member = {.name = "nadam",
               .help = "adam with Nesterov's lookahead",
               .options = OPTIONS,
               .size = sizeof(struct nadam_options)},
    .states = 2,
    .state_names = {"m", "v"},
    .squares = 2,
    .begin = nadam_begin,
    .move = nadam_move,
};
