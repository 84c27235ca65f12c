/* rotate.c: turned about the centre by a random angle, counter-clockwise where it is positive.
 * Quarter turns move pixels exactly. */
#include "data/augmentation.h"

struct rotate_options {
    struct move_options move;
    struct range degrees;
};

#define FIELD(name) .offset = offsetof(struct rotate_options, name)
static const struct option OPTIONS[] = {
    {.key = "degrees",
     .kind = &OPTION_SPREAD,
     FIELD(degrees),
     .low = -360,
     .high = 360,
     .help = "the angle, counter-clockwise"},
    AUGMENT_FILL_ROW,
    AUGMENT_INTERPOLATION_ROW,
    AUGMENT_P_ROW("1"),
    OPTION_END,
};

static struct map rotate_move(const void *options, struct draws *draws, int h, int w)
{
    const struct rotate_options *o = options;
    double s, c;
    sine_cosine(draws_range(draws, o->degrees), &s, &c);
    return map_about_centre(h, w, c, -s, s, c);
}

extern const struct augmentation AUGMENTATION_rotate;
const struct augmentation AUGMENTATION_rotate = {
    .member = {.name = "rotate",
               .help = "turned about the centre",
               .options = OPTIONS,
               .size = sizeof(struct rotate_options)},
    .move = rotate_move,
};
