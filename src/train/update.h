/* update.h: from the gradients of a batch's shards to the next weights:
 *
 *     g = sum of the shards        clip_value, clip_norm        + gradient of the penalties
 *     the optimizer's step         max_norm        average (average.h)
 *
 * Clipping comes before the penalties, as in PyTorch, where weight_decay is the optimizer's. The
 * flat vector of the parameters is walked twice, for the sum and for the rest, in ranges small
 * enough to stay in the cache, and independent of each other but for the two sums that clip_norm
 * and max_norm need. Which thread takes which range makes no difference to a byte. */
#ifndef CNNTRAIN_TRAIN_UPDATE_H
#define CNNTRAIN_TRAIN_UPDATE_H

#include "base/error.h"
#include "optim/optimizer.h"
#include "optim/schedule.h"

struct trainer;

enum { UPDATE_RANGE = 2048 }; /* parameters that one thread adds up and moves at a time */

/* A stretch of the flat vector that is treated alike: whole tensors, and the zeros between them. */
struct piece {
    size_t begin, end;
    int bias;    /* its rate is `bias_step`'s */
    int weights; /* takes the optimizer's own decay: not biases, not the parameters of a norm */
    float l1, l2;
};

/* A tensor under max_norm: each of its rows holds the incoming weights of one unit or filter. */
struct bounded {
    size_t offset, rows, row;
    float most;
};

/* A stretch of the flat vector that is shared out among the threads alike: what is summed, and the
 * parameters of each node that defers, of whose weights a thread has found the gradients of as many
 * rows (net/deferred.h). */
struct stretch {
    size_t begin, end;
    size_t number; /* of its first range */
    int own;       /* weights that only the member of a team reads that moves them (net/team.h) */
};

/* UPDATE_RANGE parameters, or what is left of a stretch; begins as {.stretch = -1}. */
struct update_range {
    size_t first, n;
    size_t number; /* from 0, through all stretches */
    int stretch;   /* and which of its ranges are the thread's and still to come */
    size_t next, end;
};

struct update {
    struct piece *pieces; /* in order; the model's arena owns them, and the next ones */
    int piece_count;
    struct bounded *bounded;
    int bounded_count;
    struct stretch *stretches;
    int stretch_count;
    double *squares;                 /* of the gradient, a sum for each range; for clip_norm */
    struct optimizer_step step;      /* the one under way */
    struct optimizer_step bias_step; /* the same for biases, whose rate may be another */
};

/* Cut the parameters into pieces, once the network is built. 0, or -1 without memory. */
int update_prepare(struct trainer *trainer, struct error *e);
/* Go on to the next range of the calling thread, of a team of the trainer's threads. 0: it had all.
 */
int update_next(const struct update *update, struct update_range *range);
/* How many of `squares` there must be. */
size_t update_squares(const struct trainer *trainer);
/* The learning rate of a step of the run, counted from 0. */
float update_rate(const struct trainer *trainer, long long step);
/* What all ranges of a step share. Once a step, before the threads come. */
void update_begin(struct trainer *trainer);
/* Add the first `shards` shards and take the step. To be called by every thread of a parallel
 * region; returns when all is done that this thread has to do. */
void update_step(struct trainer *trainer, int shards);

#endif
