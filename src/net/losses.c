/* losses.c: the losses as a config chooses them; their formulas are the kernels' (kernels/loss.c,
 * kernels/loss_outputs.c). Labels stand for targets, one-hot or a mixture of two. */
#include "net/loss.h"

#include <stdio.h>
#include <string.h>

static const struct option GAMMA[] = {
    {.key = "gamma",
     .kind = &OPTION_NUMBER,
     .offset = offsetof(struct loss_options, terms.gamma),
     .fallback = "2",
     .low = 0,
     .high = 100,
     .help = "how little a sample counts that is already right; 0: cross_entropy"},
    OPTION_END,
};

static const struct option J[] = {
    {.key = "j",
     .kind = &OPTION_NUMBER,
     .offset = offsetof(struct loss_options, terms.j),
     .fallback = "1",
     .low = 0,
     .high = 1000000,
     .help = "wrong classes with outputs far below -j are pushed no further; large: cross_entropy"},
    OPTION_END,
};

static const struct option DELTA[] = {
    {.key = "delta",
     .kind = &OPTION_NUMBER,
     .offset = offsetof(struct loss_options, terms.delta),
     .fallback = "1",
     .low = 0,
     .high = 1000000,
     .open = 1,
     .help = "the difference from which on it grows no longer squared"},
    OPTION_END,
};

static const struct option MARGIN[] = {
    {.key = "margin",
     .kind = &OPTION_NUMBER,
     .offset = offsetof(struct loss_options, terms.margin),
     .fallback = "1",
     .low = 0,
     .high = 1000000,
     .open = 1,
     .help = "by how much the right class must lead"},
    OPTION_END,
};

static void probabilities(const struct kernels *k, int classes, const float *z, float *p)
{
    k->softmax(classes, z, p);
}

static void outputs(const struct kernels *k, int classes, const float *z, float *p)
{
    (void)k;
    memmove(p, z, (size_t)classes * LANES * sizeof *p);
}

#define DEFINE(NAME, FLAGS, ROWS, PREDICT, HELP)                                                   \
    static void NAME##_evaluate(const struct loss_options *options, const struct kernels *k,       \
                                int classes, const float *z, const struct labels *labels,          \
                                float scale, float *loss, float *dz)                               \
    {                                                                                              \
        k->NAME(&options->terms, classes, z, labels, scale, loss, dz);                             \
    }                                                                                              \
    extern const struct loss_type LOSS_##NAME;                                                     \
    const struct loss_type LOSS_##NAME = {                                                         \
        .member = {.name = #NAME,                                                                  \
                   .help = HELP,                                                                   \
                   .options = ROWS,                                                                \
                   .size = sizeof(struct loss_options)},                                           \
        .flags = FLAGS,                                                                            \
        .evaluate = NAME##_evaluate,                                                               \
        .predict = PREDICT,                                                                        \
    };

DEFINE(cross_entropy, LOSS_SMOOTHING | LOSS_WEIGHTS | LOSS_LOGITS, NULL, probabilities,
       "softmax, then -ln of the right class's probability; with label_smoothing, class_weights")
DEFINE(focal, LOSS_WEIGHTS | LOSS_LOGITS, GAMMA, probabilities,
       "cross_entropy times (1 - p)^gamma, p the right class's probability; with class_weights")
DEFINE(map, LOSS_LOGITS, J, probabilities,
       "LeNet-5's, for rbf: minus the right output, + ln(e^-j + sum over the classes of e^output)")
DEFINE(mse, 0, NULL, outputs,
       "mean over the classes of (output - target) squared, target 1 for the right class, else 0")
DEFINE(mae, 0, NULL, outputs, "mean over the classes of |output - target|")
DEFINE(huber, 0, DELTA, outputs,
       "mean over the classes of (output - target) squared / 2, beyond delta linear")
DEFINE(hinge, 0, MARGIN, outputs,
       "mean over the classes of max(0, margin - right output + output), but the right one")

void losses_with(unsigned flag, char *text, size_t size)
{
    size_t used = 0;
    *text = '\0';
    for (const struct member *const *member = LOSSES.members; *member; member++) {
        if ((((const struct loss_type *)(const void *)*member)->flags & flag) && used < size) {
            used += (size_t)snprintf(text + used, size - used, "%s%s", used ? " or " : "",
                                     (*member)->name);
        }
    }
}

double loss_weight(const struct loss_options *options, const struct labels *labels, int lane)
{
    const int first = labels->first[lane], second = labels->second[lane];
    const float *weights = options->terms.weights;
    const double share = (double)labels->share[lane];
    if (first < 0 || !weights) {
        return first < 0 ? 0 : 1;
    }
    return first == second ? (double)weights[first]
                           : share * (double)weights[first] + (1 - share) * (double)weights[second];
}
