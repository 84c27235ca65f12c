/* optimizer.h: the family of optimizers: flat vectors in, flat vectors out. An optimizer keeps
 * `states` vectors as long as the parameters, all zero at the start, named for the checkpoint.
 * Formulas and defaults are PyTorch's. */
#ifndef CNNTRAIN_OPTIM_OPTIMIZER_H
#define CNNTRAIN_OPTIM_OPTIMIZER_H

#include "config/option.h"
#include "kernels/kernels.h"

enum { MOST_STATES = 2 };

struct optimizer_type {
    struct member member;
    int states;
    const char *state_names[MOST_STATES];
    /* What no single option row can check: 0, or -1 with a fault at choice->where. May be NULL. */
    int (*check)(const struct choice *choice, struct error_list *errors);
    /* One step over parameters [0, n): `step` counts from 1; lr is the rate of this step; state[k]
     * are n long. */
    void (*step)(const void *options, const struct kernels *kernels, long long step, float lr,
                 size_t n, float *w, const float *g, float *const *state);
};

/* First field of every optimizer's options. */
struct optimizer_options {
    float lr;
};

extern const struct family OPTIMIZERS; /* optimizers.def; members are struct optimizer_type */

#endif
