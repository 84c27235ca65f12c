/* conv_depthwise.c: convolutions whose groups have one input channel each, the spatial half of
 * Howard et al. 2017, "MobileNets"; here of one group, an input channel with its `oc` outputs:
 *
 *     y[o][p] = b[o] + sum over r, t of w[o][r][t] * x[row + r][column + t]
 *
 * A vector that is loaded meets kh * kw weights and no more, so nothing may stand between loads and
 * multiply-adds: no copy of x with margins is made (conv_widen.h). Pixels whose windows reach over
 * the sides are done one by one, by the taps that are inside.
 *
 * Towards the input, with stride 1, it is a correlation of dy with the taps backwards; with a
 * stride, one for each of the stride_h * stride_w classes of pixels, by every stride-th tap. */
#include "kernels/bodies.h"
#include "kernels/conv_bias.h"
#include "kernels/conv_widen.h"

#include <stddef.h>

/* A correlation of one map. Window (0, 0) has its first tap at x[top][left], which may be outside.
 * Steps in floats; those of w may be negative. */
struct correlation {
    const float *x, *w;
    int h, width; /* of x */
    float *y;
    int oh, ow;
    size_t y_row, y_pixel;
    int kh, kw, stride_h, stride_w, top, left;
    ptrdiff_t w_row, w_column;
    float start; /* of every sum... */
    int add;     /* ... or what is there already */
};

/* The windows of one row of y: from the first tap row inside. */
struct row {
    const float *x, *w;
    float *y;
    int rows;
};

/* The first window along an axis that has nothing before `begin`, and the end of those that have
 * nothing behind `end`. */
INLINE void inside(int first, int taps, int stride, int size, int windows, int *begin, int *end)
{
    const int last = size - taps - first; /* where the last of them may begin */
    *begin = lesser(windows, first < 0 ? (-first + stride - 1) / stride : 0);
    *end = last < 0 ? *begin : greater(*begin, lesser(windows, last / stride + 1));
}

/* XB windows from p that are inside, by taps [from, to) of each row. */
INLINE void block(const struct correlation *k, const struct row *row, int XB, int stride, int from,
                  int to, int p)
{
    vec sum[8 * PARTS];
    float *y = row->y + (size_t)p * k->y_pixel;
    UNROLL
    for (int i = 0; i < XB * PARTS; i++) {
        sum[i] = k->add ? v_load(y + (size_t)(i / PARTS) * k->y_pixel + i % PARTS * WIDTH)
                        : v_set(k->start);
    }
    const float *x = row->x + ((ptrdiff_t)p * stride + k->left) * LANES, *w = row->w;
    for (int r = 0; r < row->rows; r++, x += (ptrdiff_t)k->width * LANES, w += k->w_row) {
        for (int t = from; t < to; t++) {
            const vec weight = v_set(w[t * k->w_column]);
            UNROLL
            for (int i = 0; i < XB * PARTS; i++) {
                const vec in =
                    v_load(x + ((ptrdiff_t)(i / PARTS) * stride + t) * LANES + i % PARTS * WIDTH);
                sum[i] = v_fma(weight, in, sum[i]);
            }
        }
    }
    UNROLL
    for (int i = 0; i < XB * PARTS; i++) {
        v_store(y + (size_t)(i / PARTS) * k->y_pixel + i % PARTS * WIDTH, sum[i]);
    }
}

/* A window of which only some columns are inside. */
static void edge(const struct correlation *k, const struct row *row, int p)
{
    const int at = p * k->stride_w + k->left;
    block(k, row, 1, k->stride_w, greater(0, -at), lesser(k->kw, k->width - at), p);
}

/* kw and stride are k's, as constants where they are known. */
INLINE void blocks(const struct correlation *k, const struct row *row, int kw, int stride, int p,
                   int end)
{
    enum { XB = PARTS == 1 ? 8 : 4 };
    for (; p + XB <= end; p += XB) {
        block(k, row, XB, stride, 0, kw, p);
    }
    for (; p + 2 <= end; p += 2) {
        block(k, row, 2, stride, 0, kw, p);
    }
    for (; p < end; p++) {
        block(k, row, 1, stride, 0, kw, p);
    }
}

static void correlate(const struct correlation *k)
{
    int begin, end;
    inside(k->left, k->kw, k->stride_w, k->width, k->ow, &begin, &end);
    for (int oy = 0; oy < k->oh; oy++) {
        const int top = oy * k->stride_h + k->top, first = greater(0, -top);
        const struct row row = {
            .x = k->x + (ptrdiff_t)(top + first) * k->width * LANES,
            .w = k->w + first * k->w_row,
            .y = k->y + (size_t)oy * k->y_row,
            .rows = greater(0, lesser(k->kh, k->h - top) - first),
        };
        for (int p = 0; p < begin; p++) {
            edge(k, &row, p);
        }
        if (k->kw == 3 && k->stride_w == 1) {
            blocks(k, &row, 3, 1, begin, end);
        } else if (PARTS == 1 && k->kw == 5 && k->stride_w == 1) {
            blocks(k, &row, 5, 1, begin, end);
        } else {
            blocks(k, &row, k->kw, k->stride_w, begin, end);
        }
        for (int p = end; p < k->ow; p++) {
            edge(k, &row, p);
        }
    }
}

void KERNEL(depthwise_forward)(const struct window *s, const float *x, const float *w,
                               const float *b, float *y)
{
    for (int o = 0; o < s->oc; o++) {
        correlate(&(struct correlation){
            .x = x,
            .h = s->h,
            .width = s->w,
            .w = w + (size_t)o * s->kh * s->kw,
            .y = y + (size_t)o * s->oh * s->ow * LANES,
            .oh = s->oh,
            .ow = s->ow,
            .y_row = (size_t)s->ow * LANES,
            .y_pixel = LANES,
            .kh = s->kh,
            .kw = s->kw,
            .stride_h = s->stride_h,
            .stride_w = s->stride_w,
            .top = -s->pad_top,
            .left = -s->pad_left,
            .w_row = s->kw,
            .w_column = 1,
            .start = b ? b[o] : 0,
        });
    }
}

/* Along one axis: of the pixels at, at + stride, ... below `size`, how many there are; the taps
 * that reach them, the last of them first; and where in dy the first of these reads for the first.
 */
struct class
{
    int pixels, taps, last, position;
};

INLINE struct class class_of(int at, int size, int kernel, int stride, int pad)
{
    const int first = (at + pad) % stride;
    const int taps = first < kernel ? (kernel - 1 - first) / stride + 1 : 0;
    return (struct class){.pixels = (size - at + stride - 1) / stride,
                          .taps = taps,
                          .last = first + (taps - 1) * stride,
                          .position = (at + pad) / stride - (taps - 1)};
}

void KERNEL(depthwise_backward_input)(const struct window *s, const float *dy, const float *w,
                                      float *dx)
{
    for (int iy = 0; iy < lesser(s->stride_h, s->h); iy++) {
        const struct class rows = class_of(iy, s->h, s->kh, s->stride_h, s->pad_top);
        for (int ix = 0; ix < lesser(s->stride_w, s->w); ix++) {
            const struct class columns = class_of(ix, s->w, s->kw, s->stride_w, s->pad_left);
            for (int o = 0; o < s->oc; o++) {
                correlate(&(struct correlation){
                    .x = dy + (size_t)o * s->oh * s->ow * LANES,
                    .h = s->oh,
                    .width = s->ow,
                    .w = w + (ptrdiff_t)(o * s->kh + rows.last) * s->kw + columns.last,
                    .y = dx + ((size_t)iy * s->w + ix) * LANES,
                    .oh = rows.pixels,
                    .ow = columns.pixels,
                    .y_row = (size_t)s->stride_h * s->w * LANES,
                    .y_pixel = (size_t)s->stride_w * LANES,
                    .kh = rows.taps,
                    .kw = columns.taps,
                    .stride_h = 1,
                    .stride_w = 1,
                    .top = rows.position,
                    .left = columns.position,
                    .w_row = -(ptrdiff_t)s->stride_h * s->kw,
                    .w_column = -(ptrdiff_t)s->stride_w,
                    .add = o > 0,
                });
            }
        }
    }
}

/* ---- the weight gradient ---- */

enum { MOST_SUMS = LANES };

/* The sums of KB neighbouring taps of RB kernel rows. */
struct sums {
    vec part[PARTS][MOST_SUMS];
};

/* Some rows of windows and the taps that are summed over them: x is where the first tap of window 0
 * of the first row is, `column` its column. */
struct stretch {
    const struct window *s;
    const float *x, *dy;
    int rows, column;
};

/* One pixel of dy; `all`: its taps are all inside. */
INLINE void multiply(const struct stretch *k, int RB, int KB, int all, int p, const float *x,
                     const float *dy, vec sum[MOST_SUMS])
{
    const int at = k->column + p * k->s->stride_w;
    const vec d = v_load(dy + (size_t)p * LANES);
    x += (ptrdiff_t)p * k->s->stride_w * LANES;
    UNROLL
    for (int i = 0; i < RB * KB; i++) {
        const int t = i % KB;
        if (all || (at + t >= 0 && at + t < k->s->w)) {
            sum[i] = v_fma(d, v_load(x + ((ptrdiff_t)(i / KB) * k->s->w + t) * LANES), sum[i]);
        }
    }
}

INLINE void accumulate(const struct stretch *k, int RB, int KB, struct sums *sums, int first)
{
    int begin, end;
    inside(k->column, KB, k->s->stride_w, k->s->w, k->s->ow, &begin, &end);
    for (int part = 0; part < PARTS; part++) {
        vec sum[MOST_SUMS];
        UNROLL
        for (int i = 0; i < RB * KB; i++) {
            sum[i] = sums->part[part][first + i];
        }
        const float *x = k->x + part * WIDTH, *dy = k->dy + part * WIDTH;
        for (int row = 0; row < k->rows; row++) {
            for (int p = 0; p < begin; p++) {
                multiply(k, RB, KB, 0, p, x, dy, sum);
            }
            for (int p = begin; p < end; p++) {
                multiply(k, RB, KB, 1, p, x, dy, sum);
            }
            for (int p = end; p < k->s->ow; p++) {
                multiply(k, RB, KB, 0, p, x, dy, sum);
            }
            x += (ptrdiff_t)k->s->stride_h * k->s->w * LANES;
            dy += (size_t)k->s->ow * LANES;
        }
        UNROLL
        for (int i = 0; i < RB * KB; i++) {
            sums->part[part][first + i] = sum[i];
        }
    }
}

/* Output rows [from, to) for taps [t, t + KB) of `count` kernel rows from r, row by row where they
 * are not RB or not all inside. */
INLINE void sum_rows(const struct window *s, int RB, int KB, int r, int count, int t, int from,
                     int to, const float *x, const float *dy, struct sums *sums)
{
    for (int oy = from; oy < to;) {
        const int top = oy * s->stride_h + r - s->pad_top;
        const int all = count == RB && top >= 0;
        const int fit = all ? (s->h - RB - top) / s->stride_h + 1 : 0;
        struct stretch k = {.s = s,
                            .dy = dy + (size_t)oy * s->ow * LANES,
                            .column = t - s->pad_left,
                            .rows = s->h - RB - top < 0 ? 0 : lesser(fit, to - oy)};
        if (all && k.rows > 0) {
            k.x = x + ((ptrdiff_t)top * s->w + k.column) * LANES;
            accumulate(&k, RB, KB, sums, 0);
            oy += k.rows;
            continue;
        }
        k.rows = 1;
        for (int i = 0; i < count; i++) {
            if (top + i >= 0 && top + i < s->h) {
                k.x = x + ((ptrdiff_t)(top + i) * s->w + k.column) * LANES;
                accumulate(&k, 1, KB, sums, i * KB);
            }
        }
        oy++;
    }
}

/* The gradients of KB columns of taps. */
INLINE void columns(const struct window *s, int RB, int KB, int t, const float *x, const float *dy,
                    int add, float *dw)
{
    for (int r = 0; r < s->kh; r += RB) {
        const int count = lesser(RB, s->kh - r);
        struct sums sums;
        float sum[MOST_SUMS];
        memset(&sums, 0, sizeof sums);
        sum_rows(s, RB, KB, r, count, t, 0, s->oh, x, dy, &sums);
        lanes_sum_16(&sums.part[0][0], MOST_SUMS, sum);
        for (int i = 0; i < count * KB; i++) {
            float *to = dw + (size_t)(r + i / KB) * s->kw + t + i % KB;
            *to = add ? *to + sum[i] : sum[i];
        }
    }
}

void KERNEL(depthwise_backward_weight)(const struct window *s, const float *x, const float *dy,
                                       int add, float *dw, float *db)
{
    for (int o = 0; o < s->oc; o++) {
        const float *map = dy + (size_t)o * s->oh * s->ow * LANES;
        float *to = dw + (size_t)o * s->kh * s->kw;
        for (int t = 0; t < s->kw;) {
            const int rest = s->kw - t;
            if (rest == 5) {
                columns(s, 2, 5, t, x, map, add, to);
                t += 5;
            } else if (rest >= 3) {
                columns(s, 3, 3, t, x, map, add, to);
                t += 3;
            } else {
                columns(s, 8, 1, t, x, map, add, to);
                t += 1;
            }
        }
    }
    if (db) {
        bias_gradient(dy, s->oc, (size_t)s->oh * s->ow, add, db);
    }
}
