/* footprint.h: how much memory a run will have taken at most, before it begins. */
#ifndef CNNTRAIN_TRAIN_FOOTPRINT_H
#define CNNTRAIN_TRAIN_FOOTPRINT_H

#include "train/trainer.h"

struct footprint {
    uint64_t most;       /* bytes resident at the peak of the run, or 0: the system does not tell */
    uint64_t images;     /* of these: pixels held in memory, of all sets */
    uint64_t evaluation; /* of these: what validation takes besides the arena */
};

/* For a trainer that is prepared. */
struct footprint footprint_of(const struct trainer *trainer);

#endif
