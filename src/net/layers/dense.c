/* dense.c: a fully connected layer. It takes any input and reads it as one vector, channel after
 * channel, row after row.
 *
 *     y[u] = b[u] + sum over i of w[u][i] * x[i]
 *
 * x c * h * w values, y [units], w [units][c * h * w], b [units]. */
#include "net/explain.h"

struct dense {
    struct layer_options layer;
    long long units;
    int bias;
    struct choice activation, init;
};

#define FIELD(name) .offset = offsetof(struct dense, name)
static const struct option OPTIONS[] = {
    {.key = "units",
     .kind = &OPTION_INTEGER,
     FIELD(units),
     .low = 1,
     .high = 65536,
     .help = "outputs"},
    {.key = "bias",
     .kind = &OPTION_BOOLEAN,
     FIELD(bias),
     .fallback = "true",
     .help = "add a bias to each output"},
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

static int dense_shape(struct node *node, struct error_list *errors)
{
    const struct dense *o = node->options;
    (void)errors;
    node->out = (struct shape){(int)o->units, 1, 1};
    node->dense = 1;
    node->shares = 1;
    return 0;
}

static int inputs(const struct node *node) { return (int)shape_size(node->in); }

static void dense_need(const struct node *node, struct needs *needs)
{
    const struct dense *o = node->options;
    const int in = inputs(node), units = (int)o->units;
    needs->parameters[needs->parameter_count++] = (struct parameter){
        .suffix = "weight", .rank = 2, .dims = {units, in}, .fan_in = in, .fan_out = units};
    if (o->bias) {
        needs->parameters[needs->parameter_count++] =
            (struct parameter){.suffix = "bias", .rank = 1, .dims = {units}};
    }
    needs->scratch = dense_scratch(in);
    needs->multiply_adds = (double)in * units;
}

static void dense_forward_tiles(const struct node *node, const struct run *run, int tiles,
                                const float *x, size_t x_tile, float *y, size_t y_tile)
{
    const struct dense *o = node->options;
    const size_t in = shape_size(node->in);
    const float *b = node_bias(node, run);
    size_t first;
    const size_t end = run_share(run, (size_t)o->units, &first);
    run->kernels->dense_forward((int)in, (int)(end - first), tiles, x, x_tile,
                                node_parameter(node, run, 0) + first * in, b ? b + first : NULL,
                                y + first * LANES, y_tile);
}

static void dense_forward(const struct node *node, const struct run *run, const float *x, float *y)
{
    dense_forward_tiles(node, run, 1, x, 0, y, 0);
}

static void backward_weight(const struct node *node, const struct run *run, const float *x,
                            const float *dy)
{
    const struct dense *o = node->options;
    const size_t in = shape_size(node->in);
    size_t first;
    const size_t end = run_share(run, (size_t)o->units, &first);
    run->kernels->dense_turn((int)in, x, run->scratch);
    run->kernels->dense_backward_weight((int)in, (int)(end - first), 1, run->scratch,
                                        dy + first * LANES, 0, run->add,
                                        node_gradient(node, run, 0) + first * in,
                                        o->bias ? node_gradient(node, run, 1) + first : NULL);
}

static void dense_backward(const struct node *node, const struct run *run, const float *x,
                           const float *y, const float *dy, float *dx)
{
    const struct dense *o = node->options;
    (void)y;
    if (node->trained && !node_defers(node, run)) {
        backward_weight(node, run, x, dy);
    }
    if (dx) {
        size_t first;
        const size_t end = run_share(run, shape_size(node->in), &first);
        run->kernels->dense_backward_input(inputs(node), (int)o->units, (int)first, (int)end, dy,
                                           node_parameter(node, run, 0), dx);
    }
}

static void dense_explain(const struct node *node, const struct run *run, const float *x,
                          const struct spot *at, struct explanation *e)
{
    const struct shape in = node->in;
    const float *w = node_parameter(node, run, 0) + (size_t)at->channel * shape_size(in);
    const float *b = node_bias(node, run);
    const int maps = in.h == 1 && in.w == 1 ? 1 : in.c;
    for (int c = 0; c < maps; c++) {
        explain_map(e, node, x, c, w + (size_t)c * in.h * in.w);
    }
    const double sum = explain_sum(e);
    e->rule = b ? "output = sum of input x weight + bias" : "output = sum of input x weight";
    explain_row(e, "sum of the products", sum);
    if (b) {
        explain_row(e, "bias", (double)b[at->channel]);
        explain_row(e, "output: sum + bias", sum + (double)b[at->channel]);
    }
}

static const struct layer_example EXAMPLES[] = {
    {"10", {3, 4, 5}},
    {"{units: 7, bias: false}", {1, 1, 33}},
    {"1", {1, 1, 1}},
    {NULL, {0, 0, 0}},
};

extern const struct layer_type LAYER_dense;
const struct layer_type LAYER_dense = {
    .member = {.name = "dense",
               .help = "fully connected; flattens its input by itself",
               .options = OPTIONS,
               .size = sizeof(struct dense)},
    .flags = LAYER_READS_X,
    .shape = dense_shape,
    .need = dense_need,
    .forward = dense_forward,
    .forward_tiles = dense_forward_tiles,
    .backward = dense_backward,
    .explain = dense_explain,
    .activation = offsetof(struct dense, activation),
    .init = offsetof(struct dense, init),
    .examples = EXAMPLES,
};
