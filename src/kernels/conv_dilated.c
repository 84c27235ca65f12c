/* conv_dilated.c: convolution with holes between the taps (Yu, Koltun 2016): tap (r, t) reads the
 * input at row + r * dilation_h, column + t * dilation_w.
 *
 * Both directions are one operation, `correlate`, over a copy of the input that is spread out with
 * zeros, so that no tap has to ask whether it is inside: forward, the zeros are the padding;
 * towards the input, they also stand between the rows and columns of dy when there is a stride, and
 * the taps run backwards. Blocking: CB output channels x XB pixels in registers; OB x KB of them in
 * the weight gradient. Convolutions without holes have better kernels (conv.c). */
#include "kernels/bodies.h"
#include "kernels/conv_bias.h"
#include "kernels/conv_spread.h"

#include <stddef.h>

/* One correlation. Steps in floats; those of w may be negative. */
struct correlation {
    const float *x, *w, *b;
    float *y;
    int channels, outs, oh, ow, kh, kw;
    size_t x_channel, x_row, x_pixel; /* from one channel, output row, output pixel to the next */
    size_t tap_row, tap_column;
    ptrdiff_t w_out, w_channel, w_row, w_column;
};

#if defined(__AVX512F__)
enum { CB = 4, XB = 5, OB = 4 };
#elif defined(__AVX2__)
enum { CB = 6, XB = 1, OB = 3 };
#else
enum { CB = 3, XB = 1, OB = 2 };
#endif
enum { KB = 4 };

/* Channels o .. o + outs - 1 and `pixels` pixels, from where x and y stand. Both counts are
 * constants wherever this is inlined. */
INLINE void block(const struct correlation *k, int outs, int pixels, int o, const float *x,
                  float *y)
{
    const int n = pixels * PARTS;
    const float *w = k->w + o * k->w_out;
    vec sum[CB * XB * PARTS];
    UNROLL
    for (int i = 0; i < outs * n; i++) {
        sum[i] = v_set(k->b ? k->b[o + i / n] : 0.0f);
    }
    for (int c = 0; c < k->channels; c++) {
        for (int r = 0; r < k->kh; r++) {
            const float *xt = x + (size_t)c * k->x_channel + (size_t)r * k->tap_row;
            const float *wt = w + c * k->w_channel + r * k->w_row;
            for (int t = 0; t < k->kw; t++, xt += k->tap_column, wt += k->w_column) {
                vec in[XB * PARTS];
                UNROLL
                for (int i = 0; i < n; i++) {
                    in[i] = v_load(xt + (size_t)(i / PARTS) * k->x_pixel + i % PARTS * WIDTH);
                }
                UNROLL
                for (int i = 0; i < outs; i++) {
                    const vec weight = v_set(wt[i * k->w_out]);
                    UNROLL
                    for (int p = 0; p < n; p++) {
                        sum[i * n + p] = v_fma(weight, in[p], sum[i * n + p]);
                    }
                }
            }
        }
    }
    UNROLL
    for (int i = 0; i < outs * n; i++) {
        const size_t out = (size_t)(i / n) * k->oh * k->ow;
        v_store(y + (out + (size_t)(i % n / PARTS)) * LANES + i % PARTS * WIDTH, sum[i]);
    }
}

/* One output row of CB channels, or of one. */
INLINE void row(const struct correlation *k, int outs, int o, const float *x, float *y)
{
    int p = 0;
    for (; p + XB <= k->ow; p += XB) {
        block(k, outs, XB, o, x + (size_t)p * k->x_pixel, y + (size_t)p * LANES);
    }
    for (; p < k->ow; p++) {
        block(k, outs, 1, o, x + (size_t)p * k->x_pixel, y + (size_t)p * LANES);
    }
}

static void correlate(const struct correlation *k)
{
    for (int oy = 0; oy < k->oh; oy++) {
        const float *x = k->x + (size_t)oy * k->x_row;
        int o = 0;
        for (; o + CB <= k->outs; o += CB) {
            row(k, CB, o, x, k->y + ((size_t)o * k->oh + oy) * k->ow * LANES);
        }
        for (; o < k->outs; o++) {
            row(k, 1, o, x, k->y + ((size_t)o * k->oh + oy) * k->ow * LANES);
        }
    }
}

void KERNEL(dilated_forward)(const struct window *s, const float *x, const float *w, const float *b,
                             float *y, float *scratch)
{
    const struct spread spread = spread_of_input(s);
    spread_out(&spread, s->c, s->h, s->w, x, scratch);
    correlate(&(struct correlation){
        .x = scratch,
        .w = w,
        .b = b,
        .y = y,
        .channels = s->c,
        .outs = s->oc,
        .oh = s->oh,
        .ow = s->ow,
        .kh = s->kh,
        .kw = s->kw,
        .x_channel = (size_t)spread.h * spread.w * LANES,
        .x_row = (size_t)s->stride_h * spread.w * LANES,
        .x_pixel = (size_t)s->stride_w * LANES,
        .tap_row = (size_t)dilation_h(s) * spread.w * LANES,
        .tap_column = (size_t)dilation_w(s) * LANES,
        .w_out = (ptrdiff_t)s->c * s->kh * s->kw,
        .w_channel = (ptrdiff_t)s->kh * s->kw,
        .w_row = s->kw,
        .w_column = 1,
    });
}

void KERNEL(dilated_backward_input)(const struct window *s, const float *dy, const float *w,
                                    float *dx, float *scratch)
{
    const struct spread spread = spread_of_gradient(s);
    spread_out(&spread, s->oc, s->oh, s->ow, dy, scratch);
    correlate(&(struct correlation){
        .x = scratch,
        .w = w + (ptrdiff_t)s->kh * s->kw - 1,
        .y = dx,
        .channels = s->oc,
        .outs = s->c,
        .oh = s->h,
        .ow = s->w,
        .kh = s->kh,
        .kw = s->kw,
        .x_channel = (size_t)spread.h * spread.w * LANES,
        .x_row = (size_t)spread.w * LANES,
        .x_pixel = LANES,
        .tap_row = (size_t)dilation_h(s) * spread.w * LANES,
        .tap_column = (size_t)dilation_w(s) * LANES,
        .w_out = (ptrdiff_t)s->kh * s->kw,
        .w_channel = (ptrdiff_t)s->c * s->kh * s->kw,
        .w_row = -(ptrdiff_t)s->kw,
        .w_column = -1,
    });
}

/* The weight gradient, as far as a block needs to know. */
struct gradient {
    const struct window *s;
    size_t x_row, x_pixel, tap_column, dy_channel, dw_out;
    int add;
};

/* `outs` output channels from dy x `taps` taps of one kernel row, one input channel. A pass for
 * each part of the lanes, so that a lane's sum has one order. */
INLINE void gradient_block(const struct gradient *g, int outs, int taps, const float *x,
                           const float *dy, float *dw)
{
    vec sum[OB * KB][PARTS];
    for (int part = 0; part < PARTS; part++) {
        vec here[OB * KB];
        UNROLL
        for (int i = 0; i < outs * taps; i++) {
            here[i] = v_set(0.0f);
        }
        for (int oy = 0; oy < g->s->oh; oy++) {
            const float *xp = x + (size_t)oy * g->x_row + part * WIDTH;
            const float *dp = dy + (size_t)oy * g->s->ow * LANES + part * WIDTH;
            for (int ox = 0; ox < g->s->ow; ox++, xp += g->x_pixel, dp += LANES) {
                vec d[OB];
                UNROLL
                for (int o = 0; o < outs; o++) {
                    d[o] = v_keep(v_load(dp + (size_t)o * g->dy_channel));
                }
                UNROLL
                for (int t = 0; t < taps; t++) {
                    const vec in = v_keep(v_load(xp + (size_t)t * g->tap_column));
                    UNROLL
                    for (int o = 0; o < outs; o++) {
                        here[o * taps + t] = v_fma(d[o], in, here[o * taps + t]);
                    }
                }
            }
        }
        UNROLL
        for (int i = 0; i < outs * taps; i++) {
            sum[i][part] = here[i];
        }
    }
    for (int i = 0; i < outs * taps; i++) {
        float *to = dw + (size_t)(i / taps) * g->dw_out + i % taps;
        *to = g->add ? *to + lanes_sum(sum[i]) : lanes_sum(sum[i]);
    }
}

/* All taps of one kernel row, up to KB at a time. */
INLINE void gradient_row(const struct gradient *g, int outs, const float *x, const float *dy,
                         float *dw)
{
    for (int t = 0, rest = g->s->kw; rest > 0;
         x += (size_t)KB * g->tap_column, t += KB, rest -= KB) {
        if (rest >= 4) {
            gradient_block(g, outs, 4, x, dy, dw + t);
        } else if (rest == 3) {
            gradient_block(g, outs, 3, x, dy, dw + t);
        } else if (rest == 2) {
            gradient_block(g, outs, 2, x, dy, dw + t);
        } else {
            gradient_block(g, outs, 1, x, dy, dw + t);
        }
    }
}

void KERNEL(dilated_backward_weight)(const struct window *s, const float *x, const float *dy,
                                     int add, float *dw, float *db, float *scratch)
{
    const struct spread spread = spread_of_input(s);
    const size_t row = (size_t)spread.w * LANES, channel = (size_t)spread.h * row;
    spread_out(&spread, s->c, s->h, s->w, x, scratch);
    const struct gradient g = {
        .s = s,
        .x_row = (size_t)s->stride_h * row,
        .x_pixel = (size_t)s->stride_w * LANES,
        .tap_column = (size_t)dilation_w(s) * LANES,
        .dy_channel = (size_t)s->oh * s->ow * LANES,
        .dw_out = (size_t)s->c * s->kh * s->kw,
        .add = add,
    };
    for (int c = 0; c < s->c; c++) {
        for (int r = 0; r < s->kh; r++) {
            const float *from = scratch + c * channel + (size_t)(r * dilation_h(s)) * row;
            float *to = dw + ((size_t)c * s->kh + r) * s->kw;
            int o = 0;
            for (; o + OB <= s->oc; o += OB) {
                gradient_row(&g, OB, from, dy + o * g.dy_channel, to + o * g.dw_out);
            }
            for (; o < s->oc; o++) {
                gradient_row(&g, 1, from, dy + o * g.dy_channel, to + o * g.dw_out);
            }
        }
    }
    if (db) {
        bias_gradient(dy, s->oc, (size_t)s->oh * s->ow, add, db);
    }
}
