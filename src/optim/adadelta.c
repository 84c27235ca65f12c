/* adadelta.c: AdaDelta (Zeiler 2012, algorithm 1), as in PyTorch:
 *
 *     s = rho s + (1 - rho) g^2        d = sqrt(u + eps) / sqrt(s + eps) * g
 *     u = rho u + (1 - rho) d^2        w = w - lr d */
#include "optim/optimizer.h"

struct adadelta_options {
    struct optimizer_options optimizer;
    double rho;
    float eps;
};

#define FIELD(name) .offset = offsetof(struct adadelta_options, name)
static const struct option OPTIONS[] = {
    OPTIMIZER_LR_ROW("1"),
    {.key = "rho",
     .kind = &OPTION_DOUBLE,
     FIELD(rho),
     .fallback = "0.9",
     .low = 0,
     .high = 1,
     .open = 2,
     .help = "memory of the mean squared gradient and step"},
    {.key = "eps",
     .kind = &OPTION_NUMBER,
     FIELD(eps),
     .fallback = "1e-6",
     .low = 0,
     .high = 1,
     .open = 1,
     .help = "added under the roots"},
    OPTION_END,
};

static void adadelta_begin(const void *options, struct optimizer_step *step)
{
    const struct adadelta_options *o = options;
    const struct adadelta a = {
        .lr = step->lr, .rho = (float)o->rho, .rest = (float)(1 - o->rho), .epsilon = o->eps};
    STEP_KEEP(step, a);
}

static void adadelta_move(const void *options, const struct optimizer_step *step, int weights,
                          size_t n, float *w, const float *g, float *const *state)
{
    (void)options;
    (void)weights;
    step->kernels->adadelta(STEP_KEPT(step, struct adadelta), n, w, g, state[0], state[1]);
}

extern const struct optimizer_type OPTIMIZER_adadelta;
const struct optimizer_type OPTIMIZER_adadelta = {
    .member = {.name = "adadelta",
               .help = "steps in the weights' own size; lr is a factor",
               .options = OPTIONS,
               .size = sizeof(struct adadelta_options)},
    .states = 2,
    .state_names = {"square", "change"},
    .squares = 3,
    .begin = adadelta_begin,
    .move = adadelta_move,
};
