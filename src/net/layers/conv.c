/* conv.c: convolution (cross-correlation, as in every framework: the kernel is not flipped).
 *
 *     y[oc][oh][ow] = b[oc] + sum over c, kh, kw of
 *         w[oc][c][kh][kw] * x[c][oh * stride + kh * dilation - pad][ow * stride + kw * dilation -
 * pad]
 *
 * x [c][h][w], y [filters][oh][ow], w [filters][c / groups][kh][kw], b [filters]. With groups, an
 * output channel sees the input channels of its own group only; `groups: c` is a depthwise
 * convolution.
 * LeCun, Bottou, Bengio, Haffner 1998, section II. */
#include "net/explain.h"
#include "net/layers/connections.h"
#include "net/layers/sliding.h"

struct conv {
    struct layer_options layer;
    long long filters;
    int kernel[2], stride[2], dilation[2];
    struct padding padding;
    long long groups;
    int bias;
    struct choice activation, init;
    struct connections connections;
};

#define FIELD(name) .offset = offsetof(struct conv, name)
/* Only for maps. */
#define CONNECTIONS_ROW                                                                            \
    {.key = "connections",                                                                         \
     .kind = &OPTION_CONNECTIONS,                                                                  \
     FIELD(connections),                                                                           \
     .fallback = "",                                                                               \
     .help = "the input maps that each filter sees (default: all)"},

/* SIZE and PADDING are the kinds of option for maps or for sequences. */
#define ROWS(SIZE, PADDING, MORE)                                                                  \
    {.key = "filters",                                                                             \
     .kind = &OPTION_INTEGER,                                                                      \
     FIELD(filters),                                                                               \
     .low = 1,                                                                                     \
     .high = 65536,                                                                                \
     .help = "output channels"},                                                                   \
        {.key = "kernel",                                                                          \
         .kind = &SIZE,                                                                            \
         FIELD(kernel),                                                                            \
         .low = 1,                                                                                 \
         .high = 1024,                                                                             \
         .help = "size of the kernel"},                                                            \
        {.key = "stride",                                                                          \
         .kind = &SIZE,                                                                            \
         FIELD(stride),                                                                            \
         .fallback = "1",                                                                          \
         .low = 1,                                                                                 \
         .high = 1024,                                                                             \
         .help = "steps of the kernel"},                                                           \
        {.key = "padding",                                                                         \
         .kind = &PADDING,                                                                         \
         FIELD(padding),                                                                           \
         .fallback = "0",                                                                          \
         .low = 0,                                                                                 \
         .high = 1024,                                                                             \
         .help = "zeros around the input"},                                                        \
        {.key = "dilation",                                                                        \
         .kind = &SIZE,                                                                            \
         FIELD(dilation),                                                                          \
         .fallback = "1",                                                                          \
         .low = 1,                                                                                 \
         .high = 1024,                                                                             \
         .help = "steps between the kernel's taps in the input"},                                  \
        {.key = "groups",                                                                          \
         .kind = &OPTION_INTEGER,                                                                  \
         FIELD(groups),                                                                            \
         .fallback = "1",                                                                          \
         .low = 1,                                                                                 \
         .high = 65536,                                                                            \
         .help = "of channels that see only their own group; all channels: depthwise"},            \
        {.key = "bias",                                                                            \
         .kind = &OPTION_BOOLEAN,                                                                  \
         FIELD(bias),                                                                              \
         .fallback = "true",                                                                       \
         .help = "add a bias to each channel"},                                                    \
        {.key = "activation",                                                                      \
         .kind = &OPTION_FAMILY,                                                                   \
         FIELD(activation),                                                                        \
         .fallback = "",                                                                           \
         .extra = &ACTIVATIONS,                                                                    \
         .help = "an activation on the output"},                                                   \
        {.key = "init",                                                                            \
         .kind = &OPTION_FAMILY,                                                                   \
         FIELD(init),                                                                              \
         .fallback = "",                                                                           \
         .extra = &INITIALIZERS,                                                                   \
         .help = "how the weights start (default: what suits the activation)"},                    \
        MORE LAYER_FREEZE_ROW, LAYER_REGULARIZE_ROW, LAYER_NAME_ROW, OPTION_END

static const struct option OPTIONS[] = {ROWS(OPTION_PAIR, OPTION_PADDING, CONNECTIONS_ROW)};
static const struct option OPTIONS_1D[] = {ROWS(OPTION_STEPS, OPTION_PADDING_STEPS, )};

static int conv_shape(struct node *node, struct error_list *errors)
{
    const struct conv *o = node->options;
    const struct sliding sliding = {.what = "kernel",
                                    .outs = (int)o->filters,
                                    .size = o->kernel,
                                    .stride = o->stride,
                                    .dilation = o->dilation,
                                    .padding = &o->padding};
    TRY(sliding_shape(node, &sliding, errors));
    if (node->window.c % o->groups != 0 || o->filters % o->groups != 0) {
        return yaml_error(errors, node->where,
                          "%s '%s': its %d input channels and its %lld filters must be divisible "
                          "by its groups, %lld",
                          node->type->member.name, node->name, node->window.c, o->filters,
                          o->groups);
    }
    node->window.groups = (int)o->groups;
    node->dense = conv_is_dense(&node->window);
    node->rectifies = conv_rectifies(&node->window);
    node->shares = o->groups == 1 && node->window.dilation_h <= 1 && node->window.dilation_w <= 1 &&
                   !o->connections.filters;
    if (o->connections.filters && o->groups > 1) {
        return yaml_error(errors, node->where,
                          "conv '%s': 'groups' and 'connections' cannot be combined", node->name);
    }
    return connections_check(&o->connections, node, (int)o->filters, node->window.c, errors);
}

static void conv_need(const struct node *node, struct needs *needs)
{
    const struct conv *o = node->options;
    const struct window *s = &node->window;
    const double taps = (double)s->kh * s->kw;
    const int seen = s->c / s->groups; /* input channels of a filter */
    const double links = o->connections.links;
    struct parameter weight = {.suffix = "weight",
                               .rank = 4,
                               .dims = {s->oc, seen, s->kh, s->kw},
                               .fan_in = (links > 0 ? links / s->oc : seen) * taps,
                               .fan_out = s->oc * taps,
                               .used = (size_t)(links * taps)};
    if (node->type->detail == SLIDES_OVER_SEQUENCE) {
        weight.rank = 3;
        weight.dims[2] = s->kw;
    }
    needs->parameters[needs->parameter_count++] = weight;
    if (o->bias) {
        needs->parameters[needs->parameter_count++] =
            (struct parameter){.suffix = "bias", .rank = 1, .dims = {s->oc}};
    }
    needs->scratch = conv_scratch(s);
    needs->shared = conv_prepared(s);
    needs->multiply_adds = taps * seen * s->oc * s->oh * s->ow;
    needs->shortcuts = conv_shortcuts(s);
}

static void conv_mask(const struct node *node, float *weight)
{
    const struct conv *o = node->options;
    const struct window *s = &node->window;
    connections_mask(&o->connections, s->c, (size_t)s->kh * (size_t)s->kw, weight);
}

static void conv_prepare(const struct node *node, const struct run *run, int part, int parts)
{
    run->kernels->conv_prepare(&node->window, node_parameter(node, run, 0), part, parts,
                               node_shared(node, run));
}

/* With the share that is to be done. */
static struct window window_of(const struct node *node, const struct run *run)
{
    struct window s = node->window;
    s.part = run->part;
    s.parts = run->parts;
    s.rectify = run->does != NULL;
    return s;
}

static void conv_forward(const struct node *node, const struct run *run, const float *x, float *y)
{
    const struct window s = window_of(node, run);
    run->kernels->conv_forward(&s, x, node_parameter(node, run, 0), node_shared(node, run),
                               node_bias(node, run), y, run->scratch);
}

static void conv_backward(const struct node *node, const struct run *run, const float *x,
                          const float *y, const float *dy, float *dx)
{
    const struct conv *o = node->options;
    const struct window s = window_of(node, run);
    (void)y;
    if (node->trained && !node_defers(node, run)) {
        run->kernels->conv_backward_weight(&s, x, dy, run->add, node_gradient(node, run, 0),
                                           o->bias ? node_gradient(node, run, 1) : NULL,
                                           run->scratch);
        conv_mask(node, node_gradient(node, run, 0));
    }
    if (dx) {
        run->kernels->conv_backward_input(&s, dy, node_parameter(node, run, 0),
                                          node_shared(node, run), dx, run->scratch);
    }
}

static void conv_explain(const struct node *node, const struct run *run, const float *x,
                         const struct spot *at, struct explanation *e)
{
    const struct window *s = &node->window;
    const int seen = s->c / s->groups, first = at->channel / (s->oc / s->groups) * seen;
    const float *w = node_parameter(node, run, 0), *b = node_bias(node, run);
    for (int c = 0; c < seen; c++) {
        explain_window(e, node, at, x, first + c,
                       w + ((size_t)at->channel * seen + c) * s->kh * s->kw);
    }
    const double sum = explain_sum(e);
    e->rule = b ? "output = sum of patch x kernel + bias" : "output = sum of patch x kernel";
    explain_row(e, "sum of the products", sum);
    if (b) {
        explain_row(e, "bias", (double)b[at->channel]);
        explain_row(e, "output: sum + bias", sum + (double)b[at->channel]);
    }
}

static const struct layer_example EXAMPLES[] = {
    {"{filters: 6, kernel: 5}", {1, 12, 11}},
    {"{filters: 3, kernel: 3, stride: 2, padding: 1}", {2, 7, 8}},
    {"{filters: 5, kernel: [3, 2], stride: [1, 3], padding: same, bias: false}", {3, 6, 7}},
    {"{filters: 2, kernel: 4, padding: [3, 0]}", {1, 5, 5}},
    {"{filters: 4, kernel: 1}", {7, 3, 2}},
    {"{filters: 7, kernel: [4, 3]}", {2, 4, 3}},
    {"{filters: 3, kernel: 2, connections: [[0, 2], [1], [0, 1, 2]]}", {3, 4, 3}},
    {"{filters: 5, kernel: 3, dilation: 2}", {2, 7, 8}},
    {"{filters: 3, kernel: [2, 3], dilation: [3, 2], stride: 2, padding: same}", {2, 8, 9}},
    {"{filters: 6, kernel: 3, groups: 2}", {4, 5, 6}},
    {"{filters: 8, kernel: 3, groups: 4, padding: 1}", {4, 5, 6}},
    {"{filters: 3, kernel: 3, groups: 3, stride: 2, dilation: 2, padding: 2, bias: false}",
     {3, 7, 6}},
    {NULL, {0, 0, 0}},
};

static const struct layer_example EXAMPLES_1D[] = {
    {"{filters: 6, kernel: 3}", {4, 1, 10}},
    {"{filters: 3, kernel: 5, stride: 2, padding: same}", {2, 1, 11}},
    {"{filters: 4, kernel: 3, dilation: 2, padding: 2, groups: 2, bias: false}", {6, 1, 9}},
    {"{filters: 5, kernel: 2}", {1, 7, 6}}, /* its rows are the channels */
    {"{filters: 2, kernel: 3}", {1, 1, 12}},
    {NULL, {0, 0, 0}},
};

#define DEFINE(NAME, KEYS, DETAIL, SAMPLES, HELP)                                                  \
    extern const struct layer_type LAYER_##NAME;                                                   \
    const struct layer_type LAYER_##NAME = {                                                       \
        .member = {.name = #NAME, .help = HELP, .options = KEYS, .size = sizeof(struct conv)},     \
        .flags = LAYER_READS_X | LAYER_SLIDES,                                                     \
        .detail = DETAIL,                                                                          \
        .shape = conv_shape,                                                                       \
        .need = conv_need,                                                                         \
        .prepare = conv_prepare,                                                                   \
        .forward = conv_forward,                                                                   \
        .backward = conv_backward,                                                                 \
        .mask = conv_mask,                                                                         \
        .explain = conv_explain,                                                                   \
        .activation = offsetof(struct conv, activation),                                           \
        .init = offsetof(struct conv, init),                                                       \
        .examples = SAMPLES,                                                                       \
    };

DEFINE(conv, OPTIONS, SLIDES_OVER_MAP, EXAMPLES, "2-D convolution")
DEFINE(conv1d, OPTIONS_1D, SLIDES_OVER_SEQUENCE, EXAMPLES_1D,
       "convolution over the steps of a sequence, channels x 1 x steps")
