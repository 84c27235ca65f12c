/* convert.c: see convert.h. */
#include "data/convert.h"

#include "base/arena.h"
#include "data/fit.h"

#include <stdlib.h>
#include <string.h>

/* Bytes from [plane][c] to [c][plane], in steps of `size` bytes. */
static void split(const uint8_t *from, size_t plane, size_t c, size_t size, uint8_t *to)
{
    for (size_t i = 0; i < plane; i++) {
        for (size_t k = 0; k < c; k++, from += size) {
            memcpy(to + (k * plane + i) * size, from, size);
        }
    }
}

int convert_to_planes(struct dataset *set, struct error *e)
{
    const size_t size = set->bytes != NULL ? 1 : sizeof *set->floats;
    const size_t image = dataset_values(set) * size, plane = (size_t)set->h * (size_t)set->w;
    uint8_t *all = set->bytes != NULL ? set->bytes : (uint8_t *)set->floats;
    uint8_t *copy = malloc(image);
    if (copy == NULL) {
        return error_memory(e, image);
    }
    for (size_t i = 0; i < set->count; i++) {
        memcpy(copy, all + i * image, image);
        split(copy, plane, (size_t)set->c, size, all + i * image);
    }
    free(copy);
    return 0;
}

/* Stored planes as an image. */
static void join(const uint8_t *planes, struct image *image)
{
    const size_t c = (size_t)image->c, plane = (size_t)image->h * (size_t)image->w;
    for (size_t i = 0; i < plane; i++) {
        for (size_t k = 0; k < c; k++) {
            image->pixels[i * c + k] = planes[k * plane + i];
        }
    }
}

/* Every image into `out`; 0, or -1 without memory. */
static int convert_all(const struct dataset *set, const struct target *target, uint8_t *out)
{
    const size_t from = dataset_values(set);
    const size_t to = (size_t)target->c * (size_t)target->h * (size_t)target->w;
    int failed = 0;
#pragma omp parallel num_threads(set->threads) reduction(| : failed)
    {
        struct image image = {set->c, set->h, set->w, malloc(from)};
        struct room room = {0};
#pragma omp for schedule(static)
        for (size_t i = 0; i < set->count; i++) {
            if (image.pixels == NULL) {
                failed = 1;
                continue;
            }
            join(set->bytes + i * from, &image);
            failed |= image_fit(&image, target, set->path, out + i * to, &room, NULL) != 0;
            room_clear(&room);
        }
        room_free(&room);
        free(image.pixels);
    }
    return failed ? -1 : 0;
}

int convert_images(struct dataset *set, const struct loading *how, struct error *e)
{
    const int resizes = how->fit != NULL && how->fit->resizes && how->h != 0;
    const int convertible = set->bytes != NULL && (set->c == 1 || set->c == 3);
    if (resizes && !convertible) {
        return error_set(e, ERROR_DATA, set->path,
                         "fit: %s is for bytes of 1 or 3 channels; these images have %s",
                         how->fit->name, set->bytes == NULL ? "floats" : "other channels");
    }
    struct target target = {.c = how->c == 1 || how->c == 3 ? how->c : set->c,
                            .h = resizes ? how->h : set->h,
                            .w = resizes ? how->w : set->w,
                            .fit = resizes ? how->fit : fit_find("pad")};
    if (!convertible || (target.c == set->c && target.h == set->h && target.w == set->w)) {
        return 0;
    }
    set->passing += set->count * dataset_values(set) * (set->floats ? sizeof(float) : 1);
    const size_t size = set->count * (size_t)target.c * (size_t)target.h * (size_t)target.w;
    uint8_t *bytes = block_allocate(set->outline ? 1 : size);
    if (bytes == NULL || (!set->outline && convert_all(set, &target, bytes) != 0)) {
        free(bytes);
        return error_memory(e, size);
    }
    free(set->bytes);
    set->bytes = bytes;
    set->c = target.c;
    set->h = target.h;
    set->w = target.w;
    return 0;
}
