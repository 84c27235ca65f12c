/* dense.c: y = W x + b for a tile; x is `in` vectors, y is `out` vectors, W is [out][in].
 *
 * Forward: OB outputs in registers, one input vector meets them all. Towards the input: IB inputs
 * in registers, weights side by side in memory. The weight gradient is a sum over the lanes, W's
 * shape: the inputs are transposed once a tile, so that 16 rank-1 updates run along the rows of dw
 * with full vectors. */
#include "kernels/bodies.h"

/* Sums that fit the registers beside an operand or two. */
#if defined(__AVX512F__)
enum { OUTS = 12, INS = 20 };
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
    FORWARD(6)
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

/* dw[OB rows][IV vectors] = (+) sum over lanes of dy[o][lane] * xt[lane][..]; `last` floats of the
 * last vector exist. */
enum { WEIGHT_OUTS = 4, WEIGHT_VECTORS = REGISTERS / 8 };
INLINE void weight_block(int OB, int IV, int last, int in, const float *dy, const float *xt,
                         size_t xt_row, int add, float *dw)
{
    vec sum[WEIGHT_OUTS][WEIGHT_VECTORS];
    UNROLL
    for (int o = 0; o < OB; o++) {
        UNROLL
        for (int v = 0; v < IV; v++) {
            const float *from = dw + (size_t)o * in + v * WIDTH;
            sum[o][v] = !add                          ? v_set(0.0f)
                        : v == IV - 1 && last < WIDTH ? v_load_first(from, (size_t)last)
                                                      : v_loadu(from);
        }
    }
    for (int lane = 0; lane < LANES; lane++, xt += xt_row) {
        vec x[WEIGHT_VECTORS];
        UNROLL
        for (int v = 0; v < IV; v++) {
            x[v] = v_load(xt + v * WIDTH);
        }
        UNROLL
        for (int o = 0; o < OB; o++) {
            vec d = v_set(dy[o * LANES + lane]);
            UNROLL
            for (int v = 0; v < IV; v++) {
                sum[o][v] = v_fma(d, x[v], sum[o][v]);
            }
        }
    }
    UNROLL
    for (int o = 0; o < OB; o++) {
        UNROLL
        for (int v = 0; v < IV; v++) {
            float *to = dw + (size_t)o * in + v * WIDTH;
            if (v == IV - 1 && last < WIDTH) {
                v_store_first(to, sum[o][v], (size_t)last);
            } else {
                v_storeu(to, sum[o][v]);
            }
        }
    }
}

/* OB rows of dw. */
INLINE void weight_rows(int OB, int in, const float *dy, const float *xt, size_t xt_row, int add,
                        float *dw)
{
    int i = 0;
    for (; in - i >= WEIGHT_VECTORS * WIDTH; i += WEIGHT_VECTORS * WIDTH) {
        weight_block(OB, WEIGHT_VECTORS, WIDTH, in, dy, xt + i, xt_row, add, dw + i);
    }
    for (; in - i >= WIDTH; i += WIDTH) {
        weight_block(OB, 1, WIDTH, in, dy, xt + i, xt_row, add, dw + i);
    }
    if (i < in) {
        weight_block(OB, 1, in - i, in, dy, xt + i, xt_row, add, dw + i);
    }
}

typedef float row16 __attribute__((vector_size(64)));

/* xt[lane][i] = x[i][lane], rows of `row` floats; columns from `in` on are zero. Rows to columns by
 * interleaving row i with row i + 8, four times over (as in tile.c). */
static void transpose(int in, const float *x, size_t row, float *xt)
{
    for (size_t i = 0; i < row; i += LANES) {
        row16 rows[LANES] = {{0}};
        const size_t live = (size_t)in - i < LANES ? (size_t)in - i : LANES;
        memcpy(rows, x + i * LANES, live * sizeof *rows);
        UNROLL
        for (int pass = 0; pass < 4; pass++) {
            row16 next[LANES];
            UNROLL
            for (int k = 0; k < LANES / 2; k++) {
                next[2 * k] = __builtin_shufflevector(rows[k], rows[k + 8], 0, 16, 1, 17, 2, 18, 3,
                                                      19, 4, 20, 5, 21, 6, 22, 7, 23);
                next[2 * k + 1] =
                    __builtin_shufflevector(rows[k], rows[k + 8], 8, 24, 9, 25, 10, 26, 11, 27, 12,
                                            28, 13, 29, 14, 30, 15, 31);
            }
            memcpy(rows, next, sizeof next);
        }
        for (int lane = 0; lane < LANES; lane++) {
            memcpy(xt + (size_t)lane * row + i, &rows[lane], sizeof *rows);
        }
    }
}

void KERNEL(dense_backward_weight)(int in, int out, const float *x, const float *dy, int add,
                                   float *dw, float *db, float *scratch)
{
    const size_t row = ((size_t)in + LANES - 1) / LANES * LANES;
    transpose(in, x, row, scratch);
    int o = 0;
    for (; out - o >= WEIGHT_OUTS; o += WEIGHT_OUTS) {
        weight_rows(WEIGHT_OUTS, in, dy + (size_t)o * LANES, scratch, row, add,
                    dw + (size_t)o * in);
    }
    for (; o < out; o++) {
        weight_rows(1, in, dy + (size_t)o * LANES, scratch, row, add, dw + (size_t)o * in);
    }
    for (o = 0; db && o < out; o++) {
        vec part[PARTS];
        for (int p = 0; p < PARTS; p++) {
            part[p] = v_load(dy + (size_t)o * LANES + p * WIDTH);
        }
        db[o] = add ? db[o] + lanes_sum(part) : lanes_sum(part);
    }
}
