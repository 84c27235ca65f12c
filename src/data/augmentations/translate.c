/* translate.c: moved by a random share of the picture's size, each axis by a draw of its own,
 * rounded to whole pixels as PyTorch does: alone, it changes no value. */
#include "data/augmentation.h"

#include <math.h>

struct translate_options {
    struct move_options move;
    struct range share;
    const char *axis;
};

static const char *const AXES[] = {"both", "horizontal", "vertical", NULL};

#define FIELD(name) .offset = offsetof(struct translate_options, name)
static const struct option OPTIONS[] = {
    {.key = "share",
     .kind = &OPTION_SPREAD,
     FIELD(share),
     .low = -1,
     .high = 1,
     .help = "of the picture's width and height; to the right and down"},
    {.key = "axis",
     .kind = &OPTION_WORD,
     FIELD(axis),
     .fallback = "both",
     .extra = AXES,
     .help = "where to"},
    AUGMENT_FILL_ROW,
    AUGMENT_FILL_MODE_ROW,
    AUGMENT_P_ROW("1"),
    OPTION_END,
};

static struct map translate_move(const void *options, struct draws *draws, int h, int w)
{
    const struct translate_options *o = options;
    struct map map = MAP_IDENTITY;
    const double right = draws_range(draws, o->share) * w, down = draws_range(draws, o->share) * h;
    map.m[2] = o->axis != AXES[2] ? 0 - floor(right + 0.5) : 0;
    map.m[5] = o->axis != AXES[1] ? 0 - floor(down + 0.5) : 0;
    return map;
}

extern const struct augmentation AUGMENTATION_translate;
const struct augmentation AUGMENTATION_translate = {
    .member = {.name = "translate",
               .help = "moved by whole pixels",
               .options = OPTIONS,
               .size = sizeof(struct translate_options)},
    .move = translate_move,
};
