/* checkpoint.h: checkpoint.bin: everything needed to go on, bit for bit. A safetensors file with
 * the weights, the optimizer's states
 * ("optimizer.<state>.<tensor>"), their average ("average.<tensor>") and the best weights
 * ("best.<tensor>"), and the position in its metadata. */
#ifndef CNNTRAIN_TRAIN_CHECKPOINT_H
#define CNNTRAIN_TRAIN_CHECKPOINT_H

#include "train/trainer.h"

/* Write it into the open directory, atomically. */
int checkpoint_write(const struct trainer *trainer, const struct output_dir *dir, struct error *e);
/* Read it into a prepared trainer: config and data must be those of the checkpoint (a different
 * config is reported at the key in the user's file; compare.h says what may differ), and the log is
 * cut back to its length. ERROR_MODEL, ERROR_IO. */
int checkpoint_resume(struct trainer *trainer, const struct output_dir *dir, struct error *e);

/* How far the run had come, by the file's metadata. ERROR_MODEL. */
int checkpoint_position(const struct safetensors *file, struct position *position, struct error *e);
/* A root is taken of an optimizer's means of squares: below 0 they would make of the weights what
 * is no number. ERROR_MODEL at the value. */
int checkpoint_check_squares(const struct safetensors *file, const struct optimizer_type *optimizer,
                             struct error *e);

enum checkpoint_state { CHECKPOINT_NONE, CHECKPOINT_UNFINISHED, CHECKPOINT_FINISHED };
/* What the directory holds. A checkpoint that is none counts as unfinished: it is not ours to throw
 * away. One that cannot be read now, for want of memory or of a descriptor: -1 with *e. */
int checkpoint_state(enum checkpoint_state *state, const struct output_dir *dir, struct error *e);

#endif
