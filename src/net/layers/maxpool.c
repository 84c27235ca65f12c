/* maxpool.c: the greatest value of each window; padding never wins. The gradient goes to the first
 * greatest in row order. */
#include "net/layers/sliding.h"

struct maxpool {
    struct layer_options layer;
    int size[2], stride[2];
    struct padding padding;
};

#define FIELD(name) .offset = offsetof(struct maxpool, name)
static const struct option OPTIONS[] = {
    {.key = "size",
     .kind = &OPTION_PAIR,
     FIELD(size),
     .low = 1,
     .high = 1024,
     .help = "size of the window"},
    {.key = "stride",
     .kind = &OPTION_PAIR,
     FIELD(stride),
     .fallback = "",
     .low = 1,
     .high = 1024,
     .help = "steps of the window (default: its size)"},
    {.key = "padding",
     .kind = &OPTION_PADDING,
     FIELD(padding),
     .fallback = "0",
     .low = 0,
     .high = 1024,
     .help = "border around the input"},
    LAYER_NAME_ROW,
    OPTION_END,
};

static int maxpool_shape(struct node *node, struct error_list *errors)
{
    struct maxpool *o = node->options;
    if (o->stride[0] == 0) {
        o->stride[0] = o->size[0];
        o->stride[1] = o->size[1];
    }
    return sliding_shape(node, 0, o->size, o->stride, &o->padding, "window", errors);
}

static void maxpool_forward(const struct node *node, const struct run *run, const float *x,
                            float *y)
{
    run->kernels->maxpool_forward(&node->window, x, y);
}

static void maxpool_backward(const struct node *node, const struct run *run, const float *x,
                             const float *y, const float *dy, float *dx)
{
    if (dx) {
        run->kernels->maxpool_backward(&node->window, x, y, dy, dx);
    }
}

static const struct layer_example EXAMPLES[] = {
    {"2", {3, 6, 8}},
    {"{size: 3, stride: 2}", {2, 7, 9}},
    {"{size: [2, 3], stride: 1, padding: 1}", {1, 5, 4}},
    {"{size: 3, stride: 2, padding: same}", {2, 5, 6}},
    {NULL, {0, 0, 0}},
};

extern const struct layer_type LAYER_maxpool;
const struct layer_type LAYER_maxpool = {
    .member = {.name = "maxpool",
               .help = "the greatest value of each window",
               .options = OPTIONS,
               .size = sizeof(struct maxpool)},
    .flags = LAYER_READS_X | LAYER_READS_Y,
    .shape = maxpool_shape,
    .forward = maxpool_forward,
    .backward = maxpool_backward,
    .examples = EXAMPLES,
};
