/* winograd_few.c: the weight gradient by squares (winograd_weight.c) where channels are few: for
 * 5x5 kernels the sums over the tiles
 *
 *     sums[row point][column point][o][c] = sum over tiles and lanes of (G' dy G) * (B' x B)
 *
 * All tiles of x are brought to the points at once. Of dy a block of channels at a time is brought
 * to one row point, which fits the first cache; along the columns a point is one addition, made
 * where it is used, in registers. A block is output channels x input channels, summed over all
 * tiles; the lanes are added at its end, in the fixed tree. */
#include "kernels/winograd_points.h"

enum {
    ROWS = 2,      /* outputs of a tile, along either axis */
    MOST_SUMS = 32 /* of a block, in whole vectors of lanes_sum_16 */
};

/* A block's part of a row point. */
struct block {
    int tiles, c;      /* tiles of the map; channels of x */
    const float *u;    /* x at the points: [column point][tile][c] */
    const float *g;    /* dy at the row point: [o][column of all rows of tiles] */
    size_t u_point;    /* from one column point to the next, */
    size_t sums_point; /* and of the sums */
    float *sums;
};

/* The sums of CB x IB channels at column point k, all of them constants. */
INLINE void sum_point(const struct block *s, int CB, int IB, int k)
{
    vec all[PARTS][MOST_SUMS];
    float out[MOST_SUMS];
    UNROLL
    for (int part = 0; part < PARTS; part++) {
        vec sum[MOST_SUMS];
        UNROLL
        for (int i = 0; i < CB * IB; i++) {
            sum[i] = v_set(0.0f);
        }
        const float *u = s->u + (size_t)k * s->u_point + part * WIDTH;
        const float *g = s->g + part * WIDTH;
        for (int t = 0; t < s->tiles; t++, u += (size_t)s->c * LANES, g += ROWS * LANES) {
            vec d[4];
            UNROLL
            for (int o = 0; o < CB; o++) {
                const float *from = g + (size_t)o * s->tiles * ROWS * LANES;
                const vec in[4] = {v_load(from), v_load(from + LANES)};
                d[o] = v_keep(gradient_point(k, ROWS, in));
            }
            UNROLL
            for (int i = 0; i < IB; i++) {
                const vec in = v_keep(v_load(u + i * LANES));
                UNROLL
                for (int o = 0; o < CB; o++) {
                    sum[o * IB + i] = v_fma(d[o], in, sum[o * IB + i]);
                }
            }
        }
        UNROLL
        for (int i = 0; i < MOST_SUMS; i++) {
            all[part][i] = i < CB * IB ? sum[i] : v_set(0.0f);
        }
    }
    UNROLL
    for (int i = 0; i < CB * IB; i += LANES) {
        lanes_sum_16(&all[0][i], MOST_SUMS, out + i);
    }
    UNROLL
    for (int i = 0; i < CB * IB; i++) {
        s->sums[(size_t)k * s->sums_point + (size_t)(i / IB) * s->c + i % IB] = out[i];
    }
}

typedef void block_run(const struct block *);
#define DEFINE_BLOCK(CB, IB)                                                                       \
    static void block_##CB##_##IB(const struct block *s)                                           \
    {                                                                                              \
        sum_point(s, CB, IB, 0);                                                                   \
        sum_point(s, CB, IB, 1);                                                                   \
        sum_point(s, CB, IB, 2);                                                                   \
        sum_point(s, CB, IB, 3);                                                                   \
        sum_point(s, CB, IB, 4);                                                                   \
        sum_point(s, CB, IB, 5);                                                                   \
    }
#define LIST_BLOCK(CB, IB) [CB][IB] = block_##CB##_##IB,
#if defined(__AVX512F__)
enum { MOST_INS = 6 };
#define BLOCKS_OF(X, CB) X(CB, 1) X(CB, 2) X(CB, 3) X(CB, 4) X(CB, 5) X(CB, 6)
#define BLOCKS(X) BLOCKS_OF(X, 1) BLOCKS_OF(X, 2) BLOCKS_OF(X, 3) BLOCKS_OF(X, 4)
#else
enum { MOST_INS = 4 };
#define BLOCKS_OF(X, CB) X(CB, 1) X(CB, 2) X(CB, 3) X(CB, 4)
#define BLOCKS(X) BLOCKS_OF(X, 1) BLOCKS_OF(X, 2) BLOCKS_OF(X, 3)
#endif
BLOCKS(DEFINE_BLOCK)
static block_run *const RUN[OUTS + 1][MOST_INS + 1] = {BLOCKS(LIST_BLOCK)};

/* g = the row point q of G' dy for `outs` channels; what lies outside the map is zero. q is a
 * constant. */
INLINE void gradient_rows(int q, const struct window *s, int outs, const float *dy,
                          const float *zeros, float *g)
{
    const size_t row = (size_t)s->ow * LANES, all = (size_t)winograd_tiles(s) * ROWS * LANES;
    for (int o = 0; o < outs; o++, dy += (size_t)s->oh * row) {
        for (int y = 0; y < s->oh; y += ROWS, g += all) {
            const float *first = dy + (size_t)y * row,
                        *second = y + 1 < s->oh ? first + row : zeros;
            for (size_t at = 0; at < row; at += WIDTH) {
                const vec in[4] = {v_load(first + at), v_load(second + at)};
                v_store(g + at, gradient_point(q, ROWS, in));
            }
            clear(g + row, winograd_tiles(s) * ROWS - s->ow);
        }
    }
}

static void gradient_rows_of(int q, const struct window *s, int outs, const float *dy,
                             const float *zeros, float *g)
{
    switch (q) {
#define CASE(Q)                                                                                    \
    case Q:                                                                                        \
        gradient_rows(Q, s, outs, dy, zeros, g);                                                   \
        break;
        CASES
#undef CASE
    }
}

/* How many of `rest` to take next, so that the blocks of at most `most` are as equal as can be. */
INLINE int next_of(int rest, int most)
{
    const int blocks = (rest + most - 1) / most;
    return (rest + blocks - 1) / blocks;
}

void KERNEL(winograd_few_sums)(const struct window *s, const float *x, const float *dy, size_t step,
                               float *sums, float *scratch)
{
    const int tiles = winograd_tiles(s), rows = winograd_tile_rows(s);
    const struct share share = share_of_weights(s);
    struct chunk k = {.count = tiles, .left = -s->pad_left, .zeros = scratch};
    k.v = k.zeros + (size_t)greater(s->w, s->ow) * LANES;
    k.u = k.v + (size_t)POINTS * winograd_reach(s, tiles) * LANES;
    memset(k.zeros, 0, (size_t)greater(s->w, s->ow) * LANES * sizeof *k.zeros);
    const size_t tile = (size_t)s->c * LANES, point = tile * tiles * rows + WINOGRAD_GAP * LANES;
    const struct order order = {
        .point = point, .row = POINTS * point, .channel = LANES, .tile = tile};
    for (int r = 0; r < rows; r++) {
        k.top = r * ROWS - s->pad_top;
        tiles_at_points(s, &k, x, &order, k.u + (size_t)r * tiles * tile);
    }
    float *g = k.u + POINTS * POINTS * point;
    for (int o = share.channel, outs; o < share.channel_end; o += outs) {
        outs = next_of(share.channel_end - o, OUTS);
        for (int q = 0; q < POINTS; q++) {
            gradient_rows_of(q, s, outs, dy + (size_t)o * s->oh * s->ow * LANES, k.zeros, g);
            for (int c = 0, ins; c < s->c; c += ins) {
                ins = next_of(s->c - c, MOST_INS);
                RUN[outs][ins](&(struct block){
                    .tiles = tiles * rows,
                    .c = s->c,
                    .u = k.u + q * order.row + (size_t)c * LANES,
                    .g = g,
                    .u_point = point,
                    .sums_point = step,
                    .sums =
                        sums + (size_t)q * POINTS * step + (size_t)(o - share.channel) * s->c + c,
                });
            }
        }
    }
}
