/* conv_spread.h: maps spread out with zeros, for the convolutions with holes and for the plan that
 * makes room for the copy. */
#ifndef CNNTRAIN_KERNELS_CONV_SPREAD_H
#define CNNTRAIN_KERNELS_CONV_SPREAD_H

#include "kernels/kernels.h"

#include <string.h>

/* In a window's fields 0 stands for 1. */
static inline int dilation_h(const struct window *s)
{
    return s->dilation_h > 1 ? s->dilation_h : 1;
}

static inline int dilation_w(const struct window *s)
{
    return s->dilation_w > 1 ? s->dilation_w : 1;
}

static inline int window_groups(const struct window *s) { return s->groups > 1 ? s->groups : 1; }

static inline int is_dilated(const struct window *s)
{
    return dilation_h(s) > 1 || dilation_w(s) > 1;
}

/* Whether every output sees one input channel, and no channel has so many outputs that one of the
 * general ways pays. */
static inline int is_depthwise(const struct window *s)
{
    return s->groups > 1 && s->c == s->groups && s->oc < 4 * s->c && !is_dilated(s);
}

/* The window of one group. */
static inline struct window window_of_group(const struct window *s)
{
    struct window one = *s;
    one.c = s->c / window_groups(s);
    one.oc = s->oc / window_groups(s);
    one.groups = 1;
    return one;
}

/* Pixel (i, j) stands at (top + i * step_h, left + j * step_w) of h x w, the rest is zeros. What
 * falls outside is dropped. */
struct spread {
    int h, w;
    int top, left;
    int step_h, step_w;
};

/* The input as all taps of all windows see it. */
static inline struct spread spread_of_input(const struct window *s)
{
    return (struct spread){
        .h = (s->oh - 1) * s->stride_h + (s->kh - 1) * dilation_h(s) + 1,
        .w = (s->ow - 1) * s->stride_w + (s->kw - 1) * dilation_w(s) + 1,
        .top = s->pad_top,
        .left = s->pad_left,
        .step_h = 1,
        .step_w = 1,
    };
}

/* dy, so that the input gradient is a correlation with the taps backwards. */
static inline struct spread spread_of_gradient(const struct window *s)
{
    return (struct spread){
        .h = s->h + (s->kh - 1) * dilation_h(s),
        .w = s->w + (s->kw - 1) * dilation_w(s),
        .top = (s->kh - 1) * dilation_h(s) - s->pad_top,
        .left = (s->kw - 1) * dilation_w(s) - s->pad_left,
        .step_h = s->stride_h,
        .step_w = s->stride_w,
    };
}

static inline void spread_out(const struct spread *p, int channels, int h, int w, const float *x,
                              float *out)
{
    memset(out, 0, (size_t)channels * p->h * p->w * LANES * sizeof *out);
    for (int c = 0; c < channels; c++) {
        for (int i = 0; i < h; i++) {
            const int row = p->top + i * p->step_h;
            const float *from = x + ((size_t)c * h + i) * w * LANES;
            float *to = out + ((size_t)c * p->h + row) * p->w * LANES;
            for (int j = 0; row >= 0 && row < p->h && j < w; j++) {
                const int column = p->left + j * p->step_w;
                if (column >= 0 && column < p->w) {
                    memcpy(to + (size_t)column * LANES, from + (size_t)j * LANES,
                           LANES * sizeof *to);
                }
            }
        }
    }
}

/* Floats of scratch that the two of them need. */
static inline size_t spread_scratch(const struct window *s)
{
    const struct spread x = spread_of_input(s), dy = spread_of_gradient(s);
    const size_t in = (size_t)s->c * x.h * x.w, out = (size_t)s->oc * dy.h * dy.w;
    return (in > out ? in : out) * LANES;
}

#endif
