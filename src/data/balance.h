/* balance.h: over-sampling: an epoch in which every class has as many samples as the largest one.
 */
#ifndef CNNTRAIN_DATA_BALANCE_H
#define CNNTRAIN_DATA_BALANCE_H

#include "data/dataset.h"

/* A number of a drawn sample: `sample + copy * set->count`, so that two copies of an image in one
 * epoch are told apart: dropout and augmentation treat them differently. */
static inline uint32_t drawn_sample(uint32_t drawn, const struct dataset *set)
{
    return drawn % (uint32_t)set->count;
}

struct balance {
    int classes;
    size_t set_count; /* of the data set that the subset is of */
    size_t most;      /* samples of the largest class */
    size_t count;     /* of an epoch: most * classes that have samples */
    uint32_t *order;  /* owned: the subset's samples, class by class */
    size_t *start;    /* owned: class k is order[start[k]] up to order[start[k + 1]] */
};
/* ERROR_LIMIT, also when the numbers of the copies would not fit in 32 bits. */
int balance_open(struct balance *balance, const struct subset *subset, struct error *e);
/* The samples of an epoch, class by class: each sample of a class most / n times, and those that
 * are missing then chosen without repetition by (seed, RNG_BALANCE, epoch, class). `drawn` has
 * room for balance->count. */
void balance_draw(const struct balance *balance, uint64_t seed, uint32_t epoch, uint32_t *drawn);
void balance_close(struct balance *balance);

#endif
