/* profile.h: where the time of a run goes: per layer, forward and backward, and all the rest. Each
 * thread has a stopwatch (base/stopwatch.h) that it laps after every layer of a tile; what is done
 * between parallel regions is given to all of them at once. So the rows of all threads, divided by
 * their number, add up to the time by the clock on the wall.
 *
 * Without a profile (NULL) a tile costs a test of a pointer for each layer. A profile changes no
 * result. */
#ifndef CNNTRAIN_TRAIN_PROFILE_H
#define CNNTRAIN_TRAIN_PROFILE_H

#include "base/error.h"
#include "base/text.h"
#include "net/net.h"

/* What is no layer's. */
enum profile_phase {
    PROFILE_INPUT,      /* tiles from images: decoding, augmenting, normalising */
    PROFILE_PREPARE,    /* what nodes prepare of their weights (net_prepare) */
    PROFILE_LOSS,       /* and the gradient by the outputs */
    PROFILE_REDUCE,     /* adding the gradients of the shards, clipping them */
    PROFILE_OPTIMIZER,  /* penalties, step, max_norm, averages */
    PROFILE_RESULTS,    /* what becomes of outputs in an evaluation */
    PROFILE_VALIDATION, /* evaluations within a training */
    PROFILE_FILES,      /* log, checkpoint, model */
    PROFILE_OTHER,      /* order of the samples, progress */
    PROFILE_WAIT,       /* for other threads */
    PROFILE_PHASES
};

struct profile {
    int threads, nodes;
    struct stopwatch *watches; /* [threads] */
    uint64_t *rows;            /* owned, with the watches: [threads][row_count] and a gap */
    size_t stride;             /* from one thread's rows to the next one's */
    uint64_t start;
    uint64_t steps, images;      /* of the time measured */
    double peak_one, peak_all;   /* multiply-adds a second: of a thread alone, of all at once */
    const struct kernels *level; /* the kernels measured */
};

/* Also measures the peak, for some milliseconds. ERROR_LIMIT. */
int profile_open(struct profile *profile, const struct graph *graph, const struct kernels *kernels,
                 int threads, struct error *e);
void profile_close(struct profile *profile);
/* Begin, or begin again, with zeros. Like the next, between parallel regions. */
void profile_start(struct profile *profile);
/* All threads' time since their last laps. NULL: nothing. */
void profile_all(struct profile *profile, enum profile_phase phase);
/* The calling thread's stopwatch, within a parallel region; NULL without a profile. */
struct stopwatch *profile_watch(const struct profile *profile);
/* `watch` may be NULL. */
void profile_lap(const struct profile *profile, struct stopwatch *watch, enum profile_phase phase);
/* Work that was done. NULL: nothing. */
static inline void profile_count(struct profile *profile, uint64_t steps, uint64_t images)
{
    if (profile) {
        profile->steps += steps;
        profile->images += images;
    }
}
/* Seconds by the wall, summed over all rows; and of a row, divided by the threads. */
double profile_seconds(const struct profile *profile);
double profile_row(const struct profile *profile, int row);
/* Append the table: of `plan`'s training or evaluation, which is what was measured. */
void profile_append(const struct profile *profile, const struct graph *graph,
                    const struct plan *plan, struct text *out);

#endif
