/* dataset.c: loading a set by whichever format takes it, its checks, its pixels. */
#include "data/dataset.h"

#include "base/file.h"
#include "data/format.h"
#include "data/image_set.h"

#include <assert.h>
#include <omp.h>
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
static const struct format *find_format(const struct source *source, const struct loading *how,
                                        struct error *e)
{
    for (int i = 0; MEMBERS[i] != NULL; i++) {
        const struct format *format = (const struct format *)MEMBERS[i];
        const int takes = format->takes(source, how, e);
        if (takes != 0) {
            return takes > 0 ? format : NULL;
        }
    }
    error_set(e, ERROR_DATA, source_path(source), "no format takes this");
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
    if (set->outline) {
        crc = file_crc32(crc, &set->crc32, sizeof set->crc32);
    } else if (set->list != NULL) {
        crc = file_crc32_combine(crc, image_set_crc32(set), values);
    } else if (set->bytes != NULL) {
        crc = file_crc32(crc, set->bytes, values);
    } else {
        crc = file_crc32(crc, set->floats, values * sizeof *set->floats);
    }
    return file_crc32(crc, set->labels, set->count * sizeof *set->labels);
}

int dataset_load(struct dataset *set, const struct source *source, const struct loading *how,
                 struct error *e)
{
    static const struct loading as_stored = {0};
    assert(source_path(source) != NULL);
    how = how != NULL ? how : &as_stored;
    *set = (struct dataset){.outline = how->outline};
    const struct format *format = find_format(source, how, e);
    if (format == NULL || format->load(set, source, how, e) != 0) {
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
    if (set->list != NULL) { /* which keeps the labels */
        image_list_free(set->list);
        free(set->list);
    } else {
        free(set->labels);
    }
    arena_free(&set->arena);
    memset(set, 0, sizeof *set);
}

size_t dataset_values(const struct dataset *set)
{
    return (size_t)set->c * (size_t)set->h * (size_t)set->w;
}

/* Remember the fault of the first sample that has one. */
static void fail(struct image_list *list, size_t sample, const struct error *fault)
{
#pragma omp critical(dataset_failure)
    {
        if (sample < list->bad) {
            list->bad = sample;
            list->fault = *fault;
        }
    }
}

static const uint8_t *decode(const struct dataset *set, size_t sample, uint8_t *buffer)
{
    char path[2048];
    const size_t size = dataset_values(set);
    struct error fault = {.offset = -1};
    if (image_list_pixels(set->list, sample, buffer, &fault) != 0) {
        fail(set->list, sample, &fault);
        memset(buffer, 0, size);
    } else if (file_crc32(0, buffer, size) != set->list->crc32[sample]) {
        error_set(&fault, ERROR_DATA, image_list_path(set->list, sample, path, sizeof path),
                  "the image is not the one that was there at the start");
        fail(set->list, sample, &fault);
    }
    return buffer;
}

const uint8_t *dataset_pixels(const struct dataset *set, size_t sample, uint8_t *buffer)
{
    if (set->list != NULL && sample >= set->held) {
        return decode(set, sample, buffer);
    }
    return set->bytes + sample * dataset_values(set);
}

int dataset_is_held(const struct dataset *set)
{
    return set->list == NULL || set->held == set->count;
}

uint8_t *dataset_buffer(const struct dataset *set)
{
    if (dataset_is_held(set)) {
        return NULL;
    }
    const int thread = omp_get_thread_num();
    assert(thread < set->threads);
    return set->list->buffers + (size_t)thread * BUFFER_IMAGES * dataset_values(set);
}

int dataset_failed(const struct dataset *set, struct error *e)
{
    if (set->list == NULL || set->list->bad == SIZE_MAX) {
        return 0;
    }
    if (e != NULL) {
        *e = set->list->fault;
    }
    return -1;
}

const char *dataset_path(const struct dataset *set, size_t sample, char *buffer, size_t size)
{
    return set->list != NULL ? image_list_path(set->list, sample, buffer, size) : NULL;
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
