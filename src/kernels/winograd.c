/* winograd.c: convolution by Toom-Cook's way, along the columns or along both axes, in fewer
 * multiplications (Winograd 1980; Lavin and Gray 2016, "Fast algorithms for convolutional neural
 * networks").
 *
 * A kernel row of r columns and 6 input columns make m = 7 - r output columns, as the product of
 * two polynomials, known at the points 0, 1, -1, 2, -2 and infinity: r = 5 takes 6 multiplications
 * for 10, r = 3 takes 6 for 12.
 *
 *     y = A' [ (G w) * (B' x) ],  * point by point
 *
 * Channels, and along the columns kernel rows too, are summed at the points, in registers: a block
 * is OUTS output channels of one tile of m columns, and one transformed vector meets OUTS weights.
 *
 * Along both axes the rows go the same way (winograd_squares.c), which pays where channels are many
 * (winograd_way). The error stays some times that of the direct sum (bounds in
 * tests/unit/test_kernels_conv.c).
 *
 * The weights stand at the points already (winograd_prepare.c). The input gradient is the same over
 * dy with the kernel turned round, or the transposed algorithm (winograd_input.c); the weight
 * gradient is in winograd_weight.c. */
#include "kernels/winograd_points.h"

/* u[tile][c][row - first][point] = B' x for the input rows [first, end). `wide`: room for a row
 * with its padding, which is zero. */
static void transform_rows(const struct window *s, const float *x, int first, int end, float *wide,
                           float *u)
{
    const int tiles = winograd_tiles(s), columns = winograd_columns(s);
    const size_t u_tile = (size_t)s->c * (size_t)(end - first) * POINTS * LANES;
    for (int c = 0; c < s->c; c++) {
        for (int y = first; y < end; y++, u += POINTS * LANES) {
            const float *row = with_padding(s, x + ((size_t)c * s->h + y) * s->w * LANES, wide);
            for (int t = 0; t < tiles; t++, row += columns * LANES) {
                input_points(row, u + (size_t)t * u_tile, LANES);
            }
        }
    }
}

/* One block: CB output channels of one tile. */
struct block {
    const float *u, *w; /* at the first kernel row that counts */
    int channels, rows; /* summed over */
    size_t u_channel, w_channel;
    const float *b; /* NULL: none */
    float *y;
    size_t y_out;
    int live;    /* columns that exist */
    int rectify; /* what is below 0 becomes 0 */
};

INLINE void output_columns(const struct block *s, int columns, int o, vec m[POINTS][PARTS])
{
    const vec b = v_set(s->b ? s->b[o] : 0.0f), least = v_least(s->rectify);
    UNROLL
    for (int p = 0; p < PARTS; p++) {
        vec in[POINTS], out[4];
        UNROLL
        for (int k = 0; k < POINTS; k++) {
            in[k] = m[k][p];
        }
        from_points(columns, in, b, out);
        float *y = s->y + (size_t)o * s->y_out + p * WIDTH;
        UNROLL
        for (int i = 0; i < columns; i++) {
            if (i < s->live) {
                v_store(y + i * LANES, v_max(least, out[i]));
            }
        }
    }
}

/* One kernel row of one channel: PASS points of the transformed row meet CB weights each. */
INLINE void add_row(int CB, const float *u, const float *w, vec sum[OUTS][PASS][PARTS])
{
    UNROLL
    for (int k = 0; k < PASS; k++) {
        vec in[PARTS];
        UNROLL
        for (int p = 0; p < PARTS; p++) {
            in[p] = v_keep(v_load(u + k * LANES + p * WIDTH));
        }
        UNROLL
        for (int o = 0; o < CB; o++) {
            const vec weight = v_set(w[o * POINTS + k]);
            UNROLL
            for (int p = 0; p < PARTS; p++) {
                sum[o][k][p] = v_fma(weight, in[p], sum[o][k][p]);
            }
        }
    }
}

/* The sums of CB channels at PASS points from the first. `rows`: s->rows as a constant, so that the
 * loop over them is unrolled, or 0. */
INLINE void sum_points(const struct block *s, int CB, int rows, int first,
                       vec m[OUTS][POINTS][PARTS])
{
    vec sum[OUTS][PASS][PARTS];
    UNROLL
    for (int i = 0; i < CB * PASS * PARTS; i++) {
        sum[i / PARTS / PASS][i / PARTS % PASS][i % PARTS] = v_set(0.0f);
    }
    for (int c = 0; c < s->channels; c++) {
        const float *u = s->u + (size_t)c * s->u_channel + (size_t)first * LANES;
        const float *w = s->w + (size_t)c * s->w_channel + first;
        if (rows > 0) {
            UNROLL
            for (int r = 0; r < rows; r++) {
                add_row(CB, u + r * POINTS * LANES, w + r * CB * POINTS, sum);
            }
        } else {
            for (int r = 0; r < s->rows; r++, u += POINTS * LANES, w += CB * POINTS) {
                add_row(CB, u, w, sum);
            }
        }
    }
    UNROLL
    for (int i = 0; i < CB * PASS * PARTS; i++) {
        m[i / PARTS / PASS][first + i / PARTS % PASS][i % PARTS] =
            sum[i / PARTS / PASS][i / PARTS % PASS][i % PARTS];
    }
}

INLINE void make_block(const struct block *s, int CB, int rows, int columns)
{
    vec m[OUTS][POINTS][PARTS];
    UNROLL
    for (int first = 0; first < POINTS; first += PASS) {
        sum_points(s, CB, rows, first, m);
    }
    UNROLL
    for (int o = 0; o < CB; o++) {
        output_columns(s, columns, o, m[o]);
    }
}

/* Blocks of CB channels of a level, with 2 or 4 columns, of any number of rows (0); with AVX-512,
 * where a block is all points at once, also of as many rows as the kernel has columns. */
typedef void block_run(const struct block *);
#define DEFINE_BLOCK(CB, ROWS, COLUMNS)                                                            \
    static void block_##CB##_##ROWS##_##COLUMNS(const struct block *s)                             \
    {                                                                                              \
        make_block(s, CB, ROWS, COLUMNS);                                                          \
    }
#define LIST_BLOCK(CB, ROWS, COLUMNS) [ROWS][COLUMNS][CB] = block_##CB##_##ROWS##_##COLUMNS,
#define FOR_OUTS_3(X, ROWS, COLUMNS) X(1, ROWS, COLUMNS) X(2, ROWS, COLUMNS) X(3, ROWS, COLUMNS)
#define FOR_OUTS_4(X, ROWS, COLUMNS) FOR_OUTS_3(X, ROWS, COLUMNS) X(4, ROWS, COLUMNS)
#if defined(__AVX512F__)
#define BLOCKS(X)                                                                                  \
    FOR_OUTS_4(X, 0, 2)                                                                            \
    FOR_OUTS_4(X, 0, 4) FOR_OUTS_4(X, 5, 2) FOR_OUTS_4(X, 3, 4)
#else
#define BLOCKS(X) FOR_OUTS_3(X, 0, 2) FOR_OUTS_3(X, 0, 4)
#endif
BLOCKS(DEFINE_BLOCK)
static block_run *const RUN[6][5][OUTS + 1] = {BLOCKS(LIST_BLOCK)};

/* Output row oy of the share's channels, from the input rows [top, bottom) at the points. */
static void make_row(const struct window *s, const struct share *share, int oy, const float *u,
                     int top, int bottom, const float *w, const float *b, float *y)
{
    const int tiles = winograd_tiles(s), columns = winograd_columns(s), at = oy - s->pad_top;
    const int r0 = greater(0, -at), r1 = greater(r0, lesser(s->kh, s->h - at));
    struct block block = {
        .channels = s->c,
        .rows = r1 - r0,
        .u_channel = (size_t)(bottom - top) * POINTS * LANES,
        .y_out = (size_t)s->oh * s->ow * LANES,
        .rectify = s->rectify,
    };
    block_run *const *run = RUN[PARTS == 1 && block.rows == s->kw ? s->kw : 0][columns];
    for (int t = 0; t < tiles; t++) {
        block.u = u + ((size_t)t * s->c * (size_t)(bottom - top) + (size_t)(at + r0 - top)) *
                          POINTS * LANES;
        block.live = s->ow - t * columns;
        for (int o = share->channel, outs; o < share->channel_end; o += outs) {
            outs = winograd_block(s->oc - o, OUTS);
            block.w_channel = (size_t)s->kh * outs * POINTS;
            block.w = w + ((size_t)o * s->c * s->kh + (size_t)r0 * outs) * POINTS;
            block.b = b ? b + o : NULL;
            block.y = y + (((size_t)o * s->oh + oy) * s->ow + (size_t)t * columns) * LANES;
            run[outs](&block);
        }
    }
}

/* Band by band: the input rows of a band are transformed, then its output rows made. */
static void along_columns(const struct window *s, const float *x, const float *w, const float *b,
                          float *y, float *scratch)
{
    const size_t reach = (size_t)winograd_reach(s, winograd_tiles(s)) * LANES;
    float *wide = scratch, *u = wide + reach;
    const struct share share = share_in_blocks(s, 1, OUTS);
    memset(wide, 0, reach * sizeof *wide);
    for (int first = share.row; first < share.row_end; first += WINOGRAD_BAND) {
        const int end = lesser(share.row_end, first + WINOGRAD_BAND);
        const int top = lesser(s->h, greater(0, first - s->pad_top));
        const int bottom = greater(top, lesser(s->h, end - 1 - s->pad_top + s->kh));
        transform_rows(s, x, top, bottom, wide, u);
        for (int oy = first; oy < end; oy++) {
            make_row(s, &share, oy, u, top, bottom, w, b, y);
        }
    }
}

void KERNEL(winograd_forward)(const struct window *s, const float *x, const float *u,
                              const float *b, float *y, float *scratch)
{
    static void (*const RUN_WAY[])(const struct window *, const float *x, const float *w,
                                   const float *b, float *y, float *scratch) = {
        [WINOGRAD_COLUMNS] = along_columns,
        [WINOGRAD_ROWS] = KERNEL(winograd_rows_forward),
        [WINOGRAD_SQUARES] = KERNEL(winograd_squares_forward),
    };
    RUN_WAY[winograd_way(s)](s, x, u, b, y, scratch);
}

void KERNEL(winograd_backward_input)(const struct window *s, const float *dy, const float *u,
                                     float *dx, float *scratch)
{
    if (winograd_input_way(s) == WINOGRAD_TRANSPOSED) {
        KERNEL(winograd_transposed)(s, dy, u, dx, scratch);
    } else {
        const struct window turned = winograd_turned(s);
        KERNEL(winograd_forward)(&turned, dy, u, NULL, dx, scratch);
    }
}
