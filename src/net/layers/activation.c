/* activation.c: the activation layers: y = f(x), value by value (formulas and sources:
 * kernels/activations.c). They differ in one kernel, in whether backward is told x or y, and in the
 * weights that suit them. */
#include "net/layers/activation.h"

#include "net/explain.h"

#include <math.h>

struct activation_options {
    struct layer_options layer;
    float slope;
};

static const struct option PLAIN[] = {LAYER_NAME_ROW, OPTION_END};

static const struct option SLOPE[] = {
    {.key = "slope",
     .kind = &OPTION_NUMBER,
     .offset = offsetof(struct activation_options, slope),
     .fallback = "0.01",
     .low = 0,
     .high = 1,
     .open = 3,
     .help = "the slope where x < 0"},
    LAYER_NAME_ROW,
    OPTION_END,
};

static const struct option ALPHA[] = {
    {.key = "alpha",
     .kind = &OPTION_NUMBER,
     .offset = offsetof(struct activation_options, slope),
     .fallback = "1",
     .low = 0,
     .high = 100,
     .open = 1,
     .help = "minus the limit far below 0"},
    LAYER_NAME_ROW,
    OPTION_END,
};

static int activation_shape(struct node *node, struct error_list *errors)
{
    (void)errors;
    node->out = node->in;
    node->shares = 1;
    return 0;
}

static void activation_forward(const struct node *node, const struct run *run, const float *x,
                               float *y)
{
    const struct activation_options *o = node->options;
    size_t first;
    const size_t end = run_share(run, shape_size(node->in), &first);
    run->kernels->activation[node->type->detail].forward(x + first * LANES, y + first * LANES,
                                                         end - first, o->slope);
}

enum activation activation_kind(const struct node *does)
{
    return does ? (enum activation)does->type->detail : ACTIVATION_NONE;
}

float activation_slope(const struct node *does)
{
    const struct activation_options *o = does ? does->options : NULL;
    return o ? o->slope : 0;
}

void activation_mean(const struct node *node, const struct run *run, const struct window *window,
                     const float *x, float *y)
{
    const struct activation_options *o = node->options;
    run->kernels->activation[node->type->detail].mean(window, x, y, o->slope);
}

static void activation_backward(const struct node *node, const struct run *run, const float *x,
                                const float *y, const float *dy, float *dx)
{
    const struct activation_options *o = node->options;
    if (dx) {
        const float *from = node->type->flags & LAYER_READS_Y ? y : x;
        size_t first;
        const size_t end = run_share(run, shape_size(node->in), &first), at = first * LANES;
        run->kernels->activation[node->type->detail].backward(from + at, dy + at, dx + at,
                                                              end - first, o->slope);
    }
}

static void activation_explain(const struct node *node, const struct run *run, const float *x,
                               const struct spot *at, struct explanation *e)
{
    const struct activation_options *o = node->options;
    const double value = explain_input(node, x, at);
    float in[LANES] __attribute__((aligned(64))), out[LANES] __attribute__((aligned(64)));
    for (int lane = 0; lane < LANES; lane++) {
        in[lane] = (float)value;
    }
    run->kernels->activation[node->type->detail].forward(in, out, 1, o->slope);
    e->rule = node->type->member.help;
    explain_row(e, "x", value);
    explain_row(e, "output", (double)out[0]);
}

static float hold_relu(float x0, float x, float slope)
{
    (void)slope;
    return x0 > 0 ? x : 0;
}

static float hold_leaky(float x0, float x, float slope) { return x0 > 0 ? x : slope * x; }

static float hold_elu(float x0, float x, float slope) { return x0 > 0 ? x : slope * expm1f(x); }

/* The kink is at 0 in all of them. */
static size_t hold_all(const struct node *node, const struct run *run, const float *x0,
                       const float *x, float *y, float (*branch)(float x0, float x, float slope))
{
    const struct activation_options *o = node->options;
    size_t crossed = 0;
    for (size_t i = 0; i < shape_size(node->in) * LANES; i++) {
        y[i] = branch(x0[i], x[i], o->slope);
        crossed += (x0[i] > 0) != (x[i] > 0) && run->live[i % LANES] > 0;
    }
    return crossed;
}

#define HOLD(NAME)                                                                                 \
    static size_t NAME##_hold(const struct node *node, const struct run *run, const float *x0,     \
                              const float *x, float *y)                                            \
    {                                                                                              \
        return hold_all(node, run, x0, x, y, hold_##NAME);                                         \
    }
HOLD(relu)
HOLD(leaky)
HOLD(elu)

static const struct layer_example EXAMPLES[] = {{"", {3, 5, 7}}, {NULL, {0, 0, 0}}};
static const struct layer_example SLOPE_EXAMPLES[] = {
    {"0.1", {3, 5, 7}}, {"", {2, 1, 1}}, {NULL, {0, 0, 0}}};
static const struct layer_example ALPHA_EXAMPLES[] = {
    {"0.5", {3, 5, 7}}, {"", {2, 1, 1}}, {NULL, {0, 0, 0}}};

/* What backward reads decides whether y may take x's place. */
enum {
    FROM_Y = LAYER_ACTIVATION | LAYER_POINTWISE | LAYER_READS_Y | LAYER_IN_PLACE,
    FROM_X = LAYER_ACTIVATION | LAYER_POINTWISE | LAYER_READS_X | LAYER_DX_IN_PLACE
};

#define DEFINE(NAME, DETAIL, FLAGS, SUITS, HOLDS, ROWS, SAMPLES, HELP)                             \
    extern const struct layer_type LAYER_##NAME;                                                   \
    const struct layer_type LAYER_##NAME = {                                                       \
        .member = {.name = #NAME,                                                                  \
                   .help = HELP,                                                                   \
                   .options = ROWS,                                                                \
                   .size = sizeof(struct activation_options)},                                     \
        .flags = FLAGS,                                                                            \
        .detail = ACTIVATION_##DETAIL,                                                             \
        .suits = &INITIALIZER_##SUITS,                                                             \
        .shape = activation_shape,                                                                 \
        .forward = activation_forward,                                                             \
        .backward = activation_backward,                                                           \
        .explain = activation_explain,                                                             \
        .hold = HOLDS,                                                                             \
        .examples = SAMPLES,                                                                       \
    };

DEFINE(relu, RELU, FROM_Y | LAYER_RECTIFIES | LAYER_CHEAP, he, relu_hold, PLAIN, EXAMPLES,
       "max(x, 0)")
DEFINE(leaky_relu, LEAKY_RELU, FROM_Y | LAYER_RECTIFIES | LAYER_CHEAP, he, leaky_hold, SLOPE,
       SLOPE_EXAMPLES, "x, or slope x where x < 0")
DEFINE(tanh, TANH, FROM_Y, xavier, NULL, PLAIN, EXAMPLES, "hyperbolic tangent")
DEFINE(sigmoid, SIGMOID, FROM_Y, xavier, NULL, PLAIN, EXAMPLES, "1 / (1 + e^-x)")
DEFINE(elu, ELU, FROM_Y | LAYER_RECTIFIES, he, elu_hold, ALPHA, ALPHA_EXAMPLES,
       "x, or alpha (e^x - 1) where x < 0")
DEFINE(gelu, GELU, FROM_X | LAYER_RECTIFIES, he, NULL, PLAIN, EXAMPLES,
       "x Phi(x), Phi the normal distribution function")
DEFINE(silu, SILU, FROM_X | LAYER_RECTIFIES, he, NULL, PLAIN, EXAMPLES,
       "x sigmoid(x), also called swish")
DEFINE(softplus, SOFTPLUS, FROM_X | LAYER_RECTIFIES, he, NULL, PLAIN, EXAMPLES, "ln(1 + e^x)")
DEFINE(scaled_tanh, SCALED_TANH, FROM_Y, xavier, NULL, PLAIN, EXAMPLES,
       "LeCun's 1.7159 tanh(2x / 3)")
