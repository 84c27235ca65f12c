/* conv_widen.h: rows with their padding columns filled in, shared by the convolution kernels. */
#ifndef CNNTRAIN_KERNELS_CONV_WIDEN_H
#define CNNTRAIN_KERNELS_CONV_WIDEN_H

#include "kernels/lanes.h"

INLINE int lesser(int a, int b) { return a < b ? a : b; }

INLINE int greater(int a, int b) { return a > b ? a : b; }

/* Copy `rows` rows of w vectors into rows of `width`: `left` zero vectors, the first vectors of the
 * row as far as they fit, zeros. */
static inline void widen(const float *x, size_t rows, int w, int left, int width, float *out)
{
    left = lesser(left, width);
    const int used = lesser(w, width - left), right = width - left - used;
    for (size_t r = 0; r < rows; r++, x += (size_t)w * LANES, out += (size_t)width * LANES) {
        memset(out, 0, (size_t)left * LANES * sizeof *out);
        memcpy(out + (size_t)left * LANES, x, (size_t)used * LANES * sizeof *out);
        memset(out + (size_t)(left + used) * LANES, 0, (size_t)right * LANES * sizeof *out);
    }
}

/* A convolution's input as its windows see it: x itself, or, when they reach beyond its columns, a
 * widened copy in `scratch`. *width is the length of a row. */
static inline const float *conv_widen(const struct window *s, const float *x, float *scratch,
                                      int *width)
{
    const int reached = (s->ow - 1) * s->stride_w + s->kw;
    if (s->pad_left == 0 && reached <= s->w) {
        *width = s->w;
        return x;
    }
    *width = reached;
    widen(x, (size_t)s->c * s->h, s->w, s->pad_left, reached, scratch);
    return scratch;
}

#endif
