/* dropout.c: the random masks of a tile: of single values, or of whole maps. */
#include "kernels/bodies.h"
#include "kernels/philox_lanes.h"

/* `count` decisions, each for `each` neighbouring vectors; a constant 1 where it is inlined so. */
INLINE void mask(const struct draw *draw, const float *x, float *y, size_t count, size_t each,
                 float rate)
{
    const ivec threshold = v_iset((int)(uint32_t)((double)rate * 4294967296.0));
    const vec keep = v_set((float)(1.0 / (1.0 - (double)rate)));
    for (size_t block = 0; block * 4 < count; block++) {
        struct words c[4];
        draw_block(draw, block, c);
        for (size_t e = 0; e < 4 && block * 4 + e < count; e++) {
            const float *from = x + (block * 4 + e) * each * LANES;
            float *to = y + (block * 4 + e) * each * LANES;
            for (size_t k = 0; k < each; k++, from += LANES, to += LANES) {
                UNROLL
                for (int part = 0; part < LANES; part += WIDTH) {
                    const vmask kept = v_not_below(words_load(&c[e], part), threshold);
                    v_store(to + part, v_select(kept, v_load(from + part) * keep, v_set(0.0f)));
                }
            }
        }
    }
}

void KERNEL(dropout)(const float *x, float *y, size_t n, float rate, uint64_t seed,
                     const uint32_t *samples, uint32_t epoch, uint32_t stream)
{
    const struct draw draw = {seed, samples, epoch, stream};
    mask(&draw, x, y, n, 1, rate);
}

void KERNEL(spatial_dropout)(const float *x, float *y, size_t maps, size_t size, float rate,
                             uint64_t seed, const uint32_t *samples, uint32_t epoch,
                             uint32_t stream)
{
    const struct draw draw = {seed, samples, epoch, stream};
    mask(&draw, x, y, maps, size, rate);
}
