/* philox_lanes.h: Philox 4x32-10 in every lane at once (base/rng.h has the scalar form and the
 * source). */
#ifndef CNNTRAIN_KERNELS_PHILOX_LANES_H
#define CNNTRAIN_KERNELS_PHILOX_LANES_H

#include "kernels/lanes.h"

/* One word per lane. Integer loops: exact everywhere, and compilers vectorise them. */
struct words {
    uint32_t lane[LANES];
};

INLINE void multiply(uint32_t factor, const struct words *a, struct words *high, struct words *low)
{
    for (int i = 0; i < LANES; i++) {
        const uint64_t product = (uint64_t)factor * a->lane[i];
        high->lane[i] = (uint32_t)(product >> 32);
        low->lane[i] = (uint32_t)product;
    }
}

/* Four random words per lane for the counter c, which is used up. */
INLINE void philox_lanes(struct words c[4], uint64_t seed)
{
    uint32_t key0 = (uint32_t)seed, key1 = (uint32_t)(seed >> 32);
    for (int round = 0; round < 10; round++) {
        struct words high0, low0, high1, low1;
        multiply(0xD2511F53u, &c[0], &high0, &low0);
        multiply(0xCD9E8D57u, &c[2], &high1, &low1);
        for (int i = 0; i < LANES; i++) {
            c[0].lane[i] = high1.lane[i] ^ c[1].lane[i] ^ key0;
            c[2].lane[i] = high0.lane[i] ^ c[3].lane[i] ^ key1;
            c[1].lane[i] = low1.lane[i];
            c[3].lane[i] = low0.lane[i];
        }
        key0 += 0x9E3779B9u;
        key1 += 0xBB67AE85u;
    }
}

/* What the random numbers of a tile are for: all but the first word of their counters. */
struct draw {
    uint64_t seed;
    const uint32_t *samples;
    uint32_t epoch, stream;
};

/* The words of elements 4 * block .. 4 * block + 3. */
INLINE void draw_block(const struct draw *draw, size_t block, struct words c[4])
{
    for (int i = 0; i < LANES; i++) {
        c[0].lane[i] = (uint32_t)block;
        c[1].lane[i] = draw->samples[i];
        c[2].lane[i] = draw->epoch;
        c[3].lane[i] = draw->stream;
    }
    philox_lanes(c, draw->seed);
}

#endif
