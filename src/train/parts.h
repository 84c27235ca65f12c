/* parts.h: what a config's `data` means: the set that is trained on and the one that validates. */
#ifndef CNNTRAIN_TRAIN_PARTS_H
#define CNNTRAIN_TRAIN_PARTS_H

#include "train/settings.h"

/* Where they go: the caller's, zeroed, to free in any case. */
struct parts {
    struct dataset *train_set, *validation_set; /* validation's only if it has one of its own */
    struct subset *train, *validation;          /* validation->count 0: none */
    int outline;                                /* 1: no pixels (dataset.h) */
};
/* Load data.train, keep data.limit of it, and take data.validation out of it or load that too. All
 * of it is a function of the settings alone, the seed included. Faults of the config go to
 * `errors`, of the data too (their kind tells). 0 or -1. */
int parts_load(const struct parts *parts, const struct settings *settings, int threads,
               struct error_list *errors);

/* The second half of it, for a set that is there: `train`, all of data.train, is limited, and what
 * validation takes out of it goes to `validation`, which else stays as it is. */
int parts_split(struct subset *train, struct subset *validation, const struct settings *settings,
                struct error_list *errors);

#endif
