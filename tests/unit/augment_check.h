/* augment_check.h: for the tests of augmentations: a list of steps from a text, a small set of
 * images in memory, and what becomes of one of them. */
#ifndef CNNTRAIN_TESTS_AUGMENT_CHECK_H
#define CNNTRAIN_TESTS_AUGMENT_CHECK_H

#include "data/augment.h"
#include "yaml_check.h"

#include <math.h>
#include <stdlib.h>

enum { MOST_FLOATS = 4096, SAMPLES = 40 };

static struct {
    struct dataset set;
    struct input input;
    struct subset train;
    struct augmentations list;
    struct augmenter augmenter;
    struct mixture mixture;
    uint8_t bytes[SAMPLES * MOST_FLOATS];
    float floats[SAMPLES * MOST_FLOATS];
    int32_t labels[SAMPLES];
    uint32_t index[SAMPLES];
    float *scratch;
    float planes[MOST_FLOATS] __attribute__((aligned(64)));
} made;

/* A set of c x h x w images whose pixels tell sample, channel and place apart, for a network that
 * takes ih x iw. */
static inline void make_set(int c, int h, int w, int ih, int iw, int bytes)
{
    assert_true((c * ih * iw + LANES - 1) / LANES * LANES <= MOST_FLOATS);
    made.set = (struct dataset){.path = "x",
                                .count = SAMPLES,
                                .c = c,
                                .h = h,
                                .w = w,
                                .bytes = bytes ? made.bytes : NULL,
                                .floats = bytes ? NULL : made.floats,
                                .labels = made.labels};
    made.input = (struct input){.c = c, .h = ih, .w = iw, .scale = bytes ? 1.0 / 255 : 1};
    for (int i = 0; i < SAMPLES * c * h * w; i++) {
        made.bytes[i] = (uint8_t)(i * 37 + i / 11 * 5 + i / 256);
        made.floats[i] = (float)((i * 37) % 101) / 7 - 5;
    }
    for (int k = 0; k < c; k++) {
        made.input.mean[k] = 0.3 + 0.1 * k;
        made.input.std[k] = 0.25 + 0.05 * k;
    }
    for (int i = 0; i < SAMPLES; i++) {
        made.labels[i] = i % 10;
        made.index[i] = (uint32_t)i;
    }
    made.train = (struct subset){.set = &made.set, .index = made.index, .count = SAMPLES};
}

/* Decode a list; -1 with the faults in parse.errors. */
static inline int read_list(const char *text)
{
    static const struct option row = {"augment", &OPTION_AUGMENT, 0, "", 0, 0, 0, NULL, ""};
    struct decoder decoder = {&parse.arena, &parse.errors};
    made.list = (struct augmentations){0};
    assert_non_null(read_text(text));
    return OPTION_AUGMENT.decode(&row, &made.list, parse.root, &decoder);
}

/* The list at work on the set, at the level of `kernels`. */
static inline void use_kernels(const struct kernels *kernels, const char *text)
{
    struct error e;
    if (read_list(text) != 0) {
        fail_msg("%s: %s", text, parse.errors.items[0].message);
    }
    assert_int_equal(
        augmenter_open(&made.augmenter, &made.list, &made.input, &made.train, kernels, 42, &e), 0);
    free(made.scratch);
    const size_t bytes = augmenter_scratch(&made.augmenter) * sizeof(float);
    made.scratch = aligned_alloc(64, (bytes + 63) / 64 * 64);
    assert_non_null(made.scratch);
    memset(made.scratch, 0, bytes);
}

static inline void use(const char *text) { use_kernels(kernels_select(NULL), text); }

/* made.planes becomes what the list makes of a sample in an epoch. */
static inline const float *augment(uint32_t epoch, uint32_t sample)
{
    augment_image(&made.augmenter, epoch, sample, made.planes, &made.mixture, made.scratch);
    return made.planes;
}

/* The pixel of a stored image at the input's size: zeros around it, and beyond the input `fill`. */
static inline double original(uint32_t sample, int k, int y, int x, double fill)
{
    const struct dataset *set = &made.set;
    if (y < 0 || y >= made.input.h || x < 0 || x >= made.input.w) {
        return fill;
    }
    const int top = (made.input.h - set->h) / 2, left = (made.input.w - set->w) / 2;
    y -= top;
    x -= left;
    if (y < 0 || y >= set->h || x < 0 || x >= set->w) {
        return 0;
    }
    const int at = (((int)sample * set->c + k) * set->h + y) * set->w + x;
    return set->bytes != NULL ? (double)set->bytes[at] : (double)set->floats[at];
}

/* Between the four pixels around a place. */
static inline double between(uint32_t sample, int k, double y, double x, double fill)
{
    const double top = floor(y), left = floor(x), below = y - top, right = x - left;
    double sum = 0;
    for (int i = 0; i < 4; i++) {
        const double weight = (i / 2 ? below : 1 - below) * (i % 2 ? right : 1 - right);
        sum += weight * original(sample, k, (int)top + i / 2, (int)left + i % 2, fill);
    }
    return sum;
}

static inline int end_augment(void **state)
{
    free(made.scratch);
    made.scratch = NULL;
    return end_parse(state);
}

#endif
