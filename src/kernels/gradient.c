/* gradient.c: what happens to a gradient between the batch and the optimizer, and to weights after
 * it; over flat vectors, in place. */
#include "kernels/bodies.h"
#include "kernels/parts.h"

INLINE void clip_at(float limit, size_t live, float *x)
{
    /* what is not a number stays so */
    const vec below = v_max(v_set(-limit), part_load(x, live));
    part_store(x, v_min(v_set(limit), below), live);
}

void KERNEL(clip)(float limit, size_t n, float *x)
{
#define AT(i, live) clip_at(limit, live, x + (i))
    OVER(n, AT);
#undef AT
}

INLINE void scale_at(float factor, size_t live, float *x)
{
    part_store(x, v_set(factor) * part_load(x, live), live);
}

void KERNEL(scale)(float factor, size_t n, float *x)
{
#define AT(i, live) scale_at(factor, live, x + (i))
    OVER(n, AT);
#undef AT
}

INLINE void penalize_at(float l1, float l2, size_t live, const float *w, float *g)
{
    const vec weight = part_load(w, live);
    const vec sum = v_fma(v_set(l2), weight, part_load(g, live));
    part_store(g, v_fma(v_set(l1), v_sign(weight), sum), live);
}

void KERNEL(penalize)(float l1, float l2, size_t n, const float *w, float *g)
{
#define AT(i, live) penalize_at(l1, l2, live, w + (i), g + (i))
    OVER(n, AT);
#undef AT
}

INLINE void average_at(float keep, float rest, size_t live, const float *w, float *average)
{
    const vec old = v_set(keep) * part_load(average, live);
    part_store(average, v_fma(v_set(rest), part_load(w, live), old), live);
}

void KERNEL(average)(float keep, float rest, size_t n, const float *w, float *average)
{
#define AT(i, live) average_at(keep, rest, live, w + (i), average + (i))
    OVER(n, AT);
#undef AT
}
