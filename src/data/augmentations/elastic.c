/* elastic.c: every pixel pushed by a smooth random field, as a hand's muscles do to digits: uniform
 * numbers in -1..1, smoothed with a Gaussian of `sigma` pixels, times `alpha` pixels. P. Y. Simard,
 * D. Steinkraus, J. C. Platt, "Best practices for convolutional neural networks applied to visual
 * document analysis", ICDAR 2003 (theirs: sigma 4, alpha 34, for 29x29 digits). */
#include "data/augmentation.h"

struct elastic_options {
    struct move_options move;
    struct range alpha;
    float sigma;
};

#define FIELD(name) .offset = offsetof(struct elastic_options, name)
static const struct option OPTIONS[] = {
    {.key = "alpha",
     .kind = &OPTION_AMOUNT,
     FIELD(alpha),
     .fallback = "34",
     .low = 0,
     .high = 10000,
     .help = "strength: pixels that the smoothed field is multiplied by"},
    {.key = "sigma",
     .kind = &OPTION_NUMBER,
     FIELD(sigma),
     .fallback = "4",
     .low = 0.1,
     .high = SIGMA_MAX,
     .help = "smoothness, in pixels"},
    AUGMENT_FILL_ROW,
    AUGMENT_INTERPOLATION_ROW,
    AUGMENT_P_ROW("1"),
    OPTION_END,
};

static void elastic_bend(const void *options, struct draws *draws, const struct picture *picture,
                         float *field)
{
    const struct elastic_options *o = options;
    const int h = picture->h, w = picture->w;
    const size_t n = (size_t)h * (size_t)w;
    const float alpha = (float)draws_range(draws, o->alpha);
    for (size_t i = 0; i < 2 * n; i += 4) {
        const struct philox_words words = draws_block(draws, i / 4);
        for (size_t k = 0; k < 4 && i + k < 2 * n; k++) {
            field[i + k] = 2 * rng_uniform(words.v[k]) - 1;
        }
    }
    struct gaussian gaussian = gaussian_of((double)o->sigma);
    for (int i = 0; i < 2; i++) {
        picture->kernels->blur(h, w, gaussian.weights, gaussian.radius, 0, field + (size_t)i * n,
                               picture->scratch);
    }
    for (size_t i = 0; i < 2 * n; i++) {
        field[i] *= alpha;
    }
}

extern const struct augmentation AUGMENTATION_elastic;
const struct augmentation AUGMENTATION_elastic = {
    .member = {.name = "elastic",
               .help = "pushed about by a smooth random field",
               .options = OPTIONS,
               .size = sizeof(struct elastic_options)},
    .bend = elastic_bend,
};
