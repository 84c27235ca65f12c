/* winograd_points.h: an input row at the points, shared by the two files of Winograd's way. */
#ifndef CNNTRAIN_KERNELS_WINOGRAD_POINTS_H
#define CNNTRAIN_KERNELS_WINOGRAD_POINTS_H

#include "kernels/bodies.h"
#include "kernels/conv_widen.h"
#include "kernels/winograd.h"

enum { POINTS = WINOGRAD_POINTS };

/* The factors of the points 1 and -1, and of 2 and -2, in G. */
#define SIXTH (-1.0f / 6.0f)
#define PART_24 (1.0f / 24.0f)

/* Output channels, and points, whose sums fit the registers together. */
#if defined(__AVX512F__)
enum { OUTS = 4, PASS = POINTS };
#elif defined(__AVX2__)
enum { OUTS = 3, PASS = 2 };
#else
enum { OUTS = 3, PASS = 1 };
#endif

/* How many of `rest` output channels a block takes: blocks as equal as can be. */
INLINE int winograd_block(int rest)
{
    const int blocks = (rest + OUTS - 1) / OUTS;
    return (rest + blocks - 1) / blocks;
}

/* B' d: `step` floats apart. */
INLINE void to_points(const vec d[POINTS], float *to, size_t step)
{
    const vec a = v_fma(v_set(-4.0f), d[2], d[4]), b = v_fma(v_set(-4.0f), d[1], d[3]);
    const vec c = d[4] - d[2], e = d[3] - d[1];
    v_store(to, v_fma(v_set(4.0f), d[0], v_fma(v_set(-5.0f), d[2], d[4])));
    v_store(to + step, a + b);
    v_store(to + 2 * step, a - b);
    v_store(to + 3 * step, v_fma(v_set(2.0f), e, c));
    v_store(to + 4 * step, v_fma(v_set(-2.0f), e, c));
    v_store(to + 5 * step, v_fma(v_set(4.0f), d[1], v_fma(v_set(-5.0f), d[3], d[5])));
}

/* B' x of six columns side by side. */
INLINE void input_points(const float *x, float *u, size_t step)
{
    UNROLL
    for (int part = 0; part < PARTS; part++) {
        vec d[POINTS];
        UNROLL
        for (int i = 0; i < POINTS; i++) {
            d[i] = v_load(x + i * LANES + part * WIDTH);
        }
        to_points(d, u + part * WIDTH, step);
    }
}

/* A row of x as its tiles find it: itself, or a copy in `wide` between zeros. */
INLINE const float *with_padding(const struct window *s, const float *row, float *wide)
{
    const int reach = winograd_reach(s, winograd_tiles(s)),
              live = lesser(s->w, reach - s->pad_left);
    if (live == reach) {
        return row;
    }
    memcpy(wide + (size_t)s->pad_left * LANES, row, (size_t)live * LANES * sizeof *row);
    return wide;
}

#endif
