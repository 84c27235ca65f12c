/* sgd.c: stochastic gradient descent, plain or with momentum. The formulas stand in sgd.h. */
#include "optim/sgd.h"

static const struct option OPTIONS[] = {
    OPTIMIZER_LR_ROW("0.01"),
    SGD_MOMENTUM_ROW("0", 2),
    {.key = "nesterov",
     .kind = &OPTION_BOOLEAN,
     .offset = offsetof(struct sgd_options, nesterov),
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

void sgd_begin(const void *options, struct optimizer_step *step)
{
    (void)options;
    (void)step;
}

void sgd_step(const struct sgd_options *o, const struct optimizer_step *step, int nesterov,
              size_t n, float *w, const float *g, float *velocity)
{
    const float momentum = step->momentum < 0 ? o->momentum : (float)step->momentum;
    step->kernels->sgd(step->lr, momentum, nesterov, n, w, g, velocity);
}

static void sgd_move(const void *options, const struct optimizer_step *step, int weights, size_t n,
                     float *w, const float *g, float *const *state)
{
    const struct sgd_options *o = options;
    (void)weights;
    sgd_step(o, step, o->nesterov, n, w, g, state[0]);
}

extern const struct optimizer_type OPTIMIZER_sgd;
const struct optimizer_type OPTIMIZER_sgd = {
    .member = {.name = "sgd",
               .help = "gradient descent, with momentum where wanted",
               .options = OPTIONS,
               .size = sizeof(struct sgd_options)},
    .states = 1,
    .state_names = {"velocity"},
    .cycles = 1,
    .check = sgd_check,
    .begin = sgd_begin,
    .move = sgd_move,
};
