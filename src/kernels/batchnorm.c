/* batchnorm.c: statistics of one channel of a tile, and what they are for: y = (x - mean) * scale +
 * shift, and its gradient. Ioffe and Szegedy 2015, "Batch normalization"; how the parts make a
 * layer is in net/layers/batchnorm.c.
 *
 * Sums run over pixels and live lanes. Each lane adds 32 pixels in floats, in four chains; the
 * lanes are then added in the tree of lanes.h, and those sums in double: exact enough for any map,
 * and the same at every level. */
#include "kernels/bodies.h"

enum { CHAINS = 4, BLOCK = 32 };

/* Add TERM, a vector expression of `pixel` and `part`, over all pixels, lanes and parts. */
#define SUM_OVER_PIXELS(pixels, sum, TERM)                                                         \
    do {                                                                                           \
        for (size_t first = 0; first < (pixels); first += BLOCK) {                                 \
            const size_t end = (pixels)-first < BLOCK ? (pixels) : first + BLOCK;                  \
            vec chains[CHAINS][PARTS];                                                             \
            for (int k = 0; k < CHAINS; k++) {                                                     \
                for (int part = 0; part < PARTS; part++) {                                         \
                    chains[k][part] = v_set(0.0f);                                                 \
                }                                                                                  \
            }                                                                                      \
            size_t pixel = first;                                                                  \
            for (; pixel + CHAINS <= end; pixel += CHAINS) {                                       \
                UNROLL                                                                             \
                for (int k = 0; k < CHAINS; k++) {                                                 \
                    UNROLL                                                                         \
                    for (int part = 0; part < PARTS; part++) {                                     \
                        const size_t at = (pixel + (size_t)k) * LANES + (size_t)part * WIDTH;      \
                        chains[k][part] = TERM(chains[k][part]);                                   \
                    }                                                                              \
                }                                                                                  \
            }                                                                                      \
            for (; pixel < end; pixel++) {                                                         \
                UNROLL                                                                             \
                for (int part = 0; part < PARTS; part++) {                                         \
                    const size_t at = pixel * LANES + (size_t)part * WIDTH;                        \
                    chains[0][part] = TERM(chains[0][part]);                                       \
                }                                                                                  \
            }                                                                                      \
            UNROLL                                                                                 \
            for (int part = 0; part < PARTS; part++) {                                             \
                chains[0][part] =                                                                  \
                    (chains[0][part] + chains[1][part]) + (chains[2][part] + chains[3][part]);     \
            }                                                                                      \
            (sum) += (double)lanes_sum(chains[0]);                                                 \
        }                                                                                          \
    } while (0)

INLINE void load_live(const float *live, vec masks[PARTS])
{
    UNROLL
    for (int part = 0; part < PARTS; part++) {
        masks[part] = v_load(live + part * WIDTH);
    }
}

void KERNEL(moments)(size_t pixels, const float *x, const float *live, double moments[3])
{
    vec masks[PARTS];
    double sum = 0, squares = 0;
    load_live(live, masks);
    const double count = (double)lanes_sum(masks) * (double)pixels;
#define TERM(chain) v_fma(v_load(x + at), masks[part], chain)
    SUM_OVER_PIXELS(pixels, sum, TERM);
#undef TERM
    const double mean = sum / count;
    const vec centre = v_set((float)mean);
#define DISTANCE ((v_load(x + at) - centre) * masks[part])
#define TERM(chain) v_fma(DISTANCE, DISTANCE, chain)
    SUM_OVER_PIXELS(pixels, squares, TERM);
#undef TERM
    /* the centre was rounded: by how much, is known */
    const double off = mean - (double)(float)mean;
    moments[0] = count;
    moments[1] = mean;
    moments[2] = squares - count * off * off;
}

void KERNEL(normalize)(size_t pixels, const float *x, float mean, float scale, float shift,
                       float *y)
{
    const vec centre = v_set(mean), factor = v_set(scale), addend = v_set(shift);
    for (size_t at = 0; at < pixels * LANES; at += WIDTH) {
        v_store(y + at, v_fma(v_load(x + at) - centre, factor, addend));
    }
}

void KERNEL(normalize_sums)(size_t pixels, const float *x, const float *dy, float mean,
                            double sums[2])
{
    const vec centre = v_set(mean);
    double sum = 0, product = 0;
#define TERM(chain) ((chain) + v_load(dy + at))
    SUM_OVER_PIXELS(pixels, sum, TERM);
#undef TERM
#define TERM(chain) v_fma(v_load(x + at) - centre, v_load(dy + at), chain)
    SUM_OVER_PIXELS(pixels, product, TERM);
#undef TERM
    sums[0] = sum;
    sums[1] = product;
}

void KERNEL(normalize_backward)(size_t pixels, const float *x, const float *dy, const float *live,
                                float mean, const float factors[3], float *dx)
{
    const vec centre = v_set(mean), by_dy = v_set(factors[0]), by_x = v_set(factors[1]),
              rest = v_set(factors[2]);
    vec masks[PARTS];
    load_live(live, masks);
    for (size_t pixel = 0; pixel < pixels; pixel++) {
        UNROLL
        for (int part = 0; part < PARTS; part++) {
            const size_t at = pixel * LANES + (size_t)part * WIDTH;
            const vec d = v_fma(v_load(dy + at), by_dy, v_fma(v_load(x + at) - centre, by_x, rest));
            v_store(dx + at, d * masks[part]);
        }
    }
}
