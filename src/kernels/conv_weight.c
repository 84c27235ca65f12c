/* conv_weight.c: the weight gradient of a convolution.
 *
 *     dw[o][c][r][t] = sum over pixels and lanes of
 *                      dy[o][y][x] * x[c][y * stride + r - pad][x * stride + t - pad]
 *
 * Blocking: OB output channels x IB input channels x KB neighbouring taps of one kernel row are
 * summed in registers along output rows. A few output rows at a time meet all kernel rows, while
 * they are in the first cache; the sums of the kernel rows wait in memory meanwhile. The lanes are
 * added once, at the end, in the fixed tree. A level whose vectors hold only a part of the lanes
 * makes one pass for each part, so that every lane sees the same sums. */
#include "kernels/bodies.h"
#include "kernels/conv_bias.h"
#include "kernels/conv_widen.h"
#include "kernels/share.h"
#include "kernels/winograd.h"

enum {
    MOST_BLOCK = 2 * LANES, /* sums of one kernel row */
    MOST_ROWS = 8,          /* kernel rows whose sums wait together */
    NEAR_BYTES = 28672      /* of dy and x: most of a first cache */
};

/* What one block needs to know of the layer. */
struct gradient {
    const struct window *s;
    size_t x_channel, x_row, dy_channel; /* x: widened; from one channel or row to the next */
    size_t x_pixel;                      /* stride_w vectors */
    size_t dw_out, dw_channel;
    int add; /* to dw, or write it */
};

/* Sums of one kernel row: of each part, OB x IB x KB of them. */
struct sums {
    vec part[PARTS][MOST_BLOCK];
};

/* Add `rows` output rows; x stands at the input row of the first of them. */
INLINE void accumulate(const struct gradient *g, int OB, int IB, int KB, const float *x,
                       const float *dy, int rows, struct sums *sums)
{
    const size_t x_step = (size_t)g->s->stride_h * g->x_row;
    int pixels = g->s->ow;
    if (x_step == (size_t)pixels * g->x_pixel) { /* rows without a gap are one row */
        pixels *= rows;
        rows = 1;
    }
    UNROLL
    for (int part = 0; part < PARTS; part++) {
        vec sum[MOST_BLOCK];
        UNROLL
        for (int i = 0; i < OB * IB * KB; i++) {
            sum[i] = sums->part[part][i];
        }
        for (int r = 0; r < rows; r++) {
            const float *xp = x + (size_t)r * x_step + part * WIDTH;
            const float *dp = dy + (size_t)r * pixels * LANES + part * WIDTH;
            for (int p = 0; p < pixels; p++, xp += g->x_pixel, dp += LANES) {
                vec d[8];
                UNROLL
                for (int o = 0; o < OB; o++) {
                    d[o] = v_keep(v_load(dp + (size_t)o * g->dy_channel));
                }
                UNROLL
                for (int i = 0; i < IB * KB; i++) {
                    vec in = v_keep(v_load(xp + (size_t)(i / KB) * g->x_channel + i % KB * LANES));
                    UNROLL
                    for (int o = 0; o < OB; o++) {
                        sum[o * IB * KB + i] = v_fma(d[o], in, sum[o * IB * KB + i]);
                    }
                }
            }
        }
        UNROLL
        for (int i = 0; i < OB * IB * KB; i++) {
            sums->part[part][i] = sum[i];
        }
    }
}

/* Add the lanes and put the gradient of one kernel row where it belongs. */
INLINE void finish(const struct gradient *g, int OB, int IB, int KB, const struct sums *sums,
                   float *dw)
{
    float sum[MOST_BLOCK];
    UNROLL
    for (int i = 0; i < OB * IB * KB; i += LANES) {
        lanes_sum_16(&sums->part[0][i], MOST_BLOCK, sum + i);
    }
    UNROLL
    for (int i = 0; i < OB * IB * KB; i++) {
        const int o = i / (IB * KB), k = i % (IB * KB);
        float *to = dw + (size_t)o * g->dw_out + (size_t)(k / KB) * g->dw_channel + k % KB;
        *to = g->add ? *to + sum[i] : sum[i];
    }
}

/* The output rows within [from, to) whose window has kernel row r inside the input. */
INLINE int rows_inside(const struct window *s, int r, int from, int to, int *first)
{
    const int above = greater(0, s->pad_top - r), below = s->h - 1 + s->pad_top - r;
    *first = greater(from, (above + s->stride_h - 1) / s->stride_h);
    return below < 0 ? 0 : lesser(to, below / s->stride_h + 1) - *first;
}

/* All kernel rows of one block. x: its first channel and tap; dy: its first channel. */
INLINE void block(const struct gradient *g, int OB, int IB, int KB, const float *x, const float *dy,
                  float *dw)
{
    const struct window *s = g->s;
    /* both come again: with each kernel row, or for the next part of the lanes */
    const size_t row = (size_t)OB * s->ow * LANES + (size_t)IB * s->stride_h * g->x_row;
    const int near =
        s->kh > 1 || PARTS > 1 ? greater(1, (int)(NEAR_BYTES / (row * sizeof(float)))) : s->oh;
    for (int group = 0; group < s->kh; group += MOST_ROWS) {
        const int end = lesser(s->kh, group + MOST_ROWS);
        struct sums sums[MOST_ROWS];
        for (int r = 0; r < end - group; r++) {
            for (int part = 0; part < PARTS; part++) {
                memset(sums[r].part[part], 0,
                       (size_t)((OB * IB * KB + LANES - 1) / LANES * LANES) * sizeof(vec));
            }
        }
        for (int y = 0; y < s->oh; y += near) {
            for (int r = group; r < end; r++) {
                int first;
                const int rows = rows_inside(s, r, y, lesser(s->oh, y + near), &first);
                if (rows > 0) {
                    accumulate(g, OB, IB, KB,
                               x + (size_t)(first * s->stride_h + r - s->pad_top) * g->x_row,
                               dy + (size_t)first * s->ow * LANES, rows, &sums[r - group]);
                }
            }
        }
        for (int r = group; r < end; r++) {
            finish(g, OB, IB, KB, &sums[r - group], dw + r * s->kw);
        }
    }
}

/* The blocks of a level, KB taps x IB input channels x up to 4 output channels: those whose sums
 * fit the registers beside an operand of each. */
#define INS_1(X, KB) X(KB, 1)
#define INS_2(X, KB) INS_1(X, KB) X(KB, 2)
#define INS_3(X, KB) INS_2(X, KB) X(KB, 3)
#define INS_4(X, KB) INS_3(X, KB) X(KB, 4)
#define INS_6(X, KB) INS_4(X, KB) X(KB, 5) X(KB, 6)
#if defined(__AVX512F__)
#define BLOCKS(X) INS_6(X, 1) INS_3(X, 2) INS_2(X, 3) INS_1(X, 4) INS_1(X, 5) INS_1(X, 6)
static const struct {
    int outs, ins; /* the most of a block, by taps */
} MOST[] = {{0, 0}, {4, 6}, {4, 3}, {4, 2}, {4, 1}, {4, 1}, {4, 1}};
#else
#define BLOCKS(X) INS_4(X, 1) INS_3(X, 2) INS_2(X, 3) INS_1(X, 4) INS_1(X, 5) INS_1(X, 6)
static const struct {
    int outs, ins;
} MOST[] = {{0, 0}, {3, 4}, {2, 3}, {2, 2}, {3, 1}, {2, 1}, {2, 1}};
#endif
enum { MOST_TAPS = 6, MOST_INS = 6, MOST_OUTS = 4 };

typedef void gradient_block(const struct gradient *, const float *x, const float *dy, float *dw);
#define DEFINE_BLOCK(KB, IB, OB)                                                                   \
    static void block_##KB##_##IB##_##OB(const struct gradient *g, const float *x,                 \
                                         const float *dy, float *dw)                               \
    {                                                                                              \
        block(g, OB, IB, KB, x, dy, dw);                                                           \
    }
#define LIST_BLOCK(KB, IB, OB) [KB][IB][OB] = block_##KB##_##IB##_##OB,
#if defined(__AVX512F__)
#define FOR_OUTS(X, KB, IB) X(KB, IB, 1) X(KB, IB, 2) X(KB, IB, 3) X(KB, IB, 4)
#else
#define FOR_OUTS(X, KB, IB) X(KB, IB, 1) X(KB, IB, 2) X(KB, IB, 3)
#endif
#define DEFINE_OUTS(KB, IB) FOR_OUTS(DEFINE_BLOCK, KB, IB)
#define LIST_OUTS(KB, IB) FOR_OUTS(LIST_BLOCK, KB, IB)
BLOCKS(DEFINE_OUTS)
static gradient_block *const RUN[MOST_TAPS + 1][MOST_INS + 1][MOST_OUTS + 1] = {BLOCKS(LIST_OUTS)};

/* How many of `rest` to take next, so that the blocks of at most `most` are as equal as can be. */
INLINE int next_of(int rest, int most)
{
    const int blocks = (rest + most - 1) / most;
    return (rest + blocks - 1) / blocks;
}

/* All channels, of the output the share's, for `taps` neighbouring taps. */
static void gradient_taps(const struct gradient *g, int taps, const float *x, const float *dy,
                          float *dw)
{
    const struct share share = share_of_weights(g->s);
    for (int o = share.channel, outs; o < share.channel_end; o += outs) {
        outs = next_of(share.channel_end - o, MOST[taps].outs);
        for (int i = 0, ins; i < g->s->c; i += ins) {
            ins = next_of(g->s->c - i, MOST[taps].ins);
            RUN[taps][ins][outs](g, x + (size_t)i * g->x_channel, dy + (size_t)o * g->dy_channel,
                                 dw + (size_t)o * g->dw_out + (size_t)i * g->dw_channel);
        }
    }
}

void KERNEL(conv_weight_direct)(const struct window *s, const float *x, const float *dy, int add,
                                float *dw, float *scratch)
{
    int width;
    x = conv_widen(s, x, scratch, &width);
    const struct gradient g = {
        .s = s,
        .x_channel = (size_t)s->h * width * LANES,
        .x_row = (size_t)width * LANES,
        .dy_channel = (size_t)s->oh * s->ow * LANES,
        .x_pixel = (size_t)s->stride_w * LANES,
        .dw_out = (size_t)s->c * s->kh * s->kw,
        .dw_channel = (size_t)s->kh * s->kw,
        .add = add,
    };
    for (int t = 0, groups = (s->kw + MOST_TAPS - 1) / MOST_TAPS; groups > 0; groups--) {
        const int taps = (s->kw - t + groups - 1) / groups;
        gradient_taps(&g, taps, x + (size_t)t * LANES, dy, dw + t);
        t += taps;
    }
}

void KERNEL(conv_backward_weight)(const struct window *s, const float *x, const float *dy, int add,
                                  float *dw, float *db, float *scratch)
{
    const struct share share = share_of_weights(s);
    const int o = share.channel, outs = share.channel_end - o;
    const size_t map = (size_t)s->oh * s->ow;
    if (conv_is_dense(s)) {
        const int in = s->c * s->kh * s->kw;
        KERNEL(dense_turn)(in, x, scratch);
        KERNEL(dense_backward_weight)
        (in, outs, 1, scratch, dy + (size_t)o * LANES, 0, add, dw + (size_t)o * in,
         db ? db + o : NULL);
        return;
    }
    if (winograd_weight_way(s) != WINOGRAD_NONE) {
        KERNEL(winograd_backward_weight)(s, x, dy, add, dw, scratch);
    } else {
        KERNEL(conv_weight_direct)(s, x, dy, add, dw, scratch);
    }
    if (db) {
        bias_gradient(dy + (size_t)o * map * LANES, outs, map, add, db + o);
    }
}
