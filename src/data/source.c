/* source.c: how a config names a data set: the option kind of `data.train` and its kin. */
#include "data/dataset.h"

#include <stddef.h>

const char *source_path(const struct source *source)
{
    return source->folder != NULL ? source->folder
           : source->csv != NULL  ? source->csv
                                  : source->images;
}

static const char *const LAYOUTS[] = {"chw", "hwc", NULL};

static const struct option SOURCE_ROWS[] = {
    {.key = "images",
     .kind = &OPTION_TEXT,
     .offset = offsetof(struct source, images),
     .fallback = "",
     .help = "IDX file of the images"},
    {.key = "labels",
     .kind = &OPTION_TEXT,
     .offset = offsetof(struct source, labels),
     .fallback = "",
     .help = "file of the labels; without it found by the images' name"},
    {.key = "layout",
     .kind = &OPTION_WORD,
     .offset = offsetof(struct source, layout),
     .fallback = "",
     .extra = LAYOUTS,
     .help = "order of an image's dimensions in an IDX file that has channels"},
    {.key = "folder",
     .kind = &OPTION_TEXT,
     .offset = offsetof(struct source, folder),
     .fallback = "",
     .help = "a folder of class folders with images"},
    {.key = "csv",
     .kind = &OPTION_TEXT,
     .offset = offsetof(struct source, csv),
     .fallback = "",
     .help = "a list of images and labels"},
    OPTION_END,
};

/* One of the three, and only what belongs to it. */
static int check(const struct source *source, const struct yaml *value, const char *key,
                 struct error_list *errors)
{
    const int count = (source->images != NULL) + (source->folder != NULL) + (source->csv != NULL);
    if (count == 0) {
        return yaml_error(errors, value, "missing key 'images', 'folder' or 'csv' in %s", key);
    }
    if (count > 1) {
        return yaml_error(errors, value, "'%s' has more than one of 'images', 'folder' and 'csv'",
                          key);
    }
    if (source->images == NULL && (source->labels != NULL || source->layout != NULL)) {
        return yaml_error(errors, value, "'%s' of %s is for 'images' only",
                          source->labels != NULL ? "labels" : "layout", key);
    }
    return 0;
}

static int source_decode(const struct option *option, void *field, const struct yaml *value,
                         struct decoder *decoder)
{
    struct source *source = field;
    *source = (struct source){.where = value->source->name[0] != '\0' ? value : NULL};
    if (value->kind == YAML_MAP) {
        TRY(options_decode(SOURCE_ROWS, source, value, option->key, value, decoder));
        return check(source, value, option->key, decoder->errors);
    }
    if (value->kind != YAML_SCALAR) {
        return yaml_error(decoder->errors, value,
                          "'%s' must be a path, {images: ..}, {folder: ..} or {csv: ..}, got %s",
                          option->key, yaml_kind_name(value));
    }
    struct option row = SOURCE_ROWS[0];
    row.key = option->key;
    return OPTION_TEXT.decode(&row, &source->images, value, decoder);
}

static void source_emit(const struct option *option, const void *field, struct text *out,
                        int indent)
{
    (void)option;
    (void)indent;
    const struct source *source = field;
    if (source->images == NULL || source->labels != NULL || source->layout != NULL) {
        if (source_path(source) != NULL) {
            options_emit_flow(SOURCE_ROWS, source, out);
        }
    } else {
        option_emit_text(out, source->images);
    }
}

static void source_describe(const struct option *option, struct text *out)
{
    (void)option;
    text_append(out, "path | {images: .., labels: .., layout: chw | hwc} | {folder: ..} | "
                     "{csv: ..}");
}

const struct option_kind OPTION_SOURCE = {
    .name = "data set",
    .decode = source_decode,
    .emit = source_emit,
    .describe = source_describe,
};
