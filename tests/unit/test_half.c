/* test_half.c: every 16-bit pattern, against the value that its three parts stand for. */
#include "base/half.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

static uint32_t bits_of(float value)
{
    uint32_t bits;
    memcpy(&bits, &value, sizeof bits);
    return bits;
}

/* (-1)^s * 2^(e - bias) * (1 + f / 2^width), without the 1 where e is 0. */
static void check(float got, uint32_t pattern, int width, int bias)
{
    const int exponent_bits = 15 - width, top = (1 << exponent_bits) - 1;
    const int e = (int)(pattern >> width) & top, f = (int)(pattern & ((1u << width) - 1));
    const int negative = (int)(pattern >> 15);
    assert_int_equal(signbit(got) != 0, negative);
    if (e == top) {
        assert_true(f ? isnan(got) : isinf(got));
        return;
    }
    const double whole = e ? (double)f / (1 << width) + 1 : (double)f / (1 << width);
    const double value = ldexp(whole, (e ? e : 1) - bias);
    if ((double)got != (negative ? -value : value)) {
        fail_msg("pattern %04x gives %a, not %a", (unsigned)pattern, (double)got, value);
    }
}

static void test_half(void **state)
{
    (void)state;
    for (uint32_t pattern = 0; pattern < 65536; pattern++) {
        check(float_from_half((uint16_t)pattern), pattern, 10, 15);
    }
    assert_int_equal(bits_of(float_from_half(0x8000)), 0x80000000); /* -0 */
    assert_true(float_from_half(0x0001) == 0x1p-24f);               /* the least subnormal */
    assert_true(float_from_half(0x03FF) == 0x1.ff8p-15f);           /* the greatest */
    assert_true(float_from_half(0x7BFF) == 65504);
}

static void test_bfloat16(void **state)
{
    (void)state;
    for (uint32_t pattern = 0; pattern < 65536; pattern++) {
        check(float_from_bfloat16((uint16_t)pattern), pattern, 7, 127);
        assert_int_equal(bits_of(float_from_bfloat16((uint16_t)pattern)), pattern << 16);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_half),
        cmocka_unit_test(test_bfloat16),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
