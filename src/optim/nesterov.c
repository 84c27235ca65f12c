/* nesterov.c: gradient descent with Nesterov's momentum (Sutskever et al. 2013) by a name of its
 * own: sgd with nesterov and a momentum of 0.9. The formulas stand in sgd.h. */
#include "optim/sgd.h"

static const struct option OPTIONS[] = {
    OPTIMIZER_LR_ROW("0.01"),
    SGD_MOMENTUM_ROW("0.9", 3),
    OPTION_END,
};

static void nesterov_move(const void *options, const struct optimizer_step *step, int weights,
                          size_t n, float *w, const float *g, float *const *state)
{
    (void)weights;
    sgd_step(options, step, 1, n, w, g, state[0]);
}

extern const struct optimizer_type OPTIMIZER_nesterov;
const struct optimizer_type OPTIMIZER_nesterov = {
    .member = {.name = "nesterov",
               .help = "gradient descent with Nesterov's momentum",
               .options = OPTIONS,
               .size = sizeof(struct sgd_options)},
    .states = 1,
    .state_names = {"velocity"},
    .cycles = 1,
    .begin = sgd_begin,
    .move = nesterov_move,
};
