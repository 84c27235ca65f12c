/* adam.c: Adam (Kingma and Ba 2014, algorithm 1), with epsilon outside the root, as in PyTorch:
 *
 *     m = beta1 m + (1 - beta1) g        v = beta2 v + (1 - beta2) g^2
 *     w = w - lr / (1 - beta1^t) * m / (sqrt(v) / sqrt(1 - beta2^t) + eps) */
#include "optim/optimizer.h"

#include <math.h>

struct adam_options {
    struct optimizer_options optimizer;
    double beta1, beta2;
    float eps;
};

#define FIELD(name) .offset = offsetof(struct adam_options, name)
static const struct option OPTIONS[] = {
    {.key = "lr",
     .kind = &OPTION_NUMBER,
     FIELD(optimizer.lr),
     .fallback = "0.001",
     .low = 0,
     .high = 100,
     .open = 1,
     .help = "learning rate"},
    {.key = "beta1",
     .kind = &OPTION_DOUBLE,
     FIELD(beta1),
     .fallback = "0.9",
     .low = 0,
     .high = 1,
     .open = 2,
     .help = "memory of the mean gradient"},
    {.key = "beta2",
     .kind = &OPTION_DOUBLE,
     FIELD(beta2),
     .fallback = "0.999",
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
    OPTION_END,
};

/* base^t by squaring: the same bits everywhere, unlike pow. */
static double power(double base, long long t)
{
    double result = 1;
    for (; t > 0; t /= 2, base *= base) {
        if (t % 2) {
            result *= base;
        }
    }
    return result;
}

static void adam_step(const void *options, const struct kernels *kernels, long long step, float lr,
                      size_t n, float *w, const float *g, float *const *state)
{
    const struct adam_options *o = options;
    const struct adam adam = {
        .lr = lr,
        .beta1 = (float)o->beta1,
        .beta2 = (float)o->beta2,
        .epsilon = o->eps,
        .rest1 = (float)(1 - o->beta1),
        .rest2 = (float)(1 - o->beta2),
        .correction1 = (float)(1 - power(o->beta1, step)),
        .correction2 = (float)sqrt(1 - power(o->beta2, step)),
    };
    kernels->adam(&adam, n, w, g, state[0], state[1]);
}

extern const struct optimizer_type OPTIMIZER_adam;
const struct optimizer_type OPTIMIZER_adam = {
    .member = {.name = "adam",
               .help = "adaptive moments",
               .options = OPTIONS,
               .size = sizeof(struct adam_options)},
    .states = 2,
    .state_names = {"m", "v"},
    .step = adam_step,
};
