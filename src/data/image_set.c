/* image_set.c: see image_set.h. All images are decoded at once, in parallel, before anything else
 * happens: a bad one is found before the first epoch, and of several the first is reported, however
 * many threads look for it. Of every image the checksum of its pixels stays, so that one which is
 * decoded again later is known to be the same. */
#include "data/image_set.h"

#include "base/arena.h"
#include "base/file.h"
#include "base/text.h"
#include "data/idx_file.h"

#include <omp.h>
#include <stdlib.h>
#include <string.h>

enum { CLASSES_MAX = 65536 };

static int find_name(const struct texts *names, const char *name)
{
    for (int k = 0; k < names->count; k++) {
        if (strcmp(names->values[k], name) == 0) {
            return k;
        }
    }
    return -1;
}

static int fault_of_class(const struct dataset *set, const char *folder, const char *name,
                          const struct loading *how, struct error *e)
{
    char path[2048], shown[400];
    snprintf(path, sizeof path, folder != NULL ? "%s/%s" : "%s", set->path, name);
    return error_set(e, how->kind != 0 ? how->kind : ERROR_DATA, path,
                     "class '%s' is not one of %s",
                     text_escape(shown, sizeof shown, name, strlen(name)), how->owner);
}

static int check_names(const struct dataset *set, const struct texts *names, struct error *e)
{
    char shown[400];
    if (names->count > CLASSES_MAX) {
        return error_set(e, ERROR_DATA, set->path, "more than %d classes", CLASSES_MAX);
    }
    for (int k = 0; k < names->count; k++) {
        const size_t length = strlen(names->values[k]);
        text_escape(shown, sizeof shown, names->values[k], length);
        if (text_utf8_prefix(names->values[k], length) != length) {
            return error_set(e, ERROR_DATA, set->path, "class name '%s' is not UTF-8", shown);
        }
        if (length > 255) {
            return error_set(e, ERROR_DATA, set->path, "class name '%s' is longer than 255 bytes",
                             shown);
        }
    }
    return 0;
}

int image_set_classes(struct dataset *set, const struct texts *names, const struct loading *how,
                      const char *folder, int32_t *number, struct error *e)
{
    TRY(check_names(set, names, e));
    const struct texts *wanted = how->classes != NULL ? how->classes : names;
    if (how->classes == NULL && names->count == 1) {
        return error_set(e, ERROR_DATA, set->path, "only one class, '%s': at least 2 are needed",
                         names->values[0]);
    }
    for (int k = 0; k < names->count; k++) {
        number[k] = how->classes == NULL ? k : find_name(wanted, names->values[k]);
        if (number[k] < 0) {
            return fault_of_class(set, folder, names->values[k], how, e);
        }
    }
    const char **copies = arena_alloc(&set->arena, (size_t)wanted->count * sizeof *copies);
    for (int k = 0; copies != NULL && k < wanted->count; k++) {
        copies[k] = arena_strndup(&set->arena, wanted->values[k], strlen(wanted->values[k]));
        if (copies[k] == NULL) {
            copies = NULL;
        }
    }
    if (copies == NULL) {
        return error_memory(e, (size_t)wanted->count * sizeof *copies);
    }
    set->names = (struct texts){wanted->count, copies};
    set->classes = wanted->count;
    return 0;
}

/* What images are made into: as the config says, else as the first one that can be read. */
static int decide_target(struct dataset *set, const struct loading *how, struct error *e)
{
    struct image_list *list = set->list;
    struct image image = {0};
    if (how->c != 0 && how->c != 1 && how->c != 3) {
        return error_set(e, ERROR_DATA, set->path,
                         "PNG and JPEG images are made into 1 or 3 channels, not %d", how->c);
    }
    list->target =
        (struct target){how->c, how->h, how->w, how->fit != NULL ? how->fit : fit_find("pad")};
    list->same_channels = how->c == 0;
    list->same_size = how->h == 0;
    if (list->same_channels || list->same_size) {
        const size_t last = how->faults != NULL ? list->count - 1 : 0;
        while (image_list_decode(list, list->first, &image, e) != 0) {
            if (list->first == last) {
                return -1;
            }
            list->first++;
        }
    }
    if (list->same_channels) {
        list->target.c = image.c;
    }
    if (list->same_size) {
        list->target.h = image.h;
        list->target.w = image.w;
    }
    set->c = list->target.c;
    set->h = list->target.h;
    set->w = list->target.w;
    return 0;
}

static int allocate(struct dataset *set, const struct loading *how, struct error *e)
{
    const size_t limit = how->memory != 0 ? how->memory : idx_memory_limit();
    const size_t size = dataset_values(set), fits = limit / size;
    set->count = set->list->count;
    set->held = fits < set->count ? fits : set->count;
    set->bytes =
        block_allocate(set->outline ? 1 : set->held * size + 1); /* never NULL: a set of bytes */
    set->list->crc32 = malloc(set->count * sizeof *set->list->crc32);
    if (how->faults != NULL) {
        set->list->sizes = calloc(set->count, sizeof *set->list->sizes);
    }
    if (set->held < set->count && !set->outline) {
        set->list->buffers = malloc((size_t)set->threads * BUFFER_IMAGES * size);
    }
    if (set->bytes == NULL || set->list->crc32 == NULL ||
        (set->list->buffers == NULL && set->held < set->count && !set->outline) ||
        (how->faults != NULL && set->list->sizes == NULL)) {
        return error_memory(e, set->held * size);
    }
    return 0;
}

/* Decode all; mark the bad ones. Returns the first of them with *e, or count. With `all` the others
 * are looked at too. */
static size_t decode_all(struct dataset *set, int all, unsigned char *bad, struct error *e)
{
    struct image_list *list = set->list;
    const size_t size = dataset_values(set);
    size_t first_bad = set->count;
#pragma omp parallel num_threads(set->threads)
    {
#pragma omp for schedule(dynamic, 16)
        for (size_t i = 0; i < set->count; i++) {
            size_t limit;
#pragma omp atomic read
            limit = first_bad;
            if (!all && i > limit) {
                continue;
            }
            struct error fault;
            uint8_t *planes = i < set->held ? set->bytes + i * size : dataset_buffer(set);
            if (image_list_pixels(list, i, planes, &fault) == 0) {
                list->crc32[i] = file_crc32(0, planes, size);
                continue;
            }
#pragma omp critical(image_set)
            {
                bad[i] = 1;
                if (i < first_bad) {
                    *e = fault;
#pragma omp atomic write
                    first_bad = i;
                }
            }
        }
    }
    return first_bad;
}

/* Say what is wrong with image i, by looking again. */
static int report(const struct dataset *set, size_t i, struct error *e)
{
    char path[2048];
    uint8_t *planes = malloc(dataset_values(set));
    if (planes == NULL) {
        return error_memory(e, dataset_values(set));
    }
    const int status = image_list_pixels(set->list, i, planes, e);
    free(planes);
    return status != 0 ? -1
                       : error_set(e, ERROR_DATA, image_list_path(set->list, i, path, sizeof path),
                                   "could not be read, and then could: try again");
}

/* Count the bad ones in how->faults, and go on without them. */
static int leave_out(struct dataset *set, const struct loading *how, const unsigned char *bad,
                     struct error *e)
{
    const size_t size = dataset_values(set);
    size_t kept = 0, held = 0;
    for (size_t i = 0; i < set->count; i++) {
        if (bad[i]) {
            struct error *fault = error_next(how->faults);
            if (fault != &how->faults->spare) {
                report(set, i, fault);
            }
            continue;
        }
        if (i < set->held) {
            memmove(set->bytes + held * size, set->bytes + i * size, size);
            held++;
        }
        kept++;
    }
    image_list_keep_good(set->list, bad);
    set->held = held;
    set->count = kept;
    return kept > 0 ? 0 : error_set(e, ERROR_DATA, set->path, "no image can be read");
}

int image_set_load(struct dataset *set, const struct loading *how, struct error *e)
{
    set->threads = how->threads > 0 ? how->threads : 1;
    TRY(image_list_prepare(set->list, set->threads, e));
    TRY(decide_target(set, how, e));
    TRY(allocate(set, how, e));
    set->labels = set->list->labels; /* the list keeps them */
    if (set->outline) {
        set->crc32 = file_crc32(0, set->path, strlen(set->path));
        return 0;
    }
    unsigned char *bad = calloc(set->count, 1);
    if (bad == NULL) {
        return error_memory(e, set->count);
    }
    int status = decode_all(set, how->faults != NULL, bad, e) < set->count ? -1 : 0;
    if (status != 0 && how->faults != NULL && !error_is_memory(e)) {
        status = leave_out(set, how, bad, e);
    }
    image_list_settle(set->list, set->held < set->count);
    free(bad);
    return status;
}

uint32_t image_set_crc32(const struct dataset *set)
{
    const size_t size = dataset_values(set);
    uint32_t crc = 0;
    for (size_t i = 0; i < set->count; i++) {
        crc = file_crc32_combine(crc, set->list->crc32[i], size);
    }
    return crc;
}
