/* outcome.c: see outcome.h. Of very many samples and classes not all outputs are kept: 4 million
 * numbers say as much about one temperature. */
#include "report/outcome.h"

#include "base/check.h"
#include "net/loss.h"

#include <stdlib.h>
#include <string.h>

enum { MOST_KEPT = 1 << 22 };

int outcome_open(struct outcome *outcome, const struct subset *subset, int classes, int top_k,
                 unsigned flags, struct error *e)
{
    *outcome = (struct outcome){.subset = subset, .probable = (flags & LOSS_LOGITS) != 0};
    TRY(metrics_open(&outcome->metrics, classes, top_k, e));
    const size_t most = classes < MOST_KEPT ? (size_t)(MOST_KEPT / classes) : 1;
    outcome->stride = subset->count / most + (subset->count % most != 0);
    if (outcome->stride == 0 || !outcome->probable) {
        return 0;
    }
    const size_t rows = (subset->count + outcome->stride - 1) / outcome->stride;
    const size_t bytes = rows * ((size_t)classes * sizeof(float) + sizeof(int32_t));
    outcome->p = malloc(bytes);
    if (!outcome->p) {
        metrics_close(&outcome->metrics);
        return error_memory(e, bytes);
    }
    outcome->labels = (int32_t *)(void *)(outcome->p + rows * (size_t)classes);
    return 0;
}

void outcome_close(struct outcome *outcome)
{
    metrics_close(&outcome->metrics);
    free(outcome->p);
    outcome->p = NULL;
}

void outcome_clear(struct outcome *outcome)
{
    metrics_clear(&outcome->metrics);
    memset(&outcome->calibration, 0, sizeof outcome->calibration);
    outcome->mistakes = 0;
    outcome->kept = 0;
}

static void add_mistake(struct outcome *o, const struct mistake *mistake)
{
    int at = o->mistakes;
    while (at > 0 && o->mistake[at - 1].p < mistake->p) {
        at--;
    }
    if (at == MOST_MISTAKES) {
        return;
    }
    o->mistakes += o->mistakes < MOST_MISTAKES;
    memmove(&o->mistake[at + 1], &o->mistake[at],
            (size_t)(o->mistakes - 1 - at) * sizeof o->mistake[0]);
    o->mistake[at] = *mistake;
}

static void keep(struct outcome *o, const float *p, size_t stride, int label)
{
    float *row = o->p + o->kept * (size_t)o->metrics.classes;
    for (int k = 0; k < o->metrics.classes; k++) {
        row[k] = p[(size_t)k * stride];
    }
    o->labels[o->kept++] = label;
}

int outcome_add(struct outcome *o, const float *p, size_t stride, int label, float loss,
                double weight)
{
    const size_t number = o->metrics.count;
    const int prediction = metrics_add(&o->metrics, p, stride, label, loss, weight);
    const float sure = p[(size_t)prediction * stride];
    if (prediction != label) {
        add_mistake(o, &(struct mistake){o->subset->index[number], label, prediction, sure,
                                         p[(size_t)label * stride]});
    }
    if (o->probable) {
        calibration_add(&o->calibration, (double)sure, prediction == label);
        if (number % o->stride == 0) {
            keep(o, p, stride, label);
        }
    }
    return prediction;
}
