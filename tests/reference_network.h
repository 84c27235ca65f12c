/* reference_network.h: a whole network in double precision, made of the operations of reference.h.
 * The oracle of the layer, network and plan tests. It reads the config's `network` list by itself:
 * defaults, short forms, padding, output sizes and the order of parameters are worked out here from
 * the spec, not taken from src/ (only the YAML tree is shared).
 *
 * Images are [n][c][h][w]. Parameters are one flat vector without gaps, layer after layer: weight,
 * then bias, then running statistics. */
#ifndef CNNTRAIN_TESTS_REFERENCE_NETWORK_H
#define CNNTRAIN_TESTS_REFERENCE_NETWORK_H

#include "config/yaml.h"
#include "reference.h"
#include "reference_norm.h"

#include <stdint.h>

enum { REF_MOST_LAYERS = 64, REF_MOST_INPUTS = 8, REF_INPUT = -1 };

struct ref_layer {
    char type[32];  /* without "1d" and "global_": those are windows over other maps */
    size_t in, out; /* values of one image */
    int input_count, inputs[REF_MOST_INPUTS]; /* what it reads: layers, or REF_INPUT */
    int oc, oh, ow;
    struct ref_window window; /* conv, maxpool, avgpool; n is set when it is used */
    int count_padding;
    int step[3]; /* permute: from one value of each axis of y to the next, in x */
    double slope, rate;
    double eps;
    int groups, frozen, each;           /* of a normalisation */
    const struct yaml *connections;     /* of a conv: NULL: all */
    struct ref_lrn lrn;                 /* size 0: none */
    size_t weights, biases, statistics; /* how many; 0: none. Statistics: means, then variances */
    size_t weight, bias, statistic;     /* where */
};

struct ref_network {
    int count, c, h, w; /* layers; the input */
    struct ref_layer layers[REF_MOST_LAYERS];
    size_t parameters;
    char fault[160]; /* why there is no such network; "" when there is */
};

/* From a config's list, activations given as an option as layers of their own, and those of a block
 * before the layer that joins them. */
void ref_network_build(struct ref_network *net, const struct yaml *list, int c, int h, int w);

/* What dropout draws from; NULL in its place: evaluation, nothing is dropped. `samples` has one
 * number an image. */
struct ref_draws {
    uint64_t seed;
    uint32_t epoch;
    const uint32_t *samples;
    int live; /* images that count, of those that are given; 0: all */
};

/* Layer i, which has one input, from x to y, and back: dx is written, dw added to; either may be
 * NULL. */
void ref_layer_forward(const struct ref_network *net, int i, int n, const struct ref_draws *draws,
                       const double *w, const double *x, double *y);
void ref_layer_backward(const struct ref_network *net, int i, int n, const struct ref_draws *draws,
                        const double *w, const double *x, const double *dy, double *dw, double *dx);

/* Room for the input and all outputs of n images: values[0] is the input, values[i + 1] the output
 * of layer i. */
double **ref_network_values(const struct ref_network *net, int n);
void ref_network_free(double **values);
/* From values[0] to all the others. */
void ref_network_forward(const struct ref_network *net, int n, const struct ref_draws *draws,
                         const double *w, double **values);
/* From the gradient by the last output: dw is added to; dx, unless NULL, written. */
void ref_network_backward(const struct ref_network *net, int n, const struct ref_draws *draws,
                          const double *w, double *const *values, const double *dlogits, double *dw,
                          double *dx);

/* How far these values are from where a derivative jumps: the least |x| before relu, leaky_relu and
 * elu, the least gap between the two greatest values of a max pooling window. Differences are only
 * comparable to derivatives with steps well below it. */
double ref_network_kink(const struct ref_network *net, int n, double *const *values);

#endif
