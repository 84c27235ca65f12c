/* duplicates.h: images that are there more than once, in one set or in several: equal to the last
 * bit of their stored pixels. */
#ifndef CNNTRAIN_DATA_DUPLICATES_H
#define CNNTRAIN_DATA_DUPLICATES_H

#include "data/dataset.h"

/* An image that another one before it equals. Parts are in the order in which they were given; the
 * other is the first of all that are equal. */
struct twin {
    int part, other_part;
    uint32_t sample, other;
};
struct twins {
    size_t count;
    struct twin *items; /* owned; ordered by part and sample */
};
/* Of 1..255 parts, which are subsets of sets of any kind. ERROR_LIMIT, ERROR_DATA. */
int twins_find(struct twins *twins, const struct subset *const *parts, int count, struct error *e);
void twins_free(struct twins *twins);

#endif
