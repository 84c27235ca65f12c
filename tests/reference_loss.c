/* reference_loss.c: softmax and the losses, against targets that are spelt out: t[k] is the share
 * of class k. */
#include "reference.h"

#include <assert.h>
#include <math.h>

enum { MOST_CLASSES = 1024 };

/* ln p[k] for all classes; the greatest logit is taken away first, so that nothing is lost however
 * large they are. */
static void log_softmax(int classes, const double *z, double *out)
{
    double most = z[0], sum = 0;
    assert(classes <= MOST_CLASSES);
    for (int k = 1; k < classes; k++) {
        most = fmax(most, z[k]);
    }
    for (int k = 0; k < classes; k++) {
        sum += exp(z[k] - most);
    }
    for (int k = 0; k < classes; k++) {
        out[k] = z[k] - most - log(sum);
    }
}

void ref_softmax(int n, int classes, const double *z, double *p)
{
    for (int s = 0; s < n; s++, z += classes, p += classes) {
        log_softmax(classes, z, p);
        for (int k = 0; k < classes; k++) {
            p[k] = exp(p[k]);
        }
    }
}

/* The targets of sample s; 0 when it is dead. */
static int targets_of(const struct ref_labels *labels, int s, int classes, double *t)
{
    for (int k = 0; k < classes; k++) {
        t[k] = (k == labels->first[s]) * labels->share[s] +
               (k == labels->second[s]) * (1 - labels->share[s]);
    }
    return labels->first[s] >= 0;
}

void ref_cross_entropy(int n, int classes, const double *z, const struct ref_labels *labels,
                       double scale, double *loss, double *dz)
{
    double log_p[MOST_CLASSES], t[MOST_CLASSES];
    for (int s = 0; s < n; s++, z += classes) {
        const int live = targets_of(labels, s, classes, t);
        log_softmax(classes, z, log_p);
        loss[s] = 0;
        for (int k = 0; k < classes; k++) {
            loss[s] -= live ? t[k] * log_p[k] : 0;
            if (dz) {
                dz[(size_t)s * classes + k] = live ? (exp(log_p[k]) - t[k]) * scale : 0;
            }
        }
    }
}

void ref_mse(int n, int classes, const double *z, const struct ref_labels *labels, double scale,
             double *loss, double *dz)
{
    double t[MOST_CLASSES];
    for (int s = 0; s < n; s++, z += classes) {
        const int live = targets_of(labels, s, classes, t);
        loss[s] = 0;
        for (int k = 0; k < classes; k++) {
            const double difference = z[k] - t[k];
            loss[s] += live ? difference * difference / classes : 0;
            if (dz) {
                dz[(size_t)s * classes + k] = live ? 2 * difference / classes * scale : 0;
            }
        }
    }
}
