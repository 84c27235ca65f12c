/* cutmix.c: a rectangle of another image of the training set put into the image, at its own place;
 * the label is a mixture with the shares of their areas. The rectangle has 1 - s of the area, s
 * from the Beta distribution, and its centre anywhere, so that part of it may lie outside. S. Yun,
 * D. Han, S. J. Oh, S. Chun, J. Choe, Y. Yoo, "CutMix: regularization strategy to train strong
 * classifiers with localizable features", ICCV 2019. */
#include "data/beta.h"

#include <math.h>
#include <string.h>

struct cutmix_options {
    struct augmentation_options augmentation;
    float alpha;
    struct beta beta;
};

static const struct option OPTIONS[] = {
    {.key = "alpha",
     .kind = &OPTION_NUMBER,
     .offset = offsetof(struct cutmix_options, alpha),
     .fallback = "1",
     .low = BETA_LEAST,
     .high = BETA_MOST,
     .help = "of the share's Beta distribution: 1 uniform, less: mostly one of the two"},
    AUGMENT_P_ROW("1"),
    OPTION_END,
};

static int cutmix_check(const struct choice *choice, struct error_list *errors)
{
    struct cutmix_options *o = choice->options;
    (void)errors;
    beta_make(&o->beta, (double)o->alpha);
    return 0;
}

/* Along one side of n pixels: from *begin up to *end. */
static void cut_side(struct draws *draws, int n, double share, int *begin, int *end)
{
    const int centre = draws_below(draws, n);
    const double half = 0.5 * share * n;
    *begin = (int)(centre - half > 0 ? centre - half : 0);
    *end = (int)(centre + half < n ? centre + half : n);
}

static float cutmix_mix(const void *options, struct draws *draws, struct picture *picture,
                        const float *other)
{
    const struct cutmix_options *o = options;
    const double side = sqrt(1 - (double)beta_quantile(&o->beta, draws_uniform(draws)));
    int left, right, top, bottom;
    cut_side(draws, picture->w, side, &left, &right);
    cut_side(draws, picture->h, side, &top, &bottom);
    for (int k = 0; k < picture->c; k++) {
        for (int y = top; y < bottom; y++) {
            const size_t at =
                ((size_t)k * (size_t)picture->h + (size_t)y) * (size_t)picture->w + (size_t)left;
            memcpy(picture->planes + at, other + at, (size_t)(right - left) * sizeof *other);
        }
    }
    const double area = (double)(right - left) * (bottom - top);
    return (float)(1 - area / ((double)picture->h * picture->w));
}

extern const struct augmentation AUGMENTATION_cutmix;
const struct augmentation AUGMENTATION_cutmix = {
    .member = {.name = "cutmix",
               .help = "a rectangle of another image put in, label and all",
               .options = OPTIONS,
               .size = sizeof(struct cutmix_options)},
    .check = cutmix_check,
    .mix = cutmix_mix,
};
