/* winograd_squares.c: convolution by Winograd's way (winograd.c) along both axes,
 *
 *     y = A' [ (G w G') * (B' x B) ] A,  * point by point,
 *
 * for a square of m x m outputs: 36 multiplications for 144 (3x3 kernels) or 100 (5x5).
 *
 * At each point the sums over the channels are a product of weights and tiles. Where channels are
 * many, a block is up to MANY_OUTS output channels of MANY_TILES tiles side by side, point after
 * point: with AVX-512 12 of two, so that 14 loads serve 24 multiply-adds, and what does not fit the
 * first cache comes to it once for 12 channels. The sums wait in memory until all points of a row
 * are there. Where channels are few, the loop over them would be too short for that; a block is
 * OUTS channels of one tile, at all points of a row together where registers allow it. */
#include "kernels/winograd_points.h"

/* One block: CB output channels of one tile or of two, at a row point. */
struct block {
    const float *u, *w;
    int channels; /* summed over */
    size_t u_tile;
    float *t; /* [tile][channel of the block], t_tile and t_out apart */
    size_t t_tile, t_out;
};

/* m = the sums of CB channels of the tiles at `points` points from the first. */
INLINE void sum_points(const struct block *s, int CB, int tiles, int first, int points,
                       vec m[][POINTS][PARTS])
{
    vec sum[SUMS];
    const int rows = CB * tiles, each = points * PARTS; /* of the sums */
    UNROLL
    for (int i = 0; i < rows * each; i++) {
        sum[i] = v_set(0.0f);
    }
    const float *u = s->u + (size_t)first * LANES, *w = s->w + first;
    for (int c = 0; c < s->channels; c++, u += POINTS * LANES, w += CB * POINTS) {
        UNROLL
        for (int k = 0; k < points; k++) {
            vec in[MANY_TILES * PARTS];
            UNROLL
            for (int i = 0; i < tiles * PARTS; i++) {
                const float *tile = u + (size_t)(i / PARTS) * s->u_tile;
                in[i] = v_keep(v_load(tile + k * LANES + i % PARTS * WIDTH));
            }
            UNROLL
            for (int o = 0; o < CB; o++) {
                const vec weight = v_set(w[o * POINTS + k]);
                UNROLL
                for (int i = 0; i < tiles * PARTS; i++) {
                    vec *to = &sum[(i / PARTS * CB + o) * each + k * PARTS + i % PARTS];
                    *to = v_fma(weight, in[i], *to);
                }
            }
        }
    }
    UNROLL
    for (int i = 0; i < rows * each; i++) {
        m[i / each][first + i % each / PARTS][i % PARTS] = sum[i];
    }
}

/* t = A' m of one tile and channel. */
INLINE void columns_from_points(vec m[POINTS][PARTS], int columns, float *t)
{
    UNROLL
    for (int p = 0; p < PARTS; p++) {
        vec in[POINTS], out[4];
        UNROLL
        for (int k = 0; k < POINTS; k++) {
            in[k] = m[k][p];
        }
        from_points(columns, in, v_set(0.0f), out);
        UNROLL
        for (int i = 0; i < columns; i++) {
            v_store(t + i * LANES + p * WIDTH, out[i]);
        }
    }
}

INLINE void make_block(const struct block *s, int CB, int tiles, int columns)
{
    const int sums = CB * tiles * PARTS, most = SUMS / sums;
    const int points = most >= 6 ? 6 : most >= 3 ? 3 : most; /* a divisor of POINTS */
    vec m[MANY_OUTS * MANY_TILES][POINTS][PARTS];
    if (points == POINTS) { /* in registers from here to the end */
        sum_points(s, CB, tiles, 0, points, m);
        UNROLL
        for (int i = 0; i < CB * tiles; i++) {
            columns_from_points(m[i], columns, s->t + i / CB * s->t_tile + i % CB * s->t_out);
        }
        return;
    }
    for (int first = 0; first < POINTS; first += points) {
        sum_points(s, CB, tiles, first, points, m);
        __asm__("" : "+m"(m)); /* registers are for the sums */
    }
    for (int tile = 0; tile < tiles; tile++) {
        for (int o = 0; o < CB; o++) {
            columns_from_points(m[tile * CB + o], columns,
                                s->t + (size_t)tile * s->t_tile + (size_t)o * s->t_out);
        }
    }
}

/* Blocks of CB channels of a level and of T tiles, with 2 or 4 columns. */
typedef void block_run(const struct block *);
#define DEFINE_BLOCK(CB, T, COLUMNS)                                                               \
    static void block_##CB##_##T##_##COLUMNS(const struct block *s)                                \
    {                                                                                              \
        make_block(s, CB, T, COLUMNS);                                                             \
    }
#define LIST_BLOCK(CB, T, COLUMNS) [COLUMNS][T][CB] = block_##CB##_##T##_##COLUMNS,
#define BOTH(X, CB, T) X(CB, T, 2) X(CB, T, 4)
#define OUTS_1_TO_3(X) BOTH(X, 1, 1) BOTH(X, 2, 1) BOTH(X, 3, 1)
#define OUTS_4_TO_12(X, T)                                                                         \
    BOTH(X, 4, T)                                                                                  \
    BOTH(X, 5, T)                                                                                  \
    BOTH(X, 6, T)                                                                                  \
    BOTH(X, 7, T) BOTH(X, 8, T) BOTH(X, 9, T) BOTH(X, 10, T) BOTH(X, 11, T) BOTH(X, 12, T)
#if defined(__AVX512F__)
#define BLOCKS(X) OUTS_1_TO_3(X) OUTS_4_TO_12(X, 1) OUTS_4_TO_12(X, 2)
#else
#define BLOCKS(X) OUTS_1_TO_3(X)
#endif
BLOCKS(DEFINE_BLOCK)
static block_run *const RUN[5][MANY_TILES + 1][MANY_OUTS + 1] = {BLOCKS(LIST_BLOCK)};

/* From one row point of a tile to the next. */
static size_t chunk_row(const struct window *s)
{
    return ((size_t)s->c * POINTS + WINOGRAD_GAP) * LANES;
}

/* From one tile's sums to the next. */
static size_t sums_of_tile(const struct window *s)
{
    return (size_t)s->oc * POINTS * winograd_columns(s) * LANES;
}

/* t[tile][oc][row point][column] = A' along the columns of the sums over the channels. */
static void sum_channels(const struct window *s, const struct chunk *k, int tile, int tiles,
                         const float *w)
{
    const int columns = winograd_columns(s), most = most_outs(s, WINOGRAD_SQUARES);
    const size_t row = chunk_row(s);
    struct block block = {
        .u = k->u + (size_t)tile * POINTS * row,
        .channels = s->c,
        .u_tile = POINTS * row,
        .t_tile = sums_of_tile(s),
        .t_out = (size_t)POINTS * columns * LANES,
    };
    for (int q = 0; q < POINTS; q++, block.u += row) {
        for (int o = k->share.channel, outs; o < k->share.channel_end; o += outs) {
            outs = winograd_block(s->oc - o, most);
            block.w = w + ((size_t)q * s->oc + o) * s->c * POINTS;
            block.t = k->t + ((size_t)o * POINTS + q) * columns * LANES;
            RUN[columns][tiles][outs](&block);
        }
    }
}

/* y = A' along the rows of a tile, whose first output is (oy, ox); `rows` is a constant. The next
 * tile's place is fetched meanwhile: a write has to wait for its line as much as a read. */
INLINE void output_rows(const struct window *s, int rows, const struct share *share, const float *t,
                        int oy, int ox, const float *b, float *y)
{
    const int columns = winograd_columns(s), step = columns * LANES;
    const int live = lesser(columns, s->ow - ox) * LANES, live_rows = lesser(rows, s->oh - oy);
    const int next = ox + columns < s->ow ? columns : rows * s->ow - ox;
    const vec least = v_least(s->rectify);
    t += (size_t)share->channel * POINTS * step;
    for (int o = share->channel; o < share->channel_end; o++, t += POINTS * step) {
        const vec bias = v_set(b ? b[o] : 0.0f);
        float *to = y + (((size_t)o * s->oh + oy) * s->ow + ox) * LANES;
        for (int at = 0; at < live; at += WIDTH) {
            vec m[POINTS], out[4];
            UNROLL
            for (int q = 0; q < POINTS; q++) {
                m[q] = v_load(t + q * step + at);
            }
            from_points(rows, m, bias, out);
            UNROLL
            for (int i = 0; i < rows; i++) {
                if (i < live_rows) {
                    v_store(to + (size_t)i * s->ow * LANES + at, v_max(least, out[i]));
                    __builtin_prefetch(to + ((size_t)i * s->ow + next) * LANES + at, 1, 2);
                }
            }
        }
    }
}

static void output_two_rows(const struct window *s, const struct share *share, const float *t,
                            int oy, int ox, const float *b, float *y)
{
    output_rows(s, 2, share, t, oy, ox, b, y);
}

static void output_four_rows(const struct window *s, const struct share *share, const float *t,
                             int oy, int ox, const float *b, float *y)
{
    output_rows(s, 4, share, t, oy, ox, b, y);
}

/* Chunk by chunk of a row of tiles. */
void KERNEL(winograd_squares_forward)(const struct window *s, const float *x, const float *w,
                                      const float *b, float *y, float *scratch)
{
    const int tiles = winograd_tiles(s), columns = winograd_columns(s), most = winograd_chunk(s);
    const int rows = winograd_outs(s->kh), outs = most_outs(s, WINOGRAD_SQUARES);
    const int together = s->c >= WINOGRAD_MANY ? MANY_TILES : 1;
    struct chunk k = {.share = share_in_blocks(s, rows, outs), .zeros = scratch};
    k.v = k.zeros + (size_t)s->w * LANES;
    k.u = k.v + (size_t)POINTS * winograd_reach(s, most) * LANES;
    k.t = k.u + (size_t)most * POINTS * chunk_row(s);
    memset(k.zeros, 0, (size_t)s->w * LANES * sizeof *k.zeros);
    const struct order order = {.point = LANES,
                                .channel = POINTS * LANES,
                                .row = chunk_row(s),
                                .tile = POINTS * chunk_row(s)};
    for (int oy = k.share.row; oy < k.share.row_end; oy += rows) {
        k.top = oy - s->pad_top;
        for (k.first = 0; k.first < tiles; k.first += most) {
            k.count = lesser(most, tiles - k.first);
            k.left = k.first * columns - s->pad_left;
            tiles_at_points(s, &k, x, &order, k.u);
            for (int t = 0, count; t < k.count; t += count) {
                count = lesser(together, k.count - t);
                sum_channels(s, &k, t, count, w);
                for (int i = 0; i < count; i++) {
                    (rows == 2 ? output_two_rows
                               : output_four_rows)(s, &k.share, k.t + (size_t)i * sums_of_tile(s),
                                                   oy, (k.first + t + i) * columns, b, y);
                }
            }
        }
    }
}
