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

/* G w of one kernel row of `taps` columns, w_step apart. */
INLINE void weight_points(int taps, const float (*g)[WEIGHTS], const float *w, ptrdiff_t w_step,
                          float *u)
{
    float sum[WEIGHTS] = {0};
    UNROLL
    for (int t = 0; t < taps; t++) {
        const float weight = w[t * w_step];
        UNROLL
        for (int k = 0; k < WEIGHTS; k++) {
            sum[k] += g[t][k] * weight;
        }
    }
    memcpy(u, sum, POINTS * sizeof *sum);
}

/* A kernel as [to][from][kh][kw], `to` the channels that are made and `from` those that are summed:
 * as it is, or turned round with the channels' roles exchanged. */
struct kernel {
    const float *w;
    ptrdiff_t to, from, row, column;
};

/* G w of `taps` weights, 3 or 5 of them. */
INLINE void any_points(int taps, const float *w, ptrdiff_t w_step, float *u)
{
    if (taps == 3) {
        weight_points(3, G3, w, w_step, u);
    } else {
        weight_points(5, G5, w, w_step, u);
    }
}

/* A block of `outs` channels: [c][kh][outs][point]. */
static void columns_of_block(const struct window *s, const struct kernel *k, int outs,
                             const float *w, float *u)
{
    for (int c = 0; c < s->c; c++) {
        for (int r = 0; r < s->kh; r++) {
            for (int i = 0; i < outs; i++, u += POINTS) {
                any_points(s->kw, w + c * k->from + r * k->row + i * k->to, k->column, u);
            }
        }
    }
}

/* A block's share of each row point, `step` floats apart: [c][outs][point]. */
static void squares_of_block(const struct window *s, const struct kernel *k, int outs,
                             const float *w, float *u, size_t step)
{
    for (int c = 0; c < s->c; c++) {
        for (int i = 0; i < outs; i++, u += POINTS) {
            const float *from = w + c * k->from + i * k->to;
            float g[5][POINTS]; /* [column][row point] */
            for (int t = 0; t < s->kw; t++) {
                any_points(s->kh, from + t * k->column, k->row, g[t]);
            }
            for (int q = 0; q < POINTS; q++) {
                any_points(s->kw, &g[0][q], POINTS, u + (size_t)q * step);
            }
        }
    }
}

/* Every parts-th block, from block `part` on. */
static void prepare(const struct window *s, enum winograd_way way, const struct kernel *k, int part,
                    int parts, float *u)
{
    int block = 0;
    for (int o = 0, outs; o < s->oc && way != WINOGRAD_NONE; o += outs, block++) {
        outs = winograd_block(s->oc - o);
        if (block % parts != part) {
            continue;
        }
        const size_t rows = (size_t)(way == WINOGRAD_COLUMNS ? s->kh : 1);
        float *to = u + (size_t)o * s->c * rows * POINTS;
        if (way == WINOGRAD_COLUMNS) {
            columns_of_block(s, k, outs, k->w + o * k->to, to);
        } else {
            squares_of_block(s, k, outs, k->w + o * k->to, to, (size_t)s->oc * s->c * POINTS);
        }
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
    prepare(s, winograd_way(s), &as_is, part, parts, forward);
    prepare(&turned, winograd_input_way(s), &turned_round, part, parts, input);
}
