/* rbf.c: LeNet-5's output layer: radial basis functions, a unit a class, around codes that are
 * fixed from the beginning. LeCun, Bottou, Bengio, Haffner 1998, section II.B and equation 7. The
 * paper's output is the distance, of which the least wins; here it is minus that, as of all layers
 * that the greatest output wins:
 *
 *     y[u] = - sum over i of (x[i] - code[u][i])^2
 *
 * That is also, but for a constant, the logarithm of the probability that the paper reads into it
 * (a normal distribution around each code): losses with a softmax, and `map`, which is the paper's
 * own, take it as it is.
 *
 * x c * h * w values, as many as a code has; y [units], weight [units][c * h * w], the codes: they
 * stand in the model, and nothing moves them. */
#include "net/explain.h"
#include "net/layers/codes.h"

struct rbf {
    struct layer_options layer;
    struct codes codes;
};

static const struct option OPTIONS[] = {
    {.key = "codes",
     .kind = &OPTION_CODES,
     .offset = offsetof(struct rbf, codes),
     .fallback = "digits",
     .help = "of the units; digits: ten bitmaps of 7 x 12, as in LeNet-5"},
    LAYER_NAME_ROW,
    OPTION_END,
};

static int rbf_shape(struct node *node, struct error_list *errors)
{
    const struct rbf *o = node->options;
    const struct shape in = node->in;
    node->out = (struct shape){o->codes.count, 1, 1};
    if (shape_size(in) != (size_t)o->codes.length) {
        return yaml_error(errors, node->where,
                          "rbf '%s': its codes have %d values, but its input %dx%dx%d has %zu",
                          node->name, o->codes.length, in.c, in.h, in.w, shape_size(in));
    }
    return 0;
}

static void rbf_need(const struct node *node, struct needs *needs)
{
    const struct rbf *o = node->options;
    needs->parameters[needs->parameter_count++] = (struct parameter){
        .suffix = "weight", .rank = 2, .dims = {o->codes.count, o->codes.length}, .fixed = 1};
    needs->multiply_adds = (double)o->codes.count * o->codes.length;
}

static void rbf_begin(const struct node *node, float *weight)
{
    const struct rbf *o = node->options;
    codes_fill(&o->codes, weight);
}

static void rbf_forward(const struct node *node, const struct run *run, const float *x, float *y)
{
    const struct rbf *o = node->options;
    run->kernels->rbf_forward(o->codes.length, o->codes.count, x, node_parameter(node, run, 0), y);
}

static void rbf_backward(const struct node *node, const struct run *run, const float *x,
                         const float *y, const float *dy, float *dx)
{
    const struct rbf *o = node->options;
    (void)y;
    if (dx) {
        run->kernels->rbf_backward(o->codes.length, o->codes.count, x, dy,
                                   node_parameter(node, run, 0), dx);
    }
}

/* The square taken apart, so that the products of input and code can be seen: each code has a
 * squared length of its number of values, so the greatest sum of products is the nearest code. */
static void rbf_explain(const struct node *node, const struct run *run, const float *x,
                        const struct spot *at, struct explanation *e)
{
    const struct shape in = node->in;
    const size_t n = shape_size(in);
    const float *code = node_parameter(node, run, 0) + (size_t)at->channel * n;
    double squares = 0;
    for (size_t i = 0; i < n; i++) {
        squares += (double)x[i * LANES] * (double)x[i * LANES];
    }
    for (int c = 0; c < (in.h == 1 && in.w == 1 ? 1 : in.c); c++) {
        explain_map(e, node, x, c, code + (size_t)c * in.h * in.w);
    }
    const double sum = explain_sum(e);
    e->rule = "output = - sum of (input - code)^2"
              " = 2 x sum of input x code - sum of input^2 - sum of code^2";
    explain_row(e, "sum of the products", sum);
    explain_row(e, "2 x that", 2 * sum);
    explain_row(e, "sum of input^2", squares);
    explain_row(e, "sum of code^2", (double)n);
    explain_row(e, "output: minus the distance, squared", 2 * sum - squares - (double)n);
    e->magnitude += squares + (double)n;
}

static const struct layer_example EXAMPLES[] = {
    {"[\"#.#\", \".##\"]", {3, 1, 1}},
    {"{codes: [\"#.#.##\", \"......\", \"######\"]}", {1, 2, 3}},
    {"", {21, 2, 2}},
    {NULL, {0, 0, 0}},
};

extern const struct layer_type LAYER_rbf;
const struct layer_type LAYER_rbf = {
    .member = {.name = "rbf",
               .help = "minus the squared distance to the fixed code of each class: LeNet's output",
               .options = OPTIONS,
               .size = sizeof(struct rbf)},
    .flags = LAYER_READS_X,
    .shape = rbf_shape,
    .need = rbf_need,
    .begin = rbf_begin,
    .forward = rbf_forward,
    .backward = rbf_backward,
    .explain = rbf_explain,
    .examples = EXAMPLES,
};
