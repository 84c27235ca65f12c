/* conv_weight.c: the weight gradient of a convolution.
 *
 *     dw[o][c][r][t] = sum over pixels and lanes of dy[o][y][x] * x[c][y * stride + r - pad][x *
 * stride + t - pad]
 *
 * Blocking: OB output channels x IB input channels x KB neighbouring taps of one kernel row are
 * summed in registers over all pixels of the tile, row by row; their lanes are added once, at the
 * end, in the fixed tree. A level whose vectors hold only a part of the lanes makes one pass for
 * each part, so that every lane sees the same sums. */
#include "kernels/bodies.h"
#include "kernels/conv_widen.h"

/* What one block needs to know of the layer. */
struct gradient {
    size_t x_channel, x_row, dy_channel; /* x: widened; from one channel or row to the next */
    int ow;
    size_t x_pixel; /* stride_w vectors */
    size_t dw_out, dw_channel;
    int add; /* to dw, or write it */
};

enum { MOST_BLOCK = 2 * LANES };

/* Sum OB x IB x KB over `rows` output rows; x stands at the input row of the first of them. */
INLINE void block(const struct gradient *g, int OB, int IB, int KB, const float *x, size_t x_step,
                  const float *dy, int rows, float *dw)
{
    vec total[MOST_BLOCK][PARTS];
    for (int i = OB * IB * KB; i < (OB * IB * KB > LANES ? 2 : 1) * LANES; i++) {
        UNROLL
        for (int part = 0; part < PARTS; part++) {
            total[i][part] = v_set(0.0f);
        }
    }
    UNROLL
    for (int part = 0; part < PARTS; part++) {
        vec sum[MOST_BLOCK];
        UNROLL
        for (int i = 0; i < OB * IB * KB; i++) {
            sum[i] = v_set(0.0f);
        }
        for (int r = 0; r < rows; r++) {
            const float *xp = x + (size_t)r * x_step + part * WIDTH;
            const float *dp = dy + (size_t)r * g->ow * LANES + part * WIDTH;
            for (int p = 0; p < g->ow; p++, xp += g->x_pixel, dp += LANES) {
                vec d[8];
                UNROLL
                for (int o = 0; o < OB; o++) {
                    d[o] = v_load(dp + (size_t)o * g->dy_channel);
                }
                UNROLL
                for (int i = 0; i < IB * KB; i++) {
                    vec in = v_load(xp + (size_t)(i / KB) * g->x_channel + i % KB * LANES);
                    UNROLL
                    for (int o = 0; o < OB; o++) {
                        sum[o * IB * KB + i] = v_fma(d[o], in, sum[o * IB * KB + i]);
                    }
                }
            }
        }
        UNROLL
        for (int i = 0; i < OB * IB * KB; i++) {
            total[i][part] = sum[i];
        }
    }
    float sums[2 * LANES];
    lanes_sum_16((const vec(*)[PARTS])total, sums);
    if (OB * IB * KB > LANES) {
        lanes_sum_16((const vec(*)[PARTS])total + LANES, sums + LANES);
    }
    UNROLL
    for (int i = 0; i < OB * IB * KB; i++) {
        const int o = i / (IB * KB), k = i % (IB * KB);
        float *to = dw + (size_t)o * g->dw_out + (size_t)(k / KB) * g->dw_channel + k % KB;
        *to = g->add ? *to + sums[i] : sums[i];
    }
}

/* For KB taps: the output and input channels that fit the registers with them. */
#if defined(__AVX512F__)
#define SHAPES(X) X(1, 4, 6) X(2, 4, 3) X(3, 4, 2) X(4, 4, 1) X(5, 4, 1) X(6, 4, 1)
#else
#define SHAPES(X) X(1, 3, 4) X(2, 2, 3) X(3, 2, 2) X(4, 3, 1) X(5, 2, 1) X(6, 2, 1)
#endif
enum { MOST_TAPS = 6 };

typedef void gradient_block(const struct gradient *, const float *x, size_t x_step, const float *dy,
                            int rows, float *dw);
#define DEFINE_BLOCK(NAME, OB, IB, KB)                                                             \
    static void NAME(const struct gradient *g, const float *x, size_t x_step, const float *dy,     \
                     int rows, float *dw)                                                          \
    {                                                                                              \
        block(g, OB, IB, KB, x, x_step, dy, rows, dw);                                             \
    }
#define DEFINE_SHAPE(KB, OB, IB)                                                                   \
    DEFINE_BLOCK(block_##KB##_4, (OB < 4 ? OB : 4), IB, KB)                                        \
    DEFINE_BLOCK(block_##KB##_3, (OB < 3 ? OB : 3), IB, KB)                                        \
    DEFINE_BLOCK(block_##KB##_2, (OB < 2 ? OB : 2), IB, KB)                                        \
    DEFINE_BLOCK(block_##KB##_1, 1, IB, KB)                                                        \
    DEFINE_BLOCK(block_##KB##_4a, (OB < 4 ? OB : 4), 1, KB)                                        \
    DEFINE_BLOCK(block_##KB##_3a, (OB < 3 ? OB : 3), 1, KB)                                        \
    DEFINE_BLOCK(block_##KB##_2a, (OB < 2 ? OB : 2), 1, KB)                                        \
    DEFINE_BLOCK(block_##KB##_1a, 1, 1, KB)
SHAPES(DEFINE_SHAPE)

struct shape {
    int outs, ins;                   /* the most that fit */
    gradient_block *run[5], *one[5]; /* by outputs: for `ins` input channels, and for one */
};
#define LIST_SHAPE(KB, OB, IB)                                                                     \
    [KB] = {OB,                                                                                    \
            IB,                                                                                    \
            {NULL, block_##KB##_1, block_##KB##_2, block_##KB##_3, block_##KB##_4},                \
            {NULL, block_##KB##_1a, block_##KB##_2a, block_##KB##_3a, block_##KB##_4a}},
static const struct shape SHAPE[MOST_TAPS + 1] = {SHAPES(LIST_SHAPE)};

/* All channels for `taps` taps of one kernel row. */
static void gradient_row(const struct gradient *g, int taps, int outs, int ins, const float *x,
                         size_t x_step, const float *dy, int rows, float *dw)
{
    const struct shape *shape = &SHAPE[taps];
    for (int o = 0, blocks = (outs + shape->outs - 1) / shape->outs; blocks > 0; blocks--) {
        const int width = (outs - o + blocks - 1) / blocks; /* as equal as can be */
        for (int i = 0; i < ins;) {
            const int all = ins - i >= shape->ins;
            gradient_block *run = all ? shape->run[width] : shape->one[width];
            run(g, x + (size_t)i * g->x_channel, x_step, dy + (size_t)o * g->dy_channel, rows,
                dw + (size_t)o * g->dw_out + (size_t)i * g->dw_channel);
            i += all ? shape->ins : 1;
        }
        o += width;
    }
}

/* All taps of a kernel row, a few at a time. */
static void gradient_taps(const struct gradient *g, const struct window *s, int ins, const float *x,
                          const float *dy, int rows, float *dw)
{
    for (int t = 0, groups = (s->kw + MOST_TAPS - 1) / MOST_TAPS; groups > 0; groups--) {
        const int taps = (s->kw - t + groups - 1) / groups;
        gradient_row(g, taps, s->oc, ins, x + (size_t)t * LANES, (size_t)s->stride_h * g->x_row, dy,
                     rows, dw + t);
        t += taps;
    }
}

static void bias_gradient(const float *dy, int outs, size_t pixels, int add, float *db)
{
    for (int o = 0; o < outs; o++) {
        vec sum[PARTS];
        UNROLL
        for (int part = 0; part < PARTS; part++) {
            sum[part] = v_set(0.0f);
        }
        for (size_t p = 0; p < pixels; p++, dy += LANES) {
            UNROLL
            for (int part = 0; part < PARTS; part++) {
                sum[part] = sum[part] + v_load(dy + part * WIDTH);
            }
        }
        db[o] = add ? db[o] + lanes_sum(sum) : lanes_sum(sum);
    }
}

void KERNEL(conv_backward_weight)(const struct window *s, const float *x, const float *dy, int add,
                                  float *dw, float *db, float *scratch)
{
    if (conv_is_dense(s)) {
        KERNEL(dense_backward_weight)(s->c * s->kh * s->kw, s->oc, x, dy, add, dw, db, scratch);
        return;
    }
    int width;
    x = conv_widen(s, x, scratch, &width);
    struct gradient g = {
        .x_channel = (size_t)s->h * width * LANES,
        .x_row = (size_t)width * LANES,
        .dy_channel = (size_t)s->oh * s->ow * LANES,
        .ow = s->ow,
        .x_pixel = (size_t)s->stride_w * LANES,
        .dw_out = (size_t)s->c * s->kh * s->kw,
        .dw_channel = (size_t)s->kh * s->kw,
        .add = add,
    };
    const int whole = s->pad_top == 0 && (s->oh - 1) * s->stride_h + s->kh <= s->h;
    if (s->c == 1 && whole) { /* every kernel row meets all output rows: rows block like channels */
        g.x_channel = g.x_row;
        g.dw_channel = (size_t)s->kw;
        gradient_taps(&g, s, s->kh, x, dy, s->oh, dw);
    }
    for (int r = 0; r < s->kh && !(s->c == 1 && whole); r++) {
        /* the output rows whose window has kernel row r inside the input */
        int above = greater(0, s->pad_top - r), first = (above + s->stride_h - 1) / s->stride_h;
        int below = s->h - 1 + s->pad_top - r;
        int end = below < 0 ? 0 : lesser(s->oh, below / s->stride_h + 1);
        const int rows = greater(0, end - first); /* none: the gradient is zero */
        const float *from = rows ? x + (size_t)(first * s->stride_h + r - s->pad_top) * g.x_row : x;
        gradient_taps(&g, s, s->c, from, dy + (size_t)first * s->ow * LANES, rows, dw + r * s->kw);
    }
    if (db) {
        bias_gradient(dy, s->oc, (size_t)s->oh * s->ow, add, db);
    }
}
