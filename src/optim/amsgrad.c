/* amsgrad.c: AMSGrad (Reddi, Kale, Kumar 2018, "On the Convergence of Adam and Beyond", algorithm
 * 2), as in PyTorch (torch.optim.Adam with amsgrad): Adam that divides by the greatest v so far,
 *
 *     u = max(u, v)        w = w - lr / (1 - beta1^t) * m / (sqrt(u) / sqrt(1 - beta2^t) + eps) */
#include "optim/adam.h"

static const struct option OPTIONS[] = {
    OPTIMIZER_LR_ROW("0.001"),
    ADAM_BETA_ROWS,
    ADAM_EPS_ROW,
    OPTION_END,
};

static void amsgrad_move(const void *options, const struct optimizer_step *step, int weights,
                         size_t n, float *w, const float *g, float *const *state)
{
    (void)options;
    (void)weights;
    step->kernels->amsgrad(STEP_KEPT(step, struct adam), n, w, g, state[0], state[1], state[2]);
}

extern const struct optimizer_type OPTIMIZER_amsgrad;
const struct optimizer_type OPTIMIZER_amsgrad = {
    .member = {.name = "amsgrad",
               .help = "adam with the greatest squared gradient so far",
               .options = OPTIONS,
               .size = sizeof(struct adam_options)},
    .states = 3,
    .state_names = {"m", "v", "greatest"},
    .squares = 6,
    .cycles = 1,
    .begin = adam_begin,
    .move = amsgrad_move,
};
