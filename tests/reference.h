/* reference.h: every operation of the network in double precision, as its formula reads: NCHW,
 * plain loops, libm. The oracle of the kernel and layer tests; it shares no code with src/, and is
 * itself checked against central differences (test_reference.c).
 *
 * The convolution's backward passes scatter, where the kernels gather. A bound for a sum's rounding
 * error comes from the same functions applied to the absolute values of their inputs
 * (ref_absolute). Arrays are [n][c][h][w], weights [oc][c / groups][kh][kw]. */
#ifndef CNNTRAIN_TESTS_REFERENCE_H
#define CNNTRAIN_TESTS_REFERENCE_H

#include <stddef.h>

enum { REF_LANES = 16 }; /* images in a tile */

/* Convolution and pooling; pooling has oc == c and no dilation. Places outside the map are padding.
 */
struct ref_window {
    int n, c, h, w;
    int oc, oh, ow;
    int kh, kw;
    int stride_h, stride_w;
    int pad_top, pad_left;
    int dilation_h, dilation_w, groups; /* 0 means 1 */
};

/* b and db may be NULL. Forward and backward_input overwrite their result, backward_weight adds to
 * it. */
void ref_conv_forward(const struct ref_window *, const double *x, const double *w, const double *b,
                      double *y);
void ref_conv_backward_input(const struct ref_window *, const double *dy, const double *w,
                             double *dx);
void ref_conv_backward_weight(const struct ref_window *, const double *x, const double *dy,
                              double *dw, double *db);

/* x[n][in], w[out][in], y[n][out]; as for the convolution. */
void ref_dense_forward(int n, int in, int out, const double *x, const double *w, const double *b,
                       double *y);
void ref_dense_backward_input(int n, int in, int out, const double *dy, const double *w,
                              double *dx);
void ref_dense_backward_weight(int n, int in, int out, const double *x, const double *dy,
                               double *dw, double *db);

/* Every window must touch the map. The gradient goes to the first greatest value in row order. */
void ref_maxpool_forward(const struct ref_window *, const double *x, double *y);
void ref_maxpool_backward(const struct ref_window *, const double *x, const double *dy, double *dx);
void ref_avgpool_forward(const struct ref_window *, int count_padding, const double *x, double *y);
void ref_avgpool_backward(const struct ref_window *, int count_padding, const double *dy,
                          double *dx);

/* An elementwise function and its derivative, both at x; `slope` is leaky_relu's slope and elu's
 * alpha. */
struct ref_activation {
    const char *name;
    double (*forward)(double x, double slope);
    double (*derivative)(double x, double slope);
};
/* By the name that a config gives it, or NULL. */
const struct ref_activation *ref_activation(const char *name);

/* The target of sample s is share * onehot(first) + (1 - share) * onehot(second); a first of -1 is
 * a dead sample: loss 0, dz 0. */
struct ref_labels {
    int first[REF_LANES], second[REF_LANES];
    double share[REF_LANES];
};
/* z, p and dz are [n][classes], n at most 16. loss[n]; dz may be NULL, and carries `scale`. */
void ref_softmax(int n, int classes, const double *z, double *p);
/* The losses' own numbers; weights may be NULL. */
struct ref_terms {
    double smoothing;
    const double *weights;
    double gamma, j, delta, margin;
};
typedef void ref_loss(const struct ref_terms *, int n, int classes, const double *z,
                      const struct ref_labels *labels, double scale, double *loss, double *dz);
ref_loss ref_cross_entropy, ref_focal, ref_map, ref_mse, ref_mae, ref_huber, ref_hinge;

/* One step, the `step`-th from 1. */
struct ref_adam {
    double lr, beta1, beta2, epsilon;
};
void ref_adam(const struct ref_adam *, int step, size_t n, double *w, const double *g, double *m,
              double *v);
void ref_sgd(double lr, double momentum, int nesterov, size_t n, double *w, const double *g,
             double *v);

/* Tiles are [count][16] floats, where count = c * h * w; arrays are [16][count]. */
void ref_from_tile(size_t count, const float *tile, double *array);
void ref_to_tile(size_t count, const double *array, float *tile);
void ref_from_floats(size_t n, const float *from, double *to);
void ref_absolute(size_t n, const double *from, double *to);

#endif
