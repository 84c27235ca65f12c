/* optimizers.c: the optimizers' steps over flat vectors: each number by itself, in place. The
 * formulas stand in src/optim, one file an optimizer; here they are arranged for vectors. */
#include "kernels/bodies.h"
#include "kernels/parts.h"

/* share * old + rest * new */
INLINE vec mix(float share, vec old, float rest, vec new)
{
    return v_fma(v_set(share), old, v_set(rest) * new);
}

/* Decoupled decay: w - decay * w. With decay 0 it is w. */
INLINE vec decayed(vec w, float decay) { return v_fma(v_set(-decay), w, w); }

/* v = momentum v + g; w -= lr v, or with Nesterov's lookahead w -= lr (g + momentum v). */
INLINE void sgd_at(float lr, float momentum, int nesterov, size_t live, float *w, const float *g,
                   float *v)
{
    const vec gradient = part_load(g, live);
    const vec velocity = v_fma(v_set(momentum), part_load(v, live), gradient);
    const vec step = nesterov ? v_fma(v_set(momentum), velocity, gradient) : velocity;
    part_store(w, v_fma(v_set(-lr), step, part_load(w, live)), live);
    part_store(v, velocity, live);
}

void KERNEL(sgd)(float lr, float momentum, int nesterov, size_t n, float *w, const float *g,
                 float *v)
{
#define AT(i, live) sgd_at(lr, momentum, nesterov, live, w + (i), g + (i), v + (i))
    OVER(n, AT);
#undef AT
}

/* `greatest` is amsgrad's, or NULL. */
INLINE void adam_at(const struct adam *a, size_t live, float *w, const float *g, float *m, float *v,
                    float *greatest)
{
    const vec gradient = part_load(g, live);
    const vec mean = mix(a->beta1, part_load(m, live), a->rest1, gradient);
    const vec square = mix(a->beta2, part_load(v, live), a->rest2, gradient * gradient);
    vec judge = square;
    part_store(m, mean, live);
    part_store(v, square, live);
    if (greatest) {
        judge = v_max(part_load(greatest, live), square);
        part_store(greatest, judge, live);
    }
    const vec root = v_fma(v_sqrt(judge), v_set(1.0f / a->correction2), v_set(a->epsilon));
    const vec kept = decayed(part_load(w, live), a->decay);
    part_store(w, kept - v_set(a->lr / a->correction1) * (mean / root), live);
}

void KERNEL(adam)(const struct adam *options, size_t n, float *w, const float *g, float *m,
                  float *v)
{
    const struct adam a = *options; /* a copy: the stores cannot change it */
#define AT(i, live) adam_at(&a, live, w + (i), g + (i), m + (i), v + (i), NULL)
    OVER(n, AT);
#undef AT
}

void KERNEL(amsgrad)(const struct adam *options, size_t n, float *w, const float *g, float *m,
                     float *v, float *greatest)
{
    const struct adam a = *options;
#define AT(i, live) adam_at(&a, live, w + (i), g + (i), m + (i), v + (i), greatest + (i))
    OVER(n, AT);
#undef AT
}

INLINE void nadam_at(const struct nadam *a, size_t live, float *w, const float *g, float *m,
                     float *v)
{
    const vec gradient = part_load(g, live);
    const vec mean = mix(a->beta1, part_load(m, live), a->rest1, gradient);
    const vec square = mix(a->beta2, part_load(v, live), a->rest2, gradient * gradient);
    const vec root = v_fma(v_sqrt(square), v_set(1.0f / a->correction2), v_set(a->epsilon));
    const vec ahead = v_fma(v_set(a->rate_mean), mean, v_set(a->rate_gradient) * gradient);
    part_store(m, mean, live);
    part_store(v, square, live);
    part_store(w, part_load(w, live) - ahead / root, live);
}

void KERNEL(nadam)(const struct nadam *options, size_t n, float *w, const float *g, float *m,
                   float *v)
{
    const struct nadam a = *options;
#define AT(i, live) nadam_at(&a, live, w + (i), g + (i), m + (i), v + (i))
    OVER(n, AT);
#undef AT
}

INLINE void adagrad_at(const struct adagrad *a, size_t live, float *w, const float *g, float *sum)
{
    const vec gradient = part_load(g, live);
    const vec total = v_fma(gradient, gradient, part_load(sum, live));
    const vec root = v_sqrt(total + v_set(a->initial)) + v_set(a->epsilon);
    part_store(sum, total, live);
    part_store(w, v_fma(v_set(-a->lr), gradient / root, part_load(w, live)), live);
}

void KERNEL(adagrad)(const struct adagrad *options, size_t n, float *w, const float *g, float *sum)
{
    const struct adagrad a = *options;
#define AT(i, live) adagrad_at(&a, live, w + (i), g + (i), sum + (i))
    OVER(n, AT);
#undef AT
}

/* Rounding may leave a variance just below 0, which has no root. */
INLINE void rmsprop_at(const struct rmsprop *a, size_t live, float *w, const float *g,
                       float *square, float *velocity, float *mean)
{
    const vec gradient = part_load(g, live);
    const vec power = mix(a->alpha, part_load(square, live), a->rest, gradient * gradient);
    vec variance = power;
    part_store(square, power, live);
    if (a->centered) {
        const vec average = mix(a->alpha, part_load(mean, live), a->rest, gradient);
        part_store(mean, average, live);
        variance = v_max(v_set(0), power - average * average);
    }
    vec step = gradient / (v_sqrt(variance) + v_set(a->epsilon));
    if (a->momentum > 0) {
        step = v_fma(v_set(a->momentum), part_load(velocity, live), step);
        part_store(velocity, step, live);
    }
    part_store(w, v_fma(v_set(-a->lr), step, part_load(w, live)), live);
}

void KERNEL(rmsprop)(const struct rmsprop *options, size_t n, float *w, const float *g,
                     float *square, float *velocity, float *mean)
{
    const struct rmsprop a = *options;
#define AT(i, live) rmsprop_at(&a, live, w + (i), g + (i), square + (i), velocity + (i), mean + (i))
    OVER(n, AT);
#undef AT
}

INLINE void adadelta_at(const struct adadelta *a, size_t live, float *w, const float *g,
                        float *square, float *change)
{
    const vec gradient = part_load(g, live), before = part_load(change, live);
    const vec power = mix(a->rho, part_load(square, live), a->rest, gradient * gradient);
    const vec step =
        v_sqrt(before + v_set(a->epsilon)) / v_sqrt(power + v_set(a->epsilon)) * gradient;
    part_store(square, power, live);
    part_store(change, mix(a->rho, before, a->rest, step * step), live);
    part_store(w, v_fma(v_set(-a->lr), step, part_load(w, live)), live);
}

void KERNEL(adadelta)(const struct adadelta *options, size_t n, float *w, const float *g,
                      float *square, float *change)
{
    const struct adadelta a = *options;
#define AT(i, live) adadelta_at(&a, live, w + (i), g + (i), square + (i), change + (i))
    OVER(n, AT);
#undef AT
}

INLINE void lion_at(const struct lion *a, size_t live, float *w, const float *g, float *m)
{
    const vec gradient = part_load(g, live), mean = part_load(m, live);
    const vec way = v_sign(mix(a->beta1, mean, a->rest1, gradient));
    const vec kept = decayed(part_load(w, live), a->decay);
    part_store(w, v_fma(v_set(-a->lr), way, kept), live);
    part_store(m, mix(a->beta2, mean, a->rest2, gradient), live);
}

void KERNEL(lion)(const struct lion *options, size_t n, float *w, const float *g, float *m)
{
    const struct lion a = *options;
#define AT(i, live) lion_at(&a, live, w + (i), g + (i), m + (i))
    OVER(n, AT);
#undef AT
}
