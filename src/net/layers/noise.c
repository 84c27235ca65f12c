/* noise.c: in training, normal noise on every value; when evaluating, nothing happens.
 *
 *     gaussian_noise     y = x + std N
 *     gaussian_dropout   y = x (1 + sqrt(rate / (1 - rate)) N), with the mean and the variance that
 *                        dropout gives; Srivastava and others 2014, section 10
 *
 * N is a function of (seed, layer, epoch, sample, element), so backward makes it again instead of
 * keeping it. */
#include "base/rng.h"
#include "net/layer.h"

#include <math.h>
#include <string.h>

struct noise_layer {
    struct layer_options layer;
    float size; /* std, or rate */
};

static const struct option STD[] = {
    {.key = "std",
     .kind = &OPTION_NUMBER,
     .offset = offsetof(struct noise_layer, size),
     .low = 0,
     .high = 1000,
     .help = "standard deviation of what is added"},
    LAYER_NAME_ROW,
    OPTION_END,
};

static const struct option RATE[] = {
    {.key = "rate",
     .kind = &OPTION_NUMBER,
     .offset = offsetof(struct noise_layer, size),
     .low = 0,
     .high = 1,
     .open = 2,
     .help = "as dropout's: the values are multiplied with 1 and a deviation of sqrt(rate / (1 - "
             "rate))"},
    LAYER_NAME_ROW,
    OPTION_END,
};

static int noise_shape(struct node *node, struct error_list *errors)
{
    (void)errors;
    node->out = node->in;
    return 0;
}

static void noise(const struct node *node, const struct run *run, float std, int multiply,
                  const float *from, float *to)
{
    run->kernels->normal_noise(from, to, shape_size(node->in), std, multiply, run->seed,
                               run->samples, run->epoch, RNG_DROPOUT | (uint32_t)node->index << 8);
}

static float deviation(const struct node *node)
{
    const double rate = (double)((const struct noise_layer *)node->options)->size;
    return (float)sqrt(rate / (1 - rate));
}

static void added_forward(const struct node *node, const struct run *run, const float *x, float *y)
{
    noise(node, run, ((const struct noise_layer *)node->options)->size, 0, x, y);
}

static void added_backward(const struct node *node, const struct run *run, const float *x,
                           const float *y, const float *dy, float *dx)
{
    (void)run, (void)x, (void)y;
    if (dx && dx != dy) {
        memcpy(dx, dy, shape_size(node->in) * LANES * sizeof *dx);
    }
}

static void multiplied_forward(const struct node *node, const struct run *run, const float *x,
                               float *y)
{
    noise(node, run, deviation(node), 1, x, y);
}

static void multiplied_backward(const struct node *node, const struct run *run, const float *x,
                                const float *y, const float *dy, float *dx)
{
    (void)x, (void)y;
    if (dx) {
        noise(node, run, deviation(node), 1, dy, dx);
    }
}

static const struct layer_example EXAMPLES[] = {
    {"0.1", {3, 5, 7}}, {"0.5", {33, 1, 1}}, {"0", {2, 2, 2}}, {NULL, {0, 0, 0}}};

#define DEFINE(NAME, ROWS, FUNCTION, REMEDY, HELP)                                                 \
    extern const struct layer_type LAYER_##NAME;                                                   \
    const struct layer_type LAYER_##NAME = {                                                       \
        .member = {.name = #NAME,                                                                  \
                   .help = HELP,                                                                   \
                   .options = ROWS,                                                                \
                   .size = sizeof(struct noise_layer)},                                            \
        .flags = LAYER_IN_PLACE | LAYER_TRAINING_ONLY,                                             \
        .remedy = REMEDY,                                                                          \
        .shape = noise_shape,                                                                      \
        .forward = FUNCTION##_forward,                                                             \
        .backward = FUNCTION##_backward,                                                           \
        .examples = EXAMPLES,                                                                      \
    };

DEFINE(gaussian_noise, STD, added, "noise", "adds normal noise while training")
DEFINE(gaussian_dropout, RATE, multiplied, "dropout",
       "multiplies with normal noise around 1 while training")
