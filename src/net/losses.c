/* losses.c: the losses. Both are means over the batch; labels stand for targets, one-hot or a
 * mixture of two. */
#include "net/loss.h"

#include <string.h>

extern const struct loss_type LOSS_cross_entropy, LOSS_mse;

static void cross_entropy_evaluate(const void *options, const struct kernels *k, int classes,
                                   const float *z, const struct labels *labels, float scale,
                                   float *loss, float *dz)
{
    (void)options;
    k->cross_entropy(classes, z, labels, scale, loss, dz);
}

static void cross_entropy_predict(const struct kernels *k, int classes, const float *z, float *p)
{
    k->softmax(classes, z, p);
}

const struct loss_type LOSS_cross_entropy = {
    .member = {.name = "cross_entropy",
               .help = "softmax, then -ln of the right class's probability; in one stable step"},
    .takes_logits = 1,
    .evaluate = cross_entropy_evaluate,
    .predict = cross_entropy_predict,
};

static void mse_evaluate(const void *options, const struct kernels *k, int classes, const float *z,
                         const struct labels *labels, float scale, float *loss, float *dz)
{
    (void)options;
    k->mse(classes, z, labels, scale, loss, dz);
}

static void mse_predict(const struct kernels *k, int classes, const float *z, float *p)
{
    (void)k;
    memmove(p, z, (size_t)classes * LANES * sizeof *p);
}

const struct loss_type LOSS_mse = {
    .member = {.name = "mse",
               .help = "mean over the classes of (output - target) squared, target 1 for the right "
                       "class, else 0"},
    .evaluate = mse_evaluate,
    .predict = mse_predict,
};
