/* flip.c: mirrored left to right, top to bottom, or each of the two by a draw of its own. With
 * `alternate` the draw is made in the first epoch, for good: from then on an image is mirrored in
 * every other epoch, so that two epochs see both of its sides, where independent draws leave a
 * quarter of the images as they were twice (Jordan 2024, arXiv 2404.00498, section 3.6). */
#include "data/augmentation.h"

struct flip_options {
    struct augmentation_options augmentation;
    const char *direction;
    int alternate;
};

static const char *const DIRECTIONS[] = {"horizontal", "vertical", "both", NULL};

static const struct option OPTIONS[] = {
    {.key = "direction",
     .kind = &OPTION_WORD,
     .offset = offsetof(struct flip_options, direction),
     .fallback = "horizontal",
     .extra = DIRECTIONS,
     .help = "left to right, top to bottom, or each on its own"},
    {.key = "alternate",
     .kind = &OPTION_BOOLEAN,
     .offset = offsetof(struct flip_options, alternate),
     .fallback = "false",
     .keyed = 1,
     .help = "drawn once for each image; then mirrored in every other epoch"},
    AUGMENT_P_ROW("0.5"),
    OPTION_END,
};

static struct map flip_move(const void *options, struct draws *draws, int h, int w)
{
    const struct flip_options *o = options;
    const int turned = o->alternate && draws->epoch % 2 != 0;
    draws->epoch = o->alternate ? 0 : draws->epoch;
    const int first = (draws_uniform(draws) < o->augmentation.p) != turned;
    const int second = (draws_uniform(draws) < o->augmentation.p) != turned;
    const int across = o->direction != DIRECTIONS[1] && first;
    const int down =
        o->direction == DIRECTIONS[1] ? first : o->direction == DIRECTIONS[2] && second;
    return map_about_centre(h, w, across ? -1 : 1, 0, 0, down ? -1 : 1);
}

extern const struct augmentation AUGMENTATION_flip;
const struct augmentation AUGMENTATION_flip = {
    .member = {.name = "flip",
               .help = "mirrored",
               .options = OPTIONS,
               .size = sizeof(struct flip_options)},
    .flags = AUGMENT_WHOLE_PIXELS | AUGMENT_OWN_P,
    .move = flip_move,
};
