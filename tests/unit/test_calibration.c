/* test_calibration.c: bins and their edges, the error of a case worked by hand, and temperatures:
 * of outputs that were made at a known one, of ones that are always right, and of ones that know
 * nothing. */
#include "report/calibration.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

static void test_bins(void **state)
{
    (void)state;
    struct calibration c = {0};
    calibration_add(&c, 0, 0);
    calibration_add(&c, 1.0 / 15, 1);  /* the upper edge belongs to the bin */
    calibration_add(&c, 1.01 / 15, 1); /* the next one */
    calibration_add(&c, 1, 1);
    assert_int_equal(c.count[0], 2);
    assert_int_equal(c.correct[0], 1);
    assert_int_equal(c.count[1], 1);
    assert_int_equal(c.count[14], 1);
    assert_true(c.confidence[14] == 1);
}

static void test_error(void **state)
{
    (void)state;
    struct calibration c = {0};
    assert_true(calibration_error(&c) == 0);
    /* two of four right with 0.75: off by 0.25; one of one with 0.5: off by 0.5 */
    for (int i = 0; i < 4; i++) {
        calibration_add(&c, 0.75, i < 2);
    }
    calibration_add(&c, 0.5, 1);
    assert_true(fabs(calibration_error(&c) - (4 * 0.25 + 0.5) / 5) < 1e-15);
}

/* Two classes with 0.9 and 0.1; `right` of ten are right. The least loss is where the probability
 * is the share: logit / T = ln(share / (1 - share)). */
static double temperature_of(int right)
{
    float p[20];
    int32_t labels[10];
    for (int i = 0; i < 10; i++) {
        p[2 * i] = 0.9f;
        p[2 * i + 1] = 0.1f;
        labels[i] = i >= right;
    }
    return calibration_temperature(p, labels, 10, 2);
}

static void test_temperature(void **state)
{
    (void)state;
    const double logit = log((double)0.9f / (double)0.1f);
    for (int right = 6; right < 10; right++) {
        const double want = logit / log(right / (10.0 - right));
        assert_true(fabs(temperature_of(right) / want - 1) < 1e-7);
    }
    assert_true(fabs(temperature_of(10) - 0.01) < 1e-6); /* surer is always better */
    assert_true(temperature_of(5) > 99.9);               /* it knows nothing */
    assert_true(temperature_of(1) > 99.9);               /* worse than nothing */
}

static void test_scaled(void **state)
{
    (void)state;
    const float p[6] = {0.8f, 0.2f, 0.5f, 0.5f, 1, 0};
    const int32_t labels[3] = {0, 1, 0};
    struct calibration c = {0};
    calibration_add_scaled(&c, p, labels, 3, 2, 2);
    /* 0.8 : 0.2 becomes 2 : 1; a tie stays one, and is taken for the first class; 0 stays 0 */
    assert_int_equal(c.count[9], 1);
    assert_true(fabs(c.confidence[9] - 2.0 / 3) < 1e-7);
    assert_int_equal(c.count[7], 1);
    assert_int_equal(c.correct[7], 0);
    assert_true(fabs(c.confidence[7] - 0.5) < 1e-7);
    assert_int_equal(c.correct[14], 1);
}

/* A right class with probability 0 is very wrong, but a number. */
static void test_zero(void **state)
{
    (void)state;
    const float p[4] = {1, 0, 0, 1};
    const int32_t labels[2] = {0, 0};
    const double t = calibration_temperature(p, labels, 2, 2);
    assert_true(t > 99.9 && isfinite(t));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_bins),        cmocka_unit_test(test_error),
        cmocka_unit_test(test_temperature), cmocka_unit_test(test_scaled),
        cmocka_unit_test(test_zero),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
