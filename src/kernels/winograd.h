/* winograd.h: when a convolution goes by Winograd's way (winograd.c), and how much memory it needs
 * then. Decided from shapes alone, so that every level, every machine and every number of threads
 * decides alike. */
#ifndef CNNTRAIN_KERNELS_WINOGRAD_H
#define CNNTRAIN_KERNELS_WINOGRAD_H

#include "kernels/kernels.h"

enum {
    WINOGRAD_POINTS = 6,
    WINOGRAD_EIGHT = 8,         /* points, where few channels go along the rows alone, */
    WINOGRAD_FEWEST = 4,        /* input channels, at most, that do so, */
    WINOGRAD_RUN = 14,          /* and columns that their weight gradient takes together */
    WINOGRAD_GAP = 1,           /* vectors between blocks of tiles at the points: at a power of two
                                   from each other they would all want the same place of a cache */
    WINOGRAD_BLOCK = 4,         /* output channels of a block, at most, */
    WINOGRAD_MANY = 12,         /* but more where input channels are so many, */
    WINOGRAD_PAIR = 2,          /* and tiles, at most */
    WINOGRAD_BAND = 14,         /* output rows whose inputs are transformed together */
    WINOGRAD_CHUNK = 384 * 1024 /* bytes of transformed tiles that stay in the cache */
};

/* Along the columns or the rows only, or along both; the input gradient also by the latter
 * transposed (winograd_input.c), the weight gradient also in a way for few channels. */
enum winograd_way {
    WINOGRAD_NONE,
    WINOGRAD_COLUMNS,
    WINOGRAD_ROWS,
    WINOGRAD_SQUARES,
    WINOGRAD_TRANSPOSED,
    WINOGRAD_FEW
};

/* Outputs along an axis that six products make: with a kernel of 3 taps 4, of 5 taps 2. A longer
 * kernel has no such way along this axis; what is computed for it is a cost that is not taken. */
static inline int winograd_outs(int taps)
{
    return taps < WINOGRAD_POINTS ? WINOGRAD_POINTS + 1 - taps : 1;
}

static inline int winograd_columns(const struct window *s) { return winograd_outs(s->kw); }

static inline int winograd_tiles(const struct window *s)
{
    return (s->ow + winograd_columns(s) - 1) / winograd_columns(s);
}

/* Rows of tiles, where a tile is a square. */
static inline int winograd_tile_rows(const struct window *s)
{
    return (s->oh + winograd_outs(s->kh) - 1) / winograd_outs(s->kh);
}

/* Input columns that `tiles` tiles side by side reach over, padding included. */
static inline int winograd_reach(const struct window *s, int tiles)
{
    return (tiles - 1) * winograd_columns(s) + WINOGRAD_POINTS;
}

/* Input rows that a band of output rows can reach. */
static inline int winograd_rows(const struct window *s)
{
    return s->h < WINOGRAD_BAND + s->kh - 1 ? s->h : WINOGRAD_BAND + s->kh - 1;
}

/* Square tiles that are transformed together. */
static inline int winograd_chunk_of(const struct window *s, int channels)
{
    const int points = WINOGRAD_POINTS * WINOGRAD_POINTS;
    const int fit = WINOGRAD_CHUNK / (points * LANES * (int)sizeof(float)) / channels;
    const int tiles = winograd_tiles(s);
    const int most = fit < WINOGRAD_PAIR ? WINOGRAD_PAIR : fit;
    return most < tiles ? most : tiles;
}

static inline int winograd_chunk(const struct window *s) { return winograd_chunk_of(s, s->c); }

/* And for the weight gradient, with those of dy; at least four, for the sake of the sums. */
static inline int winograd_pair_chunk(const struct window *s)
{
    const int fit = winograd_chunk_of(s, (s->c + s->oc + 1) / 2), tiles = winograd_tiles(s);
    return fit >= 4 ? fit : tiles < 4 ? tiles : 4;
}

/* A way and its cost, counted in multiply-adds of a vector. */
struct winograd_choice {
    enum winograd_way way;
    double cost;
};

/* The way that takes the fewest multiplications, with what the transforms cost besides;
 * WINOGRAD_NONE unless it is well below the direct sum. */
static inline struct winograd_choice winograd_choose(const struct window *s)
{
    const double pairs = (double)s->oc * s->c;
    const double rows = (double)s->kh * (s->oh < s->h ? s->oh : s->h); /* that are not padding */
    const double direct = pairs * rows * s->kw * s->ow;
    if ((s->kw != 3 && s->kw != 5) || s->stride_w != 1 || s->stride_h != 1 || s->oc < 4 ||
        s->ow < winograd_columns(s) || s->pad_left >= s->kw) {
        return (struct winograd_choice){WINOGRAD_NONE, direct};
    }
    const double tiles = winograd_tiles(s);
    const double columns = WINOGRAD_POINTS * pairs * rows * tiles +
                           s->oh * tiles * (16.0 * s->c + 10.0 * s->oc) + 2 * pairs * s->kh;
    if (s->kh == 5 && s->kw == 5 && s->pad_top < s->kh && s->c <= WINOGRAD_FEWEST) {
        const double bands = (s->oh + 3) / 4; /* rows of tiles */
        const double by_rows = WINOGRAD_EIGHT * pairs * s->kw * bands * s->ow +
                               bands * (30.0 * s->c * (s->ow + s->kw - 1) + 24.0 * s->oc * s->ow);
        if (by_rows < columns && by_rows < 0.9 * direct) {
            return (struct winograd_choice){WINOGRAD_ROWS, by_rows};
        }
    }
    double squares = direct;
    if ((s->kh == 3 || s->kh == 5) && s->oh >= winograd_outs(s->kh) && s->pad_top < s->kh) {
        const double points = WINOGRAD_POINTS * WINOGRAD_POINTS, m = winograd_columns(s);
        const double all = winograd_tile_rows(s) * tiles;
        squares = points * pairs * all + all * (13 * (m + 6) * s->c + (60 + 24 * m) * s->oc) +
                  points * pairs / 2;
    }
    if (squares < columns && squares < 0.9 * direct) {
        return (struct winograd_choice){WINOGRAD_SQUARES, squares};
    }
    return columns < 0.9 * direct ? (struct winograd_choice){WINOGRAD_COLUMNS, columns}
                                  : (struct winograd_choice){WINOGRAD_NONE, direct};
}

static inline enum winograd_way winograd_way(const struct window *s)
{
    return winograd_choose(s).way;
}

/* The way of the weight gradient: at each point it is one of a kernel of one column, which needs
 * input channels to fill a block, or of a dense layer, or, of 5x5 kernels with few channels, of a
 * kernel of one pixel (winograd_few.c). */
static inline enum winograd_way winograd_weight_way(const struct window *s)
{
    if (winograd_way(s) == WINOGRAD_ROWS) {
        return WINOGRAD_ROWS;
    }
    if (s->c < 4 || winograd_way(s) == WINOGRAD_NONE) {
        return WINOGRAD_NONE;
    }
    const double pairs = (double)s->oc * s->c, tiles = winograd_tiles(s),
                 all = winograd_tile_rows(s) * tiles;
    const double rows = (double)s->kh * (s->oh < s->h ? s->oh : s->h);
    const double whole =
        (double)s->oc * ((s->c + LANES - 1) / LANES * LANES); /* dense.c's blocks */
    const double points = WINOGRAD_POINTS * WINOGRAD_POINTS;
    const double columns = WINOGRAD_POINTS * pairs * (rows * tiles + 4 * s->kh) +
                           30 * tiles * (s->h * s->c + s->oh * s->oc);
    const double squares = points * (1.2 * whole * all + pairs) +
                           all * 20 * (WINOGRAD_POINTS + winograd_columns(s)) * (s->c + s->oc);
    const double few = points * pairs * (all + 8) + all * (160.0 * s->c + 60.0 * s->oc);
    if (s->kh == 5 && s->kw == 5 && s->pad_top < s->kh && few < columns && few < squares) {
        return WINOGRAD_FEW;
    }
    return winograd_way(s) == WINOGRAD_SQUARES && squares < columns ? WINOGRAD_SQUARES
                                                                    : WINOGRAD_COLUMNS;
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
    t.rectify = 0;
    return t;
}

/* What the input gradient costs by the forward way transposed. With 4 outputs to a tile's row more
 * of the work at the points is done once for every block of channels. */
static inline double winograd_transposed_cost(const struct window *s)
{
    const double all = (double)winograd_tile_rows(s) * winograd_tiles(s);
    const double points = WINOGRAD_POINTS * WINOGRAD_POINTS;
    const int few = winograd_columns(s) == 2;
    return points * s->oc * s->c * all * (few ? 1.0 : 1.2) +
           all * ((few ? 60.0 : 290.0) * s->oc + 210.0 * s->c);
}

static inline enum winograd_way winograd_input_way(const struct window *s)
{
    const struct window t = winograd_turned(s);
    if (s->stride_w != 1 || s->stride_h != 1 || t.pad_left < 0 || t.pad_top < 0) {
        return WINOGRAD_NONE;
    }
    const struct winograd_choice turned = winograd_choose(&t);
    if (s->kh == s->kw && (s->kw == 3 || s->kw == 5) && s->c >= 4 &&
        s->oh >= winograd_outs(s->kh) && s->ow >= winograd_columns(s) &&
        winograd_transposed_cost(s) < turned.cost * (turned.way == WINOGRAD_NONE ? 0.9 : 1.0)) {
        return WINOGRAD_TRANSPOSED;
    }
    return turned.way;
}

/* Floats of the weights at the points. */
static inline size_t winograd_weights(const struct window *s, enum winograd_way way)
{
    const size_t each[] = {
        [WINOGRAD_NONE] = 0,
        [WINOGRAD_COLUMNS] = (size_t)s->kh * WINOGRAD_POINTS,
        [WINOGRAD_ROWS] = (size_t)s->kw * WINOGRAD_EIGHT,
        [WINOGRAD_SQUARES] = (size_t)WINOGRAD_POINTS * WINOGRAD_POINTS,
        [WINOGRAD_TRANSPOSED] = (size_t)WINOGRAD_POINTS * WINOGRAD_POINTS,
    };
    return (size_t)s->oc * s->c * each[way];
}

/* Where the weights at the points stand: those of the forward way, then those of the input
 * gradient.
 */
static inline size_t winograd_forward_weights(const struct window *s)
{
    return (winograd_weights(s, winograd_way(s)) + LANES - 1) / LANES * LANES;
}

static inline size_t winograd_all_weights(const struct window *s)
{
    const struct window turned = winograd_turned(s);
    return winograd_forward_weights(s) +
           (winograd_weights(&turned, winograd_input_way(s)) + LANES - 1) / LANES * LANES;
}

static inline size_t winograd_scratch(const struct window *s, enum winograd_way way)
{
    if (way == WINOGRAD_NONE) {
        return 0;
    }
    if (way == WINOGRAD_ROWS) {
        const size_t pairs = (size_t)s->oc * s->c, wide = (size_t)(s->w > s->ow ? s->w : s->ow);
        const size_t channels = WINOGRAD_EIGHT * (size_t)s->c * (size_t)(s->ow + s->kw - 1);
        return (wide + channels + WINOGRAD_BLOCK * WINOGRAD_EIGHT * WINOGRAD_RUN +
                WINOGRAD_EIGHT * pairs * (size_t)s->kw) *
               LANES;
    }
    const size_t tiles = (size_t)winograd_tiles(s), c = (size_t)s->c, oc = (size_t)s->oc;
    const size_t reach = (size_t)winograd_reach(s, (int)tiles);
    size_t forward = reach + tiles * c * winograd_rows(s) * WINOGRAD_POINTS;
    if (way == WINOGRAD_SQUARES) {
        const size_t chunk = (size_t)winograd_chunk(s);
        forward = (size_t)s->w + WINOGRAD_POINTS * (size_t)winograd_reach(s, (int)chunk) +
                  chunk * WINOGRAD_POINTS * (c * WINOGRAD_POINTS + WINOGRAD_GAP) +
                  WINOGRAD_PAIR * oc * WINOGRAD_POINTS * winograd_columns(s);
    }
    size_t gradient = reach + tiles * (WINOGRAD_POINTS * c * s->h + oc * s->oh);
    size_t sums = (oc * c * s->kh + LANES) * WINOGRAD_POINTS;
    if (winograd_weight_way(s) == WINOGRAD_SQUARES) {
        const size_t points = WINOGRAD_POINTS * WINOGRAD_POINTS;
        const size_t chunk = (size_t)winograd_pair_chunk(s);
        gradient = (size_t)(s->w > s->ow ? s->w : s->ow) +
                   WINOGRAD_POINTS * (size_t)winograd_reach(s, (int)chunk) +
                   points * (chunk * (c + oc) + 2 * WINOGRAD_GAP) + chunk * (c + LANES);
        sums = (oc * c + LANES) * points;
    }
    if (winograd_weight_way(s) == WINOGRAD_FEW) {
        const size_t points = WINOGRAD_POINTS * WINOGRAD_POINTS;
        const size_t all = tiles * (size_t)winograd_tile_rows(s);
        gradient = (size_t)(s->w > s->ow ? s->w : s->ow) + WINOGRAD_POINTS * reach +
                   points * (all * c + WINOGRAD_GAP) +
                   WINOGRAD_BLOCK * all * (size_t)winograd_outs(s->kw);
        sums = (oc * c + LANES) * points;
    }
    return forward * LANES > gradient * LANES + sums ? forward * LANES : gradient * LANES + sums;
}

/* From one row point of dy to the next, where dx is made by the forward way transposed. */
static inline size_t winograd_transposed_row(const struct window *s)
{
    const size_t tiles = (size_t)winograd_chunk_of(s, s->oc);
    return (tiles * (size_t)s->oc * (size_t)winograd_columns(s) + WINOGRAD_GAP) * LANES;
}

static inline size_t winograd_input_scratch(const struct window *s)
{
    const struct window turned = winograd_turned(s);
    if (winograd_input_way(s) != WINOGRAD_TRANSPOSED) {
        return winograd_scratch(&turned, winograd_input_way(s));
    }
    const size_t reach = (size_t)winograd_reach(s, winograd_chunk_of(s, s->oc));
    return (size_t)s->ow * LANES + WINOGRAD_POINTS * winograd_transposed_row(s) +
           WINOGRAD_BLOCK * WINOGRAD_POINTS * reach * LANES;
}

#endif
