/* update.h: from the gradients of a batch's shards to the next weights. */
#ifndef CNNTRAIN_TRAIN_UPDATE_H
#define CNNTRAIN_TRAIN_UPDATE_H

#include "train/trainer.h"

enum { UPDATE_RANGE = 2048 }; /* parameters that one thread adds up and moves at a time */

/* Add the first `shards` shards over the range that begins at parameter `first`, and let the
 * optimizer take its step there. Ranges are independent of each other. */
void update_range(struct trainer *trainer, size_t first, int shards);

#endif
