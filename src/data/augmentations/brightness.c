/* brightness.c: all values times a random factor, black staying black: PyTorch's ColorJitter. */
#include "data/augmentation.h"

struct brightness_options {
    struct augmentation_options augmentation;
    struct range factor;
};

static const struct option OPTIONS[] = {
    {.key = "factor",
     .kind = &OPTION_FACTOR,
     .offset = offsetof(struct brightness_options, factor),
     .low = 0,
     .high = 100,
     .help = "above 1 is brighter"},
    AUGMENT_P_ROW("1"),
    OPTION_END,
};

static void brightness_paint(const void *options, struct draws *draws, struct picture *picture)
{
    const struct brightness_options *o = options;
    const float factor = (float)draws_range(draws, o->factor);
    picture->kernels->adjust(picture->size, factor, picture->low * (1 - factor), picture->low,
                             picture->high, picture->planes);
}

extern const struct augmentation AUGMENTATION_brightness;
const struct augmentation AUGMENTATION_brightness = {
    .member = {.name = "brightness",
               .help = "all values times a factor",
               .options = OPTIONS,
               .size = sizeof(struct brightness_options)},
    .paint = brightness_paint,
};
