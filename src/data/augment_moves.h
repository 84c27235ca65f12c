/* augment_moves.h: the moves of an image that have not been carried out. */
#ifndef CNNTRAIN_DATA_AUGMENT_MOVES_H
#define CNNTRAIN_DATA_AUGMENT_MOVES_H

#include "data/augmentation.h"

/* Begins with map = MAP_IDENTITY and all else zero. */
struct pending {
    int some, filled; /* filled: a move has said with what */
    struct map map;
    float fill;
    int mirror;                /* in place of fill */
    const char *interpolation; /* NULL: any will do */
    /* A move that is no map, with the map of the moves before it; `map` is that of those after it.
     */
    const struct augmentation *bend;
    const void *bend_options;
    struct draws bend_draws;
    struct map before;
};

/* Floats of picture.scratch for images of this size. */
size_t moves_scratch(int c, int h, int w);
/* One more move; those before it are carried out first when they cannot be one with it. */
void moves_add(struct picture *picture, struct pending *pending, const struct augmentation *type,
               const void *options, struct draws *draws);
/* Resample the picture as the moves say; none are pending then. */
void moves_carry_out(struct picture *picture, struct pending *pending);

#endif
