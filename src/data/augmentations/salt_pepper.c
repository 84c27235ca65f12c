/* salt_pepper.c: a random share of the pixels becomes white or black, one as likely as the other,
 * in all channels. */
#include "data/augmentation.h"

struct salt_pepper_options {
    struct augmentation_options augmentation;
    struct range amount;
};

static const struct option OPTIONS[] = {
    {.key = "amount",
     .kind = &OPTION_AMOUNT,
     .offset = offsetof(struct salt_pepper_options, amount),
     .low = 0,
     .high = 1,
     .help = "how likely a pixel is replaced"},
    AUGMENT_P_ROW("1"),
    OPTION_END,
};

static void salt_pepper_paint(const void *options, struct draws *draws, struct picture *picture)
{
    const struct salt_pepper_options *o = options;
    const float half = (float)draws_range(draws, o->amount) / 2;
    const size_t n = (size_t)picture->h * (size_t)picture->w;
    for (size_t i = 0; i < n; i += 4) {
        const struct philox_words words = draws_block(draws, i / 4);
        for (size_t k = 0; k < 4 && i + k < n; k++) {
            const float u = rng_uniform(words.v[k]);
            const float value = u < half ? picture->low : picture->high;
            for (int c = 0; (u < half || u > 1 - half) && c < picture->c; c++) {
                picture->planes[(size_t)c * n + i + k] = value;
            }
        }
    }
}

extern const struct augmentation AUGMENTATION_salt_pepper;
const struct augmentation AUGMENTATION_salt_pepper = {
    .member = {.name = "salt_pepper",
               .help = "single pixels white or black",
               .options = OPTIONS,
               .size = sizeof(struct salt_pepper_options)},
    .remedy = "noise",
    .paint = salt_pepper_paint,
};
