/* rbf.c: how near a vector is to each of `out` codes w[out][in], for a tile; every lane by itself,
 * in the order of the values:
 *
 *     y[o] = - sum over i of (x[i] - w[o][i])^2
 *     dx[i] = - sum over o of 2 dy[o] (x[i] - w[o][i])
 *
 * The differences are taken first, so that nothing cancels. What it is for is in net/layers/rbf.c.
 */
#include "kernels/bodies.h"

void KERNEL(rbf_forward)(int in, int out, const float *x, const float *w, float *y)
{
    for (int o = 0; o < out; o++) {
        vec sum[PARTS];
        for (int part = 0; part < PARTS; part++) {
            sum[part] = v_set(0.0f);
        }
        for (int i = 0; i < in; i++) {
            const vec code = v_set(w[(size_t)o * in + i]);
            for (int part = 0; part < PARTS; part++) {
                const vec d = v_load(x + (size_t)i * LANES + part * WIDTH) - code;
                sum[part] = v_fma(d, d, sum[part]);
            }
        }
        for (int part = 0; part < PARTS; part++) {
            v_store(y + (size_t)o * LANES + part * WIDTH, v_set(0.0f) - sum[part]);
        }
    }
}

void KERNEL(rbf_backward)(int in, int out, const float *x, const float *dy, const float *w,
                          float *dx)
{
    for (int i = 0; i < in; i++) {
        for (int part = 0; part < PARTS; part++) {
            const vec value = v_load(x + (size_t)i * LANES + part * WIDTH);
            vec sum = v_set(0.0f);
            for (int o = 0; o < out; o++) {
                const vec d = value - v_set(w[(size_t)o * in + i]);
                sum = v_fma(v_load(dy + (size_t)o * LANES + part * WIDTH), d, sum);
            }
            v_store(dx + (size_t)i * LANES + part * WIDTH, v_set(-2.0f) * sum);
        }
    }
}
