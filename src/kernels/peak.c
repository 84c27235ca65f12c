/* peak.c: the most that a core can do, to measure kernels against: nothing but multiply-adds, whose
 * operands and sums stay in registers.
 *
 * A multiply-add takes about 4 cycles, and a core begins two in each: at least 8 must be under way
 * that do not wait for each other. 12 sums leave room for both operands in 16 registers. */
#include "kernels/bodies.h"

enum { SUMS = PEAK_ROUND / LANES };

float KERNEL(peak)(size_t rounds)
{
    /* Each sum goes towards 1 / (1 - a): never infinite, never so small that it slows down. */
    const vec a = v_keep(v_set(0.875f)), b = v_keep(v_set(1.0f));
    vec sums[SUMS];
    UNROLL
    for (int i = 0; i < SUMS; i++) {
        sums[i] = v_set((float)i);
    }
    for (size_t round = 0; round < rounds; round++) {
        UNROLL
        for (int part = 0; part < PARTS; part++) {
            UNROLL
            for (int i = 0; i < SUMS; i++) {
                sums[i] = v_fma(sums[i], a, b);
            }
        }
    }
    vec all = sums[0];
    UNROLL
    for (int i = 1; i < SUMS; i++) {
        all = all + sums[i];
    }
    float lanes[WIDTH] __attribute__((aligned(64)));
    v_store(lanes, all);
    return lanes[0];
}
