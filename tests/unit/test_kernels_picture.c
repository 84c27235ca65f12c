/* test_kernels_picture.c: the kernels that work on one picture, at every level: scaling,
 * noise against base/rng.h's Philox, resampling against its definition in double. */
#include "../kernel_check.h"
#include "base/rng.h"

#include <float.h>
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static const struct kernels *levels[KERNEL_LEVELS];
static int level_count;

static void test_adjust(void **state)
{
    (void)state;
    for (size_t n = LANES; n <= 6 * LANES; n += LANES) {
        struct agreement same = {0};
        struct guarded x = guarded_new(n);
        dice_fill(&(struct dice){n}, &x, -20, 300);
        for (int l = 0; l < level_count; l++) {
            struct guarded y = guarded_new(n);
            guarded_copy(&y, x.data);
            levels[l]->adjust(n, 1.3f, -17.5f, 2, 250, y.data);
            guarded_check(&y, "adjust");
            for (size_t i = 0; i < n; i++) {
                const double exact = (double)x.data[i] * (double)1.3f - 17.5;
                const double want = fmin(fmax(exact, 2), 250);
                assert_true(fabs((double)y.data[i] - want) <= 400 * FLT_EPSILON);
            }
            agreement_check(&same, "adjust", levels[l], &y);
            guarded_free(&y);
        }
        guarded_free(&x);
        agreement_free(&same);
    }
}

static void test_blend(void **state)
{
    (void)state;
    struct agreement same = {0};
    struct guarded x = guarded_new(5 * LANES), other = guarded_new(x.size);
    dice_fill(&(struct dice){1}, &x, 0, 255);
    dice_fill(&(struct dice){2}, &other, 0, 255);
    guarded_freeze(&other);
    for (int l = 0; l < level_count; l++) {
        struct guarded y = guarded_new(x.size);
        guarded_copy(&y, x.data);
        levels[l]->blend(x.size, 0.7f, other.data, y.data);
        guarded_check(&y, "blend");
        guarded_check(&other, "blend");
        for (size_t i = 0; i < x.size; i++) {
            const double want =
                (double)0.7f * (double)x.data[i] + (1 - (double)0.7f) * (double)other.data[i];
            assert_true(fabs((double)y.data[i] - want) <= 400 * FLT_EPSILON);
        }
        agreement_check(&same, "blend", levels[l], &y);
        guarded_free(&y);
    }
    guarded_free(&x);
    guarded_free(&other);
    agreement_free(&same);
}

static void test_noise(void **state)
{
    (void)state;
    const struct noise noise = {25, 0, 255, 0x123456789abcdef0u, 59999, 17, RNG_AUGMENT | 3u << 8};
    for (size_t n = LANES; n <= 37 * LANES; n += LANES) {
        struct agreement same = {0};
        struct guarded x = guarded_new(n);
        dice_fill(&(struct dice){n}, &x, 0, 255);
        for (int l = 0; l < level_count; l++) {
            struct guarded y = guarded_new(n);
            guarded_copy(&y, x.data);
            levels[l]->noise(&noise, n, y.data);
            guarded_check(&y, "noise");
            for (uint32_t e = 0; e < n; e++) {
                static const int signs[4][3] = {{1, 1, 1}, {1, -1, -1}, {-1, 1, -1}, {-1, -1, 1}};
                const uint32_t block = 0x80000000u + e / 256 * 16 + e % 16;
                const int *sign = signs[e / 16 % 4];
                const uint32_t w = philox(noise.seed, block, 59999, 17, noise.stream).v[e / 64 % 4];
                const int sum = (int)(w & 255) + sign[0] * (int)(w >> 8 & 255) +
                                sign[1] * (int)(w >> 16 & 255) + sign[2] * (int)(w >> 24);
                const double exact =
                    (double)x.data[e] + 25 * (sum - (e / 16 % 4 ? 0 : 510)) / sqrt(21845.0);
                const double want = fmin(fmax(exact, 0), 255);
                if (!(fabs((double)y.data[e] - want) <= 400 * FLT_EPSILON)) {
                    fail_msg("noise, %s: [%u] is %.9g, not %.9g", levels[l]->name, e,
                             (double)y.data[e], want);
                }
            }
            agreement_check(&same, "noise", levels[l], &y);
            guarded_free(&y);
        }
        guarded_free(&x);
        agreement_free(&same);
    }
}

static void test_power(void **state)
{
    static const float EXPONENTS[] = {0.01f, 0.4f, 1, 2.2f, 100};
    (void)state;
    for (size_t e = 0; e < 5; e++) {
        struct agreement same = {0};
        struct guarded x = guarded_new(4 * LANES);
        dice_fill(&(struct dice){e}, &x, -3, 5);
        x.data[0] = -3;
        x.data[17] = 5;
        for (int l = 0; l < level_count; l++) {
            struct guarded y = guarded_new(x.size);
            guarded_copy(&y, x.data);
            levels[l]->power(x.size, EXPONENTS[e], -3, 5, y.data);
            guarded_check(&y, "power");
            for (size_t i = 0; i < x.size; i++) {
                const double share = ((double)x.data[i] + 3) / 8;
                const double want = -3 + 8 * pow(fmax(share, 0x1p-100), (double)EXPONENTS[e]);
                if (!(fabs((double)y.data[i] - want) <= 1e-5)) {
                    fail_msg("power %g, %s: [%zu] is %.9g, not %.9g", (double)EXPONENTS[e],
                             levels[l]->name, i, (double)y.data[i], want);
                }
            }
            agreement_check(&same, "power", levels[l], &y);
            guarded_free(&y);
        }
        guarded_free(&x);
        agreement_free(&same);
    }
}

static int folded(int i, int n)
{
    while (i < 0 || i >= n) {
        i = n == 1 ? 0 : i < 0 ? -i : 2 * (n - 1) - i;
    }
    return i;
}

static double blurred(const float *x, int h, int w, int i, const float *weights, int radius,
                      int mirror)
{
    double sum = 0;
    for (int a = -radius; a <= radius; a++) {
        for (int b = -radius; b <= radius; b++) {
            const int y = i / w + a, z = i % w + b;
            const double weight = (double)weights[a + radius] * (double)weights[b + radius];
            if (mirror) {
                sum += weight * (double)x[folded(y, h) * w + folded(z, w)];
            } else if (y >= 0 && y < h && z >= 0 && z < w) {
                sum += weight * (double)x[y * w + z];
            }
        }
    }
    return sum;
}

static void check_blur(int h, int w, int radius, int mirror)
{
    float weights[2 * BLUR_RADIUS + 1];
    struct agreement same = {0};
    struct guarded x = guarded_new((size_t)h * (size_t)w);
    dice_fill(&(struct dice){(uint64_t)w}, &x, -1, 1);
    for (int i = 0; i <= 2 * radius; i++) { /* not symmetric, so that a flip is found */
        weights[i] = (float)(i + 1) / (float)((2 * radius + 1) * (radius + 1));
    }
    for (int l = 0; l < level_count; l++) {
        struct guarded y = guarded_new(x.size), scratch = guarded_new(blur_scratch(h, w));
        guarded_copy(&y, x.data);
        levels[l]->blur(h, w, weights, radius, mirror, y.data, scratch.data);
        guarded_check(&y, "blur");
        guarded_check(&scratch, "blur's scratch");
        for (int i = 0; i < h * w; i++) {
            const double want = blurred(x.data, h, w, i, weights, radius, mirror);
            if (!(fabs((double)y.data[i] - want) <= 1e-5)) {
                fail_msg("blur %dx%d, radius %d, %s: [%d] is %.9g, not %.9g", h, w, radius,
                         levels[l]->name, i, (double)y.data[i], want);
            }
        }
        agreement_check(&same, "blur", levels[l], &y);
        guarded_free(&y);
        guarded_free(&scratch);
    }
    guarded_free(&x);
    agreement_free(&same);
}

static void test_blur(void **state)
{
    static const int EACH[][3] = {{1, 1, 1}, {3, 2, 1},   {2, 5, 7},   {5, 17, 2},
                                  {8, 8, 0}, {9, 33, 12}, {4, 16, 60}, {16, 31, 3}};
    (void)state;
    for (size_t i = 0; i < sizeof EACH / sizeof *EACH; i++) {
        check_blur(EACH[i][0], EACH[i][1], EACH[i][2], 0);
        check_blur(EACH[i][0], EACH[i][1], EACH[i][2], 1);
    }
}

/* Pixel (row, column) of channel k, `fill` around the picture. */
static double pixel(const struct warp *warp, const float *x, int k, double row, double column)
{
    if (row < 0 || row >= warp->h || column < 0 || column >= warp->w) {
        return (double)warp->fill;
    }
    return (double)x[(k * warp->h + (int)row) * warp->w + (int)column];
}

static double look(const struct warp *warp, const float *x, int k, double y, double at)
{
    if (warp->nearest) {
        return pixel(warp, x, k, floor(y + 0.5), floor(at + 0.5));
    }
    const double row = floor(y), column = floor(at), below = y - row, right = at - column;
    return (1 - below) * ((1 - right) * pixel(warp, x, k, row, column) +
                          right * pixel(warp, x, k, row, column + 1)) +
           below * ((1 - right) * pixel(warp, x, k, row + 1, column) +
                    right * pixel(warp, x, k, row + 1, column + 1));
}

/* Near the edge between two pixels, nearest may take either. */
static int is_between(double x) { return fabs(x - floor(x) - 0.5) < 1e-4; }

static void check_resample(const struct warp *warp, int exact)
{
    const size_t n = (size_t)warp->c * (size_t)warp->h * (size_t)warp->w;
    const size_t scratch_size = resample_scratch(warp->c, warp->h, warp->w);
    struct agreement same = {0};
    struct guarded x = guarded_new(n);
    dice_fill(&(struct dice){n}, &x, 0, 1);
    for (int l = 0; l < level_count; l++) {
        struct guarded y = guarded_new(n), scratch = guarded_new(scratch_size);
        guarded_copy(&y, x.data);
        levels[l]->resample(warp, y.data, scratch.data);
        guarded_check(&y, "resample");
        guarded_check(&scratch, "resample's scratch");
        for (int i = 0; i < (int)n; i++) {
            const int k = i / (warp->h * warp->w), row = i / warp->w % warp->h,
                      column = i % warp->w;
            double p[3];
            for (int d = 0; d < 3; d++) {
                const float *m = warp->m + 3 * d;
                p[d] = (double)m[0] * column + (double)m[1] * row + (double)m[2];
            }
            const int place = i % (warp->h * warp->w);
            const double at = warp->x ? (double)warp->x[place] : p[0] / p[2];
            const double from = warp->y ? (double)warp->y[place] : p[1] / p[2];
            const double want = look(warp, x.data, k, from, at);
            const int either = warp->nearest && (is_between(at) || is_between(from));
            if (!either && !(fabs((double)y.data[i] - want) <= (exact ? 0 : 2e-5))) {
                fail_msg("resample %dx%dx%d, %s: [%d] is %.9g, not %.9g", warp->c, warp->h, warp->w,
                         levels[l]->name, i, (double)y.data[i], want);
            }
        }
        agreement_check(&same, "resample", levels[l], &y);
        guarded_free(&y);
        guarded_free(&scratch);
    }
    guarded_free(&x);
    agreement_free(&same);
}

static const int SIZES[][3] = {{1, 1, 1},   {1, 3, 2},  {2, 5, 7},   {1, 8, 8},   {3, 9, 15},
                               {1, 16, 16}, {1, 4, 17}, {2, 31, 33}, {1, 28, 28}, {3, 32, 32}};

static void test_resample(void **state)
{
    static const struct {
        float m[9];
        int nearest, exact;
    } MAPS[] = {
        {{1, 0, 0, 0, 1, 0, 0, 0, 1}, 0, 1},
        {{1, 0, -2, 0, 1, 1, 0, 0, 1}, 0, 1},
        {{-1, 0, 6, 0, 1, 0, 0, 0, 1}, 0, 1},
        {{0, -1, 4, 1, 0, -1, 0, 0, 1}, 0, 1},
        {{1, 0, 1000000, 0, 1, 0, 0, 0, 1}, 0, 1}, /* all outside */
        {{1, 0, 0, 0, 1, -1000000, 0, 0, 1}, 1, 1},
        {{0.9f, -0.3f, 1.7f, 0.3f, 0.9f, -0.6f, 0, 0, 1}, 0, 0},
        {{1.9f, -0.3f, -3.3f, 0.3f, 2.1f, -4.6f, 0, 0, 1}, 0, 0},
        {{0.9f, -0.3f, 1.7f, 0.3f, 0.9f, -0.6f, 0, 0, 1}, 1, 0},
        {{0.9f, -0.2f, 0.7f, 0.1f, 0.9f, -0.6f, 0.003f, -0.002f, 1.1f}, 0, 0},
        {{0.9f, -0.2f, 0.7f, 0.1f, 0.9f, -0.6f, 0.003f, -0.002f, 1.1f}, 1, 0},
    };
    (void)state;
    for (size_t s = 0; s < sizeof SIZES / sizeof *SIZES; s++) {
        for (size_t i = 0; i < sizeof MAPS / sizeof *MAPS; i++) {
            struct warp warp = {.c = SIZES[s][0],
                                .h = SIZES[s][1],
                                .w = SIZES[s][2],
                                .nearest = MAPS[i].nearest,
                                .fill = 0.75f};
            memcpy(warp.m, MAPS[i].m, sizeof warp.m);
            check_resample(&warp, MAPS[i].exact);
        }
    }
}

/* Every pixel by itself, and places that are no numbers. */
static void test_places(void **state)
{
    (void)state;
    for (size_t s = 0; s < sizeof SIZES / sizeof *SIZES; s++) {
        const int h = SIZES[s][1], w = SIZES[s][2];
        struct guarded x = guarded_new((size_t)h * (size_t)w), y = guarded_new(x.size);
        dice_fill(&(struct dice){s}, &x, -2, (float)w + 1);
        dice_fill(&(struct dice){s + 1}, &y, -2, (float)h + 1);
        guarded_freeze(&x);
        guarded_freeze(&y);
        struct warp warp = {
            .c = SIZES[s][0], .h = h, .w = w, .fill = 0.25f, .x = x.data, .y = y.data};
        check_resample(&warp, 0);
        warp.nearest = 1;
        check_resample(&warp, 0);
        guarded_check(&x, "resample's places");
        guarded_check(&y, "resample's places");
        guarded_free(&x);
        guarded_free(&y);
    }
}

/* A map that divides by zero reads nothing that is not there. */
static void test_no_place(void **state)
{
    (void)state;
    struct warp warp = {.c = 1, .h = 6, .w = 18, .m = {0, 0, 0, 1, 0, 0, 1, 0, -3}};
    for (int l = 0; l < level_count; l++) {
        struct guarded y = guarded_new(6 * 18), scratch = guarded_new(resample_scratch(1, 6, 18));
        dice_fill(&(struct dice){1}, &y, 0, 1);
        levels[l]->resample(&warp, y.data, scratch.data);
        guarded_check(&y, "resample");
        for (size_t i = 0; i < y.size; i++) {
            assert_true(y.data[i] >= 0 && y.data[i] <= 1);
        }
        guarded_free(&y);
        guarded_free(&scratch);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_adjust),   cmocka_unit_test(test_noise),
        cmocka_unit_test(test_blend),    cmocka_unit_test(test_resample),
        cmocka_unit_test(test_no_place), cmocka_unit_test(test_places),
        cmocka_unit_test(test_power),    cmocka_unit_test(test_blur),
    };
    level_count = check_levels(levels);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
