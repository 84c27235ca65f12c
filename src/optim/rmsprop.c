/* rmsprop.c: RMSProp (Tieleman and Hinton 2012, lecture 6.5; centered: Graves 2013), as in PyTorch,
 * with epsilon outside the root:
 *
 *     s = alpha s + (1 - alpha) g^2        a = alpha a + (1 - alpha) g
 *     d = g / (sqrt(s) + eps),   or centered   d = g / (sqrt(s - a^2) + eps)
 *     w = w - lr d,   or with momentum   u = momentum u + d,   w = w - lr u */
#include "optim/optimizer.h"

struct rmsprop_options {
    struct optimizer_options optimizer;
    double alpha;
    float eps, momentum;
    int centered;
};

#define FIELD(name) .offset = offsetof(struct rmsprop_options, name)
static const struct option OPTIONS[] = {
    OPTIMIZER_LR_ROW("0.01"),
    {.key = "alpha",
     .kind = &OPTION_DOUBLE,
     FIELD(alpha),
     .fallback = "0.99",
     .low = 0,
     .high = 1,
     .open = 2,
     .help = "memory of the mean squared gradient"},
    {.key = "eps",
     .kind = &OPTION_NUMBER,
     FIELD(eps),
     .fallback = "1e-8",
     .low = 0,
     .high = 1,
     .open = 1,
     .help = "added to the root"},
    {.key = "momentum",
     .kind = &OPTION_NUMBER,
     FIELD(momentum),
     .fallback = "0",
     .low = 0,
     .high = 1,
     .open = 2,
     .help = "memory of the steps before"},
    {.key = "centered",
     .kind = &OPTION_BOOLEAN,
     FIELD(centered),
     .fallback = "false",
     .help = "divide by the deviation from the mean gradient"},
    OPTION_END,
};

static void rmsprop_begin(const void *options, struct optimizer_step *step)
{
    const struct rmsprop_options *o = options;
    const struct rmsprop a = {
        .lr = step->lr,
        .alpha = (float)o->alpha,
        .rest = (float)(1 - o->alpha),
        .epsilon = o->eps,
        .momentum = o->momentum,
        .centered = o->centered,
    };
    STEP_KEEP(step, a);
}

static void rmsprop_move(const void *options, const struct optimizer_step *step, int weights,
                         size_t n, float *w, const float *g, float *const *state)
{
    (void)options;
    (void)weights;
    step->kernels->rmsprop(STEP_KEPT(step, struct rmsprop), n, w, g, state[0], state[1], state[2]);
}

extern const struct optimizer_type OPTIMIZER_rmsprop;
const struct optimizer_type OPTIMIZER_rmsprop = {
    .member = {.name = "rmsprop",
               .help = "a rate for each weight, by its mean squared gradient",
               .options = OPTIONS,
               .size = sizeof(struct rmsprop_options)},
    .states = 3,
    .state_names = {"square", "velocity", "mean"},
    .squares = 1,
    .begin = rmsprop_begin,
    .move = rmsprop_move,
};
