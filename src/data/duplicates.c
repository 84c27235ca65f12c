/* duplicates.c: see duplicates.h. Images are ordered by a checksum of their pixels; those with the
 * same one are compared. */
#include "data/duplicates.h"

#include "base/file.h"
#include "data/image_list.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

struct entry {
    uint32_t crc32, sample;
    int part;
    int twin; /* equal to an earlier one */
};

struct search {
    const struct subset *const *parts;
    uint8_t *buffers[2]; /* for images that are not held */
};

static size_t bytes_of(const struct dataset *set)
{
    return dataset_values(set) * (set->bytes != NULL ? 1 : sizeof *set->floats);
}

static const void *pixels_of(const struct dataset *set, size_t sample, uint8_t *buffer)
{
    return set->bytes != NULL ? (const void *)dataset_pixels(set, sample, buffer)
                              : set->floats + sample * dataset_values(set);
}

static uint32_t checksum(const struct dataset *set, size_t sample)
{
    return set->list != NULL ? set->list->crc32[sample]
                             : file_crc32(0, pixels_of(set, sample, NULL), bytes_of(set));
}

static int compare_entries(const void *a, const void *b)
{
    const struct entry *one = a, *other = b;
    if (one->crc32 != other->crc32) {
        return one->crc32 < other->crc32 ? -1 : 1;
    }
    if (one->part != other->part) {
        return one->part - other->part;
    }
    return (one->sample > other->sample) - (one->sample < other->sample);
}

static int equal(const struct search *search, const struct entry *a, const struct entry *b)
{
    const struct dataset *one = search->parts[a->part]->set, *other = search->parts[b->part]->set;
    return one->c == other->c && one->h == other->h && one->w == other->w &&
           (one->bytes != NULL) == (other->bytes != NULL) &&
           memcmp(pixels_of(one, a->sample, search->buffers[0]),
                  pixels_of(other, b->sample, search->buffers[1]), bytes_of(one)) == 0;
}

/* The first of run[0..i) that entry i equals; -1: none. */
static long find_equal(const struct search *search, const struct entry *run, size_t i)
{
    for (size_t k = 0; k < i; k++) {
        if (!run[k].twin && equal(search, &run[k], &run[i])) {
            return (long)k;
        }
    }
    return -1;
}

static size_t find_all(const struct search *search, struct entry *entries, size_t count,
                       struct twin *twins)
{
    size_t found = 0;
    for (size_t start = 0, end; start < count; start = end) {
        for (end = start + 1; end < count && entries[end].crc32 == entries[start].crc32; end++) {
            const long k = find_equal(search, entries + start, end - start);
            entries[end].twin = k >= 0;
            if (k >= 0) {
                const struct entry *first = &entries[start + (size_t)k];
                twins[found++] = (struct twin){entries[end].part, first->part, entries[end].sample,
                                               first->sample};
            }
        }
    }
    return found;
}

static int compare_twins(const void *a, const void *b)
{
    const struct twin *one = a, *other = b;
    if (one->part != other->part) {
        return one->part - other->part;
    }
    return (one->sample > other->sample) - (one->sample < other->sample);
}

int twins_find(struct twins *twins, const struct subset *const *parts, int count, struct error *e)
{
    struct search search = {.parts = parts};
    size_t total = 0, largest = 1;
    int status = -1;
    assert(count >= 1 && count <= 255);
    *twins = (struct twins){0};
    for (int p = 0; p < count; p++) {
        total += parts[p]->count;
        largest = bytes_of(parts[p]->set) > largest ? bytes_of(parts[p]->set) : largest;
    }
    struct entry *entries = malloc(total * sizeof *entries + 1);
    twins->items = malloc(total * sizeof *twins->items + 1);
    search.buffers[0] = malloc(largest);
    search.buffers[1] = malloc(largest);
    if (entries == NULL || twins->items == NULL || search.buffers[0] == NULL ||
        search.buffers[1] == NULL) {
        error_memory(e, total * (sizeof *entries + sizeof *twins->items));
        goto end;
    }
    size_t at = 0;
    for (int p = 0; p < count; p++) {
        for (size_t i = 0; i < parts[p]->count; i++) {
            const uint32_t sample = parts[p]->index[i];
            entries[at++] = (struct entry){checksum(parts[p]->set, sample), sample, p, 0};
        }
    }
    qsort(entries, total, sizeof *entries, compare_entries);
    twins->count = find_all(&search, entries, total, twins->items);
    qsort(twins->items, twins->count, sizeof *twins->items, compare_twins);
    status = 0;
    for (int p = 0; p < count && status == 0; p++) {
        status = dataset_failed(parts[p]->set, e);
    }
end:
    free(search.buffers[0]);
    free(search.buffers[1]);
    free(entries);
    if (status != 0) {
        twins_free(twins);
    }
    return status;
}

void twins_free(struct twins *twins)
{
    free(twins->items);
    *twins = (struct twins){0};
}
