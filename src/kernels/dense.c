/* dense.c: y = W x + b for a tile; x is `in` vectors, y is `out` vectors, W is [out][in].
 *
 * Forward: OB outputs in registers, one input vector meets them all. Towards the input: IB inputs
 * in registers, weights side by side in memory. The weight gradient is a sum over the lanes, W's
 * shape: the inputs are turned once a tile, so that rank-1 updates, one an image, run along the
 * rows of dw with full vectors, whose sums stay in registers over all images of all tiles. */
#include "kernels/bodies.h"
#include "kernels/transpose.h"

/* Sums that fit the registers beside an operand or two. More than 8 outputs forward would gain
 * nothing, and rows of W a power of two apart would not be in the first cache together. */
#if defined(__AVX512F__)
enum { OUTS = 8, INS = 20 };
#elif defined(__AVX2__)
enum { OUTS = 6, INS = 6 };
#else
enum { OUTS = 3, INS = 3 };
#endif

INLINE void forward_block(int OB, int in, const float *x, const float *w, const float *b, float *y)
{
    vec sum[OUTS][PARTS];
    UNROLL
    for (int o = 0; o < OB; o++) {
        UNROLL
        for (int p = 0; p < PARTS; p++) {
            sum[o][p] = v_set(b ? b[o] : 0.0f);
        }
    }
    for (int i = 0; i < in; i++) {
        vec v[PARTS];
        UNROLL
        for (int p = 0; p < PARTS; p++) {
            v[p] = v_load(x + (size_t)i * LANES + p * WIDTH);
        }
        UNROLL
        for (int o = 0; o < OB; o++) {
            vec weight = v_set(w[(size_t)o * in + i]);
            UNROLL
            for (int p = 0; p < PARTS; p++) {
                sum[o][p] = v_fma(weight, v[p], sum[o][p]);
            }
        }
    }
    UNROLL
    for (int o = 0; o < OB; o++) {
        UNROLL
        for (int p = 0; p < PARTS; p++) {
            v_store(y + (size_t)o * LANES + p * WIDTH, sum[o][p]);
        }
    }
}

void KERNEL(dense_forward)(int in, int out, const float *x, const float *w, const float *b,
                           float *y)
{
    int o = 0;
#define FORWARD(OB)                                                                                \
    for (; out - o >= OB; o += OB) {                                                               \
        forward_block(OB, in, x, w + (size_t)o * in, b ? b + o : NULL, y + (size_t)o * LANES);     \
    }
    FORWARD(OUTS)
#if defined(__AVX512F__)
    FORWARD(4)
#endif
    FORWARD(2)
    FORWARD(1)
#undef FORWARD
}

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
