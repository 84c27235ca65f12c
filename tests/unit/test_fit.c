/* test_fit.c: images of other sizes and channels (fit.c, resize.c): placements by hand, resizing
 * against the definition in double, conversion by the formula. */
#include "data/fit.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static struct room room;

static void test_placements(void **state)
{
    (void)state;
    static const struct {
        const char *fit;
        int size[4]; /* h, w, input h, input w */
        struct placement wanted;
    } cases[] = {
        {"pad", {3, 4, 3, 4}, {0, 0, 3, 4, 0, 0, 3, 4}},
        {"pad", {3, 4, 6, 9}, {0, 0, 3, 4, 1, 2, 3, 4}},
        {"stretch", {3, 4, 6, 9}, {0, 0, 3, 4, 0, 0, 6, 9}},
        {"stretch", {30, 4, 6, 9}, {0, 0, 30, 4, 0, 0, 6, 9}},
        {"crop", {60, 100, 32, 32}, {0, 20, 60, 60, 0, 0, 32, 32}},
        {"crop", {100, 60, 32, 32}, {20, 0, 60, 60, 0, 0, 32, 32}},
        {"crop", {10, 10, 20, 5}, {0, 3, 10, 3, 0, 0, 20, 5}},
        {"crop", {1, 1000, 7, 7}, {0, 499, 1, 1, 0, 0, 7, 7}},
        {"crop", {5, 5, 32, 32}, {0, 0, 5, 5, 0, 0, 32, 32}},
        {"letterbox", {60, 100, 32, 32}, {0, 0, 60, 100, 6, 0, 19, 32}},
        {"letterbox", {100, 60, 32, 32}, {0, 0, 100, 60, 0, 6, 32, 19}},
        {"letterbox", {1, 1000, 7, 7}, {0, 0, 1, 1000, 3, 0, 1, 7}},
        {"letterbox", {5, 5, 32, 32}, {0, 0, 5, 5, 0, 0, 32, 32}},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        const struct fit *fit = fit_find(cases[i].fit);
        const int *s = cases[i].size;
        struct placement p;
        assert_int_equal(fit->place(s[0], s[1], s[2], s[3], &p), 0);
        assert_memory_equal(&p, &cases[i].wanted, sizeof p);
    }
    struct placement p;
    assert_int_equal(fit_find("pad")->place(4, 3, 3, 9, &p), -1);
    assert_int_equal(fit_find("pad")->place(3, 10, 3, 9, &p), -1);
    assert_null(fit_find("fill"));
    for (int i = 0; FIT_NAMES[i] != NULL; i++) {
        assert_string_equal(fit_find(FIT_NAMES[i])->name, FIT_NAMES[i]);
        assert_int_equal(fit_find(FIT_NAMES[i])->resizes, i > 0);
    }
}

/* One value by the definition, without any rounding in between. */
static double exact(const uint8_t *pixels, int c, int h, int w, int to_h, int to_w, int y, int x,
                    int k)
{
    const double ry = (double)h / to_h, rx = (double)w / to_w;
    const double ry1 = ry > 1 ? ry : 1, rx1 = rx > 1 ? rx : 1;
    double sum = 0, weights = 0;
    for (int v = 0; v < h; v++) {
        for (int u = 0; u < w; u++) {
            const double dy = fabs(v + 0.5 - (y + 0.5) * ry) / ry1;
            const double dx = fabs(u + 0.5 - (x + 0.5) * rx) / rx1;
            const double weight = dy < 1 && dx < 1 ? (1 - dy) * (1 - dx) : 0;
            sum += weight * pixels[(v * w + u) * c + k];
            weights += weight;
        }
    }
    return sum / weights;
}

static void test_resize(void **state)
{
    (void)state;
    static const int sizes[][4] = {{1, 1, 5, 3},     {5, 3, 1, 1},   {8, 8, 4, 4},
                                   {4, 4, 8, 8},     {13, 7, 5, 11}, {7, 13, 11, 5},
                                   {32, 32, 32, 28}, {3, 64, 3, 1},  {20, 20, 20, 20}};
    for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++) {
        for (int c = 1; c <= 3; c += 2) {
            const int h = sizes[i][0], w = sizes[i][1], to_h = sizes[i][2], to_w = sizes[i][3];
            uint8_t from[3 * 1024], to[3 * 1024 + 1];
            for (int n = 0; n < c * h * w; n++) {
                from[n] = (uint8_t)(n * n * 31 + n * 7 + (n % 5 == 0 ? 128 : 0));
            }
            to[c * to_h * to_w] = 77;
            const struct pixels pixels = {from, (size_t)(w * c), c, h, w};
            assert_int_equal(image_resize(&pixels, to_h, to_w, to, &room, NULL), 0);
            for (int n = 0; n < c * to_h * to_w; n++) {
                const double wanted =
                    exact(from, c, h, w, to_h, to_w, n / c / to_w, n / c % to_w, n % c);
                if (!(fabs(to[n] - wanted) <= 1.01)) { /* rounded twice */
                    fail_msg("%dx%d to %dx%d: [%d] is %d, not %.3f", h, w, to_h, to_w, n, to[n],
                             wanted);
                }
                if (h == to_h && w == to_w) {
                    assert_int_equal(to[n], from[n]);
                }
            }
            assert_int_equal(to[c * to_h * to_w], 77);
        }
    }
    uint8_t white[100], out[64];
    memset(white, 255, sizeof white);
    const struct pixels pixels = {white, 10, 1, 10, 10};
    assert_int_equal(image_resize(&pixels, 7, 9, out, &room, NULL), 0);
    for (int n = 0; n < 63; n++) {
        assert_int_equal(out[n], 255);
    }
}

static void test_channels(void **state)
{
    (void)state;
    uint8_t colours[] = {255, 0, 0, 0, 255, 0, 0, 0, 255, 255, 255, 255, 10, 20, 31, 1, 1, 1};
    static const uint8_t luma[] = {76, 150, 29, 255, 18, 1};
    uint8_t planes[19];
    const struct image rgb = {3, 2, 3, colours};
    struct target target = {1, 2, 3, fit_find("pad")};
    assert_int_equal(image_fit(&rgb, &target, "x", planes, &room, NULL), 0);
    assert_memory_equal(planes, luma, 6);
    const struct image grey = {1, 2, 3, planes};
    uint8_t three[18];
    target.c = 3;
    assert_int_equal(image_fit(&grey, &target, "x", three, &room, NULL), 0);
    for (int i = 0; i < 18; i++) {
        assert_int_equal(three[i], luma[i % 6]);
    }
    assert_int_equal(image_fit(&rgb, &target, "x", three, &room, NULL), 0);
    for (int i = 0; i < 18; i++) { /* interleaved to planes */
        assert_int_equal(three[i], colours[i % 6 * 3 + i / 6]);
    }
}

static void test_fit(void **state)
{
    (void)state;
    uint8_t pixels[] = {1, 2, 3, 4, 5, 6}, planes[27];
    const struct image image = {1, 2, 3, pixels};
    const struct target padded = {1, 4, 6, fit_find("pad")}, small = {1, 2, 2, fit_find("pad")};
    static const uint8_t wanted[24] = {0, 0, 0, 0, 0, 0, 0, 1, 2, 3, 0, 0,
                                       0, 4, 5, 6, 0, 0, 0, 0, 0, 0, 0, 0};
    assert_int_equal(image_fit(&image, &padded, "x", planes, &room, NULL), 0);
    assert_memory_equal(planes, wanted, 24);
    struct error e = {.offset = -1};
    assert_int_equal(image_fit(&image, &small, "x", planes, &room, &e), -1);
    assert_string_equal(e.message, "image is 2x3, the input 2x2; fit: pad cannot make it smaller");
    assert_string_equal(e.file, "x");
    assert_int_equal(e.kind, ERROR_DATA);
    const struct target cropped = {1, 2, 2, fit_find("crop")};
    assert_int_equal(image_fit(&image, &cropped, "x", planes, &room, NULL), 0);
    static const uint8_t part[] = {1, 2, 4, 5};
    assert_memory_equal(planes, part, 4);
    const struct target boxed = {3, 3, 3, fit_find("letterbox")};
    assert_int_equal(image_fit(&image, &boxed, "x", planes, &room, NULL), 0);
    for (int k = 0; k < 3; k++) {
        assert_memory_equal(planes + 9 * k, pixels, 6);
        assert_memory_equal(planes + 9 * k + 6, "\0\0\0", 3);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_placements),
        cmocka_unit_test(test_resize),
        cmocka_unit_test(test_channels),
        cmocka_unit_test(test_fit),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
