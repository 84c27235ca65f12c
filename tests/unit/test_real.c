/* test_real.c: elementary functions against libm's, to a few units of the last place. */
#include "base/real.h"

#include <float.h>
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

static void near(double got, double want, double units, const char *what, double x)
{
    if (!(fabs(got - want) <= units * DBL_EPSILON * fabs(want))) {
        fail_msg("%s(%.17g) is %.17g, not %.17g", what, x, got, want);
    }
}

static void test_exp(void **state)
{
    (void)state;
    for (double x = -690; x < 690; x += 0.0831) {
        near(real_exp(x), exp(x), 2, "exp", x);
    }
    assert_true(real_exp(0) == 1);
    assert_true(real_exp(-1000) == 0);
    assert_true(isinf(real_exp(1000)));
    assert_true(isnan(real_exp(NAN)));
}

static void test_log(void **state)
{
    (void)state;
    for (double x = 1e-300; x < 1e300; x *= 1.371) {
        near(real_log(x), log(x), 2, "log", x);
    }
    for (double x = 0.5; x < 2; x += 0.0007) { /* where it goes through 0 */
        near(real_log(x), log(x), 2, "log", x);
    }
    assert_true(real_log(1) == 0);
}

static void test_pow(void **state)
{
    (void)state;
    for (double p = -3; p <= 5; p += 0.37) {
        for (double x = 0.001; x < 1; x += 0.0131) {
            near(real_pow(x, p), pow(x, p), 2 * (2 + fabs(p * log(x))), "pow", x);
        }
    }
    assert_true(real_pow(0, 0) == 1 && real_pow(0, 2) == 0 && real_pow(0.3, 1) == 0.3);
    assert_true(real_pow(0.3, 0) == 1 && real_pow(1, 7.5) == 1);
    for (int n = 0; n < 200; n++) {
        near(real_power(0.999, n), pow(0.999, n), 100, "power", n);
    }
    assert_true(real_power(0.5, 10) == 1.0 / 1024 && real_power(0.9, 0) == 1);
    assert_true(real_power(0.999, 1LL << 50) == 0);
}

static void test_cos(void **state)
{
    (void)state;
    static const double PI = 3.14159265358979323846;
    for (double x = 0; x <= 1; x += 0.00037) {
        if (!(fabs(real_cos_pi(x) - cos(PI * x)) <= 2 * DBL_EPSILON)) {
            fail_msg("cos(pi %.17g) is %.17g, not %.17g", x, real_cos_pi(x), cos(PI * x));
        }
    }
    assert_true(real_cos_pi(0) == 1 && real_cos_pi(0.5) == 0 && real_cos_pi(1) == -1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_exp),
        cmocka_unit_test(test_log),
        cmocka_unit_test(test_pow),
        cmocka_unit_test(test_cos),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
