/* winograd_weight.c: the weight gradient by Winograd's way (winograd.c): the transposed algorithm,
 * with the r taps as outputs of the m columns of dy,
 *
 *     dw = A" [ (G' dy) * (B' x) ]
 *
 * along the columns, or along both axes. The pixels are summed at the points: there the sums are
 * the weight gradient of a kernel of one column, conv_weight.c's own, or of a dense layer,
 * dense.c's own. */
#include "kernels/winograd_points.h"

/* One point of a tile of `columns` columns, of which `live` exist; both constants. */
INLINE void gradient_tile(int point, int columns, int live, const float *dy, float *d)
{
    UNROLL
    for (int part = 0; part < PARTS; part++) {
        vec in[4];
        UNROLL
        for (int i = 0; i < columns; i++) {
            in[i] = i < live ? v_load(dy + i * LANES + part * WIDTH) : v_set(0.0f);
        }
        v_store(d + part * WIDTH, gradient_point(point, columns, in));
    }
}

/* d[rows][tiles] = one point of each tile's columns, of rows of ow vectors. */
INLINE void gradient_tiles(int point, int columns, int rows, int ow, const float *dy, float *d)
{
    const int rest = ow % columns;
    for (int r = 0; r < rows; r++) {
        for (int t = 0; t < ow / columns; t++, d += LANES, dy += columns * LANES) {
            gradient_tile(point, columns, columns, dy, d);
        }
        for (int live = 1; live < columns; live++) {
            if (live == rest) {
                gradient_tile(point, columns, live, dy, d);
                d += LANES, dy += live * LANES;
            }
        }
    }
}

static void gradient_columns(int point, int columns, int rows, int ow, const float *dy, float *d)
{
    switch (columns == 2 ? point : POINTS + point) {
#define CASE(K)                                                                                    \
    case K:                                                                                        \
        gradient_tiles(K, 2, rows, ow, dy, d);                                                     \
        break;                                                                                     \
    case POINTS + K:                                                                               \
        gradient_tiles(K, 4, rows, ow, dy, d);                                                     \
        break;
        CASES
#undef CASE
    }
}

/* G at the points, but for the signs of taps, which are in A": the factors that gradient_point left
 * out. */
static const float FACTOR[POINTS] = {0.25f, SIXTH, SIXTH, PART_24, PART_24, 1.0f};

/* A" p: the taps from the points. */
INLINE void taps_from_points(int taps, const vec p[POINTS], vec out[5])
{
    const vec s1 = p[1] + p[2], d1 = p[1] - p[2], s2 = p[3] + p[4], d2 = p[3] - p[4];
    out[0] = (p[0] + s1) + s2;
    out[1] = v_fma(v_set(2.0f), d2, d1);
    out[2] = v_fma(v_set(4.0f), s2, s1);
    out[3] = v_fma(v_set(8.0f), d2, d1);
    out[4] = v_fma(v_set(16.0f), s2, s1);
    out[taps - 1] = out[taps - 1] + p[5];
}

/* dw of `count` kernels, or kernel rows, of `taps` weights, from out[taps][LANES] of LANES of them.
 */
INLINE void put_taps(int taps, int live, const float *out, int add, float *dw)
{
    for (int i = 0; i < live; i++, dw += taps) {
        UNROLL
        for (int t = 0; t < taps; t++) {
            dw[t] = add ? dw[t] + out[t * LANES + i] : out[t * LANES + i];
        }
    }
}

/* dw of `count` kernel rows from their sums at the points, `step` floats apart. */
INLINE void finish_rows(int taps, size_t count, size_t step, const float *sums, int add, float *dw)
{
    float out[5 * LANES] __attribute__((aligned(64)));
    for (size_t first = 0; first < count; first += LANES) {
        UNROLL
        for (int part = 0; part < LANES; part += WIDTH) {
            vec p[POINTS], tap[5];
            UNROLL
            for (int k = 0; k < POINTS; k++) {
                p[k] = v_loadu(sums + (size_t)k * step + first + part) * v_set(FACTOR[k]);
            }
            taps_from_points(taps, p, tap);
            UNROLL
            for (int t = 0; t < taps; t++) {
                v_store(out + t * LANES + part, tap[t]);
            }
        }
        put_taps(taps, count - first < LANES ? (int)(count - first) : LANES, out, add,
                 dw + first * (size_t)taps);
    }
}

static void along_columns(const struct window *s, const float *x, const float *dy, int add,
                          float *dw, float *scratch)
{
    const int tiles = winograd_tiles(s), columns = winograd_columns(s);
    const size_t rows = (size_t)s->oc * s->c * s->kh, step = (rows + LANES - 1) / LANES * LANES;
    const size_t point = (size_t)s->c * s->h * tiles * LANES;
    const size_t reach = (size_t)winograd_reach(s, tiles) * LANES;
    float *wide = scratch, *u = wide + reach, *d = u + POINTS * point,
          *sums = d + (size_t)s->oc * s->oh * tiles * LANES;
    memset(wide, 0, reach * sizeof *wide);
    for (int r = 0; r < s->c * s->h; r++) {
        const float *row = with_padding(s, x + (size_t)r * s->w * LANES, wide);
        for (int t = 0; t < tiles; t++, row += columns * LANES) {
            input_points(row, u + ((size_t)r * tiles + t) * LANES, point);
        }
    }
    struct window points = *s; /* as the sums at one point see it: tiles for columns */
    points.w = points.ow = tiles;
    points.kw = 1;
    points.pad_left = 0;
    for (int k = 0; k < POINTS; k++) {
        gradient_columns(k, columns, s->oc * s->oh, s->ow, dy, d);
        KERNEL(conv_weight_direct)(&points, u + k * point, d, 0, sums + k * step, NULL);
    }
    const struct share share = share_of_weights(s);
    const size_t each = (size_t)s->c * s->kh, first = (size_t)share.channel * each,
                 end = (size_t)share.channel_end * each;
    if (s->kw == 3) {
        finish_rows(3, end - first, step, sums + first, add, dw + first * 3);
    } else {
        finish_rows(5, end - first, step, sums + first, add, dw + first * 5);
    }
}

/* d = G' dy G of each tile and channel of a chunk that begins at output (oy, ox); what lies outside
 * the map is zero. `rows` and `columns` are constants. */
INLINE void gradient_at_points(int rows, int columns, const struct window *s, const struct chunk *k,
                               int oy, const float *dy, const struct order *order, float *d)
{
    const int ox = k->first * columns, width = k->count * columns;
    const int live = lesser(width, s->ow - ox);
    const size_t map = (size_t)s->oh * s->ow * LANES;
    dy += (size_t)k->share.channel * map;
    for (int o = k->share.channel; o < k->share.channel_end; o++, dy += map, d += order->channel) {
        const size_t ahead = o + 1 < k->share.channel_end ? map : 0; /* as in rows_at_points */
        const float *from[4];
        UNROLL
        for (int i = 0; i < rows; i++) {
            from[i] = oy + i < s->oh ? dy + ((size_t)(oy + i) * s->ow + ox) * LANES : k->zeros;
        }
        for (int at = 0; at < live * LANES; at += WIDTH) {
            vec in[4];
            UNROLL
            for (int i = 0; i < rows; i++) {
                in[i] = v_load(from[i] + at);
                __builtin_prefetch(from[i] + at + ahead, 0, 2);
            }
            gradient_points(rows, in, k->v + at, (size_t)width * LANES);
        }
        for (int q = 0; q < POINTS; q++) {
            float *v = k->v + (size_t)q * width * LANES;
            clear(v + (size_t)live * LANES, width - live);
            for (int t = 0; t < k->count * PARTS; t++) {
                const int tile = t / PARTS, part = t % PARTS * WIDTH;
                vec in[4];
                UNROLL
                for (int i = 0; i < columns; i++) {
                    in[i] = v_load(v + (tile * columns + i) * LANES + part);
                }
                gradient_points(columns, in,
                                d + (size_t)tile * order->tile + (size_t)q * order->row + part,
                                order->point);
            }
        }
    }
}

static void gradient_chunk(const struct window *s, const struct chunk *k, int oy, const float *dy,
                           const struct order *order, float *d)
{
    if (s->kh == 3 && s->kw == 3) {
        gradient_at_points(4, 4, s, k, oy, dy, order, d);
    } else if (s->kh == 5 && s->kw == 5) {
        gradient_at_points(2, 2, s, k, oy, dy, order, d);
    } else if (s->kh == 3) {
        gradient_at_points(4, 2, s, k, oy, dy, order, d);
    } else {
        gradient_at_points(2, 4, s, k, oy, dy, order, d);
    }
}

/* A" along both axes for LANES kernels at once: out[kh][kw][LANES] from sums at the points, `step`
 * floats apart. kh and kw are constants. */
INLINE void kernels_from_points(int kh, int kw, const float *sums, size_t step, float *out)
{
    UNROLL
    for (int part = 0; part < LANES; part += WIDTH) {
        vec columns[5][POINTS], taps[5];
        UNROLL
        for (int q = 0; q < POINTS; q++) {
            vec p[POINTS];
            UNROLL
            for (int i = 0; i < POINTS; i++) {
                p[i] = v_loadu(sums + (size_t)(q * POINTS + i) * step + part) *
                       v_set(FACTOR[i] * FACTOR[q]);
            }
            taps_from_points(kw, p, taps);
            UNROLL
            for (int t = 0; t < kw; t++) {
                columns[t][q] = taps[t];
            }
        }
        UNROLL
        for (int t = 0; t < kw; t++) {
            taps_from_points(kh, columns[t], taps);
            UNROLL
            for (int r = 0; r < kh; r++) {
                v_store(out + (r * kw + t) * LANES + part, taps[r]);
            }
        }
    }
}

/* dw of `count` kernels from their sums. */
INLINE void finish_kernels(int kh, int kw, size_t count, size_t step, const float *sums, int add,
                           float *dw)
{
    float out[5 * 5 * LANES] __attribute__((aligned(64)));
    for (size_t first = 0; first < count; first += LANES) {
        kernels_from_points(kh, kw, sums + first, step, out);
        put_taps(kh * kw, count - first < LANES ? (int)(count - first) : LANES, out, add,
                 dw + first * (size_t)(kh * kw));
    }
}

/* Of any kernel. */
static void finish_kernels_of(const struct window *s, size_t count, size_t step, const float *sums,
                              int add, float *dw)
{
    if (s->kh == 3 && s->kw == 3) {
        finish_kernels(3, 3, count, step, sums, add, dw);
    } else if (s->kh == 5 && s->kw == 5) {
        finish_kernels(5, 5, count, step, sums, add, dw);
    } else if (s->kh == 3) {
        finish_kernels(3, 5, count, step, sums, add, dw);
    } else {
        finish_kernels(5, 3, count, step, sums, add, dw);
    }
}

/* From one point of a chunk to the next. */
static size_t point_floats(int channels, int tiles)
{
    return ((size_t)channels * tiles + WINOGRAD_GAP) * LANES;
}

/* At a point, the sums over the tiles are the weight gradient of a dense layer whose samples are
 * the images of all tiles: dense.c's own. */
static void along_both(const struct window *s, const float *x, const float *dy, int add, float *dw,
                       float *scratch)
{
    const int tiles = winograd_tiles(s), columns = winograd_columns(s),
              most = winograd_pair_chunk(s);
    const int rows = winograd_outs(s->kh), reach = winograd_reach(s, most), c = s->c;
    struct chunk k = {.share = share_of_weights(s), .zeros = scratch};
    const int oc = k.share.channel_end - k.share.channel;
    const size_t pairs = (size_t)oc * c, step = (pairs + LANES - 1) / LANES * LANES;
    k.v = k.zeros + (size_t)greater(s->w, s->ow) * LANES;
    float *u = k.v + (size_t)POINTS * reach * LANES,
          *d = u + POINTS * POINTS * point_floats(c, most);
    float *sums = d + POINTS * POINTS * point_floats(oc, most),
          *turned = sums + POINTS * POINTS * step;
    memset(k.zeros, 0, (size_t)greater(s->w, s->ow) * LANES * sizeof *k.zeros);
    int first = 1;
    for (int oy = 0; oy < s->oh; oy += rows) {
        k.top = oy - s->pad_top;
        for (k.first = 0; k.first < tiles; k.first += most, first = 0) {
            k.count = lesser(most, tiles - k.first);
            k.left = k.first * columns - s->pad_left;
            const size_t in = point_floats(c, k.count), out = point_floats(oc, k.count);
            const struct order x_order = {in, POINTS * in, LANES, (size_t)c * LANES};
            const struct order dy_order = {out, POINTS * out, LANES, (size_t)oc * LANES};
            tiles_at_points(s, &k, x, &x_order, u);
            gradient_chunk(s, &k, oy, dy, &dy_order, d);
            for (int i = 0; i < POINTS * POINTS; i++) {
                KERNEL(dense_weight_of_tiles)
                (c, oc, k.count, u + (size_t)i * in, d + (size_t)i * out, !first,
                 sums + (size_t)i * step, turned);
            }
        }
    }
    finish_kernels_of(s, pairs, step, sums, add, dw + (size_t)k.share.channel * c * s->kh * s->kw);
}

/* Squares where channels are few. */
static void along_both_of_few(const struct window *s, const float *x, const float *dy, int add,
                              float *dw, float *scratch)
{
    const struct share share = share_of_weights(s);
    const size_t first = (size_t)share.channel * s->c,
                 pairs = (size_t)share.channel_end * s->c - first,
                 step = (pairs + LANES - 1) / LANES * LANES;
    KERNEL(winograd_few_sums)(s, x, dy, step, scratch, scratch + POINTS * POINTS * step);
    finish_kernels_of(s, pairs, step, scratch, add, dw + first * (size_t)(s->kh * s->kw));
}

void KERNEL(winograd_backward_weight)(const struct window *s, const float *x, const float *dy,
                                      int add, float *dw, float *scratch)
{
    static void (*const RUN[])(const struct window *, const float *x, const float *dy, int add,
                               float *dw, float *scratch) = {
        [WINOGRAD_COLUMNS] = along_columns,
        [WINOGRAD_ROWS] = KERNEL(winograd_rows_weight),
        [WINOGRAD_SQUARES] = along_both,
        [WINOGRAD_FEW] = along_both_of_few,
    };
    RUN[winograd_weight_way(s)](s, x, dy, add, dw, scratch);
}
