/* activations.c: elementwise functions over n vectors of 16, and their derivatives
 * (activation_functions.h). */
#include "kernels/activation_functions.h"
#include "kernels/bodies.h"

/* The mean of f over windows that tile the map; terms are added and scaled as in pool.c. f, kh and
 * kw are constants where this is inlined. */
INLINE void mean_of(vec (*f)(vec, float), const struct window *s, int kh, int kw, const float *x,
                    float *y, float slope)
{
    const vec factor = v_set(1.0f / (float)(kh * kw));
    for (int row = 0; row < s->c * s->oh; row++, x += (size_t)kh * s->w * LANES) {
        for (int ox = 0; ox < s->ow; ox++, y += LANES) {
            for (int part = 0; part < PARTS; part++) {
                vec sum = v_set(0.0f);
                for (int iy = 0; iy < kh; iy++) {
                    for (int ix = 0; ix < kw; ix++) {
                        const size_t at = (size_t)iy * s->w + (size_t)ox * kw + ix;
                        sum = sum + f(v_load(x + at * LANES + part * WIDTH), slope);
                    }
                }
                v_store(y + part * WIDTH, sum * factor);
            }
        }
    }
}

#define DEFINE(NAME, name, FROM)                                                                   \
    static void name##_forward(const float *x, float *y, size_t n, float slope)                    \
    {                                                                                              \
        for (size_t i = 0; i < n * LANES; i += WIDTH) {                                            \
            v_store(y + i, name##_of(v_load(x + i), slope));                                       \
        }                                                                                          \
    }                                                                                              \
    static void name##_backward(const float *xy, const float *dy, float *dx, size_t n,             \
                                float slope)                                                       \
    {                                                                                              \
        for (size_t i = 0; i < n * LANES; i += WIDTH) {                                            \
            v_store(dx + i, name##_back(v_load(xy + i), v_load(dy + i), slope));                   \
        }                                                                                          \
    }                                                                                              \
    static void name##_mean(const struct window *s, const float *x, float *y, float slope)         \
    {                                                                                              \
        if (s->kh == 2 && s->kw == 2) {                                                            \
            mean_of(name##_of, s, 2, 2, x, y, slope);                                              \
        } else {                                                                                   \
            mean_of(name##_of, s, s->kh, s->kw, x, y, slope);                                      \
        }                                                                                          \
    }
ACTIVATIONS(DEFINE)

#define LIST(NAME, name, FROM) [ACTIVATION_##NAME] = {name##_forward, name##_backward, name##_mean},
const struct activation_kernel KERNEL(activations)[ACTIVATION_COUNT] = {ACTIVATIONS(LIST)};
