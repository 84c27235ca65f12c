/* sliding.h: kernel, stride and padding, shared by the layers that slide a window: over the rows
 * and columns of a map, or, in 1-D, over the steps of a sequence, c x 1 x steps. */
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
/* The same in 1-D: one number, for the width. Fields: int[2], struct padding. */
extern const struct option_kind OPTION_STEPS, OPTION_PADDING_STEPS;

/* `detail` of the types that slide: what their input is. */
enum sliding_input {
    SLIDES_OVER_MAP,
    /* of steps with c values each; of one channel, its rows are the values: a file of [n][c][steps]
     * comes as images of 1 x c x steps */
    SLIDES_OVER_SEQUENCE
};

/* How a window slides. */
struct sliding {
    const char *what;                    /* its name in messages: "kernel" */
    int outs;                            /* output channels; 0: as many as the input's */
    const int *size, *stride, *dilation; /* [2]: height, width; dilation NULL: 1 */
    const struct padding *padding;
};
/* Find node->window and node->out. Sizes are rounded down, as in PyTorch. 0, or -1 with a fault at
 * node->where. */
int sliding_shape(struct node *node, const struct sliding *sliding, struct error_list *errors);

/* What the pooling layers share: the first field of their options, the rows that fill it, and the
 * shape. A stride that is not given is the size. */
struct pooling {
    struct layer_options layer;
    int size[2], stride[2];
    struct padding padding;
};
#define POOLING_ROWS(SIZE, PADDING)                                                                \
    {.key = "size",                                                                                \
     .kind = &SIZE,                                                                                \
     .offset = offsetof(struct pooling, size),                                                     \
     .low = 1,                                                                                     \
     .high = 1024,                                                                                 \
     .help = "size of the window"},                                                                \
        {.key = "stride",                                                                          \
         .kind = &SIZE,                                                                            \
         .offset = offsetof(struct pooling, stride),                                               \
         .fallback = "",                                                                           \
         .low = 1,                                                                                 \
         .high = 1024,                                                                             \
         .help = "steps of the window (default: its size)"},                                       \
    {                                                                                              \
        .key = "padding", .kind = &PADDING, .offset = offsetof(struct pooling, padding),           \
        .fallback = "0", .low = 0, .high = 1024, .help = "border around the input"                 \
    }
int pooling_shape(struct node *node, struct error_list *errors);
/* The maps that are run->part's share, as a window over them, and where they stand in x and y. */
struct window pooling_share(const struct node *node, const struct run *run, size_t *x, size_t *y);

/* layer.h, `hold`, of a layer whose output is the greatest value of each window. */
size_t hold_greatest(const struct node *node, const struct run *run, const float *x0,
                     const float *x, float *y);

#endif
