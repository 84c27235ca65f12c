/* test_kernels_tile.c: laying 16 images side by side, from bytes and from floats, at every level:
 * each value in its place, scaled and shifted with one rounding where the level is fused. */
#include "../kernel_check.h"
#include "../reference.h"

#include <float.h>
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static const size_t COUNTS[] = {1, 2, 3, 15, 16, 17, 31, 32, 33, 49, 784};
enum { COUNT_COUNT = sizeof COUNTS / sizeof *COUNTS };

/* images[16][count], each value exact in float. */
static void check_values(const char *what, const struct kernels *k, size_t count,
                         const double *images, const float *y, float scale, float shift)
{
    for (size_t i = 0; i < count * LANES; i++) {
        const float x = (float)images[i % LANES * count + i / LANES], once = fmaf(x, scale, shift);
        /* a level that is not fused rounds the product first */
        const float bound = k->fused ? 0 : FLT_EPSILON * (fabsf(x * scale) + fabsf(shift));
        if (!(fabsf(y[i] - once) <= bound)) {
            fail_msg("%s, %s: [%zu] is %.9g, not %.9g", what, k->name, i, (double)y[i],
                     (double)once);
        }
    }
}

static void test_bytes(void **state)
{
    (void)state;
    const struct kernels *levels[KERNEL_LEVELS];
    const int levels_count = check_levels(levels);
    struct dice dice = {1};
    for (int c = 0; c < COUNT_COUNT; c++) {
        const size_t count = COUNTS[c];
        uint8_t *images[LANES];
        const uint8_t *inputs[LANES];
        double *values = check_doubles(count * LANES);
        struct agreement same = {0};
        for (size_t lane = 0; lane < LANES; lane++) {
            inputs[lane] = images[lane] =
                malloc(count); /* to the byte, so that a read beyond it is found */
            assert_non_null(images[lane]);
            for (size_t i = 0; i < count; i++) {
                images[lane][i] = (uint8_t)dice_between(&dice, 0, 255);
                values[lane * count + i] = images[lane][i];
            }
        }
        for (int l = 0; l < levels_count; l++) {
            struct guarded y = guarded_new(count * LANES);
            levels[l]->tile_from_bytes(inputs, count, 1.0f / 78.5f, -0.42f, y.data);
            guarded_check(&y, "tile_from_bytes");
            check_values("tile_from_bytes", levels[l], count, values, y.data, 1.0f / 78.5f, -0.42f);
            agreement_check(&same, "tile_from_bytes", levels[l], &y);
            levels[l]->tile_from_bytes(inputs, count, 1, 0, y.data);
            check_values("tile_from_bytes", levels[l], count, values, y.data, 1, 0);
            guarded_free(&y);
        }
        agreement_free(&same);
        free(values);
        for (int lane = 0; lane < LANES; lane++) {
            free(images[lane]);
        }
    }
}

static void test_floats(void **state)
{
    (void)state;
    const struct kernels *levels[KERNEL_LEVELS];
    const int levels_count = check_levels(levels);
    struct dice dice = {2};
    for (int c = 0; c < COUNT_COUNT; c++) {
        const size_t count = COUNTS[c];
        struct guarded images[LANES];
        const float *inputs[LANES];
        double *values = check_doubles(count * LANES);
        struct agreement same = {0};
        for (size_t lane = 0; lane < LANES; lane++) {
            images[lane] = guarded_new(count);
            dice_fill(&dice, &images[lane], -1, 1);
            guarded_freeze(&images[lane]);
            inputs[lane] = images[lane].data;
            ref_from_floats(count, images[lane].data, values + lane * count);
        }
        for (int l = 0; l < levels_count; l++) {
            struct guarded y = guarded_new(count * LANES);
            levels[l]->tile_from_floats(inputs, count, 3.7f, 0.21f, y.data);
            guarded_check(&y, "tile_from_floats");
            check_values("tile_from_floats", levels[l], count, values, y.data, 3.7f, 0.21f);
            agreement_check(&same, "tile_from_floats", levels[l], &y);
            guarded_free(&y);
        }
        agreement_free(&same);
        free(values);
        for (int lane = 0; lane < LANES; lane++) {
            guarded_check(&images[lane], "tile_from_floats");
            guarded_free(&images[lane]);
        }
    }
}

/* A last, partial tile repeats an image in its dead lanes: the same pointer many times. */
static void test_repeated_image(void **state)
{
    (void)state;
    const struct kernels *levels[KERNEL_LEVELS];
    const int count = check_levels(levels);
    const uint8_t image[5] = {0, 1, 128, 254, 255};
    const uint8_t *inputs[LANES];
    struct guarded y = guarded_new(5 * LANES);
    for (int lane = 0; lane < LANES; lane++) {
        inputs[lane] = image;
    }
    for (int l = 0; l < count; l++) {
        levels[l]->tile_from_bytes(inputs, 5, 2, 1, y.data);
        for (int i = 0; i < 5 * LANES; i++) {
            assert_true(y.data[i] == 2.0f * (float)image[i / LANES] + 1.0f);
        }
    }
    guarded_free(&y);
}

/* An image by itself has the bits of its lane, wherever it ends. */
static void test_one_image(void **state)
{
    (void)state;
    const struct kernels *levels[KERNEL_LEVELS];
    const int levels_count = check_levels(levels);
    struct dice dice = {3};
    for (int c = 0; c < COUNT_COUNT; c++) {
        const size_t count = COUNTS[c];
        uint8_t *image = malloc(count);
        struct guarded values = guarded_new(count), tile = guarded_new(count * LANES);
        const uint8_t *images[LANES];
        const float *floats[LANES];
        assert_non_null(image);
        dice_fill(&dice, &values, -1, 1);
        for (size_t i = 0; i < count; i++) {
            image[i] = (uint8_t)dice_between(&dice, 0, 255);
        }
        for (int lane = 0; lane < LANES; lane++) {
            images[lane] = image;
            floats[lane] = values.data;
        }
        for (int l = 0; l < levels_count; l++) {
            struct guarded y = guarded_new(count);
            levels[l]->tile_from_bytes(images, count, 1.0f / 78.5f, -0.42f, tile.data);
            levels[l]->image_from_bytes(image, count, 1.0f / 78.5f, -0.42f, y.data);
            guarded_check(&y, "image_from_bytes");
            for (size_t i = 0; i < count; i++) {
                assert_memory_equal(&y.data[i], &tile.data[i * LANES], sizeof(float));
            }
            levels[l]->tile_from_floats(floats, count, 3.7f, 0.21f, tile.data);
            levels[l]->image_from_floats(values.data, count, 3.7f, 0.21f, y.data);
            guarded_check(&y, "image_from_floats");
            for (size_t i = 0; i < count; i++) {
                assert_memory_equal(&y.data[i], &tile.data[i * LANES], sizeof(float));
            }
            guarded_free(&y);
        }
        guarded_free(&tile);
        guarded_free(&values);
        free(image);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_bytes),
        cmocka_unit_test(test_floats),
        cmocka_unit_test(test_repeated_image),
        cmocka_unit_test(test_one_image),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
