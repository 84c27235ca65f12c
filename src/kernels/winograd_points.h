/* winograd_points.h: inputs at the points, and the blocks of output channels: what
 * the files of Winograd's way share. */
#ifndef CNNTRAIN_KERNELS_WINOGRAD_POINTS_H
#define CNNTRAIN_KERNELS_WINOGRAD_POINTS_H

#include "kernels/bodies.h"
#include "kernels/conv_widen.h"
#include "kernels/share.h"
#include "kernels/winograd.h"

#include <stddef.h>

enum { POINTS = WINOGRAD_POINTS };

/* The factors of the points 1 and -1, and of 2 and -2, in G. */
#define SIXTH (-1.0f / 6.0f)
#define PART_24 (1.0f / 24.0f)

/* Output channels, and points, whose sums fit the registers together; and where input channels are
 * many, output channels and tiles of a block of squares, and sums that fit. */
#if defined(__AVX512F__)
enum {
    OUTS = WINOGRAD_BLOCK,
    PASS = POINTS,
    MANY_OUTS = 12,
    MANY_TILES = WINOGRAD_PAIR,
    SUMS = 24
};
#elif defined(__AVX2__)
enum { OUTS = 3, PASS = 2, MANY_OUTS = 3, MANY_TILES = 1, SUMS = 12 };
#else
enum { OUTS = 3, PASS = 1, MANY_OUTS = 3, MANY_TILES = 1, SUMS = 12 };
#endif

/* How many output channels a block takes at most. */
INLINE int most_outs(const struct window *s, enum winograd_way way)
{
    return way == WINOGRAD_SQUARES && s->c >= WINOGRAD_MANY ? MANY_OUTS : OUTS;
}

/* How many of `rest` output channels a block takes: blocks as equal as can be. */
INLINE int winograd_block(int rest, int most)
{
    const int blocks = (rest + most - 1) / most;
    return (rest + blocks - 1) / blocks;
}

/* The first block of output channels that begins at `channel` or behind it. */
INLINE int block_from(const struct window *s, int channel, int most)
{
    int o = 0;
    while (o < channel) {
        o += winograd_block(s->oc - o, most);
    }
    return o;
}

/* A team's share, in whole blocks of channels and `step` rows. */
INLINE struct share share_in_blocks(const struct window *s, int step, int most)
{
    struct share share = share_of(s, s->oh, step, s->oc);
    share.channel = block_from(s, share.channel, most);
    share.channel_end = block_from(s, share.channel_end, most);
    return share;
}

/* A' m + b: 2 or 4 outputs from six points. */
INLINE void from_points(int outs, const vec m[POINTS], vec b, vec out[4])
{
    const vec s1 = m[1] + m[2], d1 = m[1] - m[2];
    const vec s2 = m[3] + m[4], d2 = m[3] - m[4];
    out[0] = ((m[0] + s1) + s2) + b;
    out[1] = v_fma(v_set(2.0f), d2, d1) + b;
    if (outs == 2) {
        out[1] = out[1] + m[5];
    } else {
        out[2] = v_fma(v_set(4.0f), s2, s1) + b;
        out[3] = (v_fma(v_set(8.0f), d2, d1) + m[5]) + b;
    }
}

/* One point of B' d. `point` is a constant. */
INLINE vec input_point(int point, const vec d[POINTS])
{
    switch (point) {
    case 0:
        return v_fma(v_set(4.0f), d[0], v_fma(v_set(-5.0f), d[2], d[4]));
    case 1:
        return v_fma(v_set(-4.0f), d[2], d[4]) + v_fma(v_set(-4.0f), d[1], d[3]);
    case 2:
        return v_fma(v_set(-4.0f), d[2], d[4]) - v_fma(v_set(-4.0f), d[1], d[3]);
    case 3:
        return v_fma(v_set(2.0f), d[3] - d[1], d[4] - d[2]);
    case 4:
        return v_fma(v_set(-2.0f), d[3] - d[1], d[4] - d[2]);
    default:
        return v_fma(v_set(4.0f), d[1], v_fma(v_set(-5.0f), d[3], d[5]));
    }
}

/* B' d: `step` floats apart. */
INLINE void to_points(const vec d[POINTS], float *to, size_t step)
{
    UNROLL
    for (int k = 0; k < POINTS; k++) {
        v_store(to + (size_t)k * step, input_point(k, d));
    }
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

/* One point of G' d, without its factor: the polynomial with the tile's columns, or rows, as
 * coefficients. `outs`, 2 or 4 of them, is a constant, as is `point` where this is inlined. */
INLINE vec gradient_point(int point, int outs, const vec d[4])
{
    vec even = d[0], odd = d[1];
    if (outs == 4) {
        const float square = point < 3 ? 1.0f : 4.0f;
        even = v_fma(v_set(square), d[2], even);
        odd = v_fma(v_set(square), d[3], odd);
    }
    switch (point) {
    case 0:
        return d[0];
    case 1:
        return even + odd;
    case 2:
        return even - odd;
    case 3:
        return even + (odd + odd); /* in additions, which need not wait for multipliers */
    case 4:
        return even - (odd + odd);
    default:
        return d[outs - 1];
    }
}

/* All points of G' d. `outs` is a constant. */
INLINE void gradient_points(int outs, const vec d[4], float *to, size_t step)
{
    UNROLL
    for (int k = 0; k < POINTS; k++) {
        v_store(to + (size_t)k * step, gradient_point(k, outs, d));
    }
}

/* A case for each point, so that CASE(K) sees it as a constant. */
#define CASES CASE(0) CASE(1) CASE(2) CASE(3) CASE(4) CASE(5)

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

/* Tiles [first, first + count) of a row of tiles that begins at input row `top` and column `left`,
 * which may be in the padding. */
struct chunk {
    int first, count, top, left;
    struct share share;       /* of a team: what is made */
    float *zeros, *v, *u, *t; /* a row of zeros; six rows; the tiles at the points; a tile's sums */
};

/* Where the tiles of a chunk stand at the points: from one column point, row point, channel, tile
 * to the next, in floats. */
struct order {
    size_t point, row, channel, tile;
};

/* Zeros, of which there are mostly none: a call would cost more than a test. */
INLINE void clear(float *to, int vectors)
{
    if (vectors > 0) {
        memset(to, 0, (size_t)vectors * LANES * sizeof *to);
    }
}

/* v[point][column] = B' x along the rows of a channel; columns outside are zero. The same rows of
 * the channel `next` will be wanted as soon as this is done, in pieces too short for a processor to
 * guess it; so they are fetched meanwhile, but for those that the tiles above had too. */
static inline void rows_at_points(const struct window *s, const struct chunk *k, const float *x,
                                  const float *next)
{
    const int reach = winograd_reach(s, k->count);
    const int begin = greater(0, -k->left), end = greater(begin, lesser(reach, s->w - k->left));
    const ptrdiff_t ahead = next - x;
    const float *rows[POINTS];
    for (int i = 0; i < POINTS; i++) {
        const int y = k->top + i;
        rows[i] = (y >= 0 && y < s->h ? x + (size_t)y * s->w * LANES : k->zeros);
        float *v = k->v + (size_t)i * reach * LANES;
        clear(v, begin);
        clear(v + (size_t)end * LANES, reach - end);
    }
    for (int at = begin * LANES; at < end * LANES; at += WIDTH) {
        vec d[POINTS];
        UNROLL
        for (int i = 0; i < POINTS; i++) {
            d[i] = v_load(rows[i] + k->left * LANES + at);
            if (i > 1) {
                __builtin_prefetch(rows[i] + k->left * LANES + at + ahead, 0, 2);
            }
        }
        to_points(d, k->v + at, (size_t)reach * LANES);
    }
}

/* u = B' x B of each tile and channel. */
static inline void tiles_at_points(const struct window *s, const struct chunk *k, const float *x,
                                   const struct order *order, float *u)
{
    const int reach = winograd_reach(s, k->count), columns = winograd_columns(s);
    const size_t map = (size_t)s->h * s->w * LANES;
    for (int c = 0; c < s->c; c++, x += map, u += order->channel) {
        rows_at_points(s, k, x, c + 1 < s->c ? x + map : x);
        for (int q = 0; q < POINTS; q++) {
            const float *v = k->v + (size_t)q * reach * LANES;
            for (int t = 0; t < k->count; t++, v += columns * LANES) {
                input_points(v, u + (size_t)t * order->tile + (size_t)q * order->row, order->point);
            }
        }
    }
}

#endif
