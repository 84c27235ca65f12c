/* budget.h: whether a run has the memory that it needs, before it takes any. */
#ifndef CNNTRAIN_TRAIN_BUDGET_H
#define CNNTRAIN_TRAIN_BUDGET_H

#include "train/trainer.h"

/* Compare `bytes`, what the trainer is about to allocate once and for all, with train.memory, or
 * else with what the system has free. The trainer's batch is cut and its blocks are counted. 0, or
 * -1 with ERROR_LIMIT, naming the layers that need most. */
int budget_check(const struct trainer *t, double bytes, struct error *e);

#endif
