/* choose.c: n of the steps of a list, different ones, drawn anew for each image, in the order of
 * the list. After E. D. Cubuk, B. Zoph, J. Shlens, Q. V. Le, "RandAugment: practical automated data
 * augmentation with a reduced search space", 2020, whose draws may repeat a step. */
#include "data/augmentation.h"

struct choose_options {
    struct augmentation_options augmentation;
    struct augmentations of;
    long long n;
};

#define FIELD(name) .offset = offsetof(struct choose_options, name)
static const struct option OPTIONS[] = {
    {.key = "of", .kind = &OPTION_AUGMENT, FIELD(of), .help = "what to choose from"},
    {.key = "n",
     .kind = &OPTION_INTEGER,
     FIELD(n),
     .fallback = "1",
     .low = 1,
     .high = MOST_STEPS,
     .help = "how many of them"},
    AUGMENT_P_ROW("1"),
    OPTION_END,
};

static const struct augmentations *choose_list(const void *options)
{
    const struct choose_options *o = options;
    return &o->of;
}

/* The steps of a list in an order, of which the first n are shuffled. */
static void choose_steps(const void *options, struct draws *draws, unsigned char *chosen)
{
    const struct choose_options *o = options;
    int order[MOST_STEPS];
    for (int i = 0; i < o->of.count; i++) {
        order[i] = i;
    }
    for (int i = 0; i < (int)o->n; i++) {
        const int other = i + draws_below(draws, o->of.count - i);
        chosen[order[other]] = 1;
        order[other] = order[i];
    }
}

/* How many lists stand inside each other, this one included. */
static int depth_of(const struct augmentations *list)
{
    int depth = 0;
    for (int i = 0; i < list->count; i++) {
        const struct augmentation *type = (const void *)list->steps[i].type;
        const int inside = type->list != NULL ? depth_of(type->list(list->steps[i].options)) : 0;
        depth = inside > depth ? inside : depth;
    }
    return depth + 1;
}

static int choose_check(const struct choice *choice, struct error_list *errors)
{
    const struct choose_options *o = choice->options;
    for (int i = 0; i < o->of.count; i++) {
        const struct augmentation *type = (const void *)o->of.steps[i].type;
        if (type->mix != NULL) {
            return yaml_error(errors, o->of.steps[i].where, "%s cannot be one of several",
                              type->member.name);
        }
    }
    if (o->n > o->of.count) {
        return yaml_error(errors, choice->where, "choose %lld of %d", o->n, o->of.count);
    }
    if (depth_of(&o->of) > MOST_DEPTH) {
        return yaml_error(errors, choice->where, "choose within choose more than %d deep",
                          MOST_DEPTH);
    }
    return 0;
}

extern const struct augmentation AUGMENTATION_choose;
const struct augmentation AUGMENTATION_choose = {
    .member = {.name = "choose",
               .help = "some of a list of augmentations",
               .options = OPTIONS,
               .size = sizeof(struct choose_options)},
    .check = choose_check,
    .list = choose_list,
    .choose = choose_steps,
};
