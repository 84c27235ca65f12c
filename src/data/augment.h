/* augment.h: the config's `augment` list at work: training images, changed anew in each epoch.
 *
 * What an image becomes is a pure function of (seed, epoch, sample, the list): neither threads nor
 * the order of the samples nor a resumed run can change it. The steps work on the image at the
 * network's input size, before it is normalised; with no step taking effect a tile has the same
 * bytes as input_tile's. */
#ifndef CNNTRAIN_DATA_AUGMENT_H
#define CNNTRAIN_DATA_AUGMENT_H

#include "data/augmentation.h"
#include "data/input.h"

/* All that the workers share. */
struct augmenter {
    const struct augmentations *list; /* not empty */
    const struct input *input;
    struct input stored; /* the same without normalisation */
    const struct dataset *set;
    const struct subset *train; /* who may be mixed in */
    const struct kernels *kernels;
    uint64_t seed;
    int unmixed;     /* 1: steps that mix another image in are left out */
    float low, high; /* of the stored values: 0..255 for bytes, else what the training set has */
};
/* `train`, `input` and `list` must outlive it. ERROR_LIMIT when the images are too large to be
 * moved. */
int augmenter_open(struct augmenter *augmenter, const struct augmentations *list,
                   const struct input *input, const struct subset *train,
                   const struct kernels *kernels, uint64_t seed, struct error *e);
/* Floats that one worker needs; its block is 64-byte aligned. */
size_t augmenter_scratch(const struct augmenter *augmenter);

/* What a step has mixed into an image: a sample of the training set; `share` is the image's own. */
struct mixture {
    int mixed;
    uint32_t partner; /* the image itself when it is not mixed */
    float share;
};
/* One image as the network will be trained on it in `epoch`, but not yet normalised; `sample` is
 * its number, that of a copy where over-sampling draws one (balance.h): `planes` is [c][h][w] of
 * the input, with room for whole vectors of 16. With `mixture` NULL nothing is mixed in. `scratch`:
 * augment_image_scratch floats, 64-byte aligned. */
void augment_image(const struct augmenter *augmenter, uint32_t epoch, uint32_t sample,
                   float *planes, struct mixture *mixture, float *scratch);
size_t augment_image_scratch(const struct augmenter *augmenter);
/* Whether a list has steps other than those that mix. */
int augmentations_alone(const struct augmentations *list);
/* Draws that are none of training's: draw k of test-time augmentation is epoch AUGMENT_TEST + k. */
#define AUGMENT_TEST 0x80000000u
/* As input_tile, with augmented images. */
void augment_tile(const struct augmenter *augmenter, uint32_t epoch, const uint32_t *index,
                  int live, float *x, struct labels *labels, float *scratch);

#endif
