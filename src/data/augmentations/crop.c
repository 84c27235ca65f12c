/* crop.c: a window of random place, scaled to the picture. `padding: 4` is the usual recipe for
 * CIFAR-10: four pixels around, then a window of the picture's own size, so whole pixels are moved
 * by up to four. `size` makes the window smaller (or larger) than the picture. */
#include "data/augmentation.h"

struct crop_options {
    struct move_options move;
    int padding[2], size[2];
};

#define FIELD(name) .offset = offsetof(struct crop_options, name)
static const struct option OPTIONS[] = {
    {.key = "padding",
     .kind = &OPTION_PAIR,
     FIELD(padding),
     .fallback = "",
     .low = 0,
     .high = 65536,
     .help = "pixels put around the picture first (default: none)"},
    {.key = "size",
     .kind = &OPTION_PAIR,
     FIELD(size),
     .fallback = "0",
     .low = 0,
     .high = 65536,
     .help = "of the window; 0: as the picture"},
    AUGMENT_FILL_ROW,
    AUGMENT_FILL_MODE_ROW,
    AUGMENT_INTERPOLATION_ROW,
    AUGMENT_P_ROW("1"),
    OPTION_END,
};

/* Along one side of n pixels: the source of pixel i is *first + i * *step. A window that is larger
 * than what there is stands in its middle. */
static void crop_side(struct draws *draws, int n, int padding, int size, double *step,
                      double *first)
{
    const int window = size > 0 ? size : n, room = n + 2 * padding - window;
    const int place = draws_below(draws, (room > 0 ? room : 0) + 1);
    const double begin = (room > 0 ? place : room * 0.5) - padding;
    *step = (double)window / n;
    *first = begin + (*step - 1) * 0.5; /* pixels are squares, their centres at halves */
}

static struct map crop_move(const void *options, struct draws *draws, int h, int w)
{
    const struct crop_options *o = options;
    struct map map = MAP_IDENTITY;
    crop_side(draws, w, o->padding[1], o->size[1], &map.m[0], &map.m[2]);
    crop_side(draws, h, o->padding[0], o->size[0], &map.m[4], &map.m[5]);
    return map;
}

static int crop_check(const struct choice *choice, struct error_list *errors)
{
    const struct crop_options *o = choice->options;
    if (o->padding[0] == 0 && o->padding[1] == 0 && o->size[0] == 0 && o->size[1] == 0) {
        return yaml_error(errors, choice->where, "crop needs a 'padding' or a 'size' above 0");
    }
    return 0;
}

extern const struct augmentation AUGMENTATION_crop;
const struct augmentation AUGMENTATION_crop = {
    .member = {.name = "crop",
               .help = "a window at a random place, scaled to the picture",
               .options = OPTIONS,
               .size = sizeof(struct crop_options)},
    .check = crop_check,
    .move = crop_move,
};
