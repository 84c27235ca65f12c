/* update.h: from the gradients of a batch's shards to the next weights.
 *
 * The flat vector of the parameters is walked in ranges, which are independent of each other and
 * small enough to stay in the cache from the first operation to the last. Which thread takes which
 * range makes no difference to a byte. */
#ifndef CNNTRAIN_TRAIN_UPDATE_H
#define CNNTRAIN_TRAIN_UPDATE_H

#include "base/error.h"
#include "optim/optimizer.h"

struct trainer;

enum { UPDATE_RANGE = 2048 }; /* parameters that one thread adds up and moves at a time */

/* A stretch of the flat vector that is treated alike: whole tensors, and the zeros between them. */
struct piece {
    size_t begin, end;
    int weights; /* not biases, not the parameters of a norm */
};

struct update {
    struct piece *pieces; /* in order; the model's arena owns them */
    int piece_count;
    struct optimizer_step step; /* the one under way */
};

/* Cut the parameters into pieces, once the network is built. 0, or -1 without memory. */
int update_prepare(struct trainer *trainer, struct error *e);
/* What all ranges of a step share. Once a step, before the threads come. */
void update_begin(struct trainer *trainer);
/* Add the first `shards` shards and take the optimizer's step. To be called by every thread of a
 * parallel region; returns when all is done that this thread has to do. */
void update_step(struct trainer *trainer, int shards);

#endif
