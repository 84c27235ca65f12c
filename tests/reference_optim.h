/* reference_optim.h: the optimizers' steps in double, from PyTorch's documentation, one number at a
 * time; they share no code with src/. Each is the `step`-th step, from 1, over n parameters w with
 * gradients g; the vectors after them are the optimizer's memories, 0 before the first step. */
#ifndef CNNTRAIN_TESTS_REFERENCE_OPTIM_H
#define CNNTRAIN_TESTS_REFERENCE_OPTIM_H

#include "reference.h"

/* What w loses before the step of adamw and lion. */
void ref_decay(double lr, double weight_decay, size_t n, double *w);
void ref_amsgrad(const struct ref_adam *, int step, size_t n, double *w, const double *g, double *m,
                 double *v, double *greatest);
void ref_nadam(const struct ref_adam *, double momentum_decay, int step, size_t n, double *w,
               const double *g, double *m, double *v);
struct ref_adagrad {
    double lr, lr_decay, initial, epsilon;
};
void ref_adagrad(const struct ref_adagrad *, int step, size_t n, double *w, const double *g,
                 double *sum);
struct ref_rmsprop {
    double lr, alpha, epsilon, momentum;
    int centered;
};
void ref_rmsprop(const struct ref_rmsprop *, size_t n, double *w, const double *g, double *square,
                 double *velocity, double *mean);
void ref_adadelta(double lr, double rho, double epsilon, size_t n, double *w, const double *g,
                  double *square, double *change);
void ref_lion(double lr, double beta1, double beta2, size_t n, double *w, const double *g,
              double *m);

#endif
