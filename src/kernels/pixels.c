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

/* Four numbers of each lane's word, uncorrelated: the sums and differences of its bytes. */
INLINE void walsh(const uint32_t *word, float numbers[4][LANES])
{
    for (int i = 0; i < LANES; i++) {
        const int a = (int)(word[i] & 255), b = (int)(word[i] >> 8 & 255);
        const int c = (int)(word[i] >> 16 & 255), d = (int)(word[i] >> 24);
        numbers[0][i] = (float)(a + b + c + d - 510);
        numbers[1][i] = (float)(a + b - c - d);
        numbers[2][i] = (float)(a - b + c - d);
        numbers[3][i] = (float)(a - b - c + d);
    }
}

void KERNEL(noise)(const struct noise *noise, size_t n, float *x)
{
    const vec scale = v_set(noise->std / 147.80054f); /* sqrt(21845) */
    size_t at = 0;
    for (uint32_t block = 0x80000000u; at < n; block += LANES) {
        struct words c[4];
        for (int i = 0; i < LANES; i++) {
            c[0].lane[i] = block + (uint32_t)i;
            c[1].lane[i] = noise->sample;
            c[2].lane[i] = noise->epoch;
            c[3].lane[i] = noise->stream;
        }
        philox_lanes(c, noise->seed);
        for (int v = 0; v < 4 && at < n; v++) {
            float numbers[4][LANES] __attribute__((aligned(64)));
            walsh(c[v].lane, numbers);
            for (int k = 0; k < 4 && at < n; k++, at += LANES) {
                UNROLL
                for (int i = 0; i < LANES; i += WIDTH) {
                    const vec moved = v_fma(v_load(numbers[k] + i), scale, v_load(x + at + i));
                    v_store(x + at + i, clamp(moved, noise->low, noise->high));
                }
            }
        }
    }
}
