/* compare.h: whether a run may go on from a checkpoint: it must have the config that made it. */
#ifndef CNNTRAIN_TRAIN_COMPARE_H
#define CNNTRAIN_TRAIN_COMPARE_H

#include "train/settings.h"

/* 0 when `settings`, resolved and without paths, are those of `config` (the text in the checkpoint
 * at `path`), but for what changes only when a run ends or is saved: train.epochs, max_time,
 * checkpoint.every, and a patience that has grown. Else -1 and ERROR_MODEL at the first key that
 * differs, in the user's file. */
int compare_settings(const struct settings *settings, const char *config, const char *path,
                     struct error *e);

#endif
