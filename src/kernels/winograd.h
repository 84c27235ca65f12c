/* winograd.h: when a convolution goes by Winograd's way (winograd.c), and how much scratch it needs
 * then. Decided from shapes alone, so that every level, every machine and every number of threads
 * decides alike. */
#ifndef CNNTRAIN_KERNELS_WINOGRAD_H
#define CNNTRAIN_KERNELS_WINOGRAD_H

#include "kernels/kernels.h"

enum {
    WINOGRAD_POINTS = 6,
    WINOGRAD_BAND = 14 /* output rows whose inputs are transformed together */
};

/* Output columns that six products make: with a kernel of 3 columns 4, of 5 columns 2. */
static inline int winograd_columns(const struct window *s) { return WINOGRAD_POINTS + 1 - s->kw; }

static inline int winograd_tiles(const struct window *s)
{
    return (s->ow + winograd_columns(s) - 1) / winograd_columns(s);
}

/* Input columns that the tiles of a row reach over, padding included. */
static inline int winograd_reach(const struct window *s)
{
    return (winograd_tiles(s) - 1) * winograd_columns(s) + WINOGRAD_POINTS;
}

/* Input rows that a band of output rows can reach. */
static inline int winograd_rows(const struct window *s)
{
    return s->h < WINOGRAD_BAND + s->kh - 1 ? s->h : WINOGRAD_BAND + s->kh - 1;
}

/* Multiplications, and what the transforms cost besides, against the direct sum. */
static inline int winograd_pays(const struct window *s)
{
    if ((s->kw != 3 && s->kw != 5) || s->stride_w != 1 || s->stride_h != 1 || s->oc < 4 ||
        s->ow < winograd_columns(s) || s->pad_left >= s->kw) {
        return 0;
    }
    const double rows = (double)s->oh * winograd_tiles(s);
    const double direct = (double)s->oc * s->c * s->kh * s->kw * s->oh * s->ow;
    const double products = rows * WINOGRAD_POINTS * s->oc * s->c * s->kh;
    const double transforms = rows * (16.0 * s->c + 10.0 * s->oc) + 2.0 * s->oc * s->c * s->kh;
    return products + transforms < 0.9 * direct;
}

/* At each point the weight gradient is one of a kernel of one column, which needs input channels to
 * fill a block. */
static inline int winograd_weight_pays(const struct window *s)
{
    return s->c >= 4 && winograd_pays(s);
}

/* The window by which the input gradient is a forward convolution, over dy with the kernel turned
 * round. */
static inline struct window winograd_turned(const struct window *s)
{
    struct window t = *s;
    t.c = s->oc, t.h = s->oh, t.w = s->ow;
    t.oc = s->c, t.oh = s->h, t.ow = s->w;
    t.pad_top = s->kh - 1 - s->pad_top;
    t.pad_left = s->kw - 1 - s->pad_left;
    return t;
}

static inline int winograd_input_pays(const struct window *s)
{
    const struct window t = winograd_turned(s);
    return s->stride_w == 1 && s->stride_h == 1 && t.pad_left >= 0 && t.pad_top >= 0 &&
           winograd_pays(&t);
}

static inline size_t winograd_scratch(const struct window *s)
{
    const size_t tiles = (size_t)winograd_tiles(s);
    const size_t weights = (size_t)s->oc * s->c * s->kh * WINOGRAD_POINTS;
    const size_t forward =
        ((size_t)winograd_reach(s) + tiles * s->c * winograd_rows(s) * WINOGRAD_POINTS) * LANES +
        weights;
    const size_t gradient =
        ((size_t)winograd_reach(s) +
         tiles * ((size_t)WINOGRAD_POINTS * s->c * s->h + (size_t)s->oc * s->oh)) *
            LANES +
        weights;
    return forward > gradient ? forward : gradient;
}

#endif
