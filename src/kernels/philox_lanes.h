/* philox_lanes.h: Philox 4x32-10 in every lane at once (base/rng.h has the scalar form and the
 * source).
 *
 * A round takes a counter of four words to
 *
 *     high(M1 c2) ^ c1 ^ key0,  low(M1 c2),  high(M0 c0) ^ c3 ^ key1,  low(M0 c0)
 *
 * Processors multiply every second 32-bit lane to 64 bits. So the even lanes go through all rounds
 * by themselves, and the odd ones, in the even ones' place, likewise: then a product is low and
 * high word at once, and what is left in the places between is never looked at. */
#ifndef CNNTRAIN_KERNELS_PHILOX_LANES_H
#define CNNTRAIN_KERNELS_PHILOX_LANES_H

#include "kernels/lanes.h"

/* One word per lane. */
struct words {
    uint32_t lane[LANES];
} __attribute__((aligned(64)));

INLINE ivec words_load(const struct words *w, int first)
{
    return v_bits(v_load((const float *)(const void *)(w->lane + first)));
}

INLINE void words_store(struct words *w, int first, ivec a)
{
    v_store((float *)(void *)(w->lane + first), v_from_bits(a));
}

INLINE void philox_round(ivec c[4], ivec key0, ivec key1)
{
    const ivec product0 = v_multiply_even(c[0], v_iset((int)0xD2511F53u));
    const ivec product1 = v_multiply_even(c[2], v_iset((int)0xCD9E8D57u));
    c[0] = v_ixor(v_ixor(v_odd_to_even(product1), c[1]), key0);
    c[2] = v_ixor(v_ixor(v_odd_to_even(product0), c[3]), key1);
    c[1] = product1;
    c[3] = product0;
}

/* Four random words per lane for the counter c, which is used up. */
INLINE void philox_lanes(struct words c[4], uint64_t seed)
{
    for (int part = 0; part < LANES; part += WIDTH) {
        uint32_t key0 = (uint32_t)seed, key1 = (uint32_t)(seed >> 32);
        ivec even[4], odd[4];
        UNROLL
        for (int k = 0; k < 4; k++) {
            even[k] = words_load(&c[k], part);
            odd[k] = v_odd_to_even(even[k]);
        }
        UNROLL
        for (int round = 0; round < 10; round++) {
            philox_round(even, v_iset((int)key0), v_iset((int)key1));
            philox_round(odd, v_iset((int)key0), v_iset((int)key1));
            key0 += 0x9E3779B9u;
            key1 += 0xBB67AE85u;
        }
        UNROLL
        for (int k = 0; k < 4; k++) {
            words_store(&c[k], part, v_pairs(even[k], odd[k]));
        }
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
