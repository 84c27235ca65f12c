/* metrics.c: counts, and what follows from them.
 *
 *   precision = tp / predicted    recall = tp / support    f1 = 2 tp / (predicted + support)
 *
 * where tp = confusion[k][k]. Precision has no value for a class that was never predicted, recall
 * none for one without samples, F1 none where both hold; such a class is shown as such, not as 0.
 *
 * The interval for a share: E. B. Wilson, "Probable inference, the law of succession, and
 * statistical inference", J. Am. Stat. Assoc. 22 (1927). Unlike the textbook p +- 1.96 sqrt(p (1 -
 * p) / n) it holds near 0 and 1. */
#include "train/metrics.h"

#include "base/check.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

int metrics_open(struct metrics *metrics, int classes, int top_k, struct error *e)
{
    const size_t n = (size_t)classes;
    size_t bytes;

    *metrics = (struct metrics){.classes = classes, .top_k = top_k};
    if (check_multiply(n, n + 2, &bytes) != 0 ||
        check_multiply(bytes, sizeof *metrics->confusion, &bytes) != 0) {
        return error_memory(e, SIZE_MAX);
    }
    metrics->confusion = calloc(1, bytes);
    if (metrics->confusion == NULL) {
        return error_memory(e, bytes);
    }
    metrics->support = metrics->confusion + n * n;
    metrics->predicted = metrics->support + n;
    return 0;
}

void metrics_close(struct metrics *metrics)
{
    free(metrics->confusion);
    metrics->confusion = metrics->support = metrics->predicted = NULL;
}

void metrics_clear(struct metrics *m)
{
    const size_t n = (size_t)m->classes;

    m->count = m->correct = m->in_top_k = 0;
    m->loss_sum = m->weight_sum = 0;
    memset(m->confusion, 0, n * (n + 2) * sizeof *m->confusion);
}

int metrics_add(struct metrics *metrics, const float *p, size_t stride, int label, float loss,
                double weight)
{
    const float right = p[(size_t)label * stride];
    int best = 0, before = 0; /* classes that come before the right one */

    for (int k = 0; k < metrics->classes; k++) {
        const float value = p[(size_t)k * stride];

        best = value > p[(size_t)best * stride] ? k : best;
        before += value > right || (value == right && k < label);
    }
    metrics->count++;
    metrics->correct += best == label;
    metrics->in_top_k += before < metrics->top_k;
    metrics->loss_sum += (double)loss;
    metrics->weight_sum += weight;
    metrics->confusion[(size_t)label * (size_t)metrics->classes + (size_t)best]++;
    metrics->support[label]++;
    metrics->predicted[best]++;
    return best;
}

double metrics_loss(const struct metrics *metrics)
{
    return metrics->count > 0 ? metrics->loss_sum / metrics->weight_sum : 0;
}

double metrics_accuracy(const struct metrics *metrics)
{
    return metrics->count > 0 ? (double)metrics->correct / (double)metrics->count : 0;
}

void wilson_interval(size_t correct, size_t count, double *low, double *high)
{
    *low = 0;
    *high = 1;
    if (count == 0) {
        return;
    }
    const double z = 1.959963984540054; /* the normal distribution's 97.5 % quantile */
    const double n = (double)count, p = (double)correct / n;
    const double centre = p + z * z / (2 * n);
    const double half = z * sqrt(p * (1 - p) / n + z * z / (4 * n * n));
    const double scale = 1 + z * z / n;

    /* At the ends one bound is exact; rounding would miss it by an ulp. */
    if (correct > 0) {
        *low = (centre - half) / scale;
    }
    if (correct < count) {
        *high = (centre + half) / scale;
    }
}

struct class_metrics metrics_of_class(const struct metrics *metrics, int k)
{
    const size_t right = metrics->confusion[(size_t)k * (size_t)metrics->classes + (size_t)k];
    const double tp = (double)right;
    struct class_metrics m = {.support = metrics->support[k],
                              .predicted = metrics->predicted[k],
                              .precision = -1,
                              .recall = -1,
                              .f1 = -1};

    if (m.predicted > 0) {
        m.precision = tp / (double)m.predicted;
    }
    if (m.support > 0) {
        m.recall = tp / (double)m.support;
    }
    if (m.predicted + m.support > 0) {
        m.f1 = 2 * tp / (double)(m.predicted + m.support);
    }
    return m;
}
