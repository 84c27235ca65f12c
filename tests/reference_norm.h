/* reference_norm.h: batch, group and layer normalisation in double, one formula for all; local
 * response normalisation; LeNet's trained pooling. */
#ifndef CNNTRAIN_TESTS_REFERENCE_NORM_H
#define CNNTRAIN_TESTS_REFERENCE_NORM_H

#include <stddef.h>

struct ref_norm {
    int n, c;
    size_t pixels; /* h * w */
    int groups;    /* of channels, of one image each; 0: a set is a channel of all images */
    int live;      /* of all images, the first so many count; 0: all do */
    int each;      /* weight and bias are [c][h][w] rather than [c] */
    double eps;
    const double *running; /* [c] means, [c] variances to use in place of the set's, or NULL */
};

/* weight and bias may be NULL. */
void ref_norm_forward(const struct ref_norm *, const double *x, const double *weight,
                      const double *bias, double *y);
/* dweight and dbias are added to, dx is written; each may be NULL. */
void ref_norm_backward(const struct ref_norm *, const double *x, const double *weight,
                       const double *dy, double *dweight, double *dbias, double *dx);

/* Local response normalisation: y = x / (k + alpha / size * sum of squares)^beta, over `size`
 * channels of which size / 2 come before. Images of c * pixels values. */
struct ref_lrn {
    int c;
    size_t pixels;
    int size;
    double alpha, beta, k;
};
void ref_lrn_forward(const struct ref_lrn *, int n, const double *x, double *y);
void ref_lrn_backward(const struct ref_lrn *, int n, const double *x, const double *dy, double *dx);

/* LeNet's pooling: y = w[c] * (sum of the window) + b[c]. dw and db are added to, dx is written;
 * each may be NULL. */
struct ref_window;
void ref_subsample_forward(const struct ref_window *, const double *x, const double *w,
                           const double *b, double *y);
void ref_subsample_backward(const struct ref_window *, const double *x, const double *w,
                            const double *dy, double *dw, double *db, double *dx);

#endif
