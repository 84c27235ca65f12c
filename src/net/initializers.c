/* initializers.c: how weights start. fan_in is the number of inputs that a unit sums, fan_out the
 * number of units that an input reaches; a convolution counts its kernel's taps in both. Biases
 * start at zero.
 *
 * he      normal, std sqrt(2 / fan_in)                      He, Zhang, Ren, Sun 2015, section 2.2
 * xavier  uniform within sqrt(6 / (fan_in + fan_out))       Glorot and Bengio 2010, equation 16
 * lecun   normal, std sqrt(1 / fan_in)                      LeCun, Bottou, Orr, Müller 1998,
 * section 4.6
 * dirac   the first filters pass their channel on           Zagoruyko and Komodakis 2017
 * whiten  from the training images (train/whiten.h); until these are there, as lecun */
#include "base/rng.h"
#include "net/builder.h"

#include <math.h>
#include <string.h>

static void fill_normal(float *w, size_t n, double variance, uint64_t seed, uint32_t tensor)
{
    const float std = (float)sqrt(variance);
    for (size_t i = 0; i < n; i += 2) {
        const struct philox_words r = philox(seed, (uint32_t)(i / 2), tensor, 0, RNG_INIT);
        w[i] = std * rng_normal(r.v[0], r.v[1]);
        if (i + 1 < n) {
            w[i + 1] = std * rng_normal(r.v[2], r.v[3]);
        }
    }
}

static void he(float *w, const struct parameter *p, uint64_t seed, uint32_t tensor)
{
    fill_normal(w, p->size, 2.0 / p->fan_in, seed, tensor);
}

static void lecun(float *w, const struct parameter *p, uint64_t seed, uint32_t tensor)
{
    fill_normal(w, p->size, 1.0 / p->fan_in, seed, tensor);
}

static void xavier(float *w, const struct parameter *p, uint64_t seed, uint32_t tensor)
{
    const float bound = (float)sqrt(6.0 / (p->fan_in + p->fan_out));
    for (size_t i = 0; i < p->size; i++) {
        const struct philox_words r = philox(seed, (uint32_t)(i / 4), tensor, 0, RNG_INIT);
        w[i] = bound * (2.0f * rng_uniform(r.v[i % 4]) - 1.0f);
    }
}

static void zeros(float *w, const struct parameter *p, uint64_t seed, uint32_t tensor)
{
    (void)seed, (void)tensor;
    memset(w, 0, p->size * sizeof *w);
}

/* Filter k takes what is in the middle of its window of channel k, while there are channels. */
static void dirac(float *w, const struct parameter *p, uint64_t seed, uint32_t tensor)
{
    const int channels = p->dims[1], rows = p->rank > 3 ? p->dims[2] : 1,
              columns = p->rank > 2 ? p->dims[p->rank - 1] : 1;
    const size_t window = (size_t)rows * columns,
                 middle = (size_t)(rows / 2) * columns + columns / 2;
    lecun(w, p, seed, tensor);
    for (int k = 0; k < p->dims[0] && k < channels; k++) {
        float *filter = w + (size_t)k * channels * window;
        memset(filter, 0, channels * window * sizeof *w);
        filter[k * window + middle] = 1;
    }
}

const struct initializer INITIALIZER_he = {
    .member = {.name = "he",
               .help = "normal, std sqrt(2 / fan_in); the default before relu-like activations"},
    .fill = he};
const struct initializer INITIALIZER_xavier = {
    .member = {.name = "xavier",
               .help = "uniform within sqrt(6 / (fan_in + fan_out)); the default elsewhere"},
    .fill = xavier};
const struct initializer INITIALIZER_lecun = {
    .member = {.name = "lecun", .help = "normal, std sqrt(1 / fan_in)"}, .fill = lecun};
const struct initializer INITIALIZER_zeros = {.member = {.name = "zeros", .help = "all zero"},
                                              .fill = zeros};

const struct initializer INITIALIZER_dirac = {
    .member = {.name = "dirac",
               .help =
                   "the first filters pass their channel on, those beyond the channels as lecun"},
    .fill = dirac};
const struct initializer INITIALIZER_whiten = {
    .member = {.name = "whiten",
               .help = "principal components of the training images' patches, as variances of 1, "
                       "then their opposites; for what reads the images"},
    .fill = lecun,
    .of_images = 1};

/* Weights without an `init` start as the next activation likes, else as xavier. `next`: room for a
 * number a node. */
void graph_choose_initializers(struct graph *graph, int *next)
{
    for (int i = graph->count - 1; i >= 0; i--) { /* the first node that reads it */
        const struct node *node = &graph->nodes[i];
        next[i] = next[i] ? next[i] : graph->count;
        for (int k = 0; k < node->input_count; k++) {
            if (node->inputs[k] != NETWORK_INPUT) {
                next[node->inputs[k]] = i;
            }
        }
    }
    for (int i = 0; i < graph->count; i++) {
        struct node *node = &graph->nodes[i];
        struct choice *init = node_choice(node, node->type->init);
        if (!init || init->type) {
            continue;
        }
        init->type = &INITIALIZER_xavier.member;
        for (int k = next[i]; k < graph->count && !graph->nodes[k].type->init; k = next[k]) {
            if (graph->nodes[k].type->suits) {
                init->type = &graph->nodes[k].type->suits->member;
                break;
            }
        }
    }
}
