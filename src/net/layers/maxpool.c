/* maxpool.c: the greatest value of each window; padding never wins. The gradient goes to the first
 * greatest in row order. */
#include "net/explain.h"
#include "net/layers/sliding.h"

#include <math.h>

static const struct option OPTIONS[] = {POOLING_ROWS(OPTION_PAIR, OPTION_PADDING), LAYER_NAME_ROW,
                                        OPTION_END};
static const struct option OPTIONS_1D[] = {POOLING_ROWS(OPTION_STEPS, OPTION_PADDING_STEPS),
                                           LAYER_NAME_ROW, OPTION_END};

static int maxpool_shape(struct node *node, struct error_list *errors)
{
    node->beyond = -INFINITY;
    return pooling_shape(node, errors);
}

static void maxpool_forward(const struct node *node, const struct run *run, const float *x,
                            float *y)
{
    size_t from, to;
    const struct window s = pooling_share(node, run, &from, &to);
    run->kernels->maxpool_forward(&s, x + from, y + to);
}

static void maxpool_backward(const struct node *node, const struct run *run, const float *x,
                             const float *y, const float *dy, float *dx)
{
    if (dx) {
        size_t at, out;
        const struct window s = pooling_share(node, run, &at, &out);
        run->kernels->maxpool_backward(&s, x + at, y + out, dy + out, dx + at);
    }
}

static void maxpool_explain(const struct node *node, const struct run *run, const float *x,
                            const struct spot *at, struct explanation *e)
{
    (void)run;
    e->rule = "output = the greatest value of the patch";
    explain_greatest(e, explain_window(e, node, at, x, at->channel, NULL));
}

static const struct layer_example EXAMPLES[] = {
    {"2", {3, 6, 8}},
    {"{size: 3, stride: 2}", {2, 7, 9}},
    {"{size: [2, 3], stride: 1, padding: 1}", {1, 5, 4}},
    {"{size: 3, stride: 2, padding: same}", {2, 5, 6}},
    {NULL, {0, 0, 0}},
};

static const struct layer_example EXAMPLES_1D[] = {
    {"2", {3, 1, 8}},
    {"{size: 3, stride: 2}", {2, 1, 9}},
    {"{size: 3, stride: 1, padding: 1}", {1, 5, 4}},
    {"{size: 4, stride: 3, padding: same}", {2, 1, 10}},
    {NULL, {0, 0, 0}},
};

#define DEFINE(NAME, ROWS, DETAIL, SAMPLES, HELP)                                                  \
    extern const struct layer_type LAYER_##NAME;                                                   \
    const struct layer_type LAYER_##NAME = {                                                       \
        .member = {.name = #NAME, .help = HELP, .options = ROWS, .size = sizeof(struct pooling)},  \
        .flags = LAYER_READS_X | LAYER_READS_Y | LAYER_SLIDES,                                     \
        .detail = DETAIL,                                                                          \
        .shape = maxpool_shape,                                                                    \
        .forward = maxpool_forward,                                                                \
        .backward = maxpool_backward,                                                              \
        .explain = maxpool_explain,                                                                \
        .hold = hold_greatest,                                                                     \
        .examples = SAMPLES,                                                                       \
    };

DEFINE(maxpool, OPTIONS, SLIDES_OVER_MAP, EXAMPLES, "the greatest value of each window")
DEFINE(maxpool1d, OPTIONS_1D, SLIDES_OVER_SEQUENCE, EXAMPLES_1D,
       "the greatest value of each window of a sequence")
