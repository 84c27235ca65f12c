/* batchnorm.c: statistics of one channel of a tile, and what they are for: with f the activation
 * that follows, or none,
 *
 *     y = f(z), z = (x - mean) * scale + shift        d = dy f'(z), dx = d * scale + ...
 *
 * Ioffe and Szegedy 2015, "Batch normalization"; how the parts make a layer is in
 * net/layers/batchnorm.c. The channels of a batch do not fit a cache, so what counts is how often
 * they go through memory: z is never stored, but made anew from x. So f is only what costs next to
 * nothing.
 *
 * Sums run over pixels and live lanes. Blocks of pixels are summed in floats, lane by lane, in a
 * few chains; the lanes are then added in the tree of lanes.h, and those sums in double: exact
 * enough for any map, and the same at every level. */
#include "kernels/activation_functions.h"
#include "kernels/bodies.h"

enum { CHAINS = 2, BLOCK = 64 };

/* Sums over a block of pixels: of each chain, of each part of the lanes. */
struct sums {
    vec once[CHAINS][PARTS], product[CHAINS][PARTS];
};

INLINE void sums_clear(struct sums *s)
{
    UNROLL
    for (int i = 0; i < CHAINS * PARTS; i++) {
        s->once[i / PARTS][i % PARTS] = s->product[i / PARTS][i % PARTS] = v_set(0.0f);
    }
}

INLINE void sums_add(struct sums *s, int chain, int part, vec a, vec b)
{
    s->once[chain][part] = s->once[chain][part] + a;
    s->product[chain][part] = v_fma(a, b, s->product[chain][part]);
}

INLINE double sums_total(vec chains[CHAINS][PARTS])
{
    UNROLL
    for (int part = 0; part < PARTS; part++) {
        chains[0][part] = chains[0][part] + chains[1][part];
    }
    return (double)lanes_sum(chains[0]);
}

/* AT(chain, part, at) for every vector of n pixels from `first`, `at` counting floats. */
#define OVER_PIXELS(first, n, AT)                                                                  \
    do {                                                                                           \
        size_t pixel = (first);                                                                    \
        for (; pixel + CHAINS <= (first) + (n); pixel += CHAINS) {                                 \
            UNROLL                                                                                 \
            for (int k = 0; k < CHAINS * PARTS; k++) {                                             \
                AT(k / PARTS, k % PARTS, pixel * LANES + (size_t)k * WIDTH);                       \
            }                                                                                      \
        }                                                                                          \
        for (; pixel < (first) + (n); pixel++) {                                                   \
            UNROLL                                                                                 \
            for (int k = 0; k < PARTS; k++) {                                                      \
                AT(0, k, pixel *LANES + (size_t)k * WIDTH);                                        \
            }                                                                                      \
        }                                                                                          \
    } while (0)

INLINE void load_live(const float *live, vec masks[PARTS])
{
    UNROLL
    for (int part = 0; part < PARTS; part++) {
        masks[part] = v_load(live + part * WIDTH);
    }
}

/* The sums of d and d^2 for d = x - centre, of the live lanes of n pixels. */
INLINE void distances(size_t n, const float *x, const vec masks[PARTS], float centre,
                      double totals[2])
{
    struct sums s;
    sums_clear(&s);
#define AT(chain, part, at)                                                                        \
    do {                                                                                           \
        const vec d = (v_load(x + (at)) - v_set(centre)) * masks[part];                            \
        sums_add(&s, chain, part, d, d);                                                           \
    } while (0)
    OVER_PIXELS(0, n, AT);
#undef AT
    totals[0] = sums_total(s.once);
    totals[1] = sums_total(s.product);
}

/* In one pass. The distances of a block are from the mean of all blocks but the one before it
 * (which would have to be waited for), and moved from there to the block's own mean; Chan, Golub,
 * LeVeque 1979 put the blocks together. The squares lose digits where a block lies far from that
 * centre; but then that distance itself is most of the variance. */
void KERNEL(moments)(size_t pixels, const float *x, const float *live, double moments[3])
{
    vec masks[PARTS];
    load_live(live, masks);
    const double lanes = (double)lanes_sum(masks);
    double count = 0, mean = 0, squares = 0, totals[2];
    const size_t some = pixels < BLOCK ? pixels : BLOCK;
    distances(some, x, masks, 0, totals);
    double centre = totals[0] / (lanes * (double)some);
    for (size_t first = 0; first < pixels; first += BLOCK) {
        const size_t n = pixels - first < BLOCK ? pixels - first : BLOCK;
        const double own = lanes * (double)n, all = count + own, from = (double)(float)centre;
        distances(n, x + first * LANES, masks, (float)centre, totals);
        centre = first ? mean : centre;
        const double step = from + totals[0] / own - mean;
        squares += totals[1] - totals[0] * totals[0] / own + step * step * (count * own / all);
        mean += step * (own / all);
        count = all;
    }
    moments[0] = count;
    moments[1] = mean;
    moments[2] = squares;
}

/* ---- with the activation that follows ---- */

typedef vec function(vec x, float slope);
typedef vec derivative(vec x, vec dy, float slope);

/* z at one vector of x */
INLINE vec normal_at(const struct norm *n, const float *x)
{
    return v_fma(v_load(x) - v_set(n->mean), v_set(n->scale), v_set(n->shift));
}

INLINE void forward(function *f, size_t pixels, const float *x, const struct norm *norm, float *y)
{
    const struct norm n = *norm; /* a copy: the stores cannot change it */
    for (size_t at = 0; at < pixels * LANES; at += WIDTH) {
        v_store(y + at, f(normal_at(&n, x + at), n.slope));
    }
}

INLINE void sums(derivative *through, size_t pixels, const float *x, const float *dy,
                 const struct norm *norm, double totals[2])
{
    const struct norm n = *norm;
    totals[0] = totals[1] = 0;
    for (size_t first = 0; first < pixels; first += BLOCK) {
        struct sums s;
        sums_clear(&s);
#define AT(chain, part, at)                                                                        \
    do {                                                                                           \
        const vec d = through(normal_at(&n, x + (at)), v_load(dy + (at)), n.slope);                \
        sums_add(&s, chain, part, d, v_load(x + (at)) - v_set(n.mean));                            \
    } while (0)
        OVER_PIXELS(first, pixels - first < BLOCK ? pixels - first : BLOCK, AT);
#undef AT
        totals[0] += sums_total(s.once);
        totals[1] += sums_total(s.product);
    }
}

INLINE void backward(derivative *through, size_t pixels, const float *x, const float *dy,
                     const float *live, const struct norm *norm, float *dx)
{
    const struct norm n = *norm;
    vec masks[PARTS];
    load_live(live, masks);
    for (size_t pixel = 0; pixel < pixels; pixel++) {
        UNROLL
        for (int part = 0; part < PARTS; part++) {
            const size_t at = pixel * LANES + (size_t)part * WIDTH;
            const vec d = through(normal_at(&n, x + at), v_load(dy + at), n.slope);
            const vec rest = v_fma(v_load(x + at) - v_set(n.mean), v_set(n.by_x), v_set(n.rest));
            v_store(dx + at, v_fma(d, v_set(n.scale), rest) * masks[part]);
        }
    }
}

INLINE vec none_of(vec x, float slope)
{
    (void)slope;
    return x;
}

INLINE vec none_through(vec x, vec dy, float slope)
{
    (void)x, (void)slope;
    return dy;
}

#define DEFINE(name)                                                                               \
    static void name##_forward(size_t pixels, const float *x, const struct norm *n, float *y)      \
    {                                                                                              \
        forward(name##_of, pixels, x, n, y);                                                       \
    }                                                                                              \
    static void name##_sums(size_t pixels, const float *x, const float *dy, const struct norm *n,  \
                            double totals[2])                                                      \
    {                                                                                              \
        sums(name##_through, pixels, x, dy, n, totals);                                            \
    }                                                                                              \
    static void name##_backward(size_t pixels, const float *x, const float *dy, const float *live, \
                                const struct norm *n, float *dx)                                   \
    {                                                                                              \
        backward(name##_through, pixels, x, dy, live, n, dx);                                      \
    }
DEFINE(none)
DEFINE(relu)
DEFINE(leaky_relu)

#define LIST(name)                                                                                 \
    {                                                                                              \
        name##_forward, name##_sums, name##_backward                                               \
    }
const struct norm_kernel KERNEL(norm)[ACTIVATION_COUNT + 1] = {
    [ACTIVATION_NONE] = LIST(none),
    [ACTIVATION_RELU] = LIST(relu),
    [ACTIVATION_LEAKY_RELU] = LIST(leaky_relu),
};
