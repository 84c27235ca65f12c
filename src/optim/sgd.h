/* sgd.h: what plain gradient descent and its forms with momentum share. As in PyTorch:
 *
 *     v = momentum v + g        w = w - lr v,   or with nesterov   w = w - lr (g + momentum v)
 *
 * Polyak 1964; Sutskever, Martens, Dahl, Hinton 2013 for the Nesterov form. */
#ifndef CNNTRAIN_OPTIM_SGD_H
#define CNNTRAIN_OPTIM_SGD_H

#include "optim/optimizer.h"

struct sgd_options {
    struct optimizer_options optimizer;
    float momentum;
    int nesterov; /* an option of sgd alone */
};

/* `limits`: 2 lets the momentum be 0, 3 does not. */
#define SGD_MOMENTUM_ROW(value, limits)                                                            \
    {                                                                                              \
        .key = "momentum", .kind = &OPTION_NUMBER,                                                 \
        .offset = offsetof(struct sgd_options, momentum), .fallback = value, .low = 0, .high = 1,  \
        .open = limits, .help = "memory of the steps before"                                       \
    }

/* The step with or without lookahead; the momentum is the step's or the options'. */
void sgd_step(const struct sgd_options *options, const struct optimizer_step *step, int nesterov,
              size_t n, float *w, const float *g, float *velocity);
/* optimizer_type.begin: there is nothing to work out. */
void sgd_begin(const void *options, struct optimizer_step *step);

#endif
