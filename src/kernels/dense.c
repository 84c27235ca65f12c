/* dense.c: y = W x + b for a tile; x is `in` vectors, y is `out` vectors, W is [out][in].
 *
 * Forward: OB outputs in registers, an input's vector meets them all; where there are more tiles,
 * of TB at once, so that a weight which was loaded meets a vector of each. Towards the input: IB
 * inputs in registers, weights side by side in memory. The weight gradient is a sum over the lanes,
 * W's shape: the inputs are turned once a tile, so that rank-1 updates, one an image, run along the
 * rows of dw with full vectors, whose sums stay in registers over all images of all tiles. */
#include "kernels/bodies.h"
#include "kernels/transpose.h"

/* Sums that fit the registers beside an operand or two. More than 8 outputs forward would gain
 * nothing, and rows of W a power of two apart would not be in the first cache together. */
#if defined(__AVX512F__)
enum { OUTS = 8, INS = 20, MOST_TILES = 4 };
#elif defined(__AVX2__)
enum { OUTS = 6, INS = 6, MOST_TILES = 1 };
#else
enum { OUTS = 3, INS = 3, MOST_TILES = 1 };
#endif

/* What outputs are made of: x[tiles][in] and y[tiles][out] vectors, a tile's x_tile and y_tile
 * floats behind the one before. */
struct outputs {
    int in, out;
    const float *x, *w, *b;
    size_t x_tile, y_tile;
    float *y;
};

/* OB outputs from o on of TB tiles from `tile` on. */
INLINE void forward_block(const struct outputs *f, int OB, int TB, int o, int tile)
{
    vec sum[OUTS * MOST_TILES][PARTS];
    const float *x = f->x + tile * f->x_tile, *w = f->w + (size_t)o * f->in;
    float *y = f->y + tile * f->y_tile + (size_t)o * LANES;
    UNROLL
    for (int k = 0; k < OB * TB; k++) {
        UNROLL
        for (int p = 0; p < PARTS; p++) {
            sum[k][p] = v_set(f->b ? f->b[o + k / TB] : 0.0f);
        }
    }
    for (int i = 0; i < f->in; i++) {
        vec v[MOST_TILES][PARTS];
        UNROLL
        for (int k = 0; k < TB * PARTS; k++) {
            v[k / PARTS][k % PARTS] =
                v_load(x + k / PARTS * f->x_tile + (size_t)i * LANES + k % PARTS * WIDTH);
        }
        UNROLL
        for (int k = 0; k < OB; k++) {
            vec weight = v_set(w[(size_t)k * f->in + i]);
            UNROLL
            for (int t = 0; t < TB * PARTS; t++) {
                vec *to = &sum[k * TB + t / PARTS][t % PARTS];
                *to = v_fma(weight, v[t / PARTS][t % PARTS], *to);
            }
        }
    }
    UNROLL
    for (int k = 0; k < OB * TB; k++) {
        UNROLL
        for (int p = 0; p < PARTS; p++) {
            v_store(y + k % TB * f->y_tile + (size_t)(k / TB) * LANES + p * WIDTH, sum[k][p]);
        }
    }
}

/* The outputs from o on of TB tiles, as far as blocks of OB go. */
#define BLOCKS(TB, OB)                                                                             \
    for (; out - o >= OB; o += OB) {                                                               \
        forward_block(&f, OB, TB, o, tile);                                                        \
    }
void KERNEL(dense_forward)(int in, int out, int tiles, const float *x, size_t x_tile,
                           const float *w, const float *b, float *y, size_t y_tile)
{
    const struct outputs f = {in, out, x, w, b, x_tile, y_tile, y};
    int tile = 0;
#if defined(__AVX512F__)
    for (; tiles - tile >= 4; tile += 4) {
        int o = 0;
        BLOCKS(4, 6) BLOCKS(4, 1)
    }
    for (; tiles - tile >= 2; tile += 2) {
        int o = 0;
        BLOCKS(2, 8) BLOCKS(2, 4) BLOCKS(2, 1)
    }
#endif
    for (; tile < tiles; tile++) {
        int o = 0;
        BLOCKS(1, OUTS)
#if defined(__AVX512F__)
        BLOCKS(1, 4)
#endif
        BLOCKS(1, 2) BLOCKS(1, 1)
    }
}
#undef BLOCKS

INLINE void input_block(int IB, int in, int out, const float *dy, const float *w, float *dx)
{
    vec sum[INS][PARTS];
    UNROLL
    for (int i = 0; i < IB; i++) {
        UNROLL
        for (int p = 0; p < PARTS; p++) {
            sum[i][p] = v_set(0.0f);
        }
    }
    for (int o = 0; o < out; o++) {
        vec d[PARTS];
        UNROLL
        for (int p = 0; p < PARTS; p++) {
            d[p] = v_load(dy + (size_t)o * LANES + p * WIDTH);
        }
        /* the rows are more than the processor follows */
        __builtin_prefetch(w + (size_t)o * in + 2 * IB, 0, 2);
        UNROLL
        for (int i = 0; i < IB; i++) {
            vec weight = v_set(w[(size_t)o * in + i]);
            UNROLL
            for (int p = 0; p < PARTS; p++) {
                sum[i][p] = v_fma(weight, d[p], sum[i][p]);
            }
        }
    }
    UNROLL
    for (int i = 0; i < IB; i++) {
        UNROLL
        for (int p = 0; p < PARTS; p++) {
            v_store(dx + (size_t)i * LANES + p * WIDTH, sum[i][p]);
        }
    }
}

void KERNEL(dense_backward_input)(int in, int out, int first, int end, const float *dy,
                                  const float *w, float *dx)
{
    int i = first;
#define BACKWARD(IB)                                                                               \
    for (; end - i >= IB; i += IB) {                                                               \
        input_block(IB, in, out, dy, w + i, dx + (size_t)i * LANES);                               \
    }
    BACKWARD(INS)
#if defined(__AVX512F__)
    BACKWARD(4)
#endif
    BACKWARD(1)
#undef BACKWARD
}

/* What the weight gradient is made of: dy[tiles][dy_tile floats: out or more][lanes], and the
 * inputs turned, xt[tiles][blocks of 16 inputs][lanes][16]. */
struct products {
    int in, out, tiles, add;
    const float *dy, *xt;
    size_t dy_tile;
};

/* dw[OB rows from o][IV vectors from i] = (+) sum over tiles and lanes of dy[o][lane] *
 * xt[lane][i..]; `last` floats of the last vector exist. */
INLINE void weight_block(const struct products *g, int OB, int IV, int last, int o, int i,
                         float *dw)
{
    enum { MOST = 24 };
    vec sum[MOST];
    dw += (size_t)o * g->in + i;
    UNROLL
    for (int k = 0; k < OB * IV; k++) {
        const float *from = dw + (size_t)(k / IV) * g->in + k % IV * WIDTH;
        __builtin_prefetch(from, 1); /* comes while the sums are made */
        sum[k] = !g->add                            ? v_set(0.0f)
                 : k % IV == IV - 1 && last < WIDTH ? v_load_first(from, (size_t)last)
                                                    : v_loadu(from);
    }
    const size_t xt_tile = ((size_t)g->in + LANES - 1) / LANES * LANES * LANES;
    const float *dy = g->dy + (size_t)o * LANES;
    const float *xt = g->xt + (size_t)(i / LANES) * LANES * LANES + i % LANES;
    for (int tile = 0; tile < g->tiles; tile++, dy += g->dy_tile, xt += xt_tile) {
        for (int lane = 0; lane < LANES; lane++) {
            vec x[MOST];
            UNROLL
            for (int v = 0; v < IV; v++) {
                const int at = v * WIDTH;
                x[v] = v_keep(v_load(xt + at / LANES * LANES * LANES + at % LANES + lane * LANES));
            }
            UNROLL
            for (int k = 0; k < OB; k++) {
                const vec d = v_set(dy[k * LANES + lane]);
                UNROLL
                for (int v = 0; v < IV; v++) {
                    sum[k * IV + v] = v_fma(d, x[v], sum[k * IV + v]);
                }
            }
        }
    }
    UNROLL
    for (int k = 0; k < OB * IV; k++) {
        float *to = dw + (size_t)(k / IV) * g->in + k % IV * WIDTH;
        if (k % IV == IV - 1 && last < WIDTH) {
            v_store_first(to, sum[k], (size_t)last);
        } else {
            v_storeu(to, sum[k]);
        }
    }
}

/* The blocks of a level: vectors of inputs x most outputs whose sums fit the registers. */
#if defined(__AVX512F__)
#define MANY_BLOCKS(X) X(4, 4) X(4, 1)
#define PAIR_BLOCKS(X) X(2, 12) X(2, 8) X(2, 4) X(2, 1)
#define FEW_BLOCKS(X) X(1, 16) X(1, 8) X(1, 4) X(1, 1)
enum { MOST_VECTORS = 4 };
#else
#define MANY_BLOCKS(X)
#define PAIR_BLOCKS(X) X(2, 6) X(2, 4) X(2, 1)
#define FEW_BLOCKS(X) X(1, 6) X(1, 4) X(1, 1)
enum { MOST_VECTORS = 2 };
#endif

/* Outputs [o, end) of IV vectors of inputs from i on. */
#define TAKE(IV, OB)                                                                               \
    for (; end - o >= OB; o += OB) {                                                               \
        weight_block(g, OB, IV, WIDTH, o, i, dw);                                                  \
    }
#define TAKE_LAST(IV, OB)                                                                          \
    for (; end - o >= OB; o += OB) {                                                               \
        weight_block(g, OB, IV, g->in - i, o, i, dw);                                              \
    }
static void weight_columns(const struct products *g, int o, int end, int i, int vectors, float *dw)
{
    if (vectors == 4) {
        MANY_BLOCKS(TAKE)
    } else if (vectors == 2) {
        PAIR_BLOCKS(TAKE)
    } else if (g->in - i >= WIDTH) {
        FEW_BLOCKS(TAKE)
    } else {
        FEW_BLOCKS(TAKE_LAST)
    }
}
#undef TAKE
#undef TAKE_LAST

void KERNEL(dense_turn)(int in, const float *x, float *xt)
{
    int i = 0;
    for (; i + LANES <= in; i += LANES, x += LANES * LANES, xt += LANES * LANES) {
        transpose_pixels(x, LANES, xt);
    }
    if (i < in) {
        transpose_pixels(x, in - i, xt);
    }
}

static void weight_products(const struct products *g, float *dw)
{
    /* a block is small beside a long row, and processors follow few rows at once */
    const int together = g->in < 1024 ? 48 : 4;
    for (int o = 0, end; o < g->out; o = end) {
        end = g->out - o < together ? g->out : o + together;
        for (int i = 0, vectors; i < g->in; i += vectors * WIDTH) {
            vectors = MOST_VECTORS;
            while (vectors > 1 && g->in - i < vectors * WIDTH) {
                vectors /= 2;
            }
            weight_columns(g, o, end, i, vectors, dw);
        }
    }
}

void KERNEL(dense_weight_of_tiles)(int in, int out, int tiles, const float *x, const float *dy,
                                   int add, float *dw, float *scratch)
{
    const struct products g = {in, out, tiles, add, dy, scratch, (size_t)out * LANES};
    const size_t xt_tile = ((size_t)in + LANES - 1) / LANES * LANES * LANES;
    for (int tile = 0; tile < tiles; tile++) {
        KERNEL(dense_turn)(in, x + (size_t)tile * in * LANES, scratch + (size_t)tile * xt_tile);
    }
    weight_products(&g, dw);
}

void KERNEL(dense_backward_weight)(int in, int out, int tiles, const float *xt, const float *dy,
                                   size_t dy_tile, int add, float *dw, float *db)
{
    const struct products g = {in, out, tiles, add, dy, xt, dy_tile};
    weight_products(&g, dw);
    for (int o = 0; db && o < out; o++) {
        float sum = add ? db[o] : 0.0f;
        for (int tile = 0; tile < tiles; tile++) {
            vec part[PARTS];
            for (int p = 0; p < PARTS; p++) {
                part[p] = v_load(dy + tile * dy_tile + (size_t)o * LANES + p * WIDTH);
            }
            sum = add || tile > 0 ? sum + lanes_sum(part) : lanes_sum(part);
        }
        db[o] = sum;
    }
}
