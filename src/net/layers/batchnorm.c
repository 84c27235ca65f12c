/* batchnorm.c: batch normalisation. Ioffe and Szegedy 2015, "Batch normalization: accelerating deep
 * network training by reducing internal covariate shift". With PyTorch's meaning and defaults:
 *
 *     y = (x - mean) / sqrt(variance + eps) * weight + bias         per channel
 *
 * x, y [c][h][w]; weight, bias, running_mean, running_var [c]. In training, mean and (biased)
 * variance are those of the channel over the batch and its pixels, and the running ones move
 * towards them: running += momentum * (batch's - running), the variance unbiased. In evaluation the
 * running ones serve, and in a frozen layer in training too.
 *
 * So a tile cannot go on before all tiles have come: the layer cuts the network (layer.h, struct
 * coupling), and the whole batch goes through memory. So an activation that follows is done on the
 * way (run->does); then dy below is the gradient by its input. With n values a channel, d = x -
 * mean, s = 1 / sqrt(variance + eps), backward is
 *
 *     db = sum of dy,  dw = s * sum of dy d
 *     dx = weight s (dy - db / n - d s^2 (sum of dy d) / n)
 *
 * Each tile brings its mean and sum of squares about it; they are put together by the formula of
 * Chan, Golub, LeVeque 1979, in double, in the order of the tiles. */
#include "net/layers/activation.h"
#include "net/explain.h"

#include <math.h>

struct batchnorm {
    struct layer_options layer;
    double momentum, eps;
    int affine;
};

#define FIELD(name) .offset = offsetof(struct batchnorm, name)
static const struct option OPTIONS[] = {
    {.key = "momentum",
     .kind = &OPTION_DOUBLE,
     FIELD(momentum),
     .fallback = "0.1",
     .low = 0,
     .high = 1,
     .help = "the new batch's share of the running statistics"},
    {.key = "eps",
     .kind = &OPTION_DOUBLE,
     FIELD(eps),
     .fallback = "1e-5",
     .low = 0,
     .high = 1,
     .open = 1,
     .help = "added to the variance"},
    {.key = "affine",
     .kind = &OPTION_BOOLEAN,
     FIELD(affine),
     .fallback = "true",
     .help = "scale and shift each channel by a weight and a bias"},
    LAYER_FREEZE_ROW,
    LAYER_NAME_ROW,
    OPTION_END,
};

enum { MOMENTS = 3, SUMS = 2 };             /* doubles that a tile brings for each channel */
enum { MEAN, INVERSE, BY_X, REST, SHARED }; /* floats that the batch has for each channel */

static int batchnorm_shape(struct node *node, struct error_list *errors)
{
    (void)errors;
    node->out = node->in;
    node->shares = 1;
    return 0;
}

/* The number of a parameter: without an affine part only the running ones are there. */
static int running(const struct node *node, int k)
{
    const struct batchnorm *o = node->options;
    return (o->affine ? 2 : 0) + k;
}

static void batchnorm_need(const struct node *node, struct needs *needs)
{
    const struct batchnorm *o = node->options;
    const int c = node->in.c;
    if (o->affine) {
        needs->parameters[needs->parameter_count++] =
            (struct parameter){.suffix = "weight", .rank = 1, .dims = {c}, .start = 1};
        needs->parameters[needs->parameter_count++] =
            (struct parameter){.suffix = "bias", .rank = 1, .dims = {c}};
    }
    needs->parameters[needs->parameter_count++] =
        (struct parameter){.suffix = "running_mean", .rank = 1, .dims = {c}, .fixed = 1};
    needs->parameters[needs->parameter_count++] =
        (struct parameter){.suffix = "running_var", .rank = 1, .dims = {c}, .start = 1, .fixed = 1};
    needs->sums = (size_t)c * MOMENTS;
    needs->shared = (size_t)c * SHARED;
}

static size_t pixels(const struct node *node) { return (size_t)node->in.h * node->in.w; }

static size_t map_floats(const struct node *node) { return pixels(node) * LANES; }

/* ---- the meetings ---- */

static void gather(const struct node *node, const struct run *run, const float *x, double *sums)
{
    for (int c = 0; c < node->in.c; c++) {
        run->kernels->moments(pixels(node), x + (size_t)c * map_floats(node), run->live,
                              sums + (size_t)c * MOMENTS);
    }
}

/* The moments of a channel over all tiles. */
static void combine(const struct meeting *m, int c, double all[3])
{
    all[0] = all[1] = all[2] = 0;
    for (int tile = 0; tile < m->tiles; tile++) {
        const double *own = m->sums + (size_t)tile * m->stride + (size_t)c * MOMENTS;
        const double n = all[0] + own[0], step = own[1] - all[1];
        all[1] += step * own[0] / n;
        all[2] += own[2] + step * step * all[0] * own[0] / n;
        all[0] = n;
    }
}

static void move_towards(float *value, double share, double target)
{
    *value = (float)((1 - share) * (double)*value + share * target);
}

static void meet(const struct node *node, const struct run *run, const struct meeting *meeting,
                 float *parameters)
{
    const struct batchnorm *o = node->options;
    float *shared = node_shared(node, run);
    float *mean = parameters + node->needs.parameters[running(node, 0)].offset;
    float *variance = parameters + node->needs.parameters[running(node, 1)].offset;
    for (int c = 0; c < node->in.c; c++, shared += SHARED) {
        double all[3];
        combine(meeting, c, all);
        shared[MEAN] = (float)all[1];
        shared[INVERSE] = (float)(1 / sqrt(all[2] / all[0] + o->eps));
        move_towards(&mean[c], o->momentum, all[1]);
        move_towards(&variance[c], o->momentum, all[2] / (all[0] - 1));
    }
}

static void write_or_add(float *to, int add, double value) { *to = (add ? *to : 0) + (float)value; }

/* Of normalisation and, where the node does it too, the activation behind it. */
static const struct norm_kernel *kernel_of(const struct run *run)
{
    return &run->kernels->norm[activation_kind(run->does)];
}

/* A channel's. In training by_x and rest are those of the batch once it has met on the way back. */
static struct norm norm_of(const struct node *node, const struct run *run, int channel)
{
    const struct batchnorm *o = node->options;
    const size_t c = (size_t)channel;
    const float weight = o->affine ? node_parameter(node, run, 0)[c] : 1;
    struct norm n = {.shift = o->affine ? node_parameter(node, run, 1)[c] : 0,
                     .slope = activation_slope(run->does)};
    if (run->training && node->couples) {
        const float *shared = node_shared(node, run) + c * SHARED;
        n.mean = shared[MEAN];
        n.scale = weight * shared[INVERSE];
        n.by_x = shared[BY_X];
        n.rest = shared[REST];
    } else {
        const double variance = (double)node_parameter(node, run, running(node, 1))[c];
        n.mean = node_parameter(node, run, running(node, 0))[c];
        n.scale = (float)((double)weight / sqrt(variance + o->eps));
    }
    return n;
}

/* What a tile brings on the way back is also its part of the gradients. */
static void gather_back(const struct node *node, const struct run *run, const float *x,
                        const float *dy, double *sums)
{
    const struct norm_kernel *f = kernel_of(run);
    const float *shared = node_shared(node, run);
    for (int c = 0; c < node->in.c; c++, shared += SHARED, sums += SUMS) {
        const size_t at = (size_t)c * map_floats(node);
        const struct norm n = norm_of(node, run, c);
        f->sums(pixels(node), x + at, dy + at, &n, sums);
        if (node->trained) {
            write_or_add(node_gradient(node, run, 0) + c, run->add,
                         sums[1] * (double)shared[INVERSE]);
            write_or_add(node_gradient(node, run, 1) + c, run->add, sums[0]);
        }
    }
}

static void meet_back(const struct node *node, const struct run *run, const struct meeting *m)
{
    const struct batchnorm *o = node->options;
    const double n = (double)m->samples * (double)pixels(node);
    float *shared = node_shared(node, run);
    for (int c = 0; c < node->in.c; c++, shared += SHARED) {
        double sum = 0, product = 0;
        for (int tile = 0; tile < m->tiles; tile++) {
            const double *own = m->sums + (size_t)tile * m->stride + (size_t)c * SUMS;
            sum += own[0];
            product += own[1];
        }
        const double inverse = (double)shared[INVERSE];
        const double scale = inverse * (o->affine ? (double)node_parameter(node, run, 0)[c] : 1);
        shared[BY_X] = (float)(-scale * inverse * inverse * product / n);
        shared[REST] = (float)(-scale * sum / n);
    }
}

static const struct coupling COUPLING = {.fewest = 2,
                                         .gather = gather,
                                         .meet = meet,
                                         .gather_back = gather_back,
                                         .meet_back = meet_back};

/* ---- a tile ---- */

static void channel_map(const struct node *node, const float *parameters, int channel,
                        double *scale, double *shift)
{
    const struct batchnorm *o = node->options;
    const struct parameter *p = node->needs.parameters;
    const size_t c = (size_t)channel;
    const double mean = (double)parameters[p[running(node, 0)].offset + c],
                 variance = (double)parameters[p[running(node, 1)].offset + c];
    *scale = (o->affine ? (double)parameters[p[0].offset + c] : 1) / sqrt(variance + o->eps);
    *shift = (o->affine ? (double)parameters[p[1].offset + c] : 0) - *scale * mean;
}

static void batchnorm_forward(const struct node *node, const struct run *run, const float *x,
                              float *y)
{
    const struct norm_kernel *f = kernel_of(run);
    size_t first;
    const size_t end = run_share(run, (size_t)node->in.c, &first);
    for (int c = (int)first; c < (int)end; c++) {
        const size_t at = (size_t)c * map_floats(node);
        const struct norm n = norm_of(node, run, c);
        f->forward(pixels(node), x + at, &n, y + at);
    }
}

static void batchnorm_backward(const struct node *node, const struct run *run, const float *x,
                               const float *y, const float *dy, float *dx)
{
    const struct norm_kernel *f = kernel_of(run);
    size_t first;
    const size_t end = run_share(run, (size_t)node->in.c, &first);
    (void)y;
    for (int c = (int)first; c < (int)end && dx; c++) {
        const size_t at = (size_t)c * map_floats(node);
        const struct norm n = norm_of(node, run, c);
        f->backward(pixels(node), x + at, dy + at, run->live, &n, dx + at);
    }
}

static void batchnorm_explain(const struct node *node, const struct run *run, const float *x,
                              const struct spot *at, struct explanation *e)
{
    const struct batchnorm *o = node->options;
    const size_t c = (size_t)at->channel;
    const double value = explain_input(node, x, at),
                 mean = (double)node_parameter(node, run, running(node, 0))[c],
                 variance = (double)node_parameter(node, run, running(node, 1))[c],
                 normal = (value - mean) / sqrt(variance + o->eps);
    e->rule = o->affine
                  ? "output = (x - running mean) / sqrt(running variance + eps) x weight + bias"
                  : "output = (x - running mean) / sqrt(running variance + eps)";
    explain_row(e, "x", value);
    explain_row(e, "running mean", mean);
    explain_row(e, "running variance", variance);
    explain_row(e, "eps", o->eps);
    explain_row(e, "(x - mean) / sqrt(variance + eps)", normal);
    if (o->affine) {
        const double weight = (double)node_parameter(node, run, 0)[c],
                     bias = (double)node_parameter(node, run, 1)[c];
        explain_row(e, "weight", weight);
        explain_row(e, "bias", bias);
        explain_row(e, "output", normal * weight + bias);
        e->magnitude = (fabs(value) + fabs(mean)) * fabs(weight) / sqrt(variance + o->eps);
    } else {
        e->magnitude = (fabs(value) + fabs(mean)) / sqrt(variance + o->eps);
    }
}

static const struct layer_example EXAMPLES[] = {
    {"", {3, 4, 5}},
    {"{momentum: 0.3, eps: 0.01}", {2, 1, 7}},
    {"{affine: false}", {2, 3, 3}},
    {"{freeze: true}", {2, 3, 4}},
    {NULL, {0, 0, 0}},
};

extern const struct layer_type LAYER_batchnorm;
const struct layer_type LAYER_batchnorm = {
    .member = {.name = "batchnorm",
               .help =
                   "each channel to mean 0 and variance 1 over the batch, then scaled and shifted",
               .options = OPTIONS,
               .size = sizeof(struct batchnorm)},
    .flags = LAYER_READS_X | LAYER_POINTWISE | LAYER_DX_IN_PLACE | LAYER_DOES_NEXT,
    .coupling = &COUPLING,
    .channel_map = channel_map,
    .shape = batchnorm_shape,
    .need = batchnorm_need,
    .forward = batchnorm_forward,
    .backward = batchnorm_backward,
    .explain = batchnorm_explain,
    .remedy = "batch normalisation",
    .examples = EXAMPLES,
};
