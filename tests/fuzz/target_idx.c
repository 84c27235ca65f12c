/* target_idx.c: two IDX files, images and labels, plain, to a data set: idx.c, idx_file.c,
 * convert.c, resize.c.
 *
 *   flags (1 byte), size of the labels file (2, little-endian), the images file, the labels file
 *
 * With flag 1 the labels file is made up to fit, so that the images decide. The other flags ask for
 * a layout and for a conversion to another size and other channels. */
#include "data/dataset.h"
#include "data/fit.h"
#include "fuzz/fuzz.h"

#include <math.h>
#include <string.h>

enum { MADE_LABELS = 1, HWC = 2, CONVERT = 4, OUTLINE = 8, FIT = 48, GREY = 64 };
enum { MOST_LABELS = 4096, MEMORY = 1 << 18 };

/* Labels 0, 1, 2, 0, 1 ... for as many images as the file says. */
static size_t make_labels(uint8_t *labels, const uint8_t *images, size_t size)
{
    const size_t count = size >= 8 ? (size_t)images[6] << 8 | images[7] : 0;
    if (count > MOST_LABELS) {
        return 0;
    }
    memcpy(labels, "\0\0\x08\x01\0\0", 6);
    labels[6] = (uint8_t)(count >> 8);
    labels[7] = (uint8_t)count;
    for (size_t i = 0; i < count; i++) {
        labels[8 + i] = (uint8_t)(i % 3);
    }
    return 8 + count;
}

static void check_set(const struct dataset *set, int outline)
{
    CHECK(set->count > 0 && set->c >= 1 && set->c <= 4 && set->h >= 1 && set->w >= 1);
    CHECK((set->bytes != NULL) != (set->floats != NULL));
    const size_t values = set->count * dataset_values(set);
    double sum = 0;
    for (size_t i = 0; i < values && !outline; i++) {
        CHECK(set->bytes != NULL || isfinite(set->floats[i]));
        sum += set->bytes != NULL ? set->bytes[i] : 0;
    }
    CHECK(sum >= 0);
    for (size_t i = 0; i < set->count; i++) {
        CHECK(set->labels[i] >= 0 && set->labels[i] < set->classes);
    }
}

int fuzz_one(const uint8_t *data, size_t size)
{
    static uint8_t made[8 + MOST_LABELS];
    if (size < 3) {
        return 0;
    }
    const unsigned flags = data[0];
    const size_t said = (size_t)data[1] | (size_t)data[2] << 8, left = size - 3;
    const size_t labels_size = said < left ? said : left, images_size = left - labels_size;
    const uint8_t *images = data + 3;
    fuzz_no_files();
    fuzz_file("images", images, images_size);
    if (flags & MADE_LABELS) {
        fuzz_file("labels", made, make_labels(made, images, images_size));
    } else {
        fuzz_file("labels", images + images_size, labels_size);
    }
    const struct source source = {
        .images = "images", .labels = "labels", .layout = flags & HWC ? "hwc" : NULL};
    const struct loading how = {.memory = MEMORY,
                                .outline = (flags & OUTLINE) != 0,
                                .c = flags & GREY      ? 1
                                     : flags & CONVERT ? 3
                                                       : 0,
                                .h = flags & CONVERT ? 9 : 0,
                                .w = flags & CONVERT ? 7 : 0,
                                .fit = flags & CONVERT ? fit_find(FIT_NAMES[(flags & FIT) >> 4])
                                                       : NULL};
    struct dataset set;
    struct error e = {.offset = -1};
    if (dataset_load(&set, &source, &how, &e) == 0) {
        check_set(&set, how.outline);
        if (dataset_check_labels(&set, 3, ERROR_DATA, &e) != 0) {
            fuzz_check_error(&e, KIND(ERROR_DATA), size + sizeof made);
        }
    } else {
        fuzz_check_error(&e, KIND(ERROR_DATA) | KIND(ERROR_LIMIT), size + sizeof made);
    }
    dataset_free(&set);
    return 0;
}
