/* mixup.c: the image and another one of the training set, together: x = s x + (1 - s) other with s
 * from the Beta distribution; the label is a mixture with the same share. H. Zhang, M. Cisse, Y. N.
 * Dauphin, D. Lopez-Paz, "mixup: beyond empirical risk minimization", ICLR 2018. */
#include "data/beta.h"

struct mixup_options {
    struct augmentation_options augmentation;
    float alpha;
    struct beta beta;
};

static const struct option OPTIONS[] = {
    {.key = "alpha",
     .kind = &OPTION_NUMBER,
     .offset = offsetof(struct mixup_options, alpha),
     .fallback = "1",
     .low = BETA_LEAST,
     .high = BETA_MOST,
     .help = "of the share's Beta distribution: 1 uniform, less: mostly one of the two"},
    AUGMENT_P_ROW("1"),
    OPTION_END,
};

static int mixup_check(const struct choice *choice, struct error_list *errors)
{
    struct mixup_options *o = choice->options;
    (void)errors;
    beta_make(&o->beta, (double)o->alpha);
    return 0;
}

static float mixup_mix(const void *options, struct draws *draws, struct picture *picture,
                       const float *other)
{
    const struct mixup_options *o = options;
    const float share = beta_quantile(&o->beta, draws_uniform(draws));
    picture->kernels->blend(picture->size, share, other, picture->planes);
    return share;
}

extern const struct augmentation AUGMENTATION_mixup;
const struct augmentation AUGMENTATION_mixup = {
    .member = {.name = "mixup",
               .help = "mixed with another image, label and all",
               .options = OPTIONS,
               .size = sizeof(struct mixup_options)},
    .check = mixup_check,
    .mix = mixup_mix,
};
