/* loss.c: softmax and the losses that see the outputs z[classes][16] of a tile as its logarithms;
 * every lane by itself, in the order of the classes. With p = softmax(z), t the target and w the
 * classes' weights:
 *
 *     cross_entropy   - sum over k of w[k] t'[k] ln p[k],  t' = (1 - s) t + s / classes
 *     focal           - sum over k of w[k] t[k] (1 - p[k])^gamma ln p[k]
 *     map             - sum over k of t[k] z[k] + ln(e^-j + sum over k of e^z[k])
 *
 * s is the label smoothing of Szegedy, Vanhoucke, Ioffe, Shlens, Wojna 2016 (section 7), weighted
 * as in PyTorch; focal is Lin, Goyal, Girshick, He, Dollar 2017; map is LeCun, Bottou, Bengio,
 * Haffner 1998, equation 9, for outputs that are minus its distances: cross_entropy with one class
 * more, to which nothing belongs, and whose logit is -j. */
#include "kernels/loss_target.h"

#include <float.h>

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

/* The shares of a lane's two classes, each times its class's weight; 0 in a dead lane. */
INLINE void weigh(const struct labels *labels, const float *weights, int lane, float *first,
                  float *second)
{
    const int live = labels->first[lane] >= 0;
    *first = live ? labels->share[lane] : 0.0f;
    *second = live ? 1.0f - labels->share[lane] : 0.0f;
    if (live && weights) {
        *first *= weights[labels->first[lane]];
        *second *= weights[labels->second[lane]];
    }
}

/* What smoothing adds to a tile's losses: s / classes * sum over k of w[k] (max - z[k]). */
static void add_smoothing(const struct loss_terms *terms, int classes, const float *z,
                          const float *greatest, float *loss)
{
    const vec each = v_set(terms->smoothing / (float)classes);
    for (int part = 0; part < PARTS; part++) {
        const vec most = v_load(greatest + part * WIDTH);
        vec sum = v_set(0.0f);
        for (int k = 0; k < classes; k++) {
            const vec far = most - v_load(z + (size_t)k * LANES + part * WIDTH);
            sum = v_fma(v_set(terms->weights ? terms->weights[k] : 1.0f), far, sum);
        }
        v_store(loss + part * WIDTH, v_fma(each, sum, v_load(loss + part * WIDTH)));
    }
}

/* Take a share of each of a lane's two classes from dz, and a dead lane out of all. */
INLINE void finish_lane(const struct labels *labels, int lane, int classes, float first,
                        float second, float *loss, float *dz)
{
    if (labels->first[lane] < 0) {
        loss[lane] = 0.0f;
    }
    if (dz && labels->first[lane] >= 0) {
        dz[(size_t)labels->first[lane] * LANES + lane] -= first;
        dz[(size_t)labels->second[lane] * LANES + lane] -= second;
    } else if (dz) {
        for (int k = 0; k < classes; k++) {
            dz[(size_t)k * LANES + lane] = 0.0f;
        }
    }
}

/* loss = all ln(sum of e^(z - max)) + sum over k of w[k] t'[k] (max - z[k]), where all = sum over k
 * of w[k] t'[k]; the difference first, so that large logits cost no digits. dz = all p - w t'. */
void KERNEL(cross_entropy)(const struct loss_terms *terms, int classes, const float *z,
                           const struct labels *labels, float scale, float *loss, float *dz)
{
    const float hard = 1.0f - terms->smoothing, each = terms->smoothing / (float)classes;
    float greatest[LANES] __attribute__((aligned(64))), all[LANES] __attribute__((aligned(64)));
    float first[LANES], second[LANES], weight_sum = (float)classes;
    if (terms->weights) {
        weight_sum = 0.0f;
        for (int k = 0; k < classes; k++) {
            weight_sum += terms->weights[k];
        }
    }
    for (int lane = 0; lane < LANES; lane++) {
        weigh(labels, terms->weights, lane, &first[lane], &second[lane]);
        first[lane] *= hard;
        second[lane] *= hard;
        all[lane] = first[lane] + second[lane] + each * weight_sum;
    }
    for (int part = 0; part < PARTS; part++) {
        const float *from = z + part * WIDTH;
        const vec whole = v_load(all + part * WIDTH);
        vec most = v_load(from), sum = v_set(0.0f);
        for (int k = 1; k < classes; k++) {
            most = v_max(v_load(from + (size_t)k * LANES), most);
        }
        for (int k = 0; k < classes; k++) {
            sum = sum + v_exp(v_load(from + (size_t)k * LANES) - most);
        }
        v_store(greatest + part * WIDTH, most);
        v_store(loss + part * WIDTH, whole * v_log(sum));
        for (int k = 0; dz && k < classes; k++) {
            const vec p = v_exp(v_load(from + (size_t)k * LANES) - most) / sum;
            const vec spread = v_set(terms->weights ? each * terms->weights[k] : each);
            v_store(dz + (size_t)k * LANES + part * WIDTH, (whole * p - spread) * v_set(scale));
        }
    }
    for (int lane = 0; lane < LANES; lane++) {
        if (labels->first[lane] >= 0) {
            const float *at = z + lane;
            loss[lane] +=
                first[lane] * (greatest[lane] - at[(size_t)labels->first[lane] * LANES]) +
                second[lane] * (greatest[lane] - at[(size_t)labels->second[lane] * LANES]);
        }
    }
    if (terms->smoothing > 0.0f) {
        add_smoothing(terms, classes, z, greatest, loss);
    }
    for (int lane = 0; lane < LANES; lane++) {
        finish_lane(labels, lane, classes, first[lane] * scale, second[lane] * scale, loss, dz);
    }
}

/* -(1 - p)^gamma ln p for one class, and its slope by ln p, from the class's e^(z - max), the sum
 * of the other classes' and ln p = z - max - ln(sum of all). Near p = 1 both 1 - p and ln p are
 * taken from the other classes, where nothing cancels. */
INLINE void focal_term(vec gamma, vec own, vec others, vec log_p, vec *value, vec *slope)
{
    const vec one = v_set(1.0f), sum = own + others, q = others / sum;
    const vec near = v_set(0.0f) - v_log1p_unit(v_min(one, others / own));
    const vec log_own = v_select(v_greater(own, others), near, log_p);
    const vec power = v_exp(gamma * v_log(v_max(v_set(FLT_MIN), q)));
    /* ln p / (1 - p) goes to -1 as p goes to 1 */
    const vec ratio = v_select(v_greater(q, v_set(FLT_MIN)), log_own / q, v_set(-1.0f));
    *value = v_set(0.0f) - power * log_own;
    *slope = gamma * power * (own / sum) * ratio - power;
}

void KERNEL(focal)(const struct loss_terms *terms, int classes, const float *z,
                   const struct labels *labels, float scale, float *loss, float *dz)
{
    struct target target;
    float first[LANES] __attribute__((aligned(64))), second[LANES] __attribute__((aligned(64)));
    target_make(&target, labels);
    for (int lane = 0; lane < LANES; lane++) {
        weigh(labels, terms->weights, lane, &first[lane], &second[lane]);
    }
    for (int part = 0; part < PARTS; part++) {
        const float *from = z + part * WIDTH;
        const vec zero = v_set(0.0f), gamma = v_set(terms->gamma);
        vec most = v_load(from), sum = zero;
        vec own[2] = {zero, zero}, others[2] = {zero, zero}, far[2] = {zero, zero};
        for (int k = 1; k < classes; k++) {
            most = v_max(v_load(from + (size_t)k * LANES), most);
        }
        for (int k = 0; k < classes; k++) {
            const vec below = v_load(from + (size_t)k * LANES) - most, e = v_exp(below);
            sum = sum + e;
            for (int i = 0; i < 2; i++) {
                const vmask here = target_is(&target, i, part, k);
                own[i] = own[i] + v_select(here, e, zero);
                others[i] = others[i] + v_select(here, zero, e);
                far[i] = far[i] + v_select(here, below, zero);
            }
        }
        const vec log_sum = v_log(sum);
        vec value[2], slope[2];
        for (int i = 0; i < 2; i++) {
            focal_term(gamma, own[i], others[i], far[i] - log_sum, &value[i], &slope[i]);
        }
        const vec share = v_load(first + part * WIDTH), rest = v_load(second + part * WIDTH);
        const vec steep = share * slope[0], gentle = rest * slope[1];
        v_store(loss + part * WIDTH, share * value[0] + rest * value[1]);
        v_store(first + part * WIDTH, v_set(-scale) * steep);
        v_store(second + part * WIDTH, v_set(-scale) * gentle);
        for (int k = 0; dz && k < classes; k++) {
            const vec p = v_exp(v_load(from + (size_t)k * LANES) - most) / sum;
            v_store(dz + (size_t)k * LANES + part * WIDTH, p * (v_set(-scale) * (steep + gentle)));
        }
    }
    for (int lane = 0; lane < LANES; lane++) {
        finish_lane(labels, lane, classes, first[lane], second[lane], loss, dz);
    }
}

/* As of cross_entropy: the greatest of all logits, -j among them, is taken away first. */
void KERNEL(map)(const struct loss_terms *terms, int classes, const float *z,
                 const struct labels *labels, float scale, float *loss, float *dz)
{
    const vec other = v_set(-terms->j);
    float greatest[LANES] __attribute__((aligned(64)));
    for (int part = 0; part < PARTS; part++) {
        const float *from = z + part * WIDTH;
        vec most = other;
        for (int k = 0; k < classes; k++) {
            most = v_max(v_load(from + (size_t)k * LANES), most);
        }
        vec sum = v_exp(other - most);
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
        float first, second;
        weigh(labels, NULL, lane, &first, &second);
        if (labels->first[lane] >= 0) {
            const float *at = z + lane;
            loss[lane] += first * (greatest[lane] - at[(size_t)labels->first[lane] * LANES]) +
                          second * (greatest[lane] - at[(size_t)labels->second[lane] * LANES]);
        }
        finish_lane(labels, lane, classes, first * scale, second * scale, loss, dz);
    }
}
