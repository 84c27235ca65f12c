/* conv_bias.h: the gradient of a convolution's biases, shared by its weight gradients. */
#ifndef CNNTRAIN_KERNELS_CONV_BIAS_H
#define CNNTRAIN_KERNELS_CONV_BIAS_H

#include "kernels/lanes.h"

/* db[o] = the sum of dy[o], of `pixels` vectors each, or added to it. Four sums side by side, of
 * every fourth pixel, so that none waits for the one before. */
INLINE void bias_gradient(const float *dy, int outs, size_t pixels, int add, float *db)
{
    enum { SUMS = 4 };
    for (int o = 0; o < outs; o++, dy += pixels * LANES) {
        vec sum[SUMS][PARTS], all[PARTS];
        UNROLL
        for (int i = 0; i < SUMS * PARTS; i++) {
            sum[i / PARTS][i % PARTS] = v_set(0.0f);
        }
        size_t p = 0;
        for (; p + SUMS <= pixels; p += SUMS) {
            UNROLL
            for (int i = 0; i < SUMS * PARTS; i++) {
                sum[i / PARTS][i % PARTS] =
                    sum[i / PARTS][i % PARTS] +
                    v_load(dy + (p + (size_t)(i / PARTS)) * LANES + i % PARTS * WIDTH);
            }
        }
        UNROLL
        for (int part = 0; part < PARTS; part++) {
            for (size_t rest = p; rest < pixels; rest++) {
                sum[0][part] = sum[0][part] + v_load(dy + rest * LANES + part * WIDTH);
            }
            all[part] = (sum[0][part] + sum[1][part]) + (sum[2][part] + sum[3][part]);
        }
        db[o] = add ? db[o] + lanes_sum(all) : lanes_sum(all);
    }
}

#endif
