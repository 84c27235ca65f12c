/* parts.h: flat vectors of any length, vector by vector, and what is left at their end. */
#ifndef CNNTRAIN_KERNELS_PARTS_H
#define CNNTRAIN_KERNELS_PARTS_H

#include "kernels/lanes.h"

/* The next `live` numbers: a vector, or at the end of the flat vector its rest. */
INLINE vec part_load(const float *p, size_t live)
{
    return live >= WIDTH ? v_loadu(p) : v_load_first(p, live);
}

INLINE void part_store(float *p, vec a, size_t live)
{
    if (live >= WIDTH) {
        v_storeu(p, a);
    } else {
        v_store_first(p, a, live);
    }
}

/* `at(i, live)` for each vector of n numbers and then for the rest: one body serves both, and the
 * compiler knows which is which. */
#define OVER(n, at)                                                                                \
    do {                                                                                           \
        size_t i = 0;                                                                              \
        for (; i + WIDTH <= (n); i += WIDTH) {                                                     \
            at(i, WIDTH);                                                                          \
        }                                                                                          \
        if (i < (n)) {                                                                             \
            at(i, (n)-i);                                                                          \
        }                                                                                          \
    } while (0)

/* 1, -1, or 0 for 0; what is not a number stays so. */
INLINE vec v_sign(vec a)
{
    const vec zero = v_set(0), none = a - a;
    return v_select(v_greater(a, zero), v_set(1), v_select(v_greater(zero, a), v_set(-1), none));
}

#endif
