/* dataset.c: loading a set by whichever format takes it, its checks, the option that names it. */
#include "data/dataset.h"

#include "base/file.h"
#include "data/format.h"

#include <assert.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#define FORMAT(name) &FORMAT_##name.member,
static const struct member *const MEMBERS[] = {
#include "data/formats.def"
    NULL,
};
#undef FORMAT

const struct family FORMATS = {.noun = "format", .plural = "formats", .members = MEMBERS};

/* NULL, with *e, when no format takes the source. */
static const struct format *find_format(const struct source *source, struct error *e)
{
    for (int i = 0; MEMBERS[i] != NULL; i++) {
        const struct format *format = (const struct format *)MEMBERS[i];
        const int takes = format->takes(source, e);
        if (takes != 0) {
            return takes > 0 ? format : NULL;
        }
    }
    error_set(e, ERROR_DATA, source->images,
              "neither an IDX file nor a folder with t10k-*images* or test-*images*");
    return NULL;
}

static uint32_t checksum(const struct dataset *set)
{
    char shape[96];
    const int length =
        snprintf(shape, sizeof shape, "%s %d %d %d %zu", set->bytes != NULL ? "bytes" : "floats",
                 set->c, set->h, set->w, set->count);
    const size_t values = set->count * (size_t)set->c * (size_t)set->h * (size_t)set->w;
    uint32_t crc = file_crc32(0, shape, (size_t)length);
    if (set->bytes != NULL) {
        crc = file_crc32(crc, set->bytes, values);
    } else {
        crc = file_crc32(crc, set->floats, values * sizeof *set->floats);
    }
    return file_crc32(crc, set->labels, set->count * sizeof *set->labels);
}

int dataset_load(struct dataset *set, const struct source *source, struct error *e)
{
    assert(source->images != NULL);
    memset(set, 0, sizeof *set);
    const struct format *format = find_format(source, e);
    if (format == NULL || format->load(set, source, e) != 0) {
        dataset_free(set);
        return -1;
    }
    set->crc32 = checksum(set);
    return 0;
}

void dataset_free(struct dataset *set)
{
    free(set->bytes);
    free(set->floats);
    free(set->labels);
    memset(set, 0, sizeof *set);
}

size_t dataset_values(const struct dataset *set)
{
    return (size_t)set->c * (size_t)set->h * (size_t)set->w;
}

const uint8_t *dataset_pixels(const struct dataset *set, size_t sample, uint8_t *buffer)
{
    (void)buffer;
    return set->bytes + sample * dataset_values(set);
}

int dataset_check_labels(struct dataset *set, int classes, enum error_kind kind, struct error *e)
{
    size_t i = 0;
    while (i < set->count && set->labels[i] < classes) {
        i++;
    }
    if (i == set->count) {
        set->classes = classes;
        return 0;
    }
    char allowed[64];
    if (kind == ERROR_MODEL) {
        snprintf(allowed, sizeof allowed, "model has %d classes", classes);
    } else {
        snprintf(allowed, sizeof allowed, "classes are 0..%d", classes - 1);
    }
    return error_at_offset(e, kind, set->labels_path,
                           (long long)(set->labels_offset + i * set->labels_size),
                           "sample %zu: label %d, %s", i, (int)set->labels[i], allowed);
}

static const struct option SOURCE_ROWS[] = {
    {.key = "images",
     .kind = &OPTION_TEXT,
     .offset = offsetof(struct source, images),
     .help = "file of the images"},
    {.key = "labels",
     .kind = &OPTION_TEXT,
     .offset = offsetof(struct source, labels),
     .fallback = "",
     .help = "file of the labels; without it found by the images' name"},
    OPTION_END,
};

static int source_decode(const struct option *option, void *field, const struct yaml *value,
                         struct decoder *decoder)
{
    struct source *source = field;
    *source = (struct source){.where = value->source->name[0] != '\0' ? value : NULL};
    if (value->kind == YAML_MAP) {
        return options_decode(SOURCE_ROWS, source, value, option->key, value, decoder);
    }
    if (value->kind != YAML_SCALAR) {
        return yaml_error(decoder->errors, value,
                          "'%s' must be a path or {images: .., labels: ..}, got %s", option->key,
                          yaml_kind_name(value));
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
    if (source->labels != NULL) {
        options_emit_flow(SOURCE_ROWS, source, out);
    } else if (source->images != NULL) {
        option_emit_text(out, source->images);
    }
}

static void source_describe(const struct option *option, struct text *out)
{
    (void)option;
    text_append(out, "path | {images: path, labels: path}");
}

const struct option_kind OPTION_SOURCE = {
    .name = "data set",
    .decode = source_decode,
    .emit = source_emit,
    .describe = source_describe,
};
