/* blur.c: a picture's plane smoothed along its rows, then along its columns. Beyond the edges there
 * is its mirror image, which does not repeat the edge itself, or nothing. */
#include "kernels/bodies.h"

/* Where row or column i of n stands, mirrored at both edges as often as it takes. */
INLINE int mirrored(int i, int n)
{
    const int period = n > 1 ? 2 * (n - 1) : 1;
    i = ((i % period) + period) % period;
    return i < n ? i : period - i;
}

INLINE size_t row_floats(int w) { return ((size_t)w + LANES - 1) / LANES * LANES; }

/* One row with its surroundings, `radius` on either side. */
INLINE void widen_row(int w, int radius, int mirror, const float *x, float *wide)
{
    for (int i = 0; i < radius; i++) {
        wide[i] = mirror ? x[mirrored(i - radius, w)] : 0;
        wide[radius + w + i] = mirror ? x[mirrored(w + i, w)] : 0;
    }
    memcpy(wide + radius, x, (size_t)w * sizeof *x);
}

void KERNEL(blur)(int h, int w, const float *weights, int radius, int mirror, float *x,
                  float *scratch)
{
    const size_t stride = row_floats(w), width = (size_t)w;
    float *wide = scratch + (size_t)h * stride;
    memset(wide, 0, (stride + 2 * (size_t)radius) * sizeof *wide);
    for (int r = 0; r < h; r++) {
        widen_row(w, radius, mirror, x + (size_t)r * width, wide);
        for (size_t i = 0; i < width; i += WIDTH) {
            vec sum = v_set(0.0f);
            for (int t = 0; t <= 2 * radius; t++) {
                sum = v_fma(v_set(weights[t]), v_loadu(wide + i + t), sum);
            }
            v_store(scratch + (size_t)r * stride + i, sum);
        }
    }
    for (int r = 0; r < h; r++) {
        for (size_t i = 0; i < width; i += WIDTH) {
            vec sum = v_set(0.0f);
            for (int t = 0; t <= 2 * radius; t++) {
                const int from = r + t - radius, inside = from >= 0 && from < h;
                if (inside || mirror) {
                    const size_t row = (size_t)(inside ? from : mirrored(from, h));
                    sum = v_fma(v_set(weights[t]), v_load(scratch + row * stride + i), sum);
                }
            }
            float *to = x + (size_t)r * width + i;
            if (width - i >= WIDTH) {
                v_storeu(to, sum);
            } else {
                v_store_first(to, sum, width - i);
            }
        }
    }
}
