/* dropout.c: the random mask of a tile. */
#include "kernels/bodies.h"
#include "kernels/philox_lanes.h"

void KERNEL(dropout)(const float *x, float *y, size_t n, float rate, uint64_t seed,
                     const uint32_t *samples, uint32_t epoch, uint32_t stream)
{
    const uint32_t threshold = (uint32_t)((double)rate * 4294967296.0);
    const float keep = (float)(1.0 / (1.0 - (double)rate));
    for (size_t block = 0; block * 4 < n; block++) {
        struct words c[4];
        for (int i = 0; i < LANES; i++) {
            c[0].lane[i] = (uint32_t)block;
            c[1].lane[i] = samples[i];
            c[2].lane[i] = epoch;
            c[3].lane[i] = stream;
        }
        philox_lanes(c, seed);
        for (size_t e = 0; e < 4 && block * 4 + e < n; e++) {
            const float *from = x + (block * 4 + e) * LANES;
            float *to = y + (block * 4 + e) * LANES;
            for (int i = 0; i < LANES; i++) {
                to[i] = c[e].lane[i] >= threshold ? from[i] * keep : 0.0f;
            }
        }
    }
}
