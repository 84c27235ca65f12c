/* noise.c: normal noise added to every value, of a random strength. Its law is that of the sum of
 * four uniform bytes, scaled to the standard deviation: mean 0, all within 3.46 deviations
 * (kernels.h); cheaper than the normal law itself, and as good for this. */
#include "data/augmentation.h"

struct noise_options {
    struct augmentation_options augmentation;
    struct range std;
};

static const struct option OPTIONS[] = {
    {.key = "std",
     .kind = &OPTION_AMOUNT,
     .offset = offsetof(struct noise_options, std),
     .low = 0,
     .high = 1,
     .help = "standard deviation, a share of the range"},
    AUGMENT_P_ROW("1"),
    OPTION_END,
};

static void noise_paint(const void *options, struct draws *draws, struct picture *picture)
{
    const struct noise_options *o = options;
    const float std = (float)draws_range(draws, o->std) * (picture->high - picture->low);
    const struct noise noise = {.std = std,
                                .low = picture->low,
                                .high = picture->high,
                                .seed = draws->seed,
                                .sample = draws->sample,
                                .epoch = draws->epoch,
                                .stream = draws->stream};
    picture->kernels->noise(&noise, picture->size, picture->planes);
}

extern const struct augmentation AUGMENTATION_noise;
const struct augmentation AUGMENTATION_noise = {
    .member = {.name = "noise",
               .help = "normal noise, a number for each value",
               .options = OPTIONS,
               .size = sizeof(struct noise_options)},
    .remedy = "noise",
    .paint = noise_paint,
};
