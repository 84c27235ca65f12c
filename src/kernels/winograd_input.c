/* winograd_input.c: the input gradient by Winograd's way (winograd.c), transposed as a whole,
 *
 *     dx = sum over the tiles of B [ (G w G') * (A dy A') ] B'
 *
 * where a tile is m x m of dy, and gives something to 6 x 6 of dx. There are as many tiles as the
 * forward way has, where dy with the kernel turned round, as a forward convolution over a map that
 * is wider by its padding, has more: of LeNet's C3 25 instead of 49.
 *
 * dy is brought to the points along the rows first, [row point][tile][channel][column]; along the
 * columns that is one addition a point, which is made where it is used, in registers. What comes
 * from the points is added up along the columns, for all tiles of a row, and then along the rows.
 * Each pixel of dx gets its parts in the order of the tiles, whoever makes it. */
#include "kernels/winograd_points.h"

/* d = A dy along the rows of a chunk that begins at output row oy; what lies outside the map is
 * zero. `m`, the outputs along an axis, is a constant. */
INLINE void rows_of_gradient(int m, const struct window *s, const struct chunk *k, int oy,
                             const float *dy, float *d, size_t d_row)
{
    const int ox = k->first * m, width = k->count * m, live = lesser(width, s->ow - ox);
    const size_t map = (size_t)s->oh * s->ow * LANES, tile = (size_t)s->oc * m * LANES;
    for (int o = 0; o < s->oc; o++, dy += map, d += m * LANES) {
        const float *from[4];
        UNROLL
        for (int i = 0; i < m; i++) {
            from[i] = oy + i < s->oh ? dy + ((size_t)(oy + i) * s->ow + ox) * LANES : k->zeros;
        }
        for (int x = 0; x < width; x++) {
            float *to = d + (size_t)(x / m) * tile + x % m * LANES;
            UNROLL
            for (int part = 0; part < LANES; part += WIDTH) {
                vec in[4];
                UNROLL
                for (int i = 0; i < m; i++) {
                    in[i] = x < live ? v_load(from[i] + x * LANES + part) : v_set(0.0f);
                }
                gradient_points(m, in, to + part, d_row);
            }
        }
    }
}

/* One block: what CB input channels get from a tile at a row point. */
struct block {
    const float *d, *w;
    int channels; /* of dy, summed over */
    float *t;     /* [channel of the block][row point][column] */
    size_t t_channel;
};

/* B m: what six columns, or rows, get from six points. */
INLINE void inputs_from_points(const vec m[POINTS], vec out[POINTS])
{
    const vec s1 = m[1] + m[2], d1 = m[1] - m[2], s2 = m[3] + m[4], d2 = m[3] - m[4];
    out[0] = v_set(4.0f) * m[0];
    out[1] = v_fma(v_set(4.0f), m[5] - d1, v_set(0.0f) - (d2 + d2));
    out[2] = v_fma(v_set(-5.0f), m[0], v_fma(v_set(-4.0f), s1, v_set(0.0f) - s2));
    out[3] = v_fma(v_set(-5.0f), m[5], d1 + (d2 + d2));
    out[4] = (m[0] + s1) + s2;
    out[5] = m[5];
}

/* The sums of CB channels at PASS points from the first. */
INLINE void sum_points(const struct block *s, int CB, int m, int first,
                       vec sums[OUTS][POINTS][PARTS])
{
    vec sum[OUTS][PASS][PARTS];
    UNROLL
    for (int i = 0; i < CB * PASS * PARTS; i++) {
        sum[i / PARTS / PASS][i / PARTS % PASS][i % PARTS] = v_set(0.0f);
    }
    const float *d = s->d, *w = s->w + first;
    for (int c = 0; c < s->channels; c++, d += m * LANES, w += CB * POINTS) {
        UNROLL
        for (int p = 0; p < PARTS; p++) {
            vec in[4];
            UNROLL
            for (int i = 0; i < m; i++) {
                in[i] = v_load(d + i * LANES + p * WIDTH);
            }
            UNROLL
            for (int k = 0; k < PASS; k++) {
                const vec at = v_keep(gradient_point(first + k, m, in));
                UNROLL
                for (int o = 0; o < CB; o++) {
                    sum[o][k][p] = v_fma(v_set(w[o * POINTS + k]), at, sum[o][k][p]);
                }
            }
        }
    }
    UNROLL
    for (int i = 0; i < CB * PASS * PARTS; i++) {
        sums[i / PARTS / PASS][first + i / PARTS % PASS][i % PARTS] =
            sum[i / PARTS / PASS][i / PARTS % PASS][i % PARTS];
    }
}

INLINE void add_block(const struct block *s, int CB, int m)
{
    vec sums[OUTS][POINTS][PARTS];
    UNROLL
    for (int first = 0; first < POINTS; first += PASS) {
        sum_points(s, CB, m, first, sums);
    }
    UNROLL
    for (int o = 0; o < CB; o++) {
        UNROLL
        for (int p = 0; p < PARTS; p++) {
            vec at[POINTS], out[POINTS];
            UNROLL
            for (int k = 0; k < POINTS; k++) {
                at[k] = sums[o][k][p];
            }
            inputs_from_points(at, out);
            float *t = s->t + (size_t)o * s->t_channel + p * WIDTH;
            UNROLL
            for (int i = 0; i < POINTS; i++) {
                v_store(t + i * LANES, v_load(t + i * LANES) + out[i]);
            }
        }
    }
}

typedef void block_run(const struct block *);
#define DEFINE_BLOCK(CB, M)                                                                        \
    static void block_##CB##_##M(const struct block *s) { add_block(s, CB, M); }
#define LIST_BLOCK(CB, M) [M][CB] = block_##CB##_##M,
#define BLOCKS_3(X, M) X(1, M) X(2, M) X(3, M)
#if defined(__AVX512F__)
#define BLOCKS(X) BLOCKS_3(X, 2) X(4, 2) BLOCKS_3(X, 4) X(4, 4)
#else
#define BLOCKS(X) BLOCKS_3(X, 2) BLOCKS_3(X, 4)
#endif
BLOCKS(DEFINE_BLOCK)
static block_run *const RUN[5][OUTS + 1] = {BLOCKS(LIST_BLOCK)};

/* dx of `outs` channels gets its rows from their sums t[channel][row point][column]. */
static void add_rows(const struct window *s, const struct chunk *k, int outs, int reach, float *dx)
{
    const int begin = greater(0, -k->left), end = lesser(reach, s->w - k->left);
    const int first = greater(0, -k->top), last = lesser(POINTS, s->h - k->top);
    const float *t = k->t;
    for (int o = 0; o < outs; o++, t += POINTS * reach * LANES, dx += (size_t)s->h * s->w * LANES) {
        float *to = dx + ((ptrdiff_t)k->top * s->w + k->left) * LANES;
        for (int at = begin * LANES; at < end * LANES; at += WIDTH) {
            vec m[POINTS], out[POINTS];
            UNROLL
            for (int q = 0; q < POINTS; q++) {
                m[q] = v_load(t + q * reach * LANES + at);
            }
            inputs_from_points(m, out);
            UNROLL
            for (int i = 0; i < POINTS; i++) {
                if (i >= first && i < last) {
                    float *pixel = to + (ptrdiff_t)i * s->w * LANES + at;
                    v_store(pixel, v_load(pixel) + out[i]);
                }
            }
        }
    }
}

/* dx of the channels [from, to) gets what a chunk gives; d_row: from one row point of d, of dy, to
 * the next. */
static void add_chunk(const struct window *s, const struct chunk *k, int from, int to,
                      const float *d, size_t d_row, const float *u, float *dx)
{
    const int m = winograd_columns(s), reach = winograd_reach(s, k->count);
    const size_t map = (size_t)s->h * s->w * LANES, t_row = (size_t)reach * LANES;
    for (int c = from, outs; c < to; c += outs) {
        outs = winograd_block(s->c - c, OUTS);
        memset(k->t, 0, (size_t)outs * POINTS * t_row * sizeof *k->t);
        for (int q = 0; q < POINTS; q++) {
            struct block block = {
                .d = d + q * d_row,
                .w = u + ((size_t)q * s->c + c) * s->oc * POINTS,
                .channels = s->oc,
                .t = k->t + q * t_row,
                .t_channel = POINTS * t_row,
            };
            for (int t = 0; t < k->count; t++, block.t += m * LANES) {
                RUN[m][outs](&block);
                block.d += (size_t)s->oc * m * LANES;
            }
        }
        add_rows(s, k, outs, reach, dx + (size_t)c * map);
    }
}

/* A team's share is channels of dx, in whole blocks: each member needs all of dy. */
void KERNEL(winograd_transposed)(const struct window *s, const float *dy, const float *u, float *dx,
                                 float *scratch)
{
    const int m = winograd_columns(s), tiles = winograd_tiles(s),
              most = winograd_chunk_of(s, s->oc);
    const struct window turned = winograd_turned(s);
    const struct share share = share_of_weights(&turned);
    const int from = block_from(&turned, share.channel, OUTS),
              to = block_from(&turned, share.channel_end, OUTS);
    const size_t map = (size_t)s->h * s->w * LANES, d_row = winograd_transposed_row(s);
    struct chunk k = {.zeros = scratch};
    float *d = k.zeros + (size_t)s->ow * LANES;
    k.t = d + POINTS * d_row;
    memset(k.zeros, 0, (size_t)s->ow * LANES * sizeof *k.zeros);
    memset(dx + (size_t)from * map, 0, (size_t)(to - from) * map * sizeof *dx);
    for (int oy = 0; oy < s->oh; oy += m) {
        k.top = oy - s->pad_top;
        for (k.first = 0; k.first < tiles; k.first += most) {
            k.count = lesser(most, tiles - k.first);
            k.left = k.first * m - s->pad_left;
            if (m == 2) {
                rows_of_gradient(2, s, &k, oy, dy, d, d_row);
            } else {
                rows_of_gradient(4, s, &k, oy, dy, d, d_row);
            }
            add_chunk(s, &k, from, to, d, d_row, u, dx);
        }
    }
}
