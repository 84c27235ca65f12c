/* blur.c: smoothed with a Gaussian of random width, the picture mirrored at its edges: PyTorch's
 * GaussianBlur, with a kernel as wide as it takes (three sigma on either side). */
#include "data/augmentation.h"

struct blur_options {
    struct augmentation_options augmentation;
    struct range sigma;
};

static const struct option OPTIONS[] = {
    {.key = "sigma",
     .kind = &OPTION_AMOUNT,
     .offset = offsetof(struct blur_options, sigma),
     .fallback = "[0.1, 2]",
     .low = 0,
     .high = SIGMA_MAX,
     .help = "standard deviation, in pixels"},
    AUGMENT_P_ROW("1"),
    OPTION_END,
};

static void blur_paint(const void *options, struct draws *draws, struct picture *picture)
{
    const struct blur_options *o = options;
    const struct gaussian gaussian = gaussian_of(draws_range(draws, o->sigma));
    const size_t n = (size_t)picture->h * (size_t)picture->w;
    for (int k = 0; gaussian.radius > 0 && k < picture->c; k++) {
        picture->kernels->blur(picture->h, picture->w, gaussian.weights, gaussian.radius, 1,
                               picture->planes + (size_t)k * n, picture->scratch);
    }
}

extern const struct augmentation AUGMENTATION_blur;
const struct augmentation AUGMENTATION_blur = {
    .member = {.name = "blur",
               .help = "smoothed with a Gaussian",
               .options = OPTIONS,
               .size = sizeof(struct blur_options)},
    .paint = blur_paint,
};
