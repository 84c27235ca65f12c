/* test_kernels_batchnorm.c: statistics of a channel, normalisation and its gradient, of every level
 * against double, with any number of live lanes, sizes around the blocks of the sums, means far
 * from zero; fused levels to the bit. */
#include "../kernel_check.h"

#include <float.h>
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static const double EPSILON = FLT_EPSILON;
static const size_t PIXELS[] = {1, 2, 3, 4, 5, 31, 32, 33, 36, 64, 67, 784};
static const int LIVE[] = {16, 1, 7};
enum { CASES = 12 * 3 };

struct channel {
    char what[80];
    size_t pixels;
    int live;
    struct guarded x, dy, mask;
    double sum_dy, sum_product, mean, squares; /* over live lanes; the product with x - mean */
    double abs_dy, abs_product;
};

static void channel_make(struct channel *c, struct dice *dice, int i, float centre)
{
    *c = (struct channel){.pixels = PIXELS[i / 3], .live = LIVE[i % 3]};
    snprintf(c->what, sizeof c->what, "%zu pixels, %d live, about %g", c->pixels, c->live,
             (double)centre);
    c->x = guarded_new(c->pixels * LANES);
    c->dy = guarded_new(c->pixels * LANES);
    c->mask = guarded_new(LANES);
    dice_fill(dice, &c->x, centre - 1, centre + 1);
    dice_fill(dice, &c->dy, -1, 1);
    for (int lane = 0; lane < LANES; lane++) {
        c->mask.data[lane] = lane < c->live ? 1 : 0;
    }
    const double n = (double)c->pixels * c->live;
    for (size_t k = 0; k < c->x.size; k++) {
        const int live = (int)(k % LANES) < c->live;
        c->dy.data[k] = live ? c->dy.data[k] : 0;
        c->mean += live ? (double)c->x.data[k] / n : 0;
    }
    for (size_t k = 0; k < c->x.size; k++) {
        const int live = (int)(k % LANES) < c->live;
        const double d = (double)c->x.data[k] - c->mean, dy = (double)c->dy.data[k];
        c->squares += live ? d * d : 0;
        c->sum_dy += dy;
        c->sum_product += dy * d;
        c->abs_dy += fabs(dy);
        c->abs_product += fabs(dy * d);
    }
    guarded_freeze(&c->x);
    guarded_freeze(&c->dy);
    guarded_freeze(&c->mask);
}

static void channel_free(struct channel *c)
{
    struct guarded *const all[] = {&c->x, &c->dy, &c->mask};
    for (int i = 0; i < 3; i++) {
        guarded_check(all[i], c->what);
        guarded_free(all[i]);
    }
}

static void near(const struct channel *c, const struct kernels *k, const char *name, double got,
                 double want, double bound)
{
    if (!(fabs(got - want) <= bound)) {
        fail_msg("%s, %s: %s is %.9g, not %.9g: off by %.3g, allowed %.3g", c->what, k->name, name,
                 got, want, got - want, bound);
    }
}

static void check_sums(const struct channel *c, const struct kernels *k, double kept[5], int first)
{
    double got[5];
    const double n = (double)c->pixels * c->live, most = fabs(c->mean) + 1;
    k->moments(c->pixels, c->x.data, c->mask.data, got);
    const struct norm about = {.mean = (float)c->mean};
    k->norm[ACTIVATION_NONE].sums(c->pixels, c->x.data, c->dy.data, &about, got + 3);
    assert_true(got[0] == n);
    near(c, k, "the mean", got[1], c->mean, 2 * EPSILON * most);
    near(c, k, "the squares", got[2], c->squares, 4 * EPSILON * (c->squares + n * EPSILON * most));
    near(c, k, "the sum of dy", got[3], c->sum_dy, 2 * EPSILON * c->abs_dy);
    near(c, k, "the sum of products", got[4], c->sum_product,
         4 * EPSILON * c->abs_product + EPSILON * most * c->abs_dy);
    if (k->fused && !first) {
        assert_memory_equal(got, kept, sizeof got);
    }
    memcpy(kept, got, sizeof got);
}

static void check_maps(const struct channel *c, const struct kernels *k, struct agreement same[2])
{
    const float mean = (float)c->mean;
    const struct norm n = {mean, 1.5f, -0.75f, 0, -0.25f, 0.125f};
    const struct norm_kernel *f = &k->norm[ACTIVATION_NONE];
    struct guarded y = guarded_new(c->x.size), dx = guarded_new(c->x.size);
    f->forward(c->pixels, c->x.data, &n, y.data);
    f->backward(c->pixels, c->x.data, c->dy.data, c->mask.data, &n, dx.data);
    guarded_check(&y, c->what);
    guarded_check(&dx, c->what);
    for (size_t i = 0; i < c->x.size; i++) {
        const double d = (double)c->x.data[i] - (double)mean, dy = (double)c->dy.data[i];
        const double want = 1.5 * dy - 0.25 * d + 0.125;
        const double bound = 4 * EPSILON * (2 + fabs(d) + fabs(dy));
        near(c, k, "y", (double)y.data[i], d * 1.5 - 0.75, bound);
        near(c, k, "dx", (double)dx.data[i], (int)(i % LANES) < c->live ? want : 0, bound);
    }
    agreement_check(&same[0], c->what, k, &y);
    agreement_check(&same[1], c->what, k, &dx);
    struct guarded in_place = guarded_new(c->x.size);
    guarded_copy(&in_place, c->x.data);
    f->forward(c->pixels, in_place.data, &n, in_place.data);
    assert_memory_equal(in_place.data, y.data, y.size * sizeof(float));
    guarded_copy(&in_place, c->dy.data);
    f->backward(c->pixels, c->x.data, in_place.data, c->mask.data, &n, in_place.data);
    assert_memory_equal(in_place.data, dx.data, dx.size * sizeof(float));
    guarded_free(&in_place);
    guarded_free(&y);
    guarded_free(&dx);
}

/* With an activation it is the same bytes as without one, and then the activation. */
static void check_pair(const struct channel *c, const struct kernels *k, enum activation activation)
{
    const struct norm n = {(float)c->mean + 0.25f, 1.5f, -0.125f, 0.2f, -0.25f, 0.125f};
    const struct norm_kernel *plain = &k->norm[ACTIVATION_NONE], *pair = &k->norm[activation];
    const struct activation_kernel *f = &k->activation[activation];
    const size_t bytes = c->x.size * sizeof(float);
    struct guarded y = guarded_new(c->x.size), dx = guarded_new(c->x.size);
    float *want = check_malloc(bytes), *d = check_malloc(bytes);
    double sums[2], want_sums[2];
    plain->forward(c->pixels, c->x.data, &n, want);
    f->forward(want, want, c->pixels, n.slope);
    pair->forward(c->pixels, c->x.data, &n, y.data);
    assert_memory_equal(y.data, want, bytes);
    f->backward(want, c->dy.data, d, c->pixels, n.slope);
    assert_true(memcmp(d, c->dy.data, bytes) != 0 || c->pixels < 3);
    plain->sums(c->pixels, c->x.data, d, &n, want_sums);
    pair->sums(c->pixels, c->x.data, c->dy.data, &n, sums);
    assert_memory_equal(sums, want_sums, sizeof sums);
    plain->backward(c->pixels, c->x.data, d, c->mask.data, &n, want);
    pair->backward(c->pixels, c->x.data, c->dy.data, c->mask.data, &n, dx.data);
    assert_memory_equal(dx.data, want, bytes);
    guarded_check(&y, c->what);
    guarded_check(&dx, c->what);
    guarded_free(&y);
    guarded_free(&dx);
    free(want);
    free(d);
}

static void test_batchnorm(void **state)
{
    (void)state;
    const struct kernels *levels[KERNEL_LEVELS];
    const int count = check_levels(levels);
    struct dice dice = {5};
    for (int i = 0; i < 2 * CASES; i++) {
        struct channel c;
        struct agreement same[2] = {{0}};
        double kept[5];
        int fused = 0;
        channel_make(&c, &dice, i % CASES, i < CASES ? 0.5f : 300);
        for (int l = 0; l < count; l++) {
            check_sums(&c, levels[l], kept, !fused);
            check_maps(&c, levels[l], same);
            check_pair(&c, levels[l], ACTIVATION_RELU);
            check_pair(&c, levels[l], ACTIVATION_LEAKY_RELU);
            fused |= levels[l]->fused;
        }
        agreement_free(&same[0]);
        agreement_free(&same[1]);
        channel_free(&c);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_batchnorm)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
