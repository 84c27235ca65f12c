/* dropout.c: in training, each value is dropped with probability `rate` and the others are scaled
 * by 1 / (1 - rate); when evaluating, nothing happens. Srivastava, Hinton, Krizhevsky, Sutskever,
 * Salakhutdinov 2014; scaled in training, as in PyTorch. `spatial_dropout` drops whole maps
 * (PyTorch's Dropout2d): neighbours in a map say the same, so dropping some of them drops little.
 * Tompson, Goroshin, Jain, LeCun, Bregler 2015.
 *
 * The mask is a function of (seed, layer, epoch, sample, element), so backward makes it again
 * instead of keeping it. */
#include "base/rng.h"
#include "net/layer.h"

struct dropout {
    struct layer_options layer;
    float rate;
};

static const struct option OPTIONS[] = {
    {.key = "rate",
     .kind = &OPTION_NUMBER,
     .offset = offsetof(struct dropout, rate),
     .low = 0,
     .high = 1,
     .open = 2,
     .help = "the share that is dropped"},
    LAYER_NAME_ROW,
    OPTION_END,
};

static int dropout_shape(struct node *node, struct error_list *errors)
{
    (void)errors;
    node->out = node->in;
    return 0;
}

static void mask(const struct node *node, const struct run *run, const float *from, float *to)
{
    const struct dropout *o = node->options;
    run->kernels->dropout(from, to, shape_size(node->in), o->rate, run->seed, run->samples,
                          run->epoch, RNG_DROPOUT | (uint32_t)node->index << 8);
}

static void mask_maps(const struct node *node, const struct run *run, const float *from, float *to)
{
    const struct dropout *o = node->options;
    run->kernels->spatial_dropout(from, to, (size_t)node->in.c, (size_t)node->in.h * node->in.w,
                                  o->rate, run->seed, run->samples, run->epoch,
                                  RNG_DROPOUT | (uint32_t)node->index << 8);
}

static void spatial_forward(const struct node *node, const struct run *run, const float *x,
                            float *y)
{
    mask_maps(node, run, x, y);
}

static void spatial_backward(const struct node *node, const struct run *run, const float *x,
                             const float *y, const float *dy, float *dx)
{
    (void)x, (void)y;
    if (dx) {
        mask_maps(node, run, dy, dx);
    }
}

static void dropout_forward(const struct node *node, const struct run *run, const float *x,
                            float *y)
{
    mask(node, run, x, y);
}

static void dropout_backward(const struct node *node, const struct run *run, const float *x,
                             const float *y, const float *dy, float *dx)
{
    (void)x, (void)y;
    if (dx) {
        mask(node, run, dy, dx);
    }
}

/* "0.2 <= dropout rate <= 0.5", as the lecture has it; 0 is dropout switched off. */
static void dropout_lint(const struct node *node, struct error_list *warnings)
{
    const struct dropout *o = node->options;
    if (o->rate != 0 && (o->rate < 0.2f || o->rate > 0.5f)) {
        char rate[32];
        yaml_error(warnings, node->where, "the dropout rate %s is outside 0.2 to 0.5: %s",
                   text_from_float(rate, o->rate),
                   o->rate < 0.2f ? "too little to prevent overfitting"
                                  : "the network learns from less than half of its values");
    }
}

static const struct layer_example EXAMPLES[] = {
    {"0.5", {3, 5, 7}},
    {"0.25", {33, 1, 1}},
    {"0", {2, 2, 2}},
    {NULL, {0, 0, 0}},
};

#define DEFINE(NAME, FUNCTION, HELP)                                                               \
    extern const struct layer_type LAYER_##NAME;                                                   \
    const struct layer_type LAYER_##NAME = {                                                       \
        .member = {.name = #NAME,                                                                  \
                   .help = HELP,                                                                   \
                   .options = OPTIONS,                                                             \
                   .size = sizeof(struct dropout)},                                                \
        .flags = LAYER_IN_PLACE | LAYER_TRAINING_ONLY,                                             \
        .remedy = "dropout",                                                                       \
        .shape = dropout_shape,                                                                    \
        .forward = FUNCTION##_forward,                                                             \
        .backward = FUNCTION##_backward,                                                           \
        .lint = dropout_lint,                                                                      \
        .examples = EXAMPLES,                                                                      \
    };

DEFINE(dropout, dropout, "drops random values while training")
DEFINE(spatial_dropout, spatial, "drops random maps, as a whole, while training")
