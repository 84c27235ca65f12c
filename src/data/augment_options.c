/* augment_options.c: how a config says what is done to images: the list, and ranges to draw from.
 * And the draws themselves. */
#include "data/augment.h"

#define AUGMENTATION(name) extern const struct augmentation AUGMENTATION_##name;
#include "data/augmentations.def"
#undef AUGMENTATION

#define AUGMENTATION(name) &AUGMENTATION_##name.member,
static const struct member *const MEMBERS[] = {
#include "data/augmentations.def"
    NULL};
#undef AUGMENTATION
const struct family AUGMENTATIONS = {"augmentation", "augmentations", MEMBERS};

const char *const FILL_MODES[] = {"constant", "reflect", NULL};
const char *const INTERPOLATIONS[] = {"bilinear", "nearest", NULL};

/* Draws */

static uint32_t next_word(struct draws *draws)
{
    if (draws->used == 4) {
        draws->words =
            philox(draws->seed, draws->block++, draws->sample, draws->epoch, draws->stream);
        draws->used = 0;
    }
    return draws->words.v[draws->used++];
}

float draws_uniform(struct draws *draws) { return rng_uniform(next_word(draws)); }

double draws_range(struct draws *draws, struct range range)
{
    return range.low + (double)draws_uniform(draws) * (range.high - range.low);
}

int draws_below(struct draws *draws, int n)
{
    return (int)((uint64_t)next_word(draws) * (uint32_t)n >> 32);
}

struct philox_words draws_block(const struct draws *draws, size_t i)
{
    return philox(draws->seed, 0x80000000u + (uint32_t)i, draws->sample, draws->epoch,
                  draws->stream);
}

/* Ranges */

/* `centre` and what a single number is added to and taken from; an amount is its own both ends. */
static int range_decode(const struct option *option, struct range *range, const struct yaml *value,
                        struct decoder *decoder, double centre, int spread)
{
    if (value->kind != YAML_LIST) {
        struct option one = *option;
        double x;
        if (spread) {
            const double below = centre - option->low, above = option->high - centre;
            one.low = 0;
            one.high = below < above ? below : above;
        }
        TRY(OPTION_DOUBLE.decode(&one, &x, value, decoder));
        *range = spread ? (struct range){centre - x, centre + x} : (struct range){x, x};
        return 0;
    }
    if (value->count != 2) {
        return yaml_error(decoder->errors, value,
                          "'%s' must be a number or [low, high], got a list of %d", option->key,
                          value->count);
    }
    TRY(OPTION_DOUBLE.decode(option, &range->low, value->items[0], decoder));
    TRY(OPTION_DOUBLE.decode(option, &range->high, value->items[1], decoder));
    if (range->low > range->high) {
        return yaml_error(decoder->errors, value, "'%s' must be [low, high], got the greater first",
                          option->key);
    }
    return 0;
}

static int spread_decode(const struct option *option, void *field, const struct yaml *value,
                         struct decoder *decoder)
{
    return range_decode(option, field, value, decoder, 0, 1);
}

static int factor_decode(const struct option *option, void *field, const struct yaml *value,
                         struct decoder *decoder)
{
    return range_decode(option, field, value, decoder, 1, 1);
}

static int amount_decode(const struct option *option, void *field, const struct yaml *value,
                         struct decoder *decoder)
{
    return range_decode(option, field, value, decoder, 0, 0);
}

static void list_emit(const struct range *range, struct text *out)
{
    char low[32], high[32];
    text_append(out, "[%s, %s]", text_from_double(low, range->low),
                text_from_double(high, range->high));
}

static void spread_emit(const struct option *option, const void *field, struct text *out,
                        int indent)
{
    const struct range *range = field;
    (void)option;
    (void)indent;
    if (range->low == -range->high) {
        char number[32];
        text_append(out, "%s", text_from_double(number, range->high));
    } else {
        list_emit(range, out);
    }
}

/* 1 - x and 1 + x were rounded: only the list reads back to the same. */
static void factor_emit(const struct option *option, const void *field, struct text *out,
                        int indent)
{
    (void)option;
    (void)indent;
    list_emit(field, out);
}

static void amount_emit(const struct option *option, const void *field, struct text *out,
                        int indent)
{
    const struct range *range = field;
    (void)option;
    (void)indent;
    if (range->low == range->high) {
        char number[32];
        text_append(out, "%s", text_from_double(number, range->low));
    } else {
        list_emit(range, out);
    }
}

static void range_describe(const struct option *option, struct text *out)
{
    OPTION_DOUBLE.describe(option, out);
}

const struct option_kind OPTION_SPREAD = {"+-number or [low, high]", spread_decode, spread_emit,
                                          range_describe};
const struct option_kind OPTION_FACTOR = {"1+-number or [low, high]", factor_decode, factor_emit,
                                          range_describe};
const struct option_kind OPTION_AMOUNT = {"number or [low, high]", amount_decode, amount_emit,
                                          range_describe};

/* The list */

static int augment_decode(const struct option *option, void *field, const struct yaml *value,
                          struct decoder *decoder)
{
    struct augmentations *list = field;
    list->where = value;
    if (value->kind != YAML_LIST) {
        return yaml_error(decoder->errors, value, "'%s' must be a list of augmentations, got %s",
                          option->key, yaml_kind_name(value));
    }
    if (value->count > MOST_STEPS) {
        return yaml_error(decoder->errors, value->items[MOST_STEPS], "more than %d augmentations",
                          MOST_STEPS);
    }
    if (value->count == 0) {
        return 0;
    }
    list->steps = arena_alloc(decoder->arena, (size_t)value->count * sizeof *list->steps);
    if (list->steps == NULL) {
        return error_memory(error_next(decoder->errors),
                            (size_t)value->count * sizeof *list->steps);
    }
    int failed = 0;
    for (int i = 0; i < value->count; i++) {
        struct choice *step = &list->steps[i];
        const int bad = item_decode(&AUGMENTATIONS, step, value->items[i], decoder);
        const struct augmentation *type = (const void *)step->type;
        failed |= bad || (type->check != NULL && type->check(step, decoder->errors) != 0);
    }
    list->count = value->count;
    return failed ? -1 : 0;
}

static void augment_emit(const struct option *option, const void *field, struct text *out,
                         int indent)
{
    const struct augmentations *list = field;
    (void)option;
    text_append(out, "%s", indent < 0 ? "[" : "");
    for (int i = 0; i < list->count; i++) {
        const struct choice *step = &list->steps[i];
        if (indent < 0) {
            text_append(out, "%s%s: ", i > 0 ? ", " : "", step->type->name);
        } else {
            text_append(out, "\n%*s- %s: ", indent + 2, "", step->type->name);
        }
        options_emit_flow(step->type->options, step->options, out);
    }
    text_append(out, "%s", indent < 0 ? "]" : "");
}

const struct option_kind OPTION_AUGMENT = {
    .name = "list of augmentations", .decode = augment_decode, .emit = augment_emit};
