/* settings_data.c: the option table of `data`. */
#include "train/settings_groups.h"

#define FOLDS(name) .offset = offsetof(struct validation, name)
static const struct option FOLDS_OPTIONS[] = {
    {.key = "folds",
     .kind = &OPTION_INTEGER,
     FOLDS(folds),
     .low = 2,
     .high = 1000,
     .help = "how many parts train is cut into"},
    {.key = "fold",
     .kind = &OPTION_INTEGER,
     FOLDS(fold),
     .fallback = "0",
     .low = 0,
     .high = 999,
     .help = "the part that validates, from 0"},
    OPTION_END,
};

static int folds_decode(struct validation *validation, const struct yaml *value,
                        struct decoder *decoder)
{
    TRY(options_decode(FOLDS_OPTIONS, validation, value, "validation", value, decoder));
    if (validation->fold < validation->folds) {
        return 0;
    }
    return yaml_error(decoder->errors, yaml_get(value, "fold"),
                      "'fold' must be 0 to %lld for %lld folds, got %lld", validation->folds - 1,
                      validation->folds, validation->fold);
}

static int validation_decode(const struct option *option, void *field, const struct yaml *value,
                             struct decoder *decoder)
{
    struct validation *validation = field;
    double share;
    if (value->kind == YAML_SCALAR && !value->quoted &&
        text_to_double(value->text, value->length, &share) != -1) {
        return OPTION_DOUBLE.decode(option, &validation->share, value, decoder);
    }
    if (value->kind == YAML_MAP && (yaml_get(value, "folds") || yaml_get(value, "fold"))) {
        return folds_decode(validation, value, decoder);
    }
    return OPTION_SOURCE.decode(option, &validation->source, value, decoder);
}

static void validation_emit(const struct option *option, const void *field, struct text *out,
                            int indent)
{
    const struct validation *validation = field;
    if (source_path(&validation->source)) {
        OPTION_SOURCE.emit(option, &validation->source, out, indent);
    } else if (validation->share > 0) {
        OPTION_DOUBLE.emit(option, &validation->share, out, indent);
    } else if (validation->folds > 0) {
        options_emit_flow(FOLDS_OPTIONS, validation, out);
    }
}

static void validation_describe(const struct option *option, struct text *out)
{
    (void)option;
    text_append(out, "a share of train below 1, {folds: N, fold: K}, or a set like train");
}

static const struct option_kind OPTION_VALIDATION = {.name = "number, folds or data set",
                                                     .decode = validation_decode,
                                                     .emit = validation_emit,
                                                     .describe = validation_describe};

static const char *const OVER_SAMPLE[] = {"none", "balanced", NULL};
static const struct group INPUT = {INPUT_OPTIONS, sizeof(struct input_options), NULL};

#define DATA(name) .offset = offsetof(struct data_settings, name)
const struct option DATA_OPTIONS[] = {
    {.key = "train",
     .kind = &OPTION_SOURCE,
     DATA(train),
     .fallback = "",
     .help = "the images to train on"},
    {.key = "test",
     .kind = &OPTION_SOURCE,
     DATA(test),
     .fallback = "",
     .help = "the images to test on; cnneval reads it"},
    {.key = "validation",
     .kind = &OPTION_VALIDATION,
     DATA(validation),
     .fallback = "",
     .low = 0,
     .high = 1,
     .open = 3,
     .help = "a stratified share or fold of train, or a set of its own, to judge each epoch by"},
    {.key = "classes",
     .kind = &OPTION_TEXTS,
     DATA(classes),
     .fallback = "",
     .help = "class names, in order (default: those of the set, or 0, 1, ...)"},
    {.key = "input",
     .kind = &OPTION_GROUP,
     DATA(input),
     .fallback = "{}",
     .extra = &INPUT,
     .help = "what the network sees"},
    {.key = "normalize",
     .kind = &OPTION_NORMALIZE,
     DATA(normalize),
     .fallback = "standard",
     .help = "how pixels become numbers"},
    {.key = "memory",
     .kind = &OPTION_SIZE,
     DATA(memory),
     .fallback = "",
     .help = "what pixels may take (default: half of the machine's); image files beyond it are "
             "decoded as they are needed"},
    {.key = "limit",
     .kind = &OPTION_INTEGER,
     DATA(limit),
     .fallback = "0",
     .low = 0,
     .high = 4294967295.0,
     .help = "train on so many images, chosen by the seed, classes in proportion; 0: all"},
    {.key = "over_sample",
     .kind = &OPTION_WORD,
     DATA(over_sample),
     .fallback = "none",
     .extra = OVER_SAMPLE,
     .help = "balanced: in each epoch every class has as many images as the largest"},
    OPTION_END,
};
const struct group DATA_GROUP = {DATA_OPTIONS, sizeof(struct data_settings), NULL};
