/* optimizer.h: the family of optimizers: flat vectors in, flat vectors out. An optimizer keeps
 * `states` vectors as long as the parameters, all zero at the start, named for the checkpoint.
 * Formulas, names of options and defaults are PyTorch's. What PyTorch calls weight_decay is here
 * train.regularize's l2, but where the decay is none of the gradient (adamw, lion). */
#ifndef CNNTRAIN_OPTIM_OPTIMIZER_H
#define CNNTRAIN_OPTIM_OPTIMIZER_H

#include "config/option.h"
#include "kernels/kernels.h"

#include <string.h>

enum { MOST_STATES = 3, STEP_CONSTANTS = 64 };

/* A step, the same for all parameters. */
struct optimizer_step {
    const struct kernels *kernels;
    long long number; /* from 1 */
    float lr;         /* of this step */
    double momentum;  /* of this step, where a schedule moves it; below 0: what the options say */
    /* What the optimizer works out once a step: its kernel's struct. */
    _Alignas(16) unsigned char constants[STEP_CONSTANTS];
    /* A product over all steps so far, kept so that the next step needs only one factor. */
    double product;
    long long factors;
};

struct optimizer_type {
    struct member member;
    int states;
    const char *state_names[MOST_STATES];
    int squares; /* bit k: state k is a mean or sum of squares, never below 0 */
    int cycles;  /* heeds step.momentum, as its momentum or beta1 */
    /* What no single option row can check: 0, or -1 with a fault at choice->where. May be NULL. */
    int (*check)(const struct choice *choice, struct error_list *errors);
    /* Whether weights and other parameters (biases, norms) must come to `move` by themselves. May
     * be NULL: never. */
    int (*spares)(const void *options);
    /* Fill step->constants; the rest of *step is set. */
    void (*begin)(const void *options, struct optimizer_step *step);
    /* The step over n parameters, with as much of each state. `weights`: 0 when they are biases or
     * a norm's, which a decay spares; only told to optimizers that ask for it. */
    void (*move)(const void *options, const struct optimizer_step *step, int weights, size_t n,
                 float *w, const float *g, float *const *state);
};

/* First field of every optimizer's options. */
struct optimizer_options {
    double lr; /* as the config says it; also a float above 0 */
};
extern const struct option_kind OPTION_RATE; /* field: double; refuses what is none as a float */
#define OPTIMIZER_LR_ROW(value)                                                                    \
    {                                                                                              \
        .key = "lr", .kind = &OPTION_RATE, .offset = 0, .fallback = value, .low = 0, .high = 100,  \
        .open = 1, .help = "learning rate"                                                         \
    }

extern const struct family OPTIMIZERS; /* optimizers.def; members are struct optimizer_type */

/* Keep a kernel's struct in the step, and read it there. */
#define STEP_KEEP(step, value)                                                                     \
    do {                                                                                           \
        _Static_assert(sizeof(value) <= STEP_CONSTANTS, "the step has no room for it");            \
        memcpy((step)->constants, &(value), sizeof(value));                                        \
    } while (0)
#define STEP_KEPT(step, type) ((const type *)(const void *)(step)->constants)

#endif
