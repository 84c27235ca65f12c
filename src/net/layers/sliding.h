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

/* What the pooling layers share: the first field of their options, the rows that fill it, and the
 * shape. A stride that is not given is the size. */
struct pooling {
    struct layer_options layer;
    int size[2], stride[2];
    struct padding padding;
};
#define POOLING_ROWS                                                                               \
    {.key = "size",                                                                                \
     .kind = &OPTION_PAIR,                                                                         \
     .offset = offsetof(struct pooling, size),                                                     \
     .low = 1,                                                                                     \
     .high = 1024,                                                                                 \
     .help = "size of the window"},                                                                \
        {.key = "stride",                                                                          \
         .kind = &OPTION_PAIR,                                                                     \
         .offset = offsetof(struct pooling, stride),                                               \
         .fallback = "",                                                                           \
         .low = 1,                                                                                 \
         .high = 1024,                                                                             \
         .help = "steps of the window (default: its size)"},                                       \
    {                                                                                              \
        .key = "padding", .kind = &OPTION_PADDING, .offset = offsetof(struct pooling, padding),    \
        .fallback = "0", .low = 0, .high = 1024, .help = "border around the input"                 \
    }
int pooling_shape(struct node *node, struct error_list *errors);

#endif
