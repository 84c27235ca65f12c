/* zoom.c: larger or smaller about the centre by a random factor; above 1 is larger. */
#include "data/augmentation.h"

struct zoom_options {
    struct move_options move;
    struct range factor;
};

static const struct option OPTIONS[] = {
    {.key = "factor",
     .kind = &OPTION_FACTOR,
     .offset = offsetof(struct zoom_options, factor),
     .low = 0.01,
     .high = 100,
     .help = "above 1 enlarges"},
    AUGMENT_FILL_ROW,
    AUGMENT_INTERPOLATION_ROW,
    AUGMENT_P_ROW("1"),
    OPTION_END,
};

static struct map zoom_move(const void *options, struct draws *draws, int h, int w)
{
    const struct zoom_options *o = options;
    const double step = 1 / draws_range(draws, o->factor);
    return map_about_centre(h, w, step, 0, 0, step);
}

extern const struct augmentation AUGMENTATION_zoom;
const struct augmentation AUGMENTATION_zoom = {
    .member = {.name = "zoom",
               .help = "scaled about the centre",
               .options = OPTIONS,
               .size = sizeof(struct zoom_options)},
    .move = zoom_move,
};
