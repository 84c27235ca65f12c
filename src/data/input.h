/* input.h: what the network sees. From stored images to a tile of floats: fit to the input's size,
 * then normalise.
 *
 * A tile is [c][h][w][16] floats: lane i of every vector of 16 belongs to image i. Dead lanes of a
 * last, partial tile repeat its first image; the loss ignores them. */
#ifndef CNNTRAIN_DATA_INPUT_H
#define CNNTRAIN_DATA_INPUT_H

#include "data/dataset.h"
#include "kernels/kernels.h"

/* `data.input`: a value of 0 stands for "as stored". */
struct dimension {
    long long value;
    const struct yaml *where; /* for later faults; NULL when it was not written */
};
struct input_options {
    struct dimension height, width, channels;
    const char *fit; /* one of FIT_NAMES (fit.h) */
};
extern const struct option INPUT_OPTIONS[];

/* `data.normalize`: standard | unit | none | {mean: [..], std: [..]}. Values of byte images are
 * first divided by 255. */
struct normalize_options {
    const char *mode; /* "standard", "unit", "none" or "given" */
    struct numbers mean, std;
    const struct yaml *where;
};
extern const struct option_kind OPTION_NORMALIZE;

/* The input of a network: resolved, and stored in the model. x = (pixel * scale - mean[channel]) /
 * std[channel], where scale is 1/255 for bytes under standard, unit and given, and 1 otherwise. */
struct input {
    int c, h, w; /* what the network gets */
    double scale;
    double mean[4], std[4]; /* per channel; c is at most 4 */
};
/* Fit the options to a training set (normalisation statistics come from `train`, pixels in double,
 * in a fixed order; a channel without variance gets std 1; `unit` maps the range of float images to
 * 0..1). ERROR_CONFIG placed at the option when it cannot be (smaller input than the images, other
 * channel count, wrong number of means). */
int input_resolve(struct input *input, const struct input_options *size,
                  const struct normalize_options *normalize, const struct subset *train,
                  struct error *e);
/* Whether a set can be fed to this input: the same channels, not larger (a smaller image is
 * padded), and not floats where bytes were trained on; `kind` as in dataset_check_labels. */
int input_check(const struct input *input, const struct dataset *set, enum error_kind kind,
                struct error *e);

/* Ask for the pixels of `n` samples ahead of the tile that will need them: images lie where the
 * order of an epoch puts them, and come from far. */
void input_prefetch(const struct dataset *set, const uint32_t *index, int n);
/* Fill a tile with `live` (1..16) samples of `set`, those at index[0..live). `x` is [c][h][w][16],
 * 64-byte aligned; labels[16] gets the labels, -1 in dead lanes. The same bytes at every kernel
 * level. */
void input_tile(const struct input *input, const struct dataset *set, const uint32_t *index,
                int live, float *x, struct labels *labels, const struct kernels *kernels);
/* One sample by itself, as planes x[c][h][w] of the input's size: to the bit what its lane of a
 * tile gets. */
void input_image(const struct input *input, const struct dataset *set, uint32_t sample, float *x,
                 const struct kernels *kernels);

#endif
