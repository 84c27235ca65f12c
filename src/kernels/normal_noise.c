/* normal_noise.c: normal random numbers on the values of a tile, by the inverse distribution
 * function
 *
 *     N = sqrt(2) erfinv(u),  u uniform in (-1, 1)
 *
 * with the two polynomials of M. Giles, "Approximating the erfinv function", GPU Computing Gems 2
 * (2011), table 5: one in w = -ln(1 - u^2), one in its root for the tails. One word a number, so up
 * to 5.4 standard deviations. */
#include "kernels/bodies.h"
#include "kernels/philox_lanes.h"

/* The polynomial's value, from the highest coefficient on. */
INLINE vec polynomial(const float *coefficients, int count, vec x)
{
    vec p = v_set(coefficients[0]);
    UNROLL
    for (int i = 1; i < count; i++) {
        p = v_fma(p, x, v_set(coefficients[i]));
    }
    return p;
}

INLINE vec v_normal(vec u)
{
    static const float CENTRE[] = {2.81022636e-08f,  3.43273939e-07f, -3.5233877e-06f,
                                   -4.39150654e-06f, 0.00021858087f,  -0.00125372503f,
                                   -0.00417768164f,  0.246640727f,    1.50140941f};
    static const float TAIL[] = {-0.000200214257f, 0.000100950558f, 0.00134934322f,
                                 -0.00367342844f,  0.00573950773f,  -0.0076224613f,
                                 0.00943887047f,   1.00167406f,     2.83297682f};
    const vec one = v_set(1.0f), w = v_set(0.0f) - v_log((one - u) * (one + u));
    const vec centre = polynomial(CENTRE, 9, w - v_set(2.5f));
    const vec tail = polynomial(TAIL, 9, v_sqrt(v_max(w, v_set(0.0f))) - v_set(3.0f));
    return v_set(1.41421356f) * u * v_select(v_greater(v_set(5.0f), w), centre, tail);
}

/* The word's upper 23 bits as a number in (-1, 1): (2k + 1) / 2^23 - 1, exact. */
INLINE void uniform(const struct words *words, float u[LANES])
{
    for (int i = 0; i < LANES; i++) {
        u[i] = (float)(int32_t)(words->lane[i] >> 9 << 1 | 1) * (1.0f / 8388608.0f) - 1.0f;
    }
}

void KERNEL(normal_noise)(const float *x, float *y, size_t n, float std, int multiply,
                          uint64_t seed, const uint32_t *samples, uint32_t epoch, uint32_t stream)
{
    const struct draw draw = {seed, samples, epoch, stream};
    float u[LANES] __attribute__((aligned(64)));
    for (size_t block = 0; block * 4 < n; block++) {
        struct words c[4];
        draw_block(&draw, block, c);
        for (size_t e = 0; e < 4 && block * 4 + e < n; e++) {
            const size_t at = (block * 4 + e) * LANES;
            uniform(&c[e], u);
            for (int part = 0; part < PARTS; part++) {
                const vec in = v_load(x + at + part * WIDTH);
                const vec normal = v_normal(v_load(u + part * WIDTH));
                const vec factor = v_fma(v_set(std), normal, v_set(1.0f));
                const vec sum = v_fma(v_set(std), normal, in), product = in * factor;
                v_store(y + at + part * WIDTH, multiply ? product : sum);
            }
        }
    }
}
