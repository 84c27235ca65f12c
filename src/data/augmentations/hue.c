/* hue.c: all hues turned by a random share of the circle, in the HSV colour space (A. R. Smith,
 * "Color gamut transform pairs", SIGGRAPH 1978): PyTorch's ColorJitter. */
#include "data/augmentation.h"

#include <math.h>

struct hue_options {
    struct augmentation_options augmentation;
    struct range shift;
};

static const struct option OPTIONS[] = {
    {.key = "shift",
     .kind = &OPTION_SPREAD,
     .offset = offsetof(struct hue_options, shift),
     .low = -0.5,
     .high = 0.5,
     .help = "share of the colour circle; 0.5 is the opposite colour"},
    AUGMENT_P_ROW("1"),
    OPTION_END,
};

/* A colour with the greatest and least of r, g, b kept, its hue, in sixths of the circle, turned by
 * `sixths` in -3..3. */
static void turn(float *r, float *g, float *b, float sixths)
{
    const float most = fmaxf(*r, fmaxf(*g, *b)), least = fminf(*r, fminf(*g, *b));
    const float chroma = most - least;
    if (!(chroma > 0)) {
        return;
    }
    float hue = most == *r   ? (*g - *b) / chroma
                : most == *g ? 2 + (*b - *r) / chroma
                             : 4 + (*r - *g) / chroma;
    hue += sixths;
    float *const to[3] = {r, g, b};
    for (int k = 0; k < 3; k++) {
        /* how far round the circle from where this channel is strongest, in 0..3 sixths */
        float away = fabsf(hue - 2 * (float)k);
        away = away > 3 ? fabsf(away - 6) : away;
        const float share = fminf(fmaxf(2 - away, 0), 1);
        *to[k] = least + share * chroma;
    }
}

static void hue_paint(const void *options, struct draws *draws, struct picture *picture)
{
    const struct hue_options *o = options;
    const float sixths = (float)(6 * draws_range(draws, o->shift));
    const size_t n = (size_t)picture->h * (size_t)picture->w;
    float *r = picture->planes, *g = r + n, *b = g + n;
    for (size_t i = 0; sixths != 0 && i < n; i++) {
        turn(&r[i], &g[i], &b[i], sixths);
    }
}

extern const struct augmentation AUGMENTATION_hue;
const struct augmentation AUGMENTATION_hue = {
    .member = {.name = "hue",
               .help = "colours turned round the circle",
               .options = OPTIONS,
               .size = sizeof(struct hue_options)},
    .flags = AUGMENT_COLOUR,
    .paint = hue_paint,
};
