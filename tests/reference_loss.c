/* reference_loss.c: softmax and the losses, against targets that are spelt out: t[k] is the share
 * of class k. */
#include "reference.h"

#include <assert.h>
#include <math.h>
#include <string.h>

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

static double weight_of(const struct ref_terms *terms, int k)
{
    return terms->weights ? terms->weights[k] : 1;
}

/* The sum over k of f(k, ln p[k]) * mine[k], f by its value and its slope by ln p[k]; through the
 * softmax d ln p[k] / dz[j] = (j == k) - p[j]. */
static void of_logarithms(double (*value)(const struct ref_terms *, double log_p),
                          double (*slope)(const struct ref_terms *, double log_p),
                          const struct ref_terms *terms, int classes, const double *z,
                          const double *mine, double scale, double *loss, double *dz)
{
    double log_p[MOST_CLASSES];
    log_softmax(classes, z, log_p);
    *loss = 0;
    for (int k = 0; k < classes; k++) {
        *loss += mine[k] > 0 ? mine[k] * value(terms, log_p[k]) : 0;
    }
    for (int j = 0; dz && j < classes; j++) {
        dz[j] = 0;
        for (int k = 0; k < classes; k++) {
            dz[j] += mine[k] > 0
                         ? scale * mine[k] * slope(terms, log_p[k]) * ((j == k) - exp(log_p[j]))
                         : 0;
        }
    }
}

static double minus_log(const struct ref_terms *terms, double log_p)
{
    (void)terms;
    return -log_p;
}

static double minus_one(const struct ref_terms *terms, double log_p)
{
    (void)terms, (void)log_p;
    return -1;
}

static double focal_value(const struct ref_terms *terms, double log_p)
{
    return pow(-expm1(log_p), terms->gamma) * -log_p;
}

static double focal_slope(const struct ref_terms *terms, double log_p)
{
    const double p = exp(log_p), rest = -expm1(log_p);
    if (rest == 0) {
        return terms->gamma > 0 ? 0 : -1;
    }
    return terms->gamma * pow(rest, terms->gamma - 1) * p * log_p - pow(rest, terms->gamma);
}

static void dead(int classes, double *loss, double *dz)
{
    *loss = 0;
    for (int k = 0; dz && k < classes; k++) {
        dz[k] = 0;
    }
}

void ref_cross_entropy(const struct ref_terms *terms, int n, int classes, const double *z,
                       const struct ref_labels *labels, double scale, double *loss, double *dz)
{
    double t[MOST_CLASSES];
    for (int s = 0; s < n; s++, z += classes, dz = dz ? dz + classes : NULL) {
        if (!targets_of(labels, s, classes, t)) {
            dead(classes, &loss[s], dz);
            continue;
        }
        for (int k = 0; k < classes; k++) {
            t[k] =
                weight_of(terms, k) * ((1 - terms->smoothing) * t[k] + terms->smoothing / classes);
        }
        of_logarithms(minus_log, minus_one, terms, classes, z, t, scale, &loss[s], dz);
    }
}

void ref_focal(const struct ref_terms *terms, int n, int classes, const double *z,
               const struct ref_labels *labels, double scale, double *loss, double *dz)
{
    double t[MOST_CLASSES];
    for (int s = 0; s < n; s++, z += classes, dz = dz ? dz + classes : NULL) {
        if (!targets_of(labels, s, classes, t)) {
            dead(classes, &loss[s], dz);
            continue;
        }
        for (int k = 0; k < classes; k++) {
            t[k] *= weight_of(terms, k);
        }
        of_logarithms(focal_value, focal_slope, terms, classes, z, t, scale, &loss[s], dz);
    }
}

/* ln p of one class more, whose logit is -j, is left out: its target is 0. */
void ref_map(const struct ref_terms *terms, int n, int classes, const double *z,
             const struct ref_labels *labels, double scale, double *loss, double *dz)
{
    double t[MOST_CLASSES], all[MOST_CLASSES], log_p[MOST_CLASSES];
    for (int s = 0; s < n; s++, z += classes, dz = dz ? dz + classes : NULL) {
        dead(classes, &loss[s], dz);
        if (!targets_of(labels, s, classes, t)) {
            continue;
        }
        memcpy(all, z, (size_t)classes * sizeof *all);
        all[classes] = -terms->j;
        log_softmax(classes + 1, all, log_p);
        for (int k = 0; k < classes; k++) {
            loss[s] -= t[k] > 0 ? t[k] * log_p[k] : 0;
            if (dz) {
                dz[k] = scale * (exp(log_p[k]) - t[k]);
            }
        }
    }
}

/* The mean over the classes of a function of z - t. */
static void of_differences(double (*value)(double d, double delta),
                           double (*slope)(double d, double delta), double delta, int n,
                           int classes, const double *z, const struct ref_labels *labels,
                           double scale, double *loss, double *dz)
{
    double t[MOST_CLASSES];
    for (int s = 0; s < n; s++, z += classes, dz = dz ? dz + classes : NULL) {
        if (!targets_of(labels, s, classes, t)) {
            dead(classes, &loss[s], dz);
            continue;
        }
        loss[s] = 0;
        for (int k = 0; k < classes; k++) {
            loss[s] += value(z[k] - t[k], delta) / classes;
            if (dz) {
                dz[k] = scale * slope(z[k] - t[k], delta) / classes;
            }
        }
    }
}

#define DIFFERENCE(NAME, VALUE, SLOPE)                                                             \
    static double NAME##_value(double d, double delta)                                             \
    {                                                                                              \
        (void)delta;                                                                               \
        return VALUE;                                                                              \
    }                                                                                              \
    static double NAME##_slope(double d, double delta)                                             \
    {                                                                                              \
        (void)delta;                                                                               \
        return SLOPE;                                                                              \
    }                                                                                              \
    void ref_##NAME(const struct ref_terms *terms, int n, int classes, const double *z,            \
                    const struct ref_labels *labels, double scale, double *loss, double *dz)       \
    {                                                                                              \
        of_differences(NAME##_value, NAME##_slope, terms->delta, n, classes, z, labels, scale,     \
                       loss, dz);                                                                  \
    }
DIFFERENCE(mse, d *d, 2 * d)
DIFFERENCE(mae, fabs(d), (d > 0) - (d < 0))
DIFFERENCE(huber, fabs(d) < delta ? 0.5 * d * d : delta * (fabs(d) - 0.5 * delta),
           fabs(d) < delta ? d : delta * ((d > 0) - (d < 0)))

/* The hinge of right class y, `share` times, added. */
static void add_hinge(const struct ref_terms *terms, int classes, const double *z, int y,
                      double share, double scale, double *loss, double *dz)
{
    for (int k = 0; k < classes; k++) {
        const double over = terms->margin - z[y] + z[k];
        if (k == y || over <= 0) {
            continue;
        }
        *loss += share * over / classes;
        if (dz) {
            dz[k] += scale * share / classes;
            dz[y] -= scale * share / classes;
        }
    }
}

void ref_hinge(const struct ref_terms *terms, int n, int classes, const double *z,
               const struct ref_labels *labels, double scale, double *loss, double *dz)
{
    for (int s = 0; s < n; s++, z += classes, dz = dz ? dz + classes : NULL) {
        dead(classes, &loss[s], dz);
        if (labels->first[s] >= 0) {
            add_hinge(terms, classes, z, labels->first[s], labels->share[s], scale, &loss[s], dz);
            add_hinge(terms, classes, z, labels->second[s], 1 - labels->share[s], scale, &loss[s],
                      dz);
        }
    }
}
