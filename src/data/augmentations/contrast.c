/* contrast.c: the distance of all values from the picture's mean grey times a random factor:
 * PyTorch's ColorJitter. */
#include "data/augmentation.h"

struct contrast_options {
    struct augmentation_options augmentation;
    struct range factor;
};

static const struct option OPTIONS[] = {
    {.key = "factor",
     .kind = &OPTION_FACTOR,
     .offset = offsetof(struct contrast_options, factor),
     .low = 0,
     .high = 100,
     .help = "0 is grey, above 1 is more contrast"},
    AUGMENT_P_ROW("1"),
    OPTION_END,
};

static void contrast_paint(const void *options, struct draws *draws, struct picture *picture)
{
    const struct contrast_options *o = options;
    const float factor = (float)draws_range(draws, o->factor);
    const size_t n = (size_t)picture->h * (size_t)picture->w;
    double sum = 0;
    for (size_t i = 0; i < n; i++) {
        sum += (double)picture_grey(picture, i);
    }
    const float mean = (float)(sum / (double)n);
    picture->kernels->adjust(picture->size, factor, mean * (1 - factor), picture->low,
                             picture->high, picture->planes);
}

extern const struct augmentation AUGMENTATION_contrast;
const struct augmentation AUGMENTATION_contrast = {
    .member = {.name = "contrast",
               .help = "values nearer to or farther from their mean",
               .options = OPTIONS,
               .size = sizeof(struct contrast_options)},
    .paint = contrast_paint,
};
