/* lint.h: what is allowed and surely not meant. */
#ifndef CNNTRAIN_TRAIN_LINT_H
#define CNNTRAIN_TRAIN_LINT_H

#include "train/trainer.h"

/* Report to `warnings`, each at its place in the user's file. The trainer is prepared; nothing in
 * it changes. */
void lint(const struct trainer *trainer, struct error_list *warnings);
/* Its part for the learning rate. */
void lint_schedule(const struct trainer *trainer, struct error_list *warnings);

#endif
