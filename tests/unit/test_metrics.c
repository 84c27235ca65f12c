/* test_metrics.c: counts against a case worked by hand, ties, empty denominators, and Wilson's
 * interval against published values. */
#include "train/metrics.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>

#include <cmocka.h>

/* Outputs of one sample for three classes, `stride` apart, as in lane 5 of a tile. */
static int add3(struct metrics *m, float a, float b, float c, int label, float loss)
{
    float p[3 * 16];

    for (int i = 0; i < 3 * 16; i++) {
        p[i] = 1000;
    }
    p[5] = a;
    p[16 + 5] = b;
    p[32 + 5] = c;
    return metrics_add(m, p + 5, 16, label, loss, 1);
}

static void test_counts(void **state)
{
    (void)state;
    struct metrics m;

    assert_int_equal(metrics_open(&m, 3, 2, NULL), 0);
    assert_int_equal(add3(&m, 0.7f, 0.2f, 0.1f, 0, 0.25f), 0);
    assert_int_equal(add3(&m, 0.1f, 0.3f, 0.6f, 0, 1.5f), 2); /* right one is third */
    assert_int_equal(add3(&m, 0.2f, 0.5f, 0.3f, 1, 0.5f), 1);
    assert_int_equal(add3(&m, 0.5f, 0.4f, 0.1f, 1, 0.75f), 0); /* right one is second */
    assert_int_equal(m.count, 4);
    assert_int_equal(m.correct, 2);
    assert_int_equal(m.in_top_k, 3);
    assert_true(metrics_loss(&m) == 0.75);
    assert_true(metrics_accuracy(&m) == 0.5);

    const size_t confusion[9] = {1, 0, 1, 1, 1, 0, 0, 0, 0};

    assert_memory_equal(m.confusion, confusion, sizeof confusion);

    const struct class_metrics zero = metrics_of_class(&m, 0), one = metrics_of_class(&m, 1),
                               two = metrics_of_class(&m, 2);

    assert_int_equal(zero.support, 2);
    assert_int_equal(zero.predicted, 2);
    assert_true(zero.precision == 0.5 && zero.recall == 0.5 && zero.f1 == 0.5);
    assert_int_equal(one.support, 2);
    assert_int_equal(one.predicted, 1);
    assert_true(one.precision == 1 && one.recall == 0.5 && one.f1 == 2.0 / 3.0);
    assert_int_equal(two.support, 0);
    assert_int_equal(two.predicted, 1);
    assert_true(two.precision == 0 && two.recall == -1 && two.f1 == 0);
    metrics_close(&m);
    metrics_close(&m);
}

static void test_ties_go_to_the_lower_class(void **state)
{
    (void)state;
    struct metrics m;

    assert_int_equal(metrics_open(&m, 3, 2, NULL), 0);
    assert_int_equal(add3(&m, 0.4f, 0.4f, 0.2f, 1, 0), 0);
    assert_int_equal(m.in_top_k, 1); /* second of two equals */
    assert_int_equal(add3(&m, 0.2f, 0.4f, 0.4f, 1, 0), 1);
    assert_int_equal(add3(&m, 0.3f, 0.3f, 0.3f, 2, 0), 0);
    assert_int_equal(m.in_top_k, 2); /* third of three equals is not */
    assert_int_equal(m.correct, 1);
    assert_int_equal(add3(&m, -3, -2, -1, 2, 0), 2); /* mse: outputs are no probabilities */
    metrics_close(&m);
}

static void test_empty(void **state)
{
    (void)state;
    struct metrics m;

    assert_int_equal(metrics_open(&m, 2, 1, NULL), 0);
    assert_true(metrics_loss(&m) == 0 && metrics_accuracy(&m) == 0);

    const struct class_metrics none = metrics_of_class(&m, 1);

    assert_true(none.precision == -1 && none.recall == -1 && none.f1 == -1);
    metrics_close(&m);
}

static void test_no_memory(void **state)
{
    (void)state;
    struct metrics m;
    struct error e;

    /* 2^62 counts: no address space holds them. */
    assert_int_equal(metrics_open(&m, 2147483647, 1, &e), -1);
    assert_int_equal(e.kind, ERROR_LIMIT);
}

/* With four decimals, as R's prop.test(x, n, correct = FALSE) and binom::binom.wilson print them.
 */
static void test_wilson(void **state)
{
    (void)state;
    static const struct {
        size_t correct, count;
        double low, high;
    } cases[] = {
        {0, 10, 0, 0.2775},        {10, 10, 0.7225, 1},           {1, 2, 0.0945, 0.9055},
        {81, 263, 0.2553, 0.3662}, {9897, 10000, 0.9875, 0.9915}, {0, 0, 0, 1},
    };

    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        double low, high;

        wilson_interval(cases[i].correct, cases[i].count, &low, &high);
        assert_true(fabs(low - cases[i].low) < 0.00005 + 1e-12);
        assert_true(fabs(high - cases[i].high) < 0.00005 + 1e-12);
        assert_true(low >= 0 && high <= 1);
    }
    double low, high;

    wilson_interval(0, 7, &low, &high);
    assert_true(low == 0);
    wilson_interval(7, 7, &low, &high);
    assert_true(high == 1);
}

/* The mean loss is weighted; nothing else is. */
static void test_weighted_loss(void **state)
{
    (void)state;
    struct metrics m;
    const float p[2] = {1, 0};

    assert_int_equal(metrics_open(&m, 2, 1, NULL), 0);
    metrics_add(&m, p, 1, 0, 0.5f, 0.5);
    metrics_add(&m, p, 1, 1, 3.0f, 2.0);
    assert_true(metrics_loss(&m) == 3.5 / 2.5);
    assert_true(metrics_accuracy(&m) == 0.5);
    metrics_close(&m);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_counts),
        cmocka_unit_test(test_weighted_loss),
        cmocka_unit_test(test_ties_go_to_the_lower_class),
        cmocka_unit_test(test_empty),
        cmocka_unit_test(test_no_memory),
        cmocka_unit_test(test_wilson),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
