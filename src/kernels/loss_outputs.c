/* loss_outputs.c: the losses that take the outputs z[classes][16] of a tile as they are; every lane
 * by itself, in the order of the classes. With d = z - t, t the target:
 *
 *     mse     mean over k of d[k]^2
 *     mae     mean over k of |d[k]|
 *     huber   mean over k of d[k]^2 / 2 where |d[k]| < delta, else delta (|d[k]| - delta / 2)
 *     hinge   sum over k != y of max(0, margin - z[y] + z[k]) / classes, y the right class
 *
 * Huber 1964; the multi-class hinge of Weston and Watkins 1999 (PyTorch's MultiMarginLoss). A
 * target of two classes has the hinge of each, by their shares. */
#include "kernels/loss_target.h"

/* 1, 0 or -1; what is not finite stays visible. */
INLINE vec sign_of(vec d)
{
    const vec zero = v_set(0.0f);
    return v_select(v_greater(d, zero), v_set(1.0f),
                    v_select(v_greater(zero, d), v_set(-1.0f), zero)) +
           (d - d);
}

INLINE vec absolute(vec d) { return v_max(d, v_set(0.0f) - d); }

INLINE void square(float delta, vec d, vec *value, vec *slope)
{
    (void)delta;
    *value = d * d;
    *slope = v_set(2.0f) * d;
}

INLINE void distance(float delta, vec d, vec *value, vec *slope)
{
    (void)delta;
    *value = absolute(d);
    *slope = sign_of(d);
}

INLINE void square_then_distance(float delta, vec d, vec *value, vec *slope)
{
    const vmask near = v_greater(v_set(delta), absolute(d));
    *value =
        v_select(near, v_set(0.5f) * d * d, v_set(delta) * (absolute(d) - v_set(0.5f * delta)));
    *slope = v_select(near, d, v_set(delta) * sign_of(d));
}

/* The mean over the classes of a function of each difference. */
INLINE void differences(void (*function)(float delta, vec d, vec *value, vec *slope), float delta,
                        int classes, const float *z, const struct labels *labels, float scale,
                        float *loss, float *dz)
{
    const vec mean = v_set(1.0f / (float)classes);
    struct target target;
    target_make(&target, labels);
    for (int part = 0; part < PARTS; part++) {
        vec sum = v_set(0.0f);
        for (int k = 0; k < classes; k++) {
            const size_t at = (size_t)k * LANES + part * WIDTH;
            vec value, slope;
            function(delta, v_load(z + at) - target_of(&target, part, k), &value, &slope);
            sum = sum + value;
            if (dz) {
                v_store(dz + at, target_live(&target, part, slope * mean * v_set(scale)));
            }
        }
        v_store(loss + part * WIDTH, target_live(&target, part, sum * mean));
    }
}

void KERNEL(mse)(const struct loss_terms *terms, int classes, const float *z,
                 const struct labels *labels, float scale, float *loss, float *dz)
{
    (void)terms;
    differences(square, 0, classes, z, labels, scale, loss, dz);
}

void KERNEL(mae)(const struct loss_terms *terms, int classes, const float *z,
                 const struct labels *labels, float scale, float *loss, float *dz)
{
    (void)terms;
    differences(distance, 0, classes, z, labels, scale, loss, dz);
}

void KERNEL(huber)(const struct loss_terms *terms, int classes, const float *z,
                   const struct labels *labels, float scale, float *loss, float *dz)
{
    differences(square_then_distance, terms->delta, classes, z, labels, scale, loss, dz);
}

/* The hinge of the i-th class of each lane: its sum, and how often it was above 0. */
struct hinge {
    vec right, sum, count; /* right: the class's own output */
};

/* Class k's part in it; returns 1 where it is above 0. */
INLINE vec hinge_add(struct hinge *hinge, vmask is_right, float margin, vec z)
{
    const vec zero = v_set(0.0f), over = v_set(margin) - hinge->right + z;
    const vec active = v_select(is_right, zero,
                                v_select(v_greater(over, zero), v_set(1.0f), zero) + (over - over));
    /* the greater of the two; not a number when `over` is none */
    hinge->sum = hinge->sum + v_select(is_right, zero, v_max(zero, over));
    hinge->count = hinge->count + active;
    return active;
}

void KERNEL(hinge)(const struct loss_terms *terms, int classes, const float *z,
                   const struct labels *labels, float scale, float *loss, float *dz)
{
    const vec mean = v_set(1.0f / (float)classes), step = mean * v_set(scale);
    struct target target;
    target_make(&target, labels);
    for (int part = 0; part < PARTS; part++) {
        const vec zero = v_set(0.0f);
        struct hinge hinge[2] = {{zero, zero, zero}, {zero, zero, zero}};
        vec share[2];
        for (int i = 0; i < 2; i++) {
            share[i] = v_load(target.share[i] + part * WIDTH);
            for (int k = 0; k < classes; k++) {
                const vec here = v_load(z + (size_t)k * LANES + part * WIDTH);
                hinge[i].right = v_select(target_is(&target, i, part, k), here, hinge[i].right);
            }
        }
        for (int k = 0; k < classes; k++) {
            const size_t at = (size_t)k * LANES + part * WIDTH;
            vec slope = zero;
            for (int i = 0; i < 2; i++) {
                const vec active = hinge_add(&hinge[i], target_is(&target, i, part, k),
                                             terms->margin, v_load(z + at));
                slope = v_fma(share[i], active, slope);
            }
            if (dz) {
                v_store(dz + at, target_live(&target, part, slope * step));
            }
        }
        for (int k = 0; dz && k < classes; k++) {
            float *to = dz + (size_t)k * LANES + part * WIDTH;
            const vec back = target_share(&target, 0, part, k) * hinge[0].count +
                             target_share(&target, 1, part, k) * hinge[1].count;
            v_store(to, v_load(to) - target_live(&target, part, back * step));
        }
        const vec sum = share[0] * hinge[0].sum + share[1] * hinge[1].sum;
        v_store(loss + part * WIDTH, target_live(&target, part, sum * mean));
    }
}
