/* decay.h: decoupled weight decay (Loshchilov and Hutter 2017, "Decoupled Weight Decay
 * Regularization"): w = w - lr weight_decay w, besides the step and not through the gradient.
 *
 * PyTorch decays all parameters that it is given; here biases and the parameters of norms are
 * spared unless `decay_bias` asks for them, as with train.regularize. */
#ifndef CNNTRAIN_OPTIM_DECAY_H
#define CNNTRAIN_OPTIM_DECAY_H

#include "optim/optimizer.h"

struct decay {
    float weight_decay;
    int decay_bias;
};

#define DECAY_ROWS(type, field, value)                                                             \
    {.key = "weight_decay",                                                                        \
     .kind = &OPTION_NUMBER,                                                                       \
     .offset = offsetof(type, field.weight_decay),                                                 \
     .fallback = value,                                                                            \
     .low = 0,                                                                                     \
     .high = 1000,                                                                                 \
     .help = "decay of the weights, times lr, besides the gradient"},                              \
    {                                                                                              \
        .key = "decay_bias", .kind = &OPTION_BOOLEAN, .offset = offsetof(type, field.decay_bias),  \
        .fallback = "false", .help = "biases and norms decay too, as in PyTorch"                   \
    }

/* Without a decay there is nothing that biases could share. */
static inline int decay_check(const struct decay *decay, const struct yaml *where,
                              struct error_list *errors)
{
    if (decay->decay_bias && decay->weight_decay == 0) {
        return yaml_error(errors, where, "'decay_bias' needs a 'weight_decay' above 0");
    }
    return 0;
}

static inline int decay_spares(const struct decay *decay)
{
    return decay->weight_decay > 0 && !decay->decay_bias;
}

#endif
