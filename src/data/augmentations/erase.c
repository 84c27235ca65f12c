/* erase.c: a rectangle of random area and shape, all within the picture, filled. Z. Zhong, L.
 * Zheng, G. Kang, S. Li, Y. Yang, "Random erasing data augmentation", AAAI 2020; PyTorch's
 * RandomErasing: the logarithm of the aspect is uniform, and of ten tries the first that fits is
 * taken. */
#include "data/augmentation.h"

#include <math.h>

struct erase_options {
    struct augmentation_options augmentation;
    struct range area, aspect;
    float fill;
};

#define FIELD(name) .offset = offsetof(struct erase_options, name)
static const struct option OPTIONS[] = {
    {.key = "area",
     .kind = &OPTION_AMOUNT,
     FIELD(area),
     .fallback = "[0.02, 0.33]",
     .low = 0,
     .high = 1,
     .help = "share of the picture"},
    {.key = "aspect",
     .kind = &OPTION_AMOUNT,
     FIELD(aspect),
     .fallback = "[0.3, 3.3]",
     .low = 0.01,
     .high = 100,
     .help = "height by width"},
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

static void erase_paint(const void *options, struct draws *draws, struct picture *picture)
{
    const struct erase_options *o = options;
    const struct range logarithm = {log(o->aspect.low), log(o->aspect.high)};
    for (int try = 0; try < 10; try++) {
        const double area = draws_range(draws, o->area) * picture->h * picture->w;
        const double aspect = exp(draws_range(draws, logarithm));
        const double height = floor(sqrt(area * aspect) + 0.5);
        const double width = floor(sqrt(area / aspect) + 0.5);
        if (height < picture->h && width < picture->w) {
            const int top = draws_below(draws, picture->h - (int)height + 1);
            const int left = draws_below(draws, picture->w - (int)width + 1);
            picture_erase(picture, top, left, (int)height, (int)width, o->fill);
            return;
        }
    }
}

extern const struct augmentation AUGMENTATION_erase;
const struct augmentation AUGMENTATION_erase = {
    .member = {.name = "erase",
               .help = "a rectangle of random area and shape filled",
               .options = OPTIONS,
               .size = sizeof(struct erase_options)},
    .paint = erase_paint,
};
