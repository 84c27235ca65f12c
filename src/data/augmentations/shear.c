/* shear.c: rows pushed sideways, columns up or down, by random angles: PyTorch's RandomAffine. With
 * tangents p, q of the angles x, y a pixel goes from (x, y) to (x - p y, (1 + p q) y - q x) about
 * the centre; its determinant is 1. */
#include "data/augmentation.h"

struct shear_options {
    struct move_options move;
    struct range x, y;
};

#define FIELD(name) .offset = offsetof(struct shear_options, name)
static const struct option OPTIONS[] = {
    {.key = "x",
     .kind = &OPTION_SPREAD,
     FIELD(x),
     .fallback = "0",
     .low = -80,
     .high = 80,
     .help = "degrees by which columns lean"},
    {.key = "y",
     .kind = &OPTION_SPREAD,
     FIELD(y),
     .fallback = "0",
     .low = -80,
     .high = 80,
     .help = "degrees by which rows lean"},
    AUGMENT_FILL_ROW,
    AUGMENT_INTERPOLATION_ROW,
    AUGMENT_P_ROW("1"),
    OPTION_END,
};

static double tangent(double degrees)
{
    double sine, cosine;
    sine_cosine(degrees, &sine, &cosine);
    return sine / cosine;
}

static struct map shear_move(const void *options, struct draws *draws, int h, int w)
{
    const struct shear_options *o = options;
    const double p = tangent(draws_range(draws, o->x)), q = tangent(draws_range(draws, o->y));
    return map_about_centre(h, w, 1 + p * q, p, q, 1);
}

static int shear_check(const struct choice *choice, struct error_list *errors)
{
    const struct shear_options *o = choice->options;
    if (o->x.low == 0 && o->x.high == 0 && o->y.low == 0 && o->y.high == 0) {
        return yaml_error(errors, choice->where, "shear needs an 'x' or 'y' other than 0");
    }
    return 0;
}

extern const struct augmentation AUGMENTATION_shear;
const struct augmentation AUGMENTATION_shear = {
    .member = {.name = "shear",
               .help = "pushed sideways",
               .options = OPTIONS,
               .size = sizeof(struct shear_options)},
    .check = shear_check,
    .move = shear_move,
};
