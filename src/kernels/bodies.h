/* bodies.h: what the kernel bodies of one level share: every body is listed here, and table.c
 * gathers them. */
#ifndef CNNTRAIN_KERNELS_BODIES_H
#define CNNTRAIN_KERNELS_BODIES_H

#include "kernels/lanes.h"

#include <math.h>

void KERNEL(conv_forward)(const struct window *, const float *x, const float *w, const float *u,
                          const float *b, float *y, float *scratch);
void KERNEL(conv_backward_input)(const struct window *, const float *dy, const float *w,
                                 const float *u, float *dx, float *scratch);
void KERNEL(conv_backward_weight)(const struct window *, const float *x, const float *dy, int add,
                                  float *dw, float *db, float *scratch);
void KERNEL(conv_weight_direct)(const struct window *, const float *x, const float *dy, int add,
                                float *dw, float *scratch);
void KERNEL(winograd_prepare)(const struct window *, const float *w, int part, int parts,
                              float *forward, float *input);
void KERNEL(winograd_forward)(const struct window *, const float *x, const float *u, const float *b,
                              float *y, float *scratch);
void KERNEL(winograd_backward_input)(const struct window *, const float *dy, const float *u,
                                     float *dx, float *scratch);
void KERNEL(winograd_transposed)(const struct window *, const float *dy, const float *u, float *dx,
                                 float *scratch);
void KERNEL(winograd_backward_weight)(const struct window *, const float *x, const float *dy,
                                      int add, float *dw, float *scratch);
void KERNEL(winograd_few_sums)(const struct window *, const float *x, const float *dy, size_t step,
                               float *sums, float *scratch);
void KERNEL(winograd_squares_forward)(const struct window *, const float *x, const float *w,
                                      const float *b, float *y, float *scratch);
void KERNEL(winograd_rows_forward)(const struct window *, const float *x, const float *w,
                                   const float *b, float *y, float *scratch);
void KERNEL(winograd_rows_weight)(const struct window *, const float *x, const float *dy, int add,
                                  float *dw, float *scratch);
void KERNEL(dilated_forward)(const struct window *, const float *x, const float *w, const float *b,
                             float *y, float *scratch);
void KERNEL(dilated_backward_input)(const struct window *, const float *dy, const float *w,
                                    float *dx, float *scratch);
void KERNEL(dilated_backward_weight)(const struct window *, const float *x, const float *dy,
                                     int add, float *dw, float *db, float *scratch);
void KERNEL(depthwise_forward)(const struct window *, const float *x, const float *w,
                               const float *b, float *y);
void KERNEL(depthwise_backward_input)(const struct window *, const float *dy, const float *w,
                                      float *dx);
void KERNEL(depthwise_backward_weight)(const struct window *, const float *x, const float *dy,
                                       int add, float *dw, float *db);
void KERNEL(any_conv_prepare)(const struct window *, const float *w, int part, int parts, float *u);
void KERNEL(any_conv_forward)(const struct window *, const float *x, const float *w, const float *u,
                              const float *b, float *y, float *scratch);
void KERNEL(any_conv_backward_input)(const struct window *, const float *dy, const float *w,
                                     const float *u, float *dx, float *scratch);
void KERNEL(any_conv_backward_weight)(const struct window *, const float *x, const float *dy,
                                      int add, float *dw, float *db, float *scratch);
void KERNEL(dense_forward)(int in, int out, int tiles, const float *x, size_t x_tile,
                           const float *w, const float *b, float *y, size_t y_tile);
void KERNEL(dense_backward_input)(int in, int out, int first, int end, const float *dy,
                                  const float *w, float *dx);
void KERNEL(dense_turn)(int in, const float *x, float *xt);
void KERNEL(dense_backward_weight)(int in, int out, int tiles, const float *xt, const float *dy,
                                   size_t dy_tile, int add, float *dw, float *db);
/* Both without a bias, of tiles that follow each other; scratch: dense_scratch(in) floats for each.
 */
void KERNEL(dense_weight_of_tiles)(int in, int out, int tiles, const float *x, const float *dy,
                                   int add, float *dw, float *scratch);
void KERNEL(dense_single)(int in, int out, const float *x, const float *w, const float *b,
                          float *y);
void KERNEL(pick)(size_t n, const int32_t *index, float fill, const float *x, float *y);
void KERNEL(maxpool_forward)(const struct window *, const float *x, float *y);
void KERNEL(maxpool_backward)(const struct window *, const float *x, const float *y,
                              const float *dy, float *dx);
void KERNEL(avgpool_forward)(const struct window *, int count_padding, const float *x, float *y);
void KERNEL(avgpool_backward)(const struct window *, int count_padding, const float *dy, float *dx);
void KERNEL(moments)(size_t pixels, const float *x, const float *live, double moments[3]);
extern const struct norm_kernel KERNEL(norm)[ACTIVATION_COUNT + 1];
void KERNEL(lane_moments)(size_t n, const float *x, float eps, float *mean, float *inverse);
void KERNEL(lane_normalize)(size_t pixels, const float *x, const float *mean, const float *inverse,
                            const float *weight, const float *bias, int step, float *y);
void KERNEL(lane_normalize_sums)(size_t pixels, const float *x, const float *dy, const float *mean,
                                 const float *inverse, const float *weight, int step, int add,
                                 float *dweight, float *dbias, float *sum, float *product);
void KERNEL(lane_normalize_backward)(size_t pixels, const float *x, const float *dy,
                                     const float *mean, const float *inverse, const float *weight,
                                     int step, const float *sum, const float *product, size_t n,
                                     float *dx);
void KERNEL(lrn_forward)(const struct lrn *o, size_t pixels, const float *x, float *y);
void KERNEL(lrn_backward)(const struct lrn *o, size_t pixels, const float *x, const float *dy,
                          float *dx, float *scratch);
extern const struct activation_kernel KERNEL(activations)[ACTIVATION_COUNT];
void KERNEL(dropout)(const float *x, float *y, size_t n, float rate, uint64_t seed,
                     const uint32_t *samples, uint32_t epoch, uint32_t stream);
void KERNEL(spatial_dropout)(const float *x, float *y, size_t maps, size_t size, float rate,
                             uint64_t seed, const uint32_t *samples, uint32_t epoch,
                             uint32_t stream);
void KERNEL(normal_noise)(const float *x, float *y, size_t n, float std, int multiply,
                          uint64_t seed, const uint32_t *samples, uint32_t epoch, uint32_t stream);
void KERNEL(rbf_forward)(int in, int out, const float *x, const float *w, float *y);
void KERNEL(rbf_backward)(int in, int out, const float *x, const float *dy, const float *w,
                          float *dx);
void KERNEL(softmax)(int classes, const float *z, float *p);
loss_kernel KERNEL(cross_entropy), KERNEL(focal), KERNEL(map), KERNEL(mse), KERNEL(mae),
    KERNEL(huber), KERNEL(hinge);
void KERNEL(stream)(size_t n, const float *x, float *y);
void KERNEL(stream_end)(void);
void KERNEL(add)(size_t n, const float *x, float *y);
void KERNEL(add_rectified)(size_t n, const float *x, float *y);
void KERNEL(reduce)(size_t n, const float *shards, int count, size_t stride, float *sum);
void KERNEL(clip)(float limit, size_t n, float *x);
void KERNEL(scale)(float factor, size_t n, float *x);
void KERNEL(penalize)(float l1, float l2, size_t n, const float *w, float *g);
void KERNEL(average)(float keep, float rest, size_t n, const float *w, float *average);
void KERNEL(sgd)(float lr, float momentum, int nesterov, size_t n, float *w, const float *g,
                 float *v);
void KERNEL(adam)(const struct adam *, size_t n, float *w, const float *g, float *m, float *v);
void KERNEL(amsgrad)(const struct adam *, size_t n, float *w, const float *g, float *m, float *v,
                     float *greatest);
void KERNEL(nadam)(const struct nadam *, size_t n, float *w, const float *g, float *m, float *v);
void KERNEL(adagrad)(const struct adagrad *, size_t n, float *w, const float *g, float *sum);
void KERNEL(rmsprop)(const struct rmsprop *, size_t n, float *w, const float *g, float *square,
                     float *velocity, float *mean);
void KERNEL(adadelta)(const struct adadelta *, size_t n, float *w, const float *g, float *square,
                      float *change);
void KERNEL(lion)(const struct lion *, size_t n, float *w, const float *g, float *m);
void KERNEL(tile_from_bytes)(const uint8_t *const images[16], size_t count, float scale,
                             float shift, float *y);
void KERNEL(tile_from_floats)(const float *const images[16], size_t count, float scale, float shift,
                              float *y);
void KERNEL(image_from_bytes)(const uint8_t *image, size_t count, float scale, float shift,
                              float *y);
void KERNEL(image_from_floats)(const float *image, size_t count, float scale, float shift,
                               float *y);
void KERNEL(resample)(const struct warp *, float *x, float *scratch);
void KERNEL(adjust)(size_t n, float scale, float shift, float low, float high, float *x);
void KERNEL(blend)(size_t n, float share, const float *other, float *x);
void KERNEL(power)(size_t n, float exponent, float low, float high, float *x);
void KERNEL(blur)(int h, int w, const float *weights, int radius, int mirror, float *x,
                  float *scratch);
void KERNEL(noise)(const struct noise *, size_t n, float *x);
float KERNEL(peak)(size_t rounds);

/* `least`, so that v_max(least, x) is relu of x, or else x itself. */
INLINE vec v_least(int rectify) { return v_set(rectify ? 0.0f : -INFINITY); }

#endif
