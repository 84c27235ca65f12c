/* gamma.c: values, as shares of the range, to a random power: above 1 darker, black and white
 * staying as they are. */
#include "data/augmentation.h"

struct gamma_options {
    struct augmentation_options augmentation;
    struct range exponent;
};

static const struct option OPTIONS[] = {
    {.key = "exponent",
     .kind = &OPTION_FACTOR,
     .offset = offsetof(struct gamma_options, exponent),
     .low = 0.01,
     .high = 100,
     .help = "above 1 is darker"},
    AUGMENT_P_ROW("1"),
    OPTION_END,
};

static void gamma_paint(const void *options, struct draws *draws, struct picture *picture)
{
    const struct gamma_options *o = options;
    const float exponent = (float)draws_range(draws, o->exponent);
    if (exponent != 1 && picture->high > picture->low) {
        picture->kernels->power(picture->size, exponent, picture->low, picture->high,
                                picture->planes);
    }
}

extern const struct augmentation AUGMENTATION_gamma;
const struct augmentation AUGMENTATION_gamma = {
    .member = {.name = "gamma",
               .help = "values to a power",
               .options = OPTIONS,
               .size = sizeof(struct gamma_options)},
    .paint = gamma_paint,
};
