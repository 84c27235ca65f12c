/* single.c: what one image by itself needs (net/mosaic.h): a dense layer, and values brought to
 * other places.
 *
 *     y[o] = b[o] + sum over i of W[o][i] * x[i]
 *
 * Blocking: the lanes run along a row of W, OB rows side by side; every number of W is read once,
 * which is what takes the time. The lanes are added at the end, in the fixed tree. */
#include "kernels/bodies.h"

INLINE void add_products(int OB, int in, const float *x, const float *w, size_t live,
                         vec sum[][PARTS])
{
    UNROLL
    for (int p = 0; p < PARTS; p++) {
        const size_t first = (size_t)p * WIDTH;
        const size_t rest = live > first ? live - first : 0;
        const vec v = rest >= WIDTH ? v_loadu(x + first) : v_load_first(x + first, rest);
        UNROLL
        for (int o = 0; o < OB; o++) {
            const float *row = w + (size_t)o * in + first;
            sum[o][p] = v_fma(rest >= WIDTH ? v_loadu(row) : v_load_first(row, rest), v, sum[o][p]);
        }
    }
}

INLINE void single_rows(int OB, int in, const float *x, const float *w, const float *b, float *y)
{
    enum { MOST = 4 };
    vec sum[MOST][PARTS];
    int i = 0;
    UNROLL
    for (int k = 0; k < OB * PARTS; k++) {
        sum[k / PARTS][k % PARTS] = v_set(0.0f);
    }
    for (; i + LANES <= in; i += LANES) {
        add_products(OB, in, x + i, w + i, LANES, sum);
    }
    if (i < in) {
        add_products(OB, in, x + i, w + i, (size_t)(in - i), sum);
    }
    for (int o = 0; o < OB; o++) {
        y[o] = lanes_sum(sum[o]) + (b ? b[o] : 0.0f);
    }
}

void KERNEL(dense_single)(int in, int out, const float *x, const float *w, const float *b, float *y)
{
    int o = 0;
    for (; o + 4 <= out; o += 4) {
        single_rows(4, in, x, w + (size_t)o * in, b ? b + o : NULL, y + o);
    }
    for (; o < out; o++) {
        single_rows(1, in, x, w + (size_t)o * in, b ? b + o : NULL, y + o);
    }
}

void KERNEL(pick)(size_t n, const int32_t *index, float fill, const float *x, float *y)
{
    for (size_t i = 0; i < n; i++) {
        y[i] = index[i] < 0 ? fill : x[index[i]];
    }
}
