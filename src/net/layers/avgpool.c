/* avgpool.c: the mean of each window. Padding counts as zeros in the mean, as in PyTorch, unless
 * count_padding is false: then the mean is over what lies inside the map. */
#include "net/explain.h"
#include "net/layers/activation.h"
#include "net/layers/sliding.h"

#include <string.h>

#include <math.h>

struct avgpool {
    struct pooling pooling;
    int count_padding;
};

#define COUNT_PADDING_ROW                                                                          \
    {                                                                                              \
        .key = "count_padding", .kind = &OPTION_BOOLEAN,                                           \
        .offset = offsetof(struct avgpool, count_padding), .fallback = "true",                     \
        .help = "divide by the whole window, its padding included"                                 \
    }
static const struct option OPTIONS[] = {POOLING_ROWS(OPTION_PAIR, OPTION_PADDING),
                                        COUNT_PADDING_ROW, LAYER_NAME_ROW, OPTION_END};
static const struct option OPTIONS_1D[] = {POOLING_ROWS(OPTION_STEPS, OPTION_PADDING_STEPS),
                                           COUNT_PADDING_ROW, LAYER_NAME_ROW, OPTION_END};

/* Windows that tile the map can take it through an activation. */
static int avgpool_shape(struct node *node, struct error_list *errors)
{
    const struct avgpool *o = node->options;
    const struct window *s = &node->window;
    TRY(pooling_shape(node, errors));
    node->beyond = o->count_padding ? 0 : NAN;
    node->absorbs = s->kh == s->stride_h && s->kw == s->stride_w && s->pad_top == 0 &&
                    s->pad_left == 0 && s->oh * s->kh == s->h && s->ow * s->kw == s->w;
    return 0;
}

static void avgpool_forward_through(const struct node *node, const struct node *activation,
                                    const struct run *run, const float *x, float *y)
{
    size_t from, to;
    const struct window s = pooling_share(node, run, &from, &to);
    activation_mean(activation, run, &s, x + from, y + to);
}

static void avgpool_forward(const struct node *node, const struct run *run, const float *x,
                            float *y)
{
    const struct avgpool *o = node->options;
    size_t from, to;
    const struct window s = pooling_share(node, run, &from, &to);
    run->kernels->avgpool_forward(&s, o->count_padding, x + from, y + to);
}

static void avgpool_backward(const struct node *node, const struct run *run, const float *x,
                             const float *y, const float *dy, float *dx)
{
    const struct avgpool *o = node->options;
    (void)x, (void)y;
    if (dx) {
        size_t at, out;
        const struct window s = pooling_share(node, run, &at, &out);
        run->kernels->avgpool_backward(&s, o->count_padding, dy + out, dx + at);
    }
}

static void avgpool_explain(const struct node *node, const struct run *run, const float *x,
                            const struct spot *at, struct explanation *e)
{
    const struct avgpool *o = node->options;
    (void)run;
    const struct explained_patch *patch = explain_window(e, node, at, x, at->channel, NULL);
    const int outside = patch && memchr(patch->outside, 1, (size_t)patch->rows * patch->columns);
    e->rule = !outside           ? "output = mean of the patch"
              : o->count_padding ? "output = mean of the patch, its padding counted as zeros"
                                 : "output = mean of the patch, its padding left out";
    explain_mean(e, patch, o->count_padding);
}

static const struct layer_example EXAMPLES[] = {
    {"2", {3, 6, 8}},
    {"{size: 3, stride: 2}", {2, 7, 9}},
    {"{size: [2, 3], stride: 1, padding: 1}", {1, 5, 4}},
    {"{size: 3, stride: 2, padding: same, count_padding: false}", {2, 5, 6}},
    {NULL, {0, 0, 0}},
};

static const struct layer_example EXAMPLES_1D[] = {
    {"2", {3, 1, 8}},
    {"{size: 3, stride: 2}", {2, 1, 9}},
    {"{size: 3, stride: 1, padding: 1}", {1, 5, 4}},
    {"{size: 4, stride: 3, padding: same, count_padding: false}", {2, 1, 10}},
    {NULL, {0, 0, 0}},
};

#define DEFINE(NAME, ROWS, DETAIL, SAMPLES, HELP)                                                  \
    extern const struct layer_type LAYER_##NAME;                                                   \
    const struct layer_type LAYER_##NAME = {                                                       \
        .member = {.name = #NAME, .help = HELP, .options = ROWS, .size = sizeof(struct avgpool)},  \
        .flags = LAYER_SLIDES,                                                                     \
        .detail = DETAIL,                                                                          \
        .shape = avgpool_shape,                                                                    \
        .forward = avgpool_forward,                                                                \
        .forward_through = avgpool_forward_through,                                                \
        .backward = avgpool_backward,                                                              \
        .explain = avgpool_explain,                                                                \
        .examples = SAMPLES,                                                                       \
    };

DEFINE(avgpool, OPTIONS, SLIDES_OVER_MAP, EXAMPLES, "the mean of each window")
DEFINE(avgpool1d, OPTIONS_1D, SLIDES_OVER_SEQUENCE, EXAMPLES_1D,
       "the mean of each window of a sequence")
