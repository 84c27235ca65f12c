/* test_kernels_gradient.c: clipping, scaling, penalties and averages of every level against double
 * arithmetic, at every kind of vector end; fused levels the same to the bit. */
#include "../kernel_check.h"

#include <float.h>
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static const size_t SIZES[] = {1, 2, 3, 4, 5, 7, 8, 9, 12, 15, 16, 17, 23, 31, 32, 33, 47, 100};
enum { SIZE_COUNT = sizeof SIZES / sizeof *SIZES, MOST = 100 };

/* Numbers of all sizes; every seventh is 0. */
static struct guarded numbers(struct dice *dice, size_t n)
{
    struct guarded x = guarded_new(n);
    for (size_t i = 0; i < n; i++) {
        const float size = exp2f((float)dice_between(dice, -13, 3));
        x.data[i] = i % 7 == 3 ? 0 : dice_uniform(dice, -size, size);
    }
    return x;
}

typedef void check_size(const struct kernels *k, size_t n, struct agreement *same);

static void check_clip(const struct kernels *k, size_t n, struct agreement *same)
{
    struct guarded x = numbers(&(struct dice){1}, n);
    double want[MOST];
    for (size_t i = 0; i < n; i++) {
        want[i] = fmax(-0.25, fmin(0.25, (double)x.data[i]));
    }
    k->clip(0.25f, n, x.data);
    guarded_check(&x, "clip");
    check_equal("clip", k, n, x.data, want);
    agreement_check(same, "clip", k, &x);
    guarded_free(&x);
}

static void check_scale(const struct kernels *k, size_t n, struct agreement *same)
{
    struct guarded x = numbers(&(struct dice){2}, n);
    double want[MOST];
    for (size_t i = 0; i < n; i++) {
        want[i] = (double)(x.data[i] * 0.3f);
    }
    k->scale(0.3f, n, x.data);
    guarded_check(&x, "scale");
    check_equal("scale", k, n, x.data, want);
    agreement_check(same, "scale", k, &x);
    guarded_free(&x);
}

static void check_penalize(const struct kernels *k, size_t n, struct agreement *same)
{
    static const float L1[] = {0.1f, 0, 0.3f}, L2[] = {0, 0.7f, 0.2f};
    for (int kind = 0; kind < 3; kind++) {
        struct dice dice = {3};
        struct guarded w = numbers(&dice, n), g = numbers(&dice, n);
        double want[MOST], bound[MOST];
        guarded_freeze(&w);
        for (size_t i = 0; i < n; i++) {
            const double l1 = (double)L1[kind], l2 = (double)L2[kind], wi = (double)w.data[i];
            want[i] = (double)g.data[i] + l2 * wi + (wi > 0 ? l1 : wi < 0 ? -l1 : 0);
            bound[i] = (double)FLT_EPSILON * (fabs((double)g.data[i]) + 2 * l2 * fabs(wi) + l1);
        }
        k->penalize(L1[kind], L2[kind], n, w.data, g.data);
        guarded_check(&w, "penalize");
        guarded_check(&g, "penalize");
        check_near("penalize", k, n, g.data, want, bound);
        agreement_check(&same[kind], "penalize", k, &g);
        guarded_free(&w);
        guarded_free(&g);
    }
}

static void check_average(const struct kernels *k, size_t n, struct agreement *same)
{
    struct dice dice = {4};
    struct guarded w = numbers(&dice, n), average = numbers(&dice, n);
    double want[MOST], bound[MOST];
    guarded_freeze(&w);
    for (size_t i = 0; i < n; i++) {
        const double old = 0.75 * (double)average.data[i], new = 0.3f * (double)w.data[i];
        want[i] = old + new;
        bound[i] = (double)FLT_EPSILON * (fabs(old) + fabs(new));
    }
    k->average(0.75f, 0.3f, n, w.data, average.data);
    guarded_check(&w, "average");
    guarded_check(&average, "average");
    check_near("average", k, n, average.data, want, bound);
    agreement_check(same, "average", k, &average);
    guarded_free(&w);
    guarded_free(&average);
}

static void at_all_sizes(check_size *check)
{
    const struct kernels *levels[KERNEL_LEVELS];
    const int count = check_levels(levels);
    for (int i = 0; i < SIZE_COUNT; i++) {
        struct agreement same[3] = {{NULL}};
        for (int l = 0; l < count; l++) {
            check(levels[l], SIZES[i], same);
        }
        for (int a = 0; a < 3; a++) {
            agreement_free(&same[a]);
        }
    }
}

static void test_clip(void **state)
{
    (void)state;
    at_all_sizes(check_clip);
}

static void test_scale(void **state)
{
    (void)state;
    at_all_sizes(check_scale);
}

static void test_penalize(void **state)
{
    (void)state;
    at_all_sizes(check_penalize);
}

static void test_average(void **state)
{
    (void)state;
    at_all_sizes(check_average);
}

/* What is not a number must not look like one behind any of them. */
static void test_not_finite(void **state)
{
    (void)state;
    const struct kernels *levels[KERNEL_LEVELS];
    const int count = check_levels(levels);
    for (int l = 0; l < count; l++) {
        float x[17], w[17], g[17];
        for (int i = 0; i < 17; i++) {
            x[i] = w[i] = i % 2 ? NAN : INFINITY;
            g[i] = 0;
        }
        levels[l]->penalize(0.5f, 0, 17, w, g);
        levels[l]->clip(2, 17, x);
        for (int i = 0; i < 17; i++) {
            assert_true(i % 2 ? isnan(x[i]) : x[i] == 2);
            assert_true(!isfinite(g[i]) || (i % 2 == 0 && g[i] == 0.5f));
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_clip),       cmocka_unit_test(test_scale),
        cmocka_unit_test(test_penalize),   cmocka_unit_test(test_average),
        cmocka_unit_test(test_not_finite),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
