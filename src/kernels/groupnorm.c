/* groupnorm.c: normalisation of each image by itself, lane by lane: the mean and variance of some
 * of its vectors, y = (x - mean) * inverse * weight + bias, and the gradient. How the parts make
 * layers is in net/layers/groupnorm.c.
 *
 * A channel has one weight (step 0) or one for each pixel (step 1). Sums of many vectors keep what
 * they lose to rounding (Kahan 1965), so that they do not depend on how many there are. */
#include "kernels/bodies.h"

struct sum {
    vec total, lost;
};

INLINE void sum_add(struct sum *sum, vec value)
{
    const vec mended = value - sum->lost, total = sum->total + mended;
    sum->lost = (total - sum->total) - mended;
    sum->total = total;
}

void KERNEL(lane_moments)(size_t n, const float *x, float eps, float *mean, float *inverse)
{
    for (int part = 0; part < PARTS; part++) {
        const vec count = v_set((float)n);
        struct sum sum = {v_set(0.0f), v_set(0.0f)}, squares = sum;
        for (size_t i = 0; i < n; i++) {
            sum_add(&sum, v_load(x + i * LANES + part * WIDTH));
        }
        const vec centre = sum.total / count;
        for (size_t i = 0; i < n; i++) {
            const vec d = v_load(x + i * LANES + part * WIDTH) - centre;
            sum_add(&squares, d * d);
        }
        v_store(mean + part * WIDTH, centre);
        v_store(inverse + part * WIDTH, v_set(1.0f) / v_sqrt(squares.total / count + v_set(eps)));
    }
}

void KERNEL(lane_normalize)(size_t pixels, const float *x, const float *mean, const float *inverse,
                            const float *weight, const float *bias, int step, float *y)
{
    for (size_t i = 0; i < pixels; i++) {
        for (int part = 0; part < PARTS; part++) {
            const size_t at = i * LANES + (size_t)part * WIDTH;
            const vec normal =
                (v_load(x + at) - v_load(mean + part * WIDTH)) * v_load(inverse + part * WIDTH);
            v_store(y + at,
                    v_fma(normal, v_set(weight[i * (size_t)step]), v_set(bias[i * (size_t)step])));
        }
    }
}

/* The sums of dy * weight and of that times the normalised x grow, lane by lane; those of dy and of
 * dy times the normalised x, over lanes and the pixels of one weight, are written or added. */
void KERNEL(lane_normalize_sums)(size_t pixels, const float *x, const float *dy, const float *mean,
                                 const float *inverse, const float *weight, int step, int add,
                                 float *dweight, float *dbias, float *sum, float *product)
{
    vec of_weight[PARTS], of_bias[PARTS];
    for (int part = 0; part < PARTS; part++) {
        of_weight[part] = of_bias[part] = v_set(0.0f);
    }
    for (size_t i = 0; i < pixels; i++) {
        for (int part = 0; part < PARTS; part++) {
            const size_t at = i * LANES + (size_t)part * WIDTH, lane = (size_t)part * WIDTH;
            const vec d = v_load(dy + at);
            const vec normal = (v_load(x + at) - v_load(mean + lane)) * v_load(inverse + lane);
            const vec scaled = d * v_set(weight[i * (size_t)step]);
            v_store(sum + lane, v_load(sum + lane) + scaled);
            v_store(product + lane, v_fma(scaled, normal, v_load(product + lane)));
            if (step) {
                of_weight[part] = of_bias[part] = v_set(0.0f);
            }
            of_weight[part] = v_fma(d, normal, of_weight[part]);
            of_bias[part] = of_bias[part] + d;
        }
        if (dweight && (step || i + 1 == pixels)) {
            const size_t to = i * (size_t)step;
            dweight[to] = (add ? dweight[to] : 0) + lanes_sum(of_weight);
            dbias[to] = (add ? dbias[to] : 0) + lanes_sum(of_bias);
        }
    }
}

void KERNEL(lane_normalize_backward)(size_t pixels, const float *x, const float *dy,
                                     const float *mean, const float *inverse, const float *weight,
                                     int step, const float *sum, const float *product, size_t n,
                                     float *dx)
{
    const vec share = v_set(1.0f / (float)n);
    for (size_t i = 0; i < pixels; i++) {
        for (int part = 0; part < PARTS; part++) {
            const size_t at = i * LANES + (size_t)part * WIDTH, lane = (size_t)part * WIDTH;
            const vec scale = v_load(inverse + lane);
            const vec normal = (v_load(x + at) - v_load(mean + lane)) * scale;
            const vec scaled = v_load(dy + at) * v_set(weight[i * (size_t)step]);
            const vec mean_sum = v_load(sum + lane) * share,
                      mean_product = v_load(product + lane) * share;
            v_store(dx + at,
                    scale * (v_fma(v_set(0.0f) - normal, mean_product, scaled - mean_sum)));
        }
    }
}
