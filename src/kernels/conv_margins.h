/* conv_margins.h: how far the taps of a convolution reach beyond its output's gradient, for the
 * kernel that reads there and for the plan that makes room. */
#ifndef CNNTRAIN_KERNELS_CONV_MARGINS_H
#define CNNTRAIN_KERNELS_CONV_MARGINS_H

#include "kernels/kernels.h"

/* Columns of zeros that rows of dy need at their left and right, so that every tap of every input
 * column finds something. */
static inline void conv_margins(const struct window *s, int *left, int *right)
{
    const int before = s->kw - 1 - s->pad_left, after = (s->w - 1 + s->pad_left) / s->stride_w;
    *left = before > 0 ? (before + s->stride_w - 1) / s->stride_w : 0;
    *right = after > s->ow - 1 ? after - (s->ow - 1) : 0;
}

#endif
