/* winograd_prepare.c: weights at the points of Winograd's way (winograd.c): G w along the columns,
 * or G w G' along both axes. They change once a step, so this is done once for all tiles of it.
 *
 * Along the columns they stand as [block of output channels][c][kh][channel of the block][point],
 * along both as [row point][block][c][channel of the block][column point]. */
#include "kernels/winograd_points.h"

#include <stddef.h>

enum { WEIGHTS = 8 }; /* POINTS as whole vectors */

/* G: the kernel row's value at each point, tap by tap; two places stay zero. */
static const float G3[3][WEIGHTS] = {
    {0.25f, SIXTH, SIXTH, PART_24, PART_24, 0.0f},
    {0.0f, SIXTH, -SIXTH, 2 * PART_24, -2 * PART_24, 0.0f},
    {0.0f, SIXTH, SIXTH, 4 * PART_24, 4 * PART_24, 1.0f},
};
static const float G5[5][WEIGHTS] = {
    {0.25f, SIXTH, SIXTH, PART_24, PART_24, 0.0f},
    {0.0f, SIXTH, -SIXTH, 2 * PART_24, -2 * PART_24, 0.0f},
    {0.0f, SIXTH, SIXTH, 4 * PART_24, 4 * PART_24, 0.0f},
    {0.0f, SIXTH, -SIXTH, 8 * PART_24, -8 * PART_24, 0.0f},
    {0.0f, SIXTH, SIXTH, 16 * PART_24, 16 * PART_24, 1.0f},
};

/* The same of 8 points, along the rows of a 5x5 kernel. */
#define NINTH (-2.0f / 9.0f)
#define PART_90 (1.0f / 90.0f)
#define PART_45 (32.0f / 45.0f)
static const float G8[5][WINOGRAD_EIGHT] = {
    {1.0f, NINTH, NINTH, PART_90, PART_90, PART_45, PART_45, 0.0f},
    {0.0f, NINTH, -NINTH, 2 * PART_90, -2 * PART_90, PART_45 / 2, -PART_45 / 2, 0.0f},
    {0.0f, NINTH, NINTH, 4 * PART_90, 4 * PART_90, PART_45 / 4, PART_45 / 4, 0.0f},
    {0.0f, NINTH, -NINTH, 8 * PART_90, -8 * PART_90, PART_45 / 8, -PART_45 / 8, 0.0f},
    {0.0f, NINTH, NINTH, 16 * PART_90, 16 * PART_90, PART_45 / 16, PART_45 / 16, 1.0f},
};

/* The values at the points, and two places that stay zero. */
typedef float values __attribute__((vector_size(4 * WEIGHTS)));

/* G w of one kernel row of `taps` columns, w_step apart. */
INLINE void weight_points(int taps, const float (*g)[WEIGHTS], const float *w, ptrdiff_t w_step,
                          values *sum)
{
    *sum = (values){0};
    UNROLL
    for (int t = 0; t < taps; t++) {
        values at;
        memcpy(&at, g[t], sizeof at);
        *sum += at * w[t * w_step];
    }
}

/* The values alone, in two parts: a processor need not take them apart in memory. */
INLINE void put_points(const values *sum, float *u)
{
    typedef float four __attribute__((vector_size(16)));
    typedef float two __attribute__((vector_size(8)));
    const four first = __builtin_shufflevector(*sum, *sum, 0, 1, 2, 3);
    const two rest = __builtin_shufflevector(*sum, *sum, 4, 5);
    memcpy(u, &first, sizeof first);
    memcpy(u + 4, &rest, sizeof rest);
}

/* A kernel as [to][from][kh][kw], `to` the channels that are made and `from` those that are summed:
 * as it is, or turned round with the channels' roles exchanged. */
struct kernel {
    const float *w;
    ptrdiff_t to, from, row, column;
};

/* A block of `outs` channels: [c][kh][outs][point]. `taps`, of a row, is a constant. */
INLINE void columns_of_block(int taps, const float (*g)[WEIGHTS], const struct window *s,
                             const struct kernel *k, int outs, const float *w, float *u)
{
    for (int c = 0; c < s->c; c++) {
        for (int r = 0; r < s->kh; r++) {
            for (int i = 0; i < outs; i++, u += POINTS) {
                const float *row = w + c * k->from + r * k->row + i * k->to;
                values sum;
                weight_points(taps, g, row, k->column, &sum);
                put_points(&sum, u);
            }
        }
    }
}

/* A block's share of each row point, `step` floats apart: [c][outs][point]. kh and kw are
 * constants. */
INLINE void squares_of_block(int kh, int kw, const struct window *s, const struct kernel *k,
                             int outs, const float *w, float *u, size_t step)
{
    const float(*by_row)[WEIGHTS] = kh == 3 ? G3 : G5, (*by_column)[WEIGHTS] = kw == 3 ? G3 : G5;
    for (int c = 0; c < s->c; c++) {
        for (int i = 0; i < outs; i++, u += POINTS) {
            const float *from = w + c * k->from + i * k->to;
            float at[5][WEIGHTS]; /* [column][row point] */
            values sum;
            UNROLL
            for (int t = 0; t < kw; t++) {
                weight_points(kh, by_row, from + t * k->column, k->row, &sum);
                memcpy(at[t], &sum, sizeof sum);
            }
            UNROLL
            for (int q = 0; q < POINTS; q++) {
                weight_points(kw, by_column, &at[0][q], WEIGHTS, &sum);
                put_points(&sum, u + (size_t)q * step);
            }
        }
    }
}

/* Along the rows: [channel of the block][c][column][point]. */
static void rows_of_block(const struct window *s, const struct kernel *k, int outs, const float *w,
                          float *u)
{
    for (int i = 0; i < outs; i++) {
        for (int c = 0; c < s->c; c++) {
            for (int t = 0; t < s->kw; t++, u += WINOGRAD_EIGHT) {
                values sum;
                weight_points(5, G8, w + i * k->to + c * k->from + t * k->column, k->row, &sum);
                memcpy(u, &sum, sizeof sum);
            }
        }
    }
}

/* The way of a block, whose kernel sizes are constants from here on. */
static void block_of(enum winograd_way way, const struct window *s, const struct kernel *k,
                     int outs, const float *w, float *u)
{
    const size_t step = (size_t)s->oc * s->c * POINTS;
    if (way == WINOGRAD_ROWS) {
        rows_of_block(s, k, outs, w, u);
    } else if (way == WINOGRAD_COLUMNS) {
        if (s->kw == 3) {
            columns_of_block(3, G3, s, k, outs, w, u);
        } else {
            columns_of_block(5, G5, s, k, outs, w, u);
        }
    } else if (s->kh == 3 && s->kw == 3) {
        squares_of_block(3, 3, s, k, outs, w, u, step);
    } else if (s->kh == 5 && s->kw == 5) {
        squares_of_block(5, 5, s, k, outs, w, u, step);
    } else if (s->kh == 3) {
        squares_of_block(3, 5, s, k, outs, w, u, step);
    } else {
        squares_of_block(5, 3, s, k, outs, w, u, step);
    }
}

/* Every parts-th block, from block `part` on. */
static void prepare(const struct window *s, enum winograd_way way, const struct kernel *k, int part,
                    int parts, float *u)
{
    int block = 0;
    for (int o = 0, outs; o < s->oc && way != WINOGRAD_NONE; o += outs, block++) {
        outs = winograd_block(s->oc - o, most_outs(s, way));
        if (block % parts != part) {
            continue;
        }
        const int by_rows = way == WINOGRAD_SQUARES || way == WINOGRAD_TRANSPOSED;
        const size_t before = winograd_weights(s, way) / (size_t)(s->oc * (by_rows ? POINTS : 1));
        block_of(way, s, k, outs, k->w + o * k->to, u + (size_t)o * before);
    }
}

void KERNEL(winograd_prepare)(const struct window *s, const float *w, int part, int parts,
                              float *forward, float *input)
{
    const ptrdiff_t taps = (ptrdiff_t)s->kh * s->kw;
    const struct window turned = winograd_turned(s);
    const struct kernel as_is = {
        .w = w, .to = s->c * taps, .from = taps, .row = s->kw, .column = 1};
    const struct kernel turned_round = {
        .w = w + taps - 1, .to = taps, .from = s->c * taps, .row = -s->kw, .column = -1};
    const struct kernel transposed = {
        .w = w, .to = taps, .from = s->c * taps, .row = s->kw, .column = 1};
    prepare(s, winograd_way(s), &as_is, part, parts, forward);
    prepare(&turned, winograd_input_way(s),
            winograd_input_way(s) == WINOGRAD_TRANSPOSED ? &transposed : &turned_round, part, parts,
            input);
}
