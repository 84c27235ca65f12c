/* augment_image.c: the steps of the list on one image. */
#include "data/augment_moves.h"

#include "data/augment.h"
#include "data/balance.h"

/* An image on its way through the list. */
struct walk {
    const struct augmenter *augmenter;
    struct picture picture;
    struct pending pending;
    uint32_t epoch, sample;
    float *other;            /* planes for a partner */
    struct mixture *mixture; /* NULL: this one is not to be mixed */
};

static size_t image_floats(const struct input *input)
{
    const size_t n = (size_t)input->c * (size_t)input->h * (size_t)input->w;
    return (n + LANES - 1) / LANES * LANES;
}

size_t augment_image_scratch(const struct augmenter *augmenter)
{
    const struct input *input = augmenter->input;
    return image_floats(input) + moves_scratch(input->c, input->h, input->w);
}

static void begin(struct walk *walk, const struct augmenter *augmenter, uint32_t epoch,
                  uint32_t sample, float *planes, float *scratch)
{
    const struct input *input = augmenter->input;
    const struct picture picture = {
        .kernels = augmenter->kernels,
        .c = input->c,
        .h = input->h,
        .w = input->w,
        .size = image_floats(input),
        .planes = planes,
        .low = augmenter->low,
        .high = augmenter->high,
        .scratch = scratch,
    };
    *walk = (struct walk){.augmenter = augmenter,
                          .picture = picture,
                          .pending = {.map = MAP_IDENTITY},
                          .epoch = epoch,
                          .sample = sample};
    input_image(&augmenter->stored, augmenter->set, drawn_sample(sample, augmenter->set), planes,
                augmenter->kernels);
}

static void take_steps(struct walk *walk, const struct augmentations *list, int count,
                       uint32_t number, const unsigned char *chosen);

/* Mix the image with another one of the training set, which has come as far through the list. An
 * image is mixed once: a label of three classes there is not. */
static void mix(struct walk *walk, const struct augmentations *list, int step, uint32_t number,
                struct draws *draws)
{
    const struct subset *train = walk->augmenter->train;
    const struct augmentation *type = (const void *)list->steps[step].type;
    struct walk partner;
    if (walk->mixture == NULL || walk->mixture->mixed) {
        return;
    }
    moves_carry_out(&walk->picture, &walk->pending);
    const uint32_t sample = train->index[draws_below(draws, (int)train->count)];
    begin(&partner, walk->augmenter, walk->epoch, sample, walk->other, walk->picture.scratch);
    take_steps(&partner, list, step, number, NULL);
    moves_carry_out(&partner.picture, &partner.pending);
    const float share =
        type->mix(list->steps[step].options, draws, &walk->picture, partner.picture.planes);
    *walk->mixture = (struct mixture){.mixed = 1, .partner = sample, .share = share};
}

/* Step `number` of all that the config has: those within step i are (i + 1) * 128 and more. */
static void take_step(struct walk *walk, const struct augmentations *list, int i, uint32_t number)
{
    const struct augmentation *type = (const void *)list->steps[i].type;
    const struct augmentation_options *options = list->steps[i].options;
    struct draws draws = {.seed = walk->augmenter->seed,
                          .sample = walk->sample,
                          .epoch = walk->epoch,
                          .stream = RNG_AUGMENT | (number + (uint32_t)i) << 8,
                          .used = 4};
    if (!(type->flags & AUGMENT_OWN_P) && !(draws_uniform(&draws) < options->p)) {
        return;
    }
    if (type->list != NULL) {
        const struct augmentations *inner = type->list(options);
        unsigned char chosen[MOST_STEPS] = {0};
        type->choose(options, &draws, chosen);
        take_steps(walk, inner, inner->count, (number + (uint32_t)i + 1) * 128, chosen);
    } else if (type->mix != NULL) {
        mix(walk, list, i, number, &draws);
    } else if (type->paint != NULL) {
        moves_carry_out(&walk->picture, &walk->pending);
        type->paint(options, &draws, &walk->picture);
    } else {
        moves_add(&walk->picture, &walk->pending, type, options, &draws);
    }
}

/* The first `count` steps of a list; those that are chosen, or all with NULL. */
static void take_steps(struct walk *walk, const struct augmentations *list, int count,
                       uint32_t number, const unsigned char *chosen)
{
    for (int i = 0; i < count; i++) {
        if (chosen == NULL || chosen[i]) {
            take_step(walk, list, i, number);
        }
    }
}

void augment_image(const struct augmenter *augmenter, uint32_t epoch, uint32_t sample,
                   float *planes, struct mixture *mixture, float *scratch)
{
    const struct augmentations *list = augmenter->list;
    struct walk walk;
    begin(&walk, augmenter, epoch, sample, planes, scratch + image_floats(augmenter->input));
    walk.other = scratch;
    walk.mixture = mixture;
    if (mixture != NULL) {
        *mixture = (struct mixture){.partner = sample, .share = 1};
    }
    take_steps(&walk, list, list->count, 0, NULL);
    moves_carry_out(&walk.picture, &walk.pending);
}
