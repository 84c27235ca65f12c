/* global_pool.c: one value a map, its mean or its greatest: c x h x w becomes c x 1 x 1. Pooling
 * with a window as large as the map. Lin, Chen, Yan 2014, "Network in network", section 3.2. */
#include "net/explain.h"
#include "net/layers/sliding.h"

static const struct option OPTIONS[] = {LAYER_NAME_ROW, OPTION_END};

static int global_shape(struct node *node, struct error_list *errors)
{
    const struct shape in = node->in;
    (void)errors;
    node->window = (struct window){.c = in.c,
                                   .h = in.h,
                                   .w = in.w,
                                   .oc = in.c,
                                   .oh = 1,
                                   .ow = 1,
                                   .kh = in.h,
                                   .kw = in.w,
                                   .stride_h = in.h,
                                   .stride_w = in.w};
    node->out = (struct shape){in.c, 1, 1};
    return 0;
}

static void mean_forward(const struct node *node, const struct run *run, const float *x, float *y)
{
    run->kernels->avgpool_forward(&node->window, 1, x, y);
}

static void mean_backward(const struct node *node, const struct run *run, const float *x,
                          const float *y, const float *dy, float *dx)
{
    (void)x, (void)y;
    if (dx) {
        run->kernels->avgpool_backward(&node->window, 1, dy, dx);
    }
}

static void greatest_forward(const struct node *node, const struct run *run, const float *x,
                             float *y)
{
    run->kernels->maxpool_forward(&node->window, x, y);
}

static void greatest_backward(const struct node *node, const struct run *run, const float *x,
                              const float *y, const float *dy, float *dx)
{
    if (dx) {
        run->kernels->maxpool_backward(&node->window, x, y, dy, dx);
    }
}

static void mean_explain(const struct node *node, const struct run *run, const float *x,
                         const struct spot *at, struct explanation *e)
{
    (void)run;
    e->rule = "output = mean of the map";
    explain_mean(e, explain_window(e, node, at, x, at->channel, NULL), 1);
}

static void greatest_explain(const struct node *node, const struct run *run, const float *x,
                             const struct spot *at, struct explanation *e)
{
    (void)run;
    e->rule = "output = the greatest value of the map";
    explain_greatest(e, explain_window(e, node, at, x, at->channel, NULL));
}

static const struct layer_example EXAMPLES[] = {
    {"", {3, 4, 5}}, {"", {2, 1, 7}}, {"", {1, 2, 2}}, {"", {4, 1, 1}}, {NULL, {0, 0, 0}}};

#define DEFINE(NAME, FLAGS, FUNCTION, HOLD, HELP)                                                  \
    extern const struct layer_type LAYER_##NAME;                                                   \
    const struct layer_type LAYER_##NAME = {                                                       \
        .member = {.name = #NAME,                                                                  \
                   .help = HELP,                                                                   \
                   .options = OPTIONS,                                                             \
                   .size = sizeof(struct layer_options)},                                          \
        .flags = LAYER_SLIDES | FLAGS,                                                             \
        .shape = global_shape,                                                                     \
        .forward = FUNCTION##_forward,                                                             \
        .backward = FUNCTION##_backward,                                                           \
        .explain = FUNCTION##_explain,                                                             \
        .hold = HOLD,                                                                              \
        .examples = EXAMPLES,                                                                      \
    };

DEFINE(global_avgpool, 0, mean, NULL, "the mean of each map")
DEFINE(global_maxpool, LAYER_READS_X | LAYER_READS_Y, greatest, hold_greatest,
       "the greatest value of each map")
