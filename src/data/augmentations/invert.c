/* invert.c: black for white and white for black. */
#include "data/augmentation.h"

static const struct option OPTIONS[] = {AUGMENT_P_ROW("1"), OPTION_END};

static void invert_paint(const void *options, struct draws *draws, struct picture *picture)
{
    (void)options;
    (void)draws;
    picture->kernels->adjust(picture->size, -1, picture->low + picture->high, picture->low,
                             picture->high, picture->planes);
}

extern const struct augmentation AUGMENTATION_invert;
const struct augmentation AUGMENTATION_invert = {
    .member = {.name = "invert",
               .help = "black for white",
               .options = OPTIONS,
               .size = sizeof(struct augmentation_options)},
    .paint = invert_paint,
};
