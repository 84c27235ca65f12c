/* activation.h: activation layers as other layers see them. */
#ifndef CNNTRAIN_NET_LAYERS_ACTIVATION_H
#define CNNTRAIN_NET_LAYERS_ACTIVATION_H

#include "net/layer.h"

/* y[c][oh][ow] = the mean of the activation of x[c][h][w] over each window, for windows that tile
 * the map. `node` is of a type with LAYER_ACTIVATION. */
void activation_mean(const struct node *node, const struct run *run, const struct window *window,
                     const float *x, float *y);

/* What a node that does activation `does` too, or none (NULL), is to do, and the option that the
 * kernels are told. */
enum activation activation_kind(const struct node *does);
float activation_slope(const struct node *does);

#endif
