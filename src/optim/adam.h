/* adam.h: what Adam's relatives share: options and the constants of a step.
 *
 * One form for all of them, with epsilon outside the root, as in PyTorch:
 *
 *     m = beta1 m + (1 - beta1) g        v = beta2 v + (1 - beta2) g^2
 *     w = w - lr / (1 - beta1^t) * m / (sqrt(v) / sqrt(1 - beta2^t) + eps) */
#ifndef CNNTRAIN_OPTIM_ADAM_H
#define CNNTRAIN_OPTIM_ADAM_H

#include "optim/optimizer.h"

/* First fields of their options. */
struct adam_options {
    struct optimizer_options optimizer;
    double beta1, beta2;
    float eps;
};

#define ADAM_BETA_ROW(name, value, what)                                                           \
    {                                                                                              \
        .key = #name, .kind = &OPTION_DOUBLE, .offset = offsetof(struct adam_options, name),       \
        .fallback = value, .low = 0, .high = 1, .open = 2, .help = what                            \
    }
#define ADAM_BETA_ROWS                                                                             \
    ADAM_BETA_ROW(beta1, "0.9", "memory of the mean gradient"),                                    \
        ADAM_BETA_ROW(beta2, "0.999", "memory of the mean squared gradient")
#define ADAM_EPS_ROW                                                                               \
    {                                                                                              \
        .key = "eps", .kind = &OPTION_NUMBER, .offset = offsetof(struct adam_options, eps),        \
        .fallback = "1e-8", .low = 0, .high = 1, .open = 1, .help = "added to the root"            \
    }

/* Without decay. */
struct adam adam_constants(const struct adam_options *options, const struct optimizer_step *step);
/* optimizer_type.begin of those that need no more. */
void adam_begin(const void *options, struct optimizer_step *step);

#endif
