/* trainer_files.h: what of a run's files the loop of trainer.c writes, beside checkpoint and log.
 */
#ifndef CNNTRAIN_TRAIN_TRAINER_FILES_H
#define CNNTRAIN_TRAIN_TRAINER_FILES_H

#include "train/trainer.h"

/* Whether the model is the best epoch's weights rather than the last's or their mean. */
int trainer_keeps_best(const struct trainer *trainer);
/* model.bin from the weights that a user wants now. */
int trainer_write_model(struct trainer *trainer, const struct output_dir *dir, struct error *e);
/* Tell who looks on that the files are there. */
int trainer_tell_written(struct trainer *trainer, const struct output_dir *dir, int last,
                         struct error *e);

#endif
