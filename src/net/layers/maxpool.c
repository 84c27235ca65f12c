/* maxpool.c: the greatest value of each window; padding never wins. The gradient goes to the first
 * greatest in row order. */
#include "net/layers/sliding.h"

static const struct option OPTIONS[] = {POOLING_ROWS, LAYER_NAME_ROW, OPTION_END};

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
               .size = sizeof(struct pooling)},
    .flags = LAYER_READS_X | LAYER_READS_Y,
    .shape = pooling_shape,
    .forward = maxpool_forward,
    .backward = maxpool_backward,
    .examples = EXAMPLES,
};
