/* sheet.h: a sheet of training images: a row for each class, with an image as it is and what the
 * config's `augment` makes of it in one epoch after the other. */
#ifndef CNNTRAIN_VIEW_SHEET_H
#define CNNTRAIN_VIEW_SHEET_H

#include "train/trainer.h"

/* Draw the first image of each class (the first `rows` classes, in their order) as it is in epochs
 * `epoch` .. `epoch` + `count` - 1, counted from 1, and write the sheet to `path`. The trainer is
 * prepared and has an augmenter. */
int sheet_write(const struct trainer *trainer, const char *path, int rows, int count, int epoch,
                struct error *e);

#endif
