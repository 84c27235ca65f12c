/* lrn.c: local response normalisation: neighbouring channels at one place hold each other down.
 * Krizhevsky, Sutskever, Hinton 2012, section 3.3, as PyTorch's LocalResponseNorm has it (alpha is
 * divided by the size of the window, which begins size / 2 channels before):
 *
 *     y = x / s^beta,  s = k + alpha / size * sum of x^2 over the window
 *     dx = dy / s^beta - 2 beta alpha / size * x * sum of (dy x / s^(beta + 1)) over the channels
 *                                                         whose windows x is in
 *
 * x, y [c][h][w]. */
#include "net/layer.h"

struct lrn_options {
    struct layer_options layer;
    long long size;
    double alpha, beta, k;
};

#define FIELD(name) .offset = offsetof(struct lrn_options, name)
static const struct option OPTIONS[] = {
    {.key = "size",
     .kind = &OPTION_INTEGER,
     FIELD(size),
     .fallback = "5",
     .low = 1,
     .high = 1024,
     .help = "channels of the window"},
    {.key = "alpha",
     .kind = &OPTION_DOUBLE,
     FIELD(alpha),
     .fallback = "1e-4",
     .low = 0,
     .high = 1000,
     .help = "weight of the mean of the window's squares"},
    {.key = "beta",
     .kind = &OPTION_DOUBLE,
     FIELD(beta),
     .fallback = "0.75",
     .low = 0,
     .high = 100,
     .help = "exponent"},
    {.key = "k",
     .kind = &OPTION_DOUBLE,
     FIELD(k),
     .fallback = "1",
     .low = 0,
     .high = 1000,
     .open = 1,
     .help = "added to it"},
    LAYER_NAME_ROW,
    OPTION_END,
};

static int lrn_shape(struct node *node, struct error_list *errors)
{
    (void)errors;
    node->out = node->in;
    return 0;
}

static void lrn_need(const struct node *node, struct needs *needs)
{
    needs->scratch = shape_size(node->in) * LANES;
}

static struct lrn lrn_of(const struct node *node)
{
    const struct lrn_options *o = node->options;
    return (struct lrn){.c = node->in.c,
                        .before = (int)(o->size / 2),
                        .after = (int)((o->size - 1) / 2),
                        .share = (float)(o->alpha / (double)o->size),
                        .beta = (float)o->beta,
                        .k = (float)o->k};
}

static size_t pixels(const struct node *node) { return (size_t)node->in.h * node->in.w; }

static void lrn_forward(const struct node *node, const struct run *run, const float *x, float *y)
{
    const struct lrn lrn = lrn_of(node);
    run->kernels->lrn_forward(&lrn, pixels(node), x, y);
}

static void lrn_backward(const struct node *node, const struct run *run, const float *x,
                         const float *y, const float *dy, float *dx)
{
    const struct lrn lrn = lrn_of(node);
    (void)y;
    if (dx) {
        run->kernels->lrn_backward(&lrn, pixels(node), x, dy, dx, run->scratch);
    }
}

static const struct layer_example EXAMPLES[] = {
    {"", {7, 2, 3}},
    {"{size: 4, alpha: 0.5, beta: 0.6, k: 2}", {6, 3, 2}},
    {"{size: 3, alpha: 2, beta: 0.75, k: 0.5}", {2, 1, 2}},
    {"{size: 1, alpha: 1}", {3, 2, 2}},
    {NULL, {0, 0, 0}},
};

extern const struct layer_type LAYER_lrn;
const struct layer_type LAYER_lrn = {
    .member = {.name = "lrn",
               .help = "local response normalisation across channels",
               .options = OPTIONS,
               .size = sizeof(struct lrn_options)},
    .flags = LAYER_READS_X,
    .shape = lrn_shape,
    .need = lrn_need,
    .forward = lrn_forward,
    .backward = lrn_backward,
    .examples = EXAMPLES,
};
