/* groupnorm.c: normalisation within an image, so samples stay independent: group normalisation (Wu
 * and He 2018) and layer normalisation (Ba, Kiros, Hinton 2016), with PyTorch's meaning and
 * defaults:
 *
 *     y = (x - mean) / sqrt(variance + eps) * weight + bias
 *
 * mean and (biased) variance are those of a group of channels of one image. groupnorm has a weight
 * and a bias for each channel [c], layernorm one group and a weight for each value [c][h][w]
 * (torch.nn.LayerNorm over the whole shape). With n values in a group, z the normalised x and g =
 * dy weight:
 *
 *     dx = (g - sum(g) / n - z sum(g z) / n) / sqrt(variance + eps) */
#include "net/layer.h"

struct groupnorm {
    struct layer_options layer;
    double eps;
    int affine;
    long long groups; /* layernorm: 0 */
};

#define FIELD(name) .offset = offsetof(struct groupnorm, name)
#define EPS_AND_AFFINE_ROWS                                                                        \
    {.key = "eps",                                                                                 \
     .kind = &OPTION_DOUBLE,                                                                       \
     FIELD(eps),                                                                                   \
     .fallback = "1e-5",                                                                           \
     .low = 0,                                                                                     \
     .high = 1,                                                                                    \
     .open = 1,                                                                                    \
     .help = "added to the variance"},                                                             \
    {                                                                                              \
        .key = "affine", .kind = &OPTION_BOOLEAN, FIELD(affine), .fallback = "true",               \
        .help = "scale and shift by weights and biases"                                            \
    }

static const struct option LAYER_OPTIONS[] = {
    EPS_AND_AFFINE_ROWS,
    LAYER_FREEZE_ROW,
    LAYER_NAME_ROW,
    OPTION_END,
};

static const struct option GROUP_OPTIONS[] = {
    {.key = "groups",
     .kind = &OPTION_INTEGER,
     FIELD(groups),
     .low = 1,
     .high = 65536,
     .help = "into which the channels are divided"},
    EPS_AND_AFFINE_ROWS,
    LAYER_FREEZE_ROW,
    LAYER_NAME_ROW,
    OPTION_END,
};

static int is_each(const struct node *node) { return node->type->detail; }

static int groups_of(const struct node *node)
{
    const struct groupnorm *o = node->options;
    return o->groups ? (int)o->groups : 1;
}

static int groupnorm_shape(struct node *node, struct error_list *errors)
{
    node->out = node->in;
    if (node->in.c % groups_of(node) != 0) {
        return yaml_error(errors, node->where,
                          "groupnorm '%s': its %d channels cannot be divided into %d groups",
                          node->name, node->in.c, groups_of(node));
    }
    return 0;
}

static void groupnorm_need(const struct node *node, struct needs *needs)
{
    const struct groupnorm *o = node->options;
    const struct shape s = node->in;
    const struct parameter shape = {.rank = is_each(node) ? 3 : 1, .dims = {s.c, s.h, s.w}};
    for (int k = 0; k < 2 && o->affine; k++) {
        struct parameter *p = &needs->parameters[needs->parameter_count++];
        *p = shape;
        p->suffix = k ? "bias" : "weight";
        p->start = k ? 0 : 1;
    }
}

/* One group of a tile: where it is, and what its channels are scaled by. */
struct set {
    float mean[LANES], inverse[LANES]; /* first, for their alignment */
    size_t pixels, n, at;              /* of a channel; vectors; the first, in floats */
    int channels, first;
} __attribute__((aligned(64)));

static struct set group_of(const struct node *node, const struct run *run, const float *x, int g)
{
    const struct groupnorm *o = node->options;
    struct set group __attribute__((aligned(64)));
    group.channels = node->in.c / groups_of(node);
    group.first = g * group.channels;
    group.pixels = (size_t)node->in.h * node->in.w;
    group.n = group.pixels * (size_t)group.channels;
    group.at = group.n * LANES * (size_t)g;
    run->kernels->lane_moments(group.n, x + group.at, (float)o->eps, group.mean, group.inverse);
    return group;
}

static const float ONE = 1, ZERO = 0;

/* The weights and biases of a channel, or 1 and 0; *step: to those of the next pixel. */
static const float *affine_of(const struct node *node, const struct run *run, int k, int channel,
                              int *step)
{
    const struct groupnorm *o = node->options;
    *step = o->affine && is_each(node);
    return o->affine ? node_parameter(node, run, k) +
                           (size_t)channel * (*step ? (size_t)node->in.h * node->in.w : 1)
           : k ? &ZERO
               : &ONE;
}

static void groupnorm_forward(const struct node *node, const struct run *run, const float *x,
                              float *y)
{
    for (int g = 0; g < groups_of(node); g++) {
        const struct set group = group_of(node, run, x, g);
        for (int c = 0; c < group.channels; c++) {
            const size_t at = group.at + (size_t)c * group.pixels * LANES;
            int step;
            const float *weight = affine_of(node, run, 0, group.first + c, &step);
            const float *bias = affine_of(node, run, 1, group.first + c, &step);
            run->kernels->lane_normalize(group.pixels, x + at, group.mean, group.inverse, weight,
                                         bias, step, y + at);
        }
    }
}

static void groupnorm_backward(const struct node *node, const struct run *run, const float *x,
                               const float *y, const float *dy, float *dx)
{
    (void)y;
    for (int g = 0; g < groups_of(node); g++) {
        const struct set group = group_of(node, run, x, g);
        float sum[LANES] __attribute__((aligned(64))) = {0};
        float product[LANES] __attribute__((aligned(64))) = {0};
        int step;
        for (int c = 0; c < group.channels; c++) {
            const size_t at = group.at + (size_t)c * group.pixels * LANES;
            const float *weight = affine_of(node, run, 0, group.first + c, &step);
            const size_t to = (size_t)(group.first + c) * (step ? group.pixels : 1);
            run->kernels->lane_normalize_sums(
                group.pixels, x + at, dy + at, group.mean, group.inverse, weight, step, run->add,
                node->trained ? node_gradient(node, run, 0) + to : NULL,
                node->trained ? node_gradient(node, run, 1) + to : NULL, sum, product);
        }
        for (int c = 0; c < group.channels && dx; c++) {
            const size_t at = group.at + (size_t)c * group.pixels * LANES;
            const float *weight = affine_of(node, run, 0, group.first + c, &step);
            run->kernels->lane_normalize_backward(group.pixels, x + at, dy + at, group.mean,
                                                  group.inverse, weight, step, sum, product,
                                                  group.n, dx + at);
        }
    }
}

static const struct layer_example GROUP_EXAMPLES[] = {
    {"2", {4, 3, 3}},
    {"{groups: 3, eps: 0.01, affine: false}", {3, 2, 5}},
    {"{groups: 1, freeze: true}", {3, 2, 2}},
    {NULL, {0, 0, 0}},
};
static const struct layer_example LAYER_EXAMPLES[] = {
    {"", {3, 4, 3}},
    {"{eps: 0.1}", {13, 1, 1}},
    {"{affine: false}", {2, 3, 2}},
    {NULL, {0, 0, 0}},
};

#define DEFINE(NAME, EACH, ROWS, SAMPLES, HELP)                                                    \
    extern const struct layer_type LAYER_##NAME;                                                   \
    const struct layer_type LAYER_##NAME = {                                                       \
        .member = {.name = #NAME,                                                                  \
                   .help = HELP,                                                                   \
                   .options = ROWS,                                                                \
                   .size = sizeof(struct groupnorm)},                                              \
        .flags = LAYER_READS_X,                                                                    \
        .detail = EACH,                                                                            \
        .shape = groupnorm_shape,                                                                  \
        .need = groupnorm_need,                                                                    \
        .forward = groupnorm_forward,                                                              \
        .backward = groupnorm_backward,                                                            \
        .examples = SAMPLES,                                                                       \
    };

DEFINE(groupnorm, 0, GROUP_OPTIONS, GROUP_EXAMPLES,
       "groups of an image's channels to mean 0 and variance 1, then scaled and shifted")
DEFINE(layernorm, 1, LAYER_OPTIONS, LAYER_EXAMPLES,
       "all of an image to mean 0 and variance 1, then scaled and shifted")
