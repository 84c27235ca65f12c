/* test_check.c: arithmetic on numbers from files never wraps, whichever bits they have. */
#include "base/check.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

/* Every pair of powers of two, and of their neighbours, against 128 bits. */
static void test_never_wraps(void **state)
{
    (void)state;
    for (int i = 0; i < 64; i++) {
        for (int j = 0; j < 64; j++) {
            for (int near = 0; near < 9; near++) {
                const size_t a = ((size_t)1 << i) + (size_t)(near % 3) - 1,
                             b = ((size_t)1 << j) + (size_t)(near / 3) - 1;
                const unsigned __int128 product = (unsigned __int128)a * b,
                                        sum = (unsigned __int128)a + b;
                size_t result = 0;
                assert_int_equal(check_multiply(a, b, &result), product > SIZE_MAX ? -1 : 0);
                assert_true(product > SIZE_MAX || result == (size_t)product);
                assert_int_equal(check_add(a, b, &result), sum > SIZE_MAX ? -1 : 0);
                assert_true(sum > SIZE_MAX || result == (size_t)sum);
            }
        }
    }
}

/* Those that other programs have fallen for: 64 * 2^58 is 2^64, which is 0. */
static void test_known_wraps(void **state)
{
    (void)state;
    size_t result;
    assert_int_equal(check_multiply(64, (size_t)1 << 58, &result), -1);
    assert_int_equal(check_multiply((size_t)1 << 32, (size_t)1 << 32, &result), -1);
    assert_int_equal(check_multiply(2, SIZE_MAX / 2 + 1, &result), -1);
    assert_int_equal(check_add(SIZE_MAX, 8, &result), -1);
    assert_int_equal(check_multiply(0, SIZE_MAX, &result), 0);
    assert_int_equal(result, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_never_wraps),
                                       cmocka_unit_test(test_known_wraps)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
