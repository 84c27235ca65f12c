/* input_options.c: how a config says what the network sees: `data.input` and `data.normalize`. */
#include "data/fit.h"
#include "data/input.h"

#include <math.h>
#include <stddef.h>

enum { DIMENSION_MAX = 65536, CHANNELS_MAX = 4 };

/* The node, unless it is a default, which stands nowhere. */
static const struct yaml *written(const struct yaml *value)
{
    return value->source->name[0] != '\0' ? value : NULL;
}

static int dimension_decode(const struct option *option, void *field, const struct yaml *value,
                            struct decoder *decoder)
{
    struct dimension *dimension = field;
    dimension->where = written(value);
    return OPTION_INTEGER.decode(option, &dimension->value, value, decoder);
}

static void dimension_emit(const struct option *option, const void *field, struct text *out,
                           int indent)
{
    const struct dimension *dimension = field;
    if (dimension->value != 0) {
        OPTION_INTEGER.emit(option, &dimension->value, out, indent);
    }
}

static void dimension_describe(const struct option *option, struct text *out)
{
    OPTION_INTEGER.describe(option, out);
}

static const struct option_kind DIMENSION = {
    .name = "integer",
    .decode = dimension_decode,
    .emit = dimension_emit,
    .describe = dimension_describe,
};

const struct option INPUT_OPTIONS[] = {
    {.key = "height",
     .kind = &DIMENSION,
     .offset = offsetof(struct input_options, height),
     .fallback = "",
     .low = 1,
     .high = DIMENSION_MAX,
     .help = "rows that the network gets; default: as stored"},
    {.key = "width",
     .kind = &DIMENSION,
     .offset = offsetof(struct input_options, width),
     .fallback = "",
     .low = 1,
     .high = DIMENSION_MAX,
     .help = "columns; default: as stored"},
    {.key = "channels",
     .kind = &DIMENSION,
     .offset = offsetof(struct input_options, channels),
     .fallback = "",
     .low = 1,
     .high = CHANNELS_MAX,
     .help = "1: grey, 3: red, green, blue; images are converted; default: as stored"},
    {.key = "fit",
     .kind = &OPTION_WORD,
     .offset = offsetof(struct input_options, fit),
     .fallback = "pad",
     .extra = FIT_NAMES,
     .help =
         "how an image fills the input: pad puts zeros around a smaller one, the others resize"},
    OPTION_END,
};

static const char *const MODES[] = {"standard", "unit", "none", NULL};

static const struct option GIVEN_ROWS[] = {
    {.key = "mean",
     .kind = &OPTION_NUMBERS,
     .offset = offsetof(struct normalize_options, mean),
     .low = -INFINITY,
     .high = INFINITY,
     .help = "one per channel"},
    {.key = "std",
     .kind = &OPTION_NUMBERS,
     .offset = offsetof(struct normalize_options, std),
     .low = 0,
     .high = INFINITY,
     .open = 1,
     .help = "one per channel"},
    OPTION_END,
};

static int normalize_decode(const struct option *option, void *field, const struct yaml *value,
                            struct decoder *decoder)
{
    struct normalize_options *normalize = field;
    *normalize = (struct normalize_options){.mode = "given", .where = written(value)};
    if (value->kind != YAML_MAP) {
        struct option row = *option;
        row.extra = MODES;
        return OPTION_WORD.decode(&row, &normalize->mode, value, decoder);
    }
    TRY(options_decode(GIVEN_ROWS, normalize, value, option->key, value, decoder));
    if (normalize->mean.count != normalize->std.count) {
        return yaml_error(decoder->errors, value, "%d mean%s, but %d standard deviation%s",
                          normalize->mean.count, normalize->mean.count == 1 ? "" : "s",
                          normalize->std.count, normalize->std.count == 1 ? "" : "s");
    }
    return 0;
}

static void normalize_emit(const struct option *option, const void *field, struct text *out,
                           int indent)
{
    (void)option;
    (void)indent;
    const struct normalize_options *normalize = field;
    if (normalize->mean.count > 0) {
        options_emit_flow(GIVEN_ROWS, normalize, out);
    } else {
        text_append(out, "%s", normalize->mode);
    }
}

static void normalize_describe(const struct option *option, struct text *out)
{
    (void)option;
    text_append(out, "standard | unit | none | {mean: [..], std: [..]}");
}

const struct option_kind OPTION_NORMALIZE = {
    .name = "normalisation",
    .decode = normalize_decode,
    .emit = normalize_emit,
    .describe = normalize_describe,
};
