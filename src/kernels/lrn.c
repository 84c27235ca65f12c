/* lrn.c: local response normalisation across channels: y = x / s^beta, where s = k + share * sum of
 * x^2 over a window of channels, from `before` channels before to `after` behind. How it is a layer
 * is in net/layers/lrn.c. */
#include "kernels/bodies.h"

/* s at a vector of channel c. */
INLINE vec scale_of(const struct lrn *o, size_t pixels, const float *x, int c, size_t at)
{
    const int first = c - o->before > 0 ? c - o->before : 0,
              last = c + o->after < o->c - 1 ? c + o->after : o->c - 1;
    vec sum = v_set(0.0f);
    for (int other = first; other <= last; other++) {
        const vec value = v_load(x + (size_t)other * pixels * LANES + at);
        sum = v_fma(value, value, sum);
    }
    return v_fma(v_set(o->share), sum, v_set(o->k));
}

INLINE vec power(vec s, float exponent) { return v_exp(v_set(exponent) * v_log(s)); }

void KERNEL(lrn_forward)(const struct lrn *o, size_t pixels, const float *x, float *y)
{
    for (int c = 0; c < o->c; c++) {
        const size_t map = (size_t)c * pixels * LANES;
        for (size_t at = 0; at < pixels * LANES; at += WIDTH) {
            const vec s = scale_of(o, pixels, x, c, at);
            v_store(y + map + at, v_load(x + map + at) * power(s, -o->beta));
        }
    }
}

void KERNEL(lrn_backward)(const struct lrn *o, size_t pixels, const float *x, const float *dy,
                          float *dx, float *scratch)
{
    for (int c = 0; c < o->c; c++) {
        const size_t map = (size_t)c * pixels * LANES;
        for (size_t at = 0; at < pixels * LANES; at += WIDTH) {
            const vec s = scale_of(o, pixels, x, c, at);
            const vec d = v_load(dy + map + at) * power(s, -o->beta);
            v_store(dx + map + at, d);
            v_store(scratch + map + at, d * v_load(x + map + at) / s);
        }
    }
    const vec factor = v_set(-2.0f * o->share * o->beta);
    for (int c = 0; c < o->c; c++) { /* its square is in the windows of these */
        const size_t map = (size_t)c * pixels * LANES;
        const int first = c - o->after > 0 ? c - o->after : 0,
                  last = c + o->before < o->c - 1 ? c + o->before : o->c - 1;
        for (size_t at = 0; at < pixels * LANES; at += WIDTH) {
            vec sum = v_set(0.0f);
            for (int other = first; other <= last; other++) {
                sum = sum + v_load(scratch + (size_t)other * pixels * LANES + at);
            }
            v_store(dx + map + at,
                    v_fma(factor * v_load(x + map + at), sum, v_load(dx + map + at)));
        }
    }
}
