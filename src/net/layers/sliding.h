/* sliding.h: kernel, stride and padding, shared by the layers that slide a window. */
#ifndef CNNTRAIN_NET_LAYERS_SLIDING_H
#define CNNTRAIN_NET_LAYERS_SLIDING_H

#include "net/layer.h"

/* `padding`: a number, [h, w], valid (none) or same (output = ceil(input / stride), the odd row or
 * column below and right). */
struct padding {
    int h, w;
    int same;
};
extern const struct option_kind OPTION_PADDING; /* field: struct padding */

/* Find node->window and node->out for `outs` output channels (0: as many as the input's). Sizes are
 * rounded down, as in PyTorch. `what` names the window in messages ("kernel"). 0, or -1 with a
 * fault at node->where. */
int sliding_shape(struct node *node, int outs, const int kernel[2], const int stride[2],
                  const struct padding *padding, const char *what, struct error_list *errors);

#endif
