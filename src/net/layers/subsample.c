/* subsample.c: LeNet's pooling, which is trained: of each map the sum of every window, times the
 * map's coefficient, plus its bias. The squashing function of the paper is the next layer. LeCun,
 * Bottou, Bengio, Haffner 1998, section II.B (S2 and S4).
 *
 *     y[c][oh][ow] = weight[c] * (sum of the window) + bias[c]
 *
 * x [c][h][w], y [c][h / size][w / size], rounded down; weight, bias [c]. The coefficients begin as
 * one over the window's size: as average pooling. */
#include "net/explain.h"

#include <math.h>

struct subsample {
    struct layer_options layer;
    int size[2];
};

static const struct option OPTIONS[] = {
    {.key = "size",
     .kind = &OPTION_PAIR,
     .offset = offsetof(struct subsample, size),
     .fallback = "2",
     .low = 1,
     .high = 1024,
     .help = "size of the window, and its steps"},
    LAYER_FREEZE_ROW,
    LAYER_NAME_ROW,
    OPTION_END,
};

static int subsample_shape(struct node *node, struct error_list *errors)
{
    const struct subsample *o = node->options;
    const struct shape in = node->in;
    node->out = (struct shape){in.c, in.h / o->size[0], in.w / o->size[1]};
    node->window = (struct window){.c = in.c,
                                   .h = in.h,
                                   .w = in.w,
                                   .oc = in.c,
                                   .oh = node->out.h,
                                   .ow = node->out.w,
                                   .kh = o->size[0],
                                   .kw = o->size[1],
                                   .stride_h = o->size[0],
                                   .stride_w = o->size[1]};
    if (node->out.h < 1 || node->out.w < 1) {
        return yaml_error(errors, node->where,
                          "subsample '%s': its window %dx%d is larger than its input %dx%dx%d",
                          node->name, o->size[0], o->size[1], in.c, in.h, in.w);
    }
    return 0;
}

static float values_of(const struct node *node)
{
    return (float)(node->window.kh * node->window.kw);
}

static void subsample_need(const struct node *node, struct needs *needs)
{
    const int c = node->in.c;
    needs->parameters[needs->parameter_count++] = (struct parameter){
        .suffix = "weight", .rank = 1, .dims = {c}, .start = 1 / values_of(node)};
    needs->parameters[needs->parameter_count++] =
        (struct parameter){.suffix = "bias", .rank = 1, .dims = {c}};
    needs->scratch = shape_size(node->out) * LANES;
    needs->multiply_adds = (double)shape_size(node->out);
}

static size_t pixels(const struct node *node) { return (size_t)node->out.h * node->out.w; }

/* Each map of n output maps times its coefficient, by which the mean becomes the sum, plus b. */
static void scale(const struct node *node, const struct run *run, const float *from, const float *b,
                  float *to)
{
    const float *weight = node_parameter(node, run, 0);
    for (int c = 0; c < node->out.c; c++) {
        const size_t at = (size_t)c * pixels(node) * LANES;
        const struct norm n = {.scale = weight[c] * values_of(node), .shift = b ? b[c] : 0};
        run->kernels->norm[ACTIVATION_NONE].forward(pixels(node), from + at, &n, to + at);
    }
}

static void subsample_forward(const struct node *node, const struct run *run, const float *x,
                              float *y)
{
    run->kernels->avgpool_forward(&node->window, 1, x, y);
    scale(node, run, y, node_parameter(node, run, 1), y);
}

static void subsample_backward(const struct node *node, const struct run *run, const float *x,
                               const float *y, const float *dy, float *dx)
{
    (void)y;
    if (node->trained) {
        float *dweight = node_gradient(node, run, 0), *dbias = node_gradient(node, run, 1);
        run->kernels->avgpool_forward(&node->window, 1, x, run->scratch);
        for (int c = 0; c < node->out.c; c++) {
            const size_t at = (size_t)c * pixels(node) * LANES;
            double sums[2];
            run->kernels->norm[ACTIVATION_NONE].sums(pixels(node), run->scratch + at, dy + at,
                                                     &(struct norm){0}, sums);
            dweight[c] = (run->add ? dweight[c] : 0) + (float)(sums[1] * (double)values_of(node));
            dbias[c] = (run->add ? dbias[c] : 0) + (float)sums[0];
        }
    }
    if (dx) {
        scale(node, run, dy, NULL, run->scratch);
        run->kernels->avgpool_backward(&node->window, 1, run->scratch, dx);
    }
}

static void subsample_explain(const struct node *node, const struct run *run, const float *x,
                              const struct spot *at, struct explanation *e)
{
    const double weight = (double)node_parameter(node, run, 0)[at->channel],
                 bias = (double)node_parameter(node, run, 1)[at->channel];
    explain_window(e, node, at, x, at->channel, NULL);
    const double sum = explain_sum(e);
    e->rule = "output = coefficient x sum of the patch + bias";
    explain_row(e, "sum of the patch", sum);
    explain_row(e, "coefficient", weight);
    explain_row(e, "coefficient x sum", weight * sum);
    explain_row(e, "bias", bias);
    explain_row(e, "output: with the bias", weight * sum + bias);
    e->magnitude *= fabs(weight);
}

static const struct layer_example EXAMPLES[] = {
    {"", {3, 4, 6}},
    {"[2, 3]", {2, 5, 7}},
    {"{size: 3, freeze: true}", {1, 3, 6}},
    {NULL, {0, 0, 0}},
};

extern const struct layer_type LAYER_subsample;
const struct layer_type LAYER_subsample = {
    .member = {.name = "subsample",
               .help = "LeNet's trained pooling: a coefficient times the window's sum, plus a bias",
               .options = OPTIONS,
               .size = sizeof(struct subsample)},
    .flags = LAYER_READS_X | LAYER_SLIDES,
    .shape = subsample_shape,
    .need = subsample_need,
    .forward = subsample_forward,
    .backward = subsample_backward,
    .explain = subsample_explain,
    .examples = EXAMPLES,
};
