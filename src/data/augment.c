/* augment.c: from stored images to a tile of augmented ones: each of the 16 is made by itself, as
 * planes of floats, then they are laid side by side and normalised as any tile. */
#include "data/augment.h"

#include "data/balance.h"

#include <assert.h>
#include <float.h>
#include <string.h>

enum { MOST_PIXELS = 1 << 29 }; /* of a plane with its frame: twice an index must fit an int */

static size_t whole_vectors(size_t n) { return (n + LANES - 1) / LANES * LANES; }

static size_t image_floats(const struct input *input)
{
    return whole_vectors((size_t)input->c * (size_t)input->h * (size_t)input->w);
}

/* The range of a training set of floats; bytes have theirs by themselves. */
static void find_range(struct augmenter *augmenter, const struct subset *train)
{
    const struct dataset *set = train->set;
    const size_t values = (size_t)set->c * (size_t)set->h * (size_t)set->w;
    float low = FLT_MAX, high = -FLT_MAX;
    if (set->floats == NULL || set->outline) {
        augmenter->low = 0;
        augmenter->high = 255;
        return;
    }
    for (size_t s = 0; s < train->count; s++) {
        const float *pixels = set->floats + train->index[s] * values;
        for (size_t i = 0; i < values; i++) {
            low = pixels[i] < low ? pixels[i] : low;
            high = pixels[i] > high ? pixels[i] : high;
        }
    }
    augmenter->low = low;
    augmenter->high = high;
}

/* Colours, for the steps that work on them. */
static int check_colours(const struct augmentations *list, int channels, struct error *e)
{
    for (int i = 0; i < list->count; i++) {
        const struct augmentation *type = (const void *)list->steps[i].type;
        if (type->flags & AUGMENT_COLOUR && channels < 3) {
            return yaml_error_one(e, ERROR_CONFIG, list->steps[i].where,
                                  "%s needs colours: 3 channels, the images have %d",
                                  type->member.name, channels);
        }
        if (type->list != NULL) {
            TRY(check_colours(type->list(list->steps[i].options), channels, e));
        }
    }
    return 0;
}

int augmenter_open(struct augmenter *augmenter, const struct augmentations *list,
                   const struct input *input, const struct subset *train,
                   const struct kernels *kernels, uint64_t seed, struct error *e)
{
    *augmenter = (struct augmenter){.list = list,
                                    .input = input,
                                    .stored = *input,
                                    .set = train->set,
                                    .train = train,
                                    .kernels = kernels,
                                    .seed = seed};
    augmenter->stored.scale = 1;
    if ((double)(input->h + 3) * (double)(input->w + 3) > MOST_PIXELS) {
        return error_set(e, ERROR_LIMIT, train->set->path,
                         "images of %dx%d are too large to be augmented", input->h, input->w);
    }
    TRY(check_colours(list, input->c, e));
    for (int k = 0; k < input->c; k++) {
        augmenter->stored.mean[k] = 0;
        augmenter->stored.std[k] = 1;
    }
    find_range(augmenter, train);
    return 0;
}

int augmentations_alone(const struct augmentations *list)
{
    int count = 0;
    for (int i = 0; i < list->count; i++) {
        count += ((const struct augmentation *)(const void *)list->steps[i].type)->mix == NULL;
    }
    return count > 0;
}

size_t augmenter_scratch(const struct augmenter *augmenter)
{
    return LANES * image_floats(augmenter->input) + augment_image_scratch(augmenter);
}

/* The label of lane i: the class with the greater share first. */
static void set_label(struct labels *labels, int i, int32_t own, int32_t other, float share)
{
    labels->first[i] = share >= 0.5f ? own : other;
    labels->second[i] = share >= 0.5f ? other : own;
    labels->share[i] = share >= 0.5f ? share : 1 - share;
}

void augment_tile(const struct augmenter *augmenter, uint32_t epoch, const uint32_t *index,
                  int live, float *x, struct labels *labels, float *scratch)
{
    const struct input *input = augmenter->input;
    const size_t size = image_floats(input), plane = (size_t)input->h * (size_t)input->w;
    const struct dataset *set = augmenter->set;
    const int32_t *classes = set->labels;
    assert(live >= 1 && live <= LANES);
    for (int i = 0; i < LANES; i++) {
        struct mixture mixture = {.partner = index[i < live ? i : 0], .share = 1};
        if (i < live) {
            augment_image(augmenter, epoch, index[i], scratch + (size_t)i * size,
                          augmenter->unmixed ? NULL : &mixture, scratch + LANES * size);
        }
        set_label(labels, i, i < live ? classes[drawn_sample(index[i], set)] : -1,
                  i < live ? classes[drawn_sample(mixture.partner, set)] : -1, mixture.share);
    }
    for (int k = 0; k < input->c; k++) {
        const float *images[LANES];
        for (int i = 0; i < LANES; i++) {
            images[i] = scratch + (size_t)(i < live ? i : 0) * size + (size_t)k * plane;
        }
        augmenter->kernels->tile_from_floats(images, plane, (float)(input->scale / input->std[k]),
                                             (float)((0 - input->mean[k]) / input->std[k]),
                                             x + (size_t)k * plane * LANES);
    }
}
