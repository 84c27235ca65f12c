/* sgd.c: stochastic gradient descent, with momentum as in PyTorch:
 *
 *     v = momentum v + g        w = w - lr v,   or with nesterov   w = w - lr (g + momentum v)
 *
 * Polyak 1964; Sutskever, Martens, Dahl, Hinton 2013 for the Nesterov form. */
#include "optim/optimizer.h"

struct sgd_options {
    struct optimizer_options optimizer;
    float momentum;
    int nesterov;
};

#define FIELD(name) .offset = offsetof(struct sgd_options, name)
static const struct option OPTIONS[] = {
    {.key = "lr",
     .kind = &OPTION_NUMBER,
     FIELD(optimizer.lr),
     .fallback = "0.01",
     .low = 0,
     .high = 100,
     .open = 1,
     .help = "learning rate"},
    {.key = "momentum",
     .kind = &OPTION_NUMBER,
     FIELD(momentum),
     .fallback = "0",
     .low = 0,
     .high = 1,
     .open = 2,
     .help = "memory of the steps before"},
    {.key = "nesterov",
     .kind = &OPTION_BOOLEAN,
     FIELD(nesterov),
     .fallback = "false",
     .help = "look ahead along the momentum"},
    OPTION_END,
};

/* Without momentum there is nothing to look ahead along, and the option would do nothing. */
static int sgd_check(const struct choice *choice, struct error_list *errors)
{
    const struct sgd_options *o = choice->options;
    if (o->nesterov && o->momentum == 0) {
        return yaml_error(errors, choice->where, "'nesterov' needs a 'momentum' above 0");
    }
    return 0;
}

static void sgd_step(const void *options, const struct kernels *kernels, long long step, float lr,
                     size_t n, float *w, const float *g, float *const *state)
{
    const struct sgd_options *o = options;
    (void)step;
    kernels->sgd(lr, o->momentum, o->nesterov, n, w, g, state[0]);
}

extern const struct optimizer_type OPTIMIZER_sgd;
const struct optimizer_type OPTIMIZER_sgd = {
    .member = {.name = "sgd",
               .help = "gradient descent with momentum",
               .options = OPTIONS,
               .size = sizeof(struct sgd_options)},
    .states = 1,
    .state_names = {"velocity"},
    .check = sgd_check,
    .step = sgd_step,
};
