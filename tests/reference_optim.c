/* reference_optim.c: the optimizers' steps in double. */
#include "reference_optim.h"

#include <math.h>

void ref_decay(double lr, double weight_decay, size_t n, double *w)
{
    for (size_t i = 0; i < n; i++) {
        w[i] *= 1 - lr * weight_decay;
    }
}

void ref_amsgrad(const struct ref_adam *a, int step, size_t n, double *w, const double *g,
                 double *m, double *v, double *greatest)
{
    for (size_t i = 0; i < n; i++) {
        m[i] = a->beta1 * m[i] + (1 - a->beta1) * g[i];
        v[i] = a->beta2 * v[i] + (1 - a->beta2) * g[i] * g[i];
        greatest[i] = fmax(greatest[i], v[i]);
        w[i] -= a->lr * m[i] / (1 - pow(a->beta1, step)) /
                (sqrt(greatest[i] / (1 - pow(a->beta2, step))) + a->epsilon);
    }
}

static double nadam_momentum(double beta1, double decay, int step)
{
    return beta1 * (1 - 0.5 * pow(0.96, step * decay));
}

void ref_nadam(const struct ref_adam *a, double momentum_decay, int step, size_t n, double *w,
               const double *g, double *m, double *v)
{
    const double now = nadam_momentum(a->beta1, momentum_decay, step),
                 next = nadam_momentum(a->beta1, momentum_decay, step + 1);
    double product = 1;
    for (int i = 1; i <= step; i++) {
        product *= nadam_momentum(a->beta1, momentum_decay, i);
    }
    for (size_t i = 0; i < n; i++) {
        m[i] = a->beta1 * m[i] + (1 - a->beta1) * g[i];
        v[i] = a->beta2 * v[i] + (1 - a->beta2) * g[i] * g[i];
        const double root = sqrt(v[i] / (1 - pow(a->beta2, step))) + a->epsilon;
        w[i] -= a->lr * (1 - now) / (1 - product) * g[i] / root;
        w[i] -= a->lr * next / (1 - product * next) * m[i] / root;
    }
}

void ref_adagrad(const struct ref_adagrad *a, int step, size_t n, double *w, const double *g,
                 double *sum)
{
    for (size_t i = 0; i < n; i++) {
        sum[i] += g[i] * g[i];
        w[i] -= a->lr / (1 + (step - 1) * a->lr_decay) * g[i] /
                (sqrt(a->initial + sum[i]) + a->epsilon);
    }
}

void ref_rmsprop(const struct ref_rmsprop *a, size_t n, double *w, const double *g, double *square,
                 double *velocity, double *mean)
{
    for (size_t i = 0; i < n; i++) {
        square[i] = a->alpha * square[i] + (1 - a->alpha) * g[i] * g[i];
        mean[i] = a->alpha * mean[i] + (1 - a->alpha) * g[i];
        const double variance = square[i] - (a->centered ? mean[i] * mean[i] : 0);
        velocity[i] = a->momentum * velocity[i] + g[i] / (sqrt(variance) + a->epsilon);
        w[i] -= a->lr * velocity[i];
    }
}

void ref_adadelta(double lr, double rho, double epsilon, size_t n, double *w, const double *g,
                  double *square, double *change)
{
    for (size_t i = 0; i < n; i++) {
        square[i] = rho * square[i] + (1 - rho) * g[i] * g[i];
        const double step = sqrt(change[i] + epsilon) / sqrt(square[i] + epsilon) * g[i];
        change[i] = rho * change[i] + (1 - rho) * step * step;
        w[i] -= lr * step;
    }
}

void ref_lion(double lr, double beta1, double beta2, size_t n, double *w, const double *g,
              double *m)
{
    for (size_t i = 0; i < n; i++) {
        const double way = beta1 * m[i] + (1 - beta1) * g[i];
        w[i] -= lr * (way > 0 ? 1 : way < 0 ? -1 : 0);
        m[i] = beta2 * m[i] + (1 - beta2) * g[i];
    }
}
