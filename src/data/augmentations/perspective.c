/* perspective.c: seen from aside: each corner moves inwards by a random share of half the width and
 * half the height, PyTorch's RandomPerspective. The map between a square and a quadrilateral is
 * that of P. S. Heckbert, "Fundamentals of texture mapping and image warping", 1989, section 2.2.
 */
#include "data/augmentation.h"

struct perspective_options {
    struct move_options move;
    float distortion;
};

static const struct option OPTIONS[] = {
    {.key = "distortion",
     .kind = &OPTION_NUMBER,
     .offset = offsetof(struct perspective_options, distortion),
     .fallback = "0.5",
     .low = 0,
     .high = 0.99,
     .help = "how far corners move at most, a share of the way to the middle"},
    AUGMENT_FILL_ROW,
    AUGMENT_INTERPOLATION_ROW,
    AUGMENT_P_ROW("1"),
    OPTION_END,
};

/* From the unit square to the quadrilateral with the corners (x[i], y[i]), which go around. */
static struct map to_quadrilateral(const double x[4], const double y[4])
{
    const double dx1 = x[1] - x[2], dx2 = x[3] - x[2], dx3 = x[0] - x[1] + x[2] - x[3];
    const double dy1 = y[1] - y[2], dy2 = y[3] - y[2], dy3 = y[0] - y[1] + y[2] - y[3];
    const double area = dx1 * dy2 - dx2 * dy1;
    const double g = (dx3 * dy2 - dx2 * dy3) / area, h = (dx1 * dy3 - dx3 * dy1) / area;
    return (struct map){{x[1] - x[0] + g * x[1], x[3] - x[0] + h * x[3], x[0],
                         y[1] - y[0] + g * y[1], y[3] - y[0] + h * y[3], y[0], g, h, 1}};
}

/* The way back, up to a factor: the adjugate. */
static struct map back(const struct map *map)
{
    const double *m = map->m;
    return (struct map){
        {m[4] * m[8] - m[5] * m[7], m[2] * m[7] - m[1] * m[8], m[1] * m[5] - m[2] * m[4],
         m[5] * m[6] - m[3] * m[8], m[0] * m[8] - m[2] * m[6], m[2] * m[3] - m[0] * m[5],
         m[3] * m[7] - m[4] * m[6], m[1] * m[6] - m[0] * m[7], m[0] * m[4] - m[1] * m[3]}};
}

static struct map perspective_move(const void *options, struct draws *draws, int h, int w)
{
    const struct perspective_options *o = options;
    const double right = w - 1, bottom = h - 1, share = (double)o->distortion / 2;
    double x[4], y[4];
    if (w < 2 || h < 2) {
        return MAP_IDENTITY;
    }
    for (int i = 0; i < 4; i++) {
        const double across = share * right * (double)draws_uniform(draws);
        const double down = share * bottom * (double)draws_uniform(draws);
        x[i] = i == 0 || i == 3 ? across : right - across;
        y[i] = i < 2 ? down : bottom - down;
    }
    const struct map out = to_quadrilateral(x, y);
    struct map map = back(&out);
    for (int i = 0; i < 3; i++) {
        map.m[i] *= right;
        map.m[3 + i] *= bottom;
    }
    for (int i = 0; i < 9; i++) {
        map.m[i] /= i == 8 ? 1 : map.m[8];
    }
    map.m[8] = 1;
    return map;
}

extern const struct augmentation AUGMENTATION_perspective;
const struct augmentation AUGMENTATION_perspective = {
    .member = {.name = "perspective",
               .help = "seen from aside",
               .options = OPTIONS,
               .size = sizeof(struct perspective_options)},
    .move = perspective_move,
};
