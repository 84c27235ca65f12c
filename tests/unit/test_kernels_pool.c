/* test_kernels_pool.c: max and average pooling of every level against the double reference:
 * partitions, overlaps, gaps, padding, cropped edges, ties, and a random sweep.
 *
 * Maximum: tolerance 0, on small whole numbers, where ties are frequent and sums of gradients
 * exact. Mean: 4 float epsilons of the sum of the absolute terms. Every window touches the map: the
 * plan sees to that. */
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

struct pool_case {
    char what[160];
    struct window s;
    struct ref_window ref;
    size_t x_pixels, y_pixels;
    struct guarded x, dy;
    double *x_d, *dy_d;
};

static struct pool_case case_new(struct dice *dice, const struct window *s, int integers)
{
    struct pool_case c = {
        .s = *s, .x_pixels = (size_t)s->c * s->h * s->w, .y_pixels = (size_t)s->c * s->oh * s->ow};
    snprintf(c.what, sizeof c.what,
             "pool %dx%dx%d to %dx%d, size %dx%d, stride %dx%d, padding %d,%d", s->c, s->h, s->w,
             s->oh, s->ow, s->kh, s->kw, s->stride_h, s->stride_w, s->pad_top, s->pad_left);
    c.ref = check_window(s);
    c.x = guarded_new(c.x_pixels * LANES);
    c.dy = guarded_new(c.y_pixels * LANES);
    if (integers) {
        /* below zero, so that padding taken for a zero would win */
        dice_fill_integers(dice, &c.x, -6, -2);
        dice_fill_integers(dice, &c.dy, -9, 9);
    } else {
        dice_fill(dice, &c.x, -1, 1);
        dice_fill(dice, &c.dy, -1, 1);
    }
    guarded_freeze(&c.x);
    guarded_freeze(&c.dy);
    c.x_d = check_doubles(c.x.size);
    c.dy_d = check_doubles(c.dy.size);
    ref_from_tile(c.x_pixels, c.x.data, c.x_d);
    ref_from_tile(c.y_pixels, c.dy.data, c.dy_d);
    return c;
}

static void case_free(struct pool_case *c)
{
    guarded_check(&c->x, c->what);
    guarded_check(&c->dy, c->what);
    guarded_free(&c->x);
    guarded_free(&c->dy);
    free(c->x_d);
    free(c->dy_d);
}

static void check_max(struct dice *dice, const struct window *s)
{
    const struct kernels *levels[KERNEL_LEVELS];
    const int count = check_levels(levels);
    struct pool_case c = case_new(dice, s, 1);
    double *want_y = check_doubles(c.dy.size), *want_dx = check_doubles(c.x.size);
    ref_maxpool_forward(&c.ref, c.x_d, want_y);
    ref_maxpool_backward(&c.ref, c.x_d, c.dy_d, want_dx);
    for (int l = 0; l < count; l++) {
        struct guarded y = guarded_new(c.dy.size), dx = guarded_new(c.x.size);
        levels[l]->maxpool_forward(s, c.x.data, y.data);
        guarded_check(&y, c.what);
        guarded_freeze(&y);
        levels[l]->maxpool_backward(s, c.x.data, y.data, c.dy.data, dx.data);
        guarded_check(&y, c.what);
        guarded_check(&dx, c.what);
        guarded_reorder(&y);
        guarded_reorder(&dx);
        check_equal(c.what, levels[l], y.size, y.data, want_y);
        check_equal(c.what, levels[l], dx.size, dx.data, want_dx);
        guarded_free(&y);
        guarded_free(&dx);
    }
    free(want_y);
    free(want_dx);
    case_free(&c);
}

/* Value and tolerance of a mean, in one array each. */
static void mean_bounds(const struct pool_case *c, int count_padding, double *bound_y,
                        double *bound_dx)
{
    double *x = check_doubles(c->x.size), *dy = check_doubles(c->dy.size);
    ref_absolute(c->x.size, c->x_d, x);
    ref_absolute(c->dy.size, c->dy_d, dy);
    ref_avgpool_forward(&c->ref, count_padding, x, bound_y);
    ref_avgpool_backward(&c->ref, count_padding, dy, bound_dx);
    for (size_t i = 0; i < c->dy.size; i++) {
        bound_y[i] *= 4 * (double)FLT_EPSILON;
    }
    for (size_t i = 0; i < c->x.size; i++) {
        bound_dx[i] *= 4 * (double)FLT_EPSILON;
    }
    free(x);
    free(dy);
}

static void check_mean(struct dice *dice, const struct window *s, int count_padding)
{
    const struct kernels *levels[KERNEL_LEVELS];
    const int count = check_levels(levels);
    struct pool_case c = case_new(dice, s, 0);
    double *want_y = check_doubles(c.dy.size), *want_dx = check_doubles(c.x.size);
    double *bound_y = check_doubles(c.dy.size), *bound_dx = check_doubles(c.x.size);
    struct agreement same_y = {0}, same_dx = {0};
    ref_avgpool_forward(&c.ref, count_padding, c.x_d, want_y);
    ref_avgpool_backward(&c.ref, count_padding, c.dy_d, want_dx);
    mean_bounds(&c, count_padding, bound_y, bound_dx);
    for (int l = 0; l < count; l++) {
        struct guarded y = guarded_new(c.dy.size), dx = guarded_new(c.x.size);
        levels[l]->avgpool_forward(s, count_padding, c.x.data, y.data);
        levels[l]->avgpool_backward(s, count_padding, c.dy.data, dx.data);
        guarded_check(&y, c.what);
        guarded_check(&dx, c.what);
        agreement_check(&same_y, c.what, levels[l], &y);
        agreement_check(&same_dx, c.what, levels[l], &dx);
        guarded_reorder(&y);
        guarded_reorder(&dx);
        check_near(c.what, levels[l], y.size, y.data, want_y, bound_y);
        check_near(c.what, levels[l], dx.size, dx.data, want_dx, bound_dx);
        guarded_free(&y);
        guarded_free(&dx);
    }
    agreement_free(&same_y);
    agreement_free(&same_dx);
    free(want_y);
    free(want_dx);
    free(bound_y);
    free(bound_dx);
    case_free(&c);
}

static void check_pool(struct dice *dice, const struct window *s)
{
    check_max(dice, s);
    check_mean(dice, s, 0);
    check_mean(dice, s, 1);
}

static void test_named_windows(void **state)
{
    (void)state;
    struct dice dice = {1};
    const struct window windows[] = {
        {3, 4, 6, 3, 2, 3, 2, 2, 2, 2, 0, 0},   /* a partition */
        {2, 6, 9, 2, 3, 3, 2, 3, 2, 3, 0, 0},   /* one that is not square */
        {1, 5, 7, 1, 2, 3, 2, 2, 2, 2, 0, 0},   /* a row and a column left over */
        {2, 4, 7, 2, 2, 3, 2, 2, 2, 2, 0, 0},   /* a column left over */
        {2, 5, 6, 2, 2, 3, 2, 2, 2, 2, 0, 0},   /* a row left over */
        {2, 5, 7, 2, 3, 4, 2, 2, 2, 2, 0, 0},   /* the last windows reach beyond the map */
        {5, 7, 7, 5, 3, 3, 3, 3, 2, 2, 0, 0},   /* overlap, as in AlexNet */
        {1, 6, 5, 1, 6, 5, 3, 3, 1, 1, 1, 1},   /* same size */
        {3, 5, 6, 3, 3, 3, 3, 3, 2, 2, 1, 1},   /* padded all round */
        {2, 5, 6, 2, 3, 4, 2, 2, 2, 2, 1, 1},   /* windows half outside at every side */
        {2, 9, 8, 2, 3, 2, 1, 2, 3, 4, 0, 0},   /* gaps between windows */
        {1, 8, 8, 1, 2, 3, 3, 5, 3, 2, 1, 0},   /* two sizes, two strides, padding above only */
        {6, 5, 3, 6, 1, 1, 5, 3, 1, 1, 0, 0},   /* global */
        {6, 5, 3, 6, 1, 1, 7, 7, 1, 1, 1, 2},   /* larger than the map */
        {16, 1, 1, 16, 1, 1, 1, 1, 1, 1, 0, 0}, /* one pixel */
        {1, 2, 2, 1, 3, 3, 2, 2, 1, 1, 1, 1},   /* more out than in */
    };
    for (size_t i = 0; i < sizeof windows / sizeof *windows; i++) {
        check_pool(&dice, &windows[i]);
    }
}

/* How many windows fit: all of them must touch the map, at the near end and at the far one. */
static int output_size(struct dice *dice, int in, int kernel, int stride, int padding)
{
    const int most = (in + padding - 1) / stride + 1, whole = (in + padding - kernel) / stride + 1;
    return dice_between(dice, whole < 1 ? 1 : whole, most < 1 ? 1 : most);
}

static void test_random_windows(void **state)
{
    (void)state;
    struct dice dice = {20261124};
    for (int i = 0; i < 300; i++) {
        struct window s = {.c = dice_between(&dice, 1, 4),
                           .h = dice_between(&dice, 1, 10),
                           .w = dice_between(&dice, 1, 10),
                           .kh = dice_between(&dice, 1, 4),
                           .kw = dice_between(&dice, 1, 4),
                           .stride_h = dice_between(&dice, 1, 4),
                           .stride_w = dice_between(&dice, 1, 4)};
        s.oc = s.c;
        s.pad_top = dice_between(&dice, 0, s.kh - 1);
        s.pad_left = dice_between(&dice, 0, s.kw - 1);
        s.oh = output_size(&dice, s.h, s.kh, s.stride_h, s.pad_top);
        s.ow = output_size(&dice, s.w, s.kw, s.stride_w, s.pad_left);
        check_pool(&dice, &s);
    }
}

/* All equal, -0 and 0 mixed: the gradient goes to the first place of the window, once. */
static void test_ties(void **state)
{
    (void)state;
    const struct window s = {1, 2, 3, 1, 1, 1, 2, 3, 1, 1, 0, 0};
    const struct kernels *levels[KERNEL_LEVELS];
    const int count = check_levels(levels);
    for (int l = 0; l < count; l++) {
        struct guarded x = guarded_new(6 * LANES), dx = guarded_new(6 * LANES),
                       y = guarded_new(LANES), dy = guarded_new(LANES);
        for (int i = 0; i < 6 * LANES; i++) {
            x.data[i] = i / LANES % 2 ? 0.0f : -0.0f;
        }
        dice_fill_integers(&(struct dice){1}, &dy, 3, 3);
        levels[l]->maxpool_forward(&s, x.data, y.data);
        levels[l]->maxpool_backward(&s, x.data, y.data, dy.data, dx.data);
        for (int i = 0; i < 6 * LANES; i++) {
            assert_true(dx.data[i] == (i < LANES ? 3.0f : 0.0f));
        }
        guarded_free(&x);
        guarded_free(&dx);
        guarded_free(&y);
        guarded_free(&dy);
    }
}

/* A map of the least values there are: padding, whatever stands for it, must not win. */
static void test_least_values(void **state)
{
    (void)state;
    const struct window s = {1, 2, 2, 1, 2, 2, 2, 2, 2, 2, 1, 1};
    const struct kernels *levels[KERNEL_LEVELS];
    const int count = check_levels(levels);
    for (int l = 0; l < count; l++) {
        struct guarded x = guarded_new(4 * LANES), y = guarded_new(4 * LANES);
        for (int i = 0; i < 4 * LANES; i++) {
            x.data[i] = i % 2 ? -INFINITY : -FLT_MAX;
        }
        levels[l]->maxpool_forward(&s, x.data, y.data);
        for (int i = 0; i < 4 * LANES; i++) {
            assert_true(y.data[i] == x.data[i]);
        }
        guarded_free(&x);
        guarded_free(&y);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_named_windows),
        cmocka_unit_test(test_random_windows),
        cmocka_unit_test(test_ties),
        cmocka_unit_test(test_least_values),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
