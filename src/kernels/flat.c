/* flat.c: kernels over flat vectors: adding the shards of a gradient, and the optimizers' steps. */
#include "kernels/bodies.h"

enum { MOST_SHARDS = 64 };

/* The shards of one vector, added in a binary tree: neighbours, then neighbours of those. */
INLINE vec tree(const float *at, int count, size_t stride, size_t n)
{
    vec v[MOST_SHARDS];
    for (int s = 0; s < count; s++) {
        v[s] = n >= WIDTH ? v_loadu(at + (size_t)s * stride)
                          : v_load_first(at + (size_t)s * stride, n);
    }
    for (int step = 1; step < count; step *= 2) {
        for (int s = 0; s + step < count; s += 2 * step) {
            v[s] = v[s] + v[s + step];
        }
    }
    return v[0];
}

void KERNEL(reduce)(size_t n, const float *shards, int count, size_t stride, float *sum)
{
    size_t i = 0;
    for (; i + WIDTH <= n; i += WIDTH) {
        v_storeu(sum + i, tree(shards + i, count, stride, WIDTH));
    }
    if (i < n) {
        v_store_first(sum + i, tree(shards + i, count, stride, n - i), n - i);
    }
}

INLINE void adam_vector(const struct adam *a, vec *w, vec g, vec *m, vec *v)
{
    *m = v_fma(v_set(a->beta1), *m, v_set(a->rest1) * g);
    *v = v_fma(v_set(a->beta2), *v, v_set(a->rest2) * (g * g));
    const vec root = v_fma(v_sqrt(*v), v_set(1.0f / a->correction2), v_set(a->epsilon));
    *w = *w - v_set(a->lr / a->correction1) * (*m / root);
}

void KERNEL(adam)(const struct adam *a, size_t n, float *w, const float *g, float *m, float *v)
{
    size_t i = 0;
    for (; i + WIDTH <= n; i += WIDTH) {
        vec wi = v_loadu(w + i), mi = v_loadu(m + i), vi = v_loadu(v + i);
        adam_vector(a, &wi, v_loadu(g + i), &mi, &vi);
        v_storeu(w + i, wi);
        v_storeu(m + i, mi);
        v_storeu(v + i, vi);
    }
    if (i < n) {
        const size_t rest = n - i;
        vec wi = v_load_first(w + i, rest), mi = v_load_first(m + i, rest),
            vi = v_load_first(v + i, rest);
        adam_vector(a, &wi, v_load_first(g + i, rest), &mi, &vi);
        v_store_first(w + i, wi, rest);
        v_store_first(m + i, mi, rest);
        v_store_first(v + i, vi, rest);
    }
}

/* v = momentum v + g; w -= lr v, or with Nesterov's lookahead w -= lr (g + momentum v). */
INLINE void sgd_vector(float lr, float momentum, int nesterov, vec *w, vec g, vec *v)
{
    *v = v_fma(v_set(momentum), *v, g);
    const vec step = nesterov ? v_fma(v_set(momentum), *v, g) : *v;
    *w = v_fma(v_set(-lr), step, *w);
}

void KERNEL(sgd)(float lr, float momentum, int nesterov, size_t n, float *w, const float *g,
                 float *v)
{
    size_t i = 0;
    for (; i + WIDTH <= n; i += WIDTH) {
        vec wi = v_loadu(w + i), vi = v_loadu(v + i);
        sgd_vector(lr, momentum, nesterov, &wi, v_loadu(g + i), &vi);
        v_storeu(w + i, wi);
        v_storeu(v + i, vi);
    }
    if (i < n) {
        const size_t rest = n - i;
        vec wi = v_load_first(w + i, rest), vi = v_load_first(v + i, rest);
        sgd_vector(lr, momentum, nesterov, &wi, v_load_first(g + i, rest), &vi);
        v_store_first(w + i, wi, rest);
        v_store_first(v + i, vi, rest);
    }
}
