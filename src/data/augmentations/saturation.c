/* saturation.c: the distance of each pixel's colour from its grey times a random factor: PyTorch's
 * ColorJitter. */
#include "data/augmentation.h"

struct saturation_options {
    struct augmentation_options augmentation;
    struct range factor;
};

static const struct option OPTIONS[] = {
    {.key = "factor",
     .kind = &OPTION_FACTOR,
     .offset = offsetof(struct saturation_options, factor),
     .low = 0,
     .high = 100,
     .help = "0 is grey, above 1 is more colourful"},
    AUGMENT_P_ROW("1"),
    OPTION_END,
};

static void saturation_paint(const void *options, struct draws *draws, struct picture *picture)
{
    const struct saturation_options *o = options;
    const float factor = (float)draws_range(draws, o->factor), rest = 1 - factor;
    const size_t n = (size_t)picture->h * (size_t)picture->w;
    for (size_t i = 0; i < n; i++) {
        const float grey = rest * picture_grey(picture, i);
        for (size_t k = 0; k < 3; k++) {
            float *x = &picture->planes[k * n + i];
            *x = picture_clamp(picture, *x * factor + grey);
        }
    }
}

extern const struct augmentation AUGMENTATION_saturation;
const struct augmentation AUGMENTATION_saturation = {
    .member = {.name = "saturation",
               .help = "colours paler or stronger",
               .options = OPTIONS,
               .size = sizeof(struct saturation_options)},
    .flags = AUGMENT_COLOUR,
    .paint = saturation_paint,
};
