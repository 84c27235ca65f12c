/* test_convert.c: sets in memory made into other layouts, channels and sizes (convert.c). */
#include "data/convert.h"

#include "data/fit.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

/* `count` images whose stored bytes are 0, 1, 2, ... */
static struct dataset make(size_t count, int c, int h, int w, int floats)
{
    struct dataset set = {.path = "x", .count = count, .c = c, .h = h, .w = w, .threads = 2};
    const size_t size = count * dataset_values(&set);
    if (floats) {
        set.floats = malloc(size * sizeof *set.floats);
        assert_non_null(set.floats);
    } else {
        set.bytes = malloc(size);
        assert_non_null(set.bytes);
    }
    for (size_t i = 0; i < size; i++) {
        if (floats) {
            set.floats[i] = (float)i / 4;
        } else {
            set.bytes[i] = (uint8_t)i;
        }
    }
    return set;
}

static void test_to_planes(void **state)
{
    (void)state;
    for (int floats = 0; floats < 2; floats++) {
        for (int c = 1; c <= 4; c++) {
            struct dataset set = make(5, c, 2, 3, floats);
            assert_int_equal(convert_to_planes(&set, NULL), 0);
            for (int i = 0; i < 5 * c * 6; i++) {
                const int image = i / (c * 6), k = i / 6 % c, at = i % 6;
                const int from = image * c * 6 + at * c + k;
                if (floats) {
                    assert_true(set.floats[i] == (float)from / 4);
                } else {
                    assert_int_equal(set.bytes[i], from);
                }
            }
            dataset_free(&set);
        }
    }
}

static void test_channels(void **state)
{
    (void)state;
    struct dataset set = make(3, 3, 2, 2, 0);
    const struct loading grey = {.c = 1}, colour = {.c = 3}, four = {.c = 4};
    assert_int_equal(convert_images(&set, &four, NULL), 0); /* not for us to say */
    assert_int_equal(set.c, 3);
    assert_int_equal(convert_images(&set, &grey, NULL), 0);
    assert_int_equal(set.c, 1);
    for (unsigned i = 0; i < 12; i++) {
        const unsigned red = i / 4 * 12 + i % 4;
        assert_int_equal(set.bytes[i],
                         (19595 * red + 38470 * (red + 4) + 7471 * (red + 8) + 32768) >> 16);
    }
    const uint8_t second = set.bytes[5];
    assert_int_equal(convert_images(&set, &colour, NULL), 0);
    assert_int_equal(set.c, 3);
    for (int k = 0; k < 3; k++) {
        assert_int_equal(set.bytes[12 + 4 * k + 1], second);
    }
    dataset_free(&set);
}

static void test_sizes(void **state)
{
    (void)state;
    struct dataset set = make(2, 1, 2, 4, 0);
    const struct loading pad = {.h = 4, .w = 4, .fit = fit_find("pad")};
    const uint8_t *before = set.bytes;
    assert_int_equal(convert_images(&set, &pad, NULL), 0); /* tiles are padded, not the set */
    assert_ptr_equal(set.bytes, before);
    const struct loading boxed = {.h = 4, .w = 4, .fit = fit_find("letterbox")};
    assert_int_equal(convert_images(&set, &boxed, NULL), 0);
    assert_int_equal(set.h * 10 + set.w, 44);
    static const uint8_t wanted[] = {0, 0, 0, 0, 0, 1, 2,  3,  4,  5,  6,  7,  0, 0, 0, 0,
                                     0, 0, 0, 0, 8, 9, 10, 11, 12, 13, 14, 15, 0, 0, 0, 0};
    assert_memory_equal(set.bytes, wanted, sizeof wanted);
    dataset_free(&set);
}

static void test_refused(void **state)
{
    (void)state;
    const struct loading how = {.h = 4, .w = 4, .fit = fit_find("crop")}, grey = {.c = 1};
    for (int floats = 0; floats < 2; floats++) {
        struct dataset set = make(2, floats ? 1 : 2, 2, 4, floats);
        struct error e = {.offset = -1};
        assert_int_equal(convert_images(&set, &how, &e), -1);
        assert_int_equal(e.kind, ERROR_DATA);
        assert_string_equal(e.message,
                            floats ? "fit: crop is for bytes of 1 or 3 channels; these images have "
                                     "floats"
                                   : "fit: crop is for bytes of 1 or 3 channels; these images have "
                                     "other channels");
        assert_int_equal(convert_images(&set, &grey, &e), 0); /* input_resolve sees it */
        assert_int_equal(set.c, floats ? 1 : 2);
        dataset_free(&set);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_to_planes),
        cmocka_unit_test(test_channels),
        cmocka_unit_test(test_sizes),
        cmocka_unit_test(test_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
