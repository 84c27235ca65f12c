/* loss.c: softmax and the losses of a tile's logits z[classes][16]; every lane by itself, in the
 * order of the classes. */
#include "kernels/bodies.h"

void KERNEL(softmax)(int classes, const float *z, float *p)
{
    for (int part = 0; part < PARTS; part++) {
        const float *from = z + part * WIDTH;
        float *to = p + part * WIDTH;
        vec most = v_load(from), sum = v_set(0.0f);
        for (int k = 1; k < classes; k++) {
            most = v_max(v_load(from + (size_t)k * LANES), most);
        }
        for (int k = 0; k < classes; k++) {
            const vec e = v_exp(v_load(from + (size_t)k * LANES) - most);
            v_store(to + (size_t)k * LANES, e);
            sum = sum + e;
        }
        const vec scale = v_set(1.0f) / sum;
        for (int k = 0; k < classes; k++) {
            v_store(to + (size_t)k * LANES, v_load(to + (size_t)k * LANES) * scale);
        }
    }
}

/* loss = ln(sum of e^(z - max)) + sum over k of target[k] (max - z[k]); the difference first, so
 * that large logits cost no digits. */
void KERNEL(cross_entropy)(int classes, const float *z, const struct labels *labels, float scale,
                           float *loss, float *dz)
{
    float greatest[LANES] __attribute__((aligned(64)));
    for (int part = 0; part < PARTS; part++) {
        const float *from = z + part * WIDTH;
        vec most = v_load(from), sum = v_set(0.0f);
        for (int k = 1; k < classes; k++) {
            most = v_max(v_load(from + (size_t)k * LANES), most);
        }
        for (int k = 0; k < classes; k++) {
            sum = sum + v_exp(v_load(from + (size_t)k * LANES) - most);
        }
        v_store(greatest + part * WIDTH, most);
        v_store(loss + part * WIDTH, v_log(sum));
        for (int k = 0; dz && k < classes; k++) {
            const vec p = v_exp(v_load(from + (size_t)k * LANES) - most) / sum;
            v_store(dz + (size_t)k * LANES + part * WIDTH, p * v_set(scale));
        }
    }
    for (int lane = 0; lane < LANES; lane++) {
        if (labels->first[lane] >= 0) {
            const size_t first = (size_t)labels->first[lane] * LANES + lane;
            const size_t second = (size_t)labels->second[lane] * LANES + lane;
            const float share = labels->share[lane], rest = 1.0f - share;
            loss[lane] += share * (greatest[lane] - z[first]) + rest * (greatest[lane] - z[second]);
            if (dz) {
                dz[first] -= share * scale;
                dz[second] -= rest * scale;
            }
        } else {
            loss[lane] = 0.0f;
            for (int k = 0; dz && k < classes; k++) {
                dz[(size_t)k * LANES + lane] = 0.0f;
            }
        }
    }
}

void KERNEL(mse)(int classes, const float *z, const struct labels *labels, float scale, float *loss,
                 float *dz)
{
    const float mean = 1.0f / (float)classes;
    for (int lane = 0; lane < LANES; lane++) {
        const int live = labels->first[lane] >= 0;
        const float share = labels->share[lane];
        float sum = 0.0f;
        for (int k = 0; k < classes; k++) {
            const size_t at = (size_t)k * LANES + lane;
            const float target = (labels->first[lane] == k ? share : 0.0f) +
                                 (labels->second[lane] == k ? 1.0f - share : 0.0f);
            const float difference = z[at] - target;
            sum += difference * difference;
            if (dz) {
                dz[at] = live ? 2.0f * difference * mean * scale : 0.0f;
            }
        }
        loss[lane] = live ? sum * mean : 0.0f;
    }
}
