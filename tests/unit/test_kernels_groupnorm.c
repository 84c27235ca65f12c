/* test_kernels_groupnorm.c: what the layers' own checks (test_layers.c) do not reach: the moments
 * of many values far from zero, lane by lane, and local response normalisation where its sums are
 * very small or very large. Of every level against double; fused levels to the bit. */
#include "../kernel_check.h"
#include "../reference_norm.h"

#include <float.h>
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static const double EPSILON = FLT_EPSILON;

static void check_moments(const struct kernels *k, size_t n, float centre, struct agreement *same)
{
    struct dice dice = {n};
    struct guarded x = guarded_new(n * LANES), mean = guarded_new(LANES),
                   inverse = guarded_new(LANES), both = guarded_new(2 * LANES);
    char what[80];
    snprintf(what, sizeof what, "%s: moments of %zu about %g", k->name, n, (double)centre);
    dice_fill(&dice, &x, centre - 1, centre + 1);
    guarded_freeze(&x);
    k->lane_moments(n, x.data, 0.25f, mean.data, inverse.data);
    guarded_check(&x, what);
    guarded_check(&mean, what);
    guarded_check(&inverse, what);
    for (int lane = 0; lane < LANES; lane++) {
        double sum = 0, squares = 0;
        for (size_t i = 0; i < n; i++) {
            sum += (double)x.data[i * LANES + (size_t)lane] / (double)n;
        }
        for (size_t i = 0; i < n; i++) {
            squares += pow((double)x.data[i * LANES + (size_t)lane] - sum, 2) / (double)n;
        }
        const double want = 1 / sqrt(squares + 0.25);
        /* the centre is a float: what that leaves out of the variance is its square */
        if (!(fabs((double)mean.data[lane] - sum) <= EPSILON * fabs(sum) + EPSILON) ||
            !(fabs((double)inverse.data[lane] - want) <= 4 * EPSILON * want)) {
            fail_msg("%s, lane %d: %.9g and %.9g, not %.9g and %.9g", what, lane,
                     (double)mean.data[lane], (double)inverse.data[lane], sum, want);
        }
        both.data[lane] = mean.data[lane];
        both.data[LANES + lane] = inverse.data[lane];
    }
    agreement_check(same, what, k, &both);
    guarded_free(&x);
    guarded_free(&mean);
    guarded_free(&inverse);
    guarded_free(&both);
}

static void test_moments(void **state)
{
    (void)state;
    static const size_t SIZES[] = {1, 2, 7, 100, 20000};
    const struct kernels *levels[KERNEL_LEVELS];
    const int count = check_levels(levels);
    for (int i = 0; i < 10; i++) {
        struct agreement same = {0};
        for (int l = 0; l < count; l++) {
            check_moments(levels[l], SIZES[i / 2], i % 2 ? 300 : 0.5f, &same);
        }
        agreement_free(&same);
    }
}

static void check_lrn(const struct kernels *k, float most, struct agreement same[2])
{
    enum { C = 5, PIXELS = 3, SIZE = C * PIXELS };
    const struct lrn lrn = {.c = C, .before = 2, .after = 1, .share = 0.25f, .beta = 0.75f, .k = 1};
    const struct ref_lrn ref = {
        .c = C, .pixels = PIXELS, .size = 4, .alpha = 1, .beta = 0.75, .k = 1};
    struct dice dice = {77};
    struct guarded x = guarded_new(SIZE * LANES), dy = guarded_new(SIZE * LANES),
                   y = guarded_new(SIZE * LANES), dx = guarded_new(SIZE * LANES),
                   scratch = guarded_new(SIZE * LANES);
    dice_fill(&dice, &x, -most, most);
    dice_fill(&dice, &dy, -1, 1);
    guarded_freeze(&x);
    guarded_freeze(&dy);
    k->lrn_forward(&lrn, PIXELS, x.data, y.data);
    k->lrn_backward(&lrn, PIXELS, x.data, dy.data, dx.data, scratch.data);
    struct guarded *const all[] = {&x, &dy, &y, &dx, &scratch};
    double *x_d = check_doubles(SIZE * LANES), *dy_d = check_doubles(SIZE * LANES),
           *want = check_doubles(SIZE * LANES), *bound = check_doubles(SIZE * LANES);
    ref_from_tile(SIZE, x.data, x_d);
    ref_from_tile(SIZE, dy.data, dy_d);
    agreement_check(&same[0], "lrn", k, &y);
    agreement_check(&same[1], "lrn", k, &dx);
    for (int back = 0; back < 2; back++) {
        struct guarded *got = back ? &dx : &y;
        double greatest = 0;
        if (back) {
            ref_lrn_backward(&ref, LANES, x_d, dy_d, want);
        } else {
            ref_lrn_forward(&ref, LANES, x_d, want);
        }
        for (int i = 0; i < SIZE * LANES; i++) {
            greatest = fmax(greatest, fabs(want[i]));
        }
        for (int i = 0; i < SIZE * LANES; i++) { /* the logarithm's error grows with it */
            bound[i] = (8 + 2 * log(1 + (double)most)) * EPSILON * greatest;
        }
        guarded_reorder(got);
        check_near(back ? "lrn backward" : "lrn forward", k, SIZE * LANES, got->data, want, bound);
    }
    for (int i = 0; i < 5; i++) {
        guarded_check(all[i], "lrn");
        guarded_free(all[i]);
    }
    free(x_d);
    free(dy_d);
    free(want);
    free(bound);
}

static void test_lrn(void **state)
{
    (void)state;
    static const float MOST[] = {1e-6f, 1, 100, 1e6f};
    const struct kernels *levels[KERNEL_LEVELS];
    const int count = check_levels(levels);
    for (int i = 0; i < 4; i++) {
        struct agreement same[2] = {{0}};
        for (int l = 0; l < count; l++) {
            check_lrn(levels[l], MOST[i], same);
        }
        agreement_free(&same[0]);
        agreement_free(&same[1]);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_moments), cmocka_unit_test(test_lrn)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
