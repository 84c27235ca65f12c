/* conv.c: convolution (cross-correlation, as in every framework: the kernel is not flipped).
 *
 *     y[oc][oh][ow] = b[oc] + sum over c, kh, kw of
 *         w[oc][c][kh][kw] * x[c][oh * stride + kh - pad][ow * stride + kw - pad]
 *
 * x [c][h][w], y [filters][oh][ow], w [filters][c][kh][kw], b [filters].
 * LeCun, Bottou, Bengio, Haffner 1998, section II. */
#include "net/layers/sliding.h"

struct conv {
    struct layer_options layer;
    long long filters;
    int kernel[2], stride[2];
    struct padding padding;
    int bias;
    struct choice activation, init;
};

#define FIELD(name) .offset = offsetof(struct conv, name)
static const struct option OPTIONS[] = {
    {.key = "filters",
     .kind = &OPTION_INTEGER,
     FIELD(filters),
     .low = 1,
     .high = 65536,
     .help = "output channels"},
    {.key = "kernel",
     .kind = &OPTION_PAIR,
     FIELD(kernel),
     .low = 1,
     .high = 1024,
     .help = "size of the kernel"},
    {.key = "stride",
     .kind = &OPTION_PAIR,
     FIELD(stride),
     .fallback = "1",
     .low = 1,
     .high = 1024,
     .help = "steps of the kernel"},
    {.key = "padding",
     .kind = &OPTION_PADDING,
     FIELD(padding),
     .fallback = "0",
     .low = 0,
     .high = 1024,
     .help = "zeros around the input"},
    {.key = "bias",
     .kind = &OPTION_BOOLEAN,
     FIELD(bias),
     .fallback = "true",
     .help = "add a bias to each channel"},
    {.key = "activation",
     .kind = &OPTION_FAMILY,
     FIELD(activation),
     .fallback = "",
     .extra = &ACTIVATIONS,
     .help = "an activation on the output"},
    {.key = "init",
     .kind = &OPTION_FAMILY,
     FIELD(init),
     .fallback = "",
     .extra = &INITIALIZERS,
     .help = "how the weights start (default: what suits the activation)"},
    LAYER_FREEZE_ROW,
    LAYER_REGULARIZE_ROW,
    LAYER_NAME_ROW,
    OPTION_END,
};

static int conv_shape(struct node *node, struct error_list *errors)
{
    const struct conv *o = node->options;
    return sliding_shape(node, (int)o->filters, o->kernel, o->stride, &o->padding, "kernel",
                         errors);
}

static void conv_need(const struct node *node, struct needs *needs)
{
    const struct conv *o = node->options;
    const struct window *s = &node->window;
    const double taps = (double)s->kh * s->kw;
    needs->parameters[needs->parameter_count++] =
        (struct parameter){.suffix = "weight",
                           .rank = 4,
                           .dims = {s->oc, s->c, s->kh, s->kw},
                           .fan_in = s->c * taps,
                           .fan_out = s->oc * taps};
    if (o->bias) {
        needs->parameters[needs->parameter_count++] =
            (struct parameter){.suffix = "bias", .rank = 1, .dims = {s->oc}};
    }
    needs->scratch = conv_scratch(s);
    needs->multiply_adds = taps * s->c * s->oc * s->oh * s->ow;
}

static void conv_forward(const struct node *node, const struct run *run, const float *x, float *y)
{
    const struct conv *o = node->options;
    run->kernels->conv_forward(&node->window, x, node_parameter(node, run, 0),
                               o->bias ? node_parameter(node, run, 1) : NULL, y, run->scratch);
}

static void conv_backward(const struct node *node, const struct run *run, const float *x,
                          const float *y, const float *dy, float *dx)
{
    const struct conv *o = node->options;
    (void)y;
    if (node->trained) {
        run->kernels->conv_backward_weight(
            &node->window, x, dy, run->add, node_gradient(node, run, 0),
            o->bias ? node_gradient(node, run, 1) : NULL, run->scratch);
    }
    if (dx) {
        run->kernels->conv_backward_input(&node->window, dy, node_parameter(node, run, 0), dx,
                                          run->scratch);
    }
}

static const struct layer_example EXAMPLES[] = {
    {"{filters: 6, kernel: 5}", {1, 12, 11}},
    {"{filters: 3, kernel: 3, stride: 2, padding: 1}", {2, 7, 8}},
    {"{filters: 5, kernel: [3, 2], stride: [1, 3], padding: same, bias: false}", {3, 6, 7}},
    {"{filters: 2, kernel: 4, padding: [3, 0]}", {1, 5, 5}},
    {"{filters: 4, kernel: 1}", {7, 3, 2}},
    {"{filters: 7, kernel: [4, 3]}", {2, 4, 3}},
    {NULL, {0, 0, 0}},
};

extern const struct layer_type LAYER_conv;
const struct layer_type LAYER_conv = {
    .member = {.name = "conv",
               .help = "2-D convolution",
               .options = OPTIONS,
               .size = sizeof(struct conv)},
    .flags = LAYER_READS_X,
    .shape = conv_shape,
    .need = conv_need,
    .forward = conv_forward,
    .backward = conv_backward,
    .activation = offsetof(struct conv, activation),
    .init = offsetof(struct conv, init),
    .examples = EXAMPLES,
};
