/* pixels.c: the values of a picture, changed in place. */
#include "kernels/bodies.h"
#include "kernels/philox_lanes.h"

INLINE vec clamp(vec x, float low, float high) { return v_min(v_max(x, v_set(low)), v_set(high)); }

void KERNEL(adjust)(size_t n, float scale, float shift, float low, float high, float *x)
{
    for (size_t i = 0; i < n; i += WIDTH) {
        v_store(x + i, clamp(v_fma(v_load(x + i), v_set(scale), v_set(shift)), low, high));
    }
}

void KERNEL(blend)(size_t n, float share, const float *other, float *x)
{
    const vec own = v_set(share), rest = v_set(1 - share);
    for (size_t i = 0; i < n; i += WIDTH) {
        v_store(x + i, v_fma(v_load(x + i), own, v_load(other + i) * rest));
    }
}

void KERNEL(power)(size_t n, float exponent, float low, float high, float *x)
{
    const vec least = v_set(0x1p-100f), range = v_set(high - low);
    for (size_t i = 0; i < n; i += WIDTH) {
        const vec share = (v_load(x + i) - v_set(low)) / range;
        const vec power = v_exp(v_log(v_max(share, least)) * v_set(exponent));
        v_store(x + i, clamp(v_fma(power, range, v_set(low)), low, high));
    }
}

void KERNEL(noise)(const struct noise *noise, size_t n, float *x)
{
    const float scale = noise->std / 147.80054f; /* sqrt(21845) */
    for (size_t at = 0; at < n; at += 4 * LANES) {
        struct words c[4];
        for (int i = 0; i < LANES; i++) {
            c[0].lane[i] = 0x80000000u + (uint32_t)(at / 4) + (uint32_t)i;
            c[1].lane[i] = noise->sample;
            c[2].lane[i] = noise->epoch;
            c[3].lane[i] = noise->stream;
        }
        philox_lanes(c, noise->seed);
        const int vectors = n - at < 4 * LANES ? (int)((n - at) / LANES) : 4;
        for (int v = 0; v < vectors; v++) {
            float *to = x + at + (size_t)v * LANES;
            float sum[LANES] __attribute__((aligned(64)));
            for (int i = 0; i < LANES; i++) {
                const uint32_t w = c[v].lane[i];
                sum[i] =
                    (float)((int)((w & 255) + (w >> 8 & 255) + (w >> 16 & 255) + (w >> 24)) - 510);
            }
            UNROLL
            for (int i = 0; i < LANES; i += WIDTH) {
                const vec moved = v_fma(v_load(sum + i), v_set(scale), v_load(to + i));
                v_store(to + i, clamp(moved, noise->low, noise->high));
            }
        }
    }
}
