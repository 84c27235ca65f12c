/* measured.h: which images cnneval measures a model on. */
#ifndef CNNTRAIN_TOOLS_MEASURED_H
#define CNNTRAIN_TOOLS_MEASURED_H

#include "train/model.h"

/* Parts of a config's data, and their words. */
enum measured_part { PART_TEST, PART_VALIDATION, PART_TRAIN };
extern const char *const MEASURED_PARTS[];

/* What is measured: a selection from one of two sets. */
struct measured {
    struct dataset sets[2]; /* the second: a validation set of its own */
    struct subset train, validation;
    struct dataset *set;
    const struct subset *subset;
};

/* Whether an argument is a config, by its name. */
int measured_is_config(const char *path);
/* What the argument means, by itself or as a config; and only what this model can be asked about.
 * *measured is zeroed, and to be freed in any case. 0 or -1. */
int measured_load(struct measured *measured, const char *path, int part, int threads,
                  const struct model *model, struct arena *arena, struct error_list *errors);
void measured_free(struct measured *measured);

#endif
