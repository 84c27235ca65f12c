/* cutout.c: rectangles of a fixed size filled, their centres anywhere in the picture, so that part
 * of them may lie outside. T. DeVries, G. W. Taylor, "Improved regularization of convolutional
 * neural networks with cutout", 2017. */
#include "data/augmentation.h"

struct cutout_options {
    struct augmentation_options augmentation;
    int size[2];
    long long count;
    float fill;
};

#define FIELD(name) .offset = offsetof(struct cutout_options, name)
static const struct option OPTIONS[] = {
    {.key = "size", .kind = &OPTION_PAIR, FIELD(size), .low = 1, .high = 65536, .help = "pixels"},
    {.key = "count",
     .kind = &OPTION_INTEGER,
     FIELD(count),
     .fallback = "1",
     .low = 1,
     .high = 1000,
     .help = "rectangles an image"},
    {.key = "fill",
     .kind = &OPTION_NUMBER,
     FIELD(fill),
     .fallback = "0",
     .low = 0,
     .high = 1,
     .help = "what is put there: 0 black, 1 white"},
    AUGMENT_P_ROW("1"),
    OPTION_END,
};

static void cutout_paint(const void *options, struct draws *draws, struct picture *picture)
{
    const struct cutout_options *o = options;
    for (long long i = 0; i < o->count; i++) {
        const int top = draws_below(draws, picture->h) - o->size[0] / 2;
        const int left = draws_below(draws, picture->w) - o->size[1] / 2;
        picture_erase(picture, top, left, o->size[0], o->size[1], o->fill);
    }
}

extern const struct augmentation AUGMENTATION_cutout;
const struct augmentation AUGMENTATION_cutout = {
    .member = {.name = "cutout",
               .help = "rectangles of a fixed size filled",
               .options = OPTIONS,
               .size = sizeof(struct cutout_options)},
    .paint = cutout_paint,
};
