/* test_text.c: numbers in and out, characters, near words. */
#include "base/text.h"

#include <float.h>
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define COUNT(array) (sizeof(array) / sizeof(array)[0])

static void a_text_grows(void **state)
{
    struct text text = {0};

    (void)state;
    for (int i = 0; i < 1000; i++) {
        text_append(&text, "%03d,", i);
    }
    assert_int_equal(text.length, 4000);
    assert_int_equal(strlen(text.data), 4000);
    assert_memory_equal(text.data + 4 * 789, "789,790,", 8);
    text_append_bytes(&text, "a\0b", 3);
    assert_int_equal(text.length, 4003);
    text_append_bytes(&text, NULL, 0);
    assert_false(text.failed);
    text_free(&text);
    assert_null(text.data);
    assert_int_equal(text.length, 0);
}

static void a_text_that_cannot_grow_says_so_once(void **state)
{
    struct text text = {0};

    (void)state;
    text_append(&text, "kept");
    text_append_bytes(&text, "", SIZE_MAX - 2);
    assert_true(text.failed);
    text_append(&text, "dropped");
    assert_string_equal(text.data, "kept");
    text_free(&text);
    assert_false(text.failed);
}

static void reads_integers(void **state)
{
    static const struct {
        const char *text;
        int status;
        long long value;
    } cases[] = {
        {"0", 0, 0},
        {"7", 0, 7},
        {"-8", 0, -8},
        {"-0", 0, 0},
        {"65536", 0, 65536},
        {"9223372036854775807", 0, INT64_MAX},
        {"", -1, 0},
        {"-", -1, 0},
        {"-9223372036854775808", 0, INT64_MIN},
        {"+8", -1, 0},
        {"010", -1, 0},
        {"00", -1, 0},
        {"0x10", -1, 0},
        {"1_000", -1, 0},
        {"1:30", -1, 0},
        {"8.0", -1, 0},
        {"1e1", -1, 0},
        {" 8", -1, 0},
        {"8 ", -1, 0},
        {"8 8", -1, 0},
        {"--8", -1, 0},
        {"\xd9\xa8", -1, 0},
        {"abc", -1, 0},
        {"9223372036854775808", -2, 0},
        {"-9223372036854775809", -2, 0},
        {"18446744073709551617", -2, 0},
    };

    (void)state;
    for (size_t i = 0; i < COUNT(cases); i++) {
        long long value = 12345;

        assert_int_equal(text_to_integer(cases[i].text, strlen(cases[i].text), &value),
                         cases[i].status);
        assert_int_equal(value, cases[i].status == 0 ? cases[i].value : 12345);
    }
    long long value;

    assert_int_equal(text_to_integer("123", 2, &value), 0);
    assert_int_equal(value, 12);
}

static void reads_seeds(void **state)
{
    uint64_t value = 0;

    (void)state;
    assert_int_equal(text_to_unsigned("18446744073709551615", 20, &value), 0);
    assert_true(value == UINT64_MAX);
    assert_int_equal(text_to_unsigned("18446744073709551616", 20, &value), -2);
    assert_int_equal(text_to_unsigned("99999999999999999999", 20, &value), -2);
    assert_int_equal(text_to_unsigned("-1", 2, &value), -1);
    assert_int_equal(text_to_unsigned("", 0, &value), -1);
    assert_int_equal(text_to_unsigned("01", 2, &value), -1);
}

static void reads_decimals(void **state)
{
    static const struct {
        const char *text;
        int status;
        double value;
    } cases[] = {
        {"0", 0, 0},
        {"-0", 0, -0.0},
        {"0.0", 0, 0},
        {"0e5", 0, 0},
        {"1", 0, 1},
        {"0.001", 0, 0.001},
        {".5", 0, 0.5},
        {"-.5", 0, -0.5},
        {"1e-8", 0, 1e-8},
        {"1.5E+3", 0, 1500},
        {"1e400", -2, 0},
        {"-1e400", -2, 0},
        {"1e-400", -2, 0},
        {"0.0e-999", 0, 0},
        {"1.", -1, 0},
        {".", -1, 0},
        {"-", -1, 0},
        {"", -1, 0},
        {"1e", -1, 0},
        {"1e+", -1, 0},
        {"e5", -1, 0},
        {"0x1", -1, 0},
        {"0x1p3", -1, 0},
        {"1_0", -1, 0},
        {"inf", -1, 0},
        {"nan", -1, 0},
        {".inf", -1, 0},
        {".nan", -1, 0},
        {"+1", -1, 0},
        {"00.5", -1, 0},
        {"01", -1, 0},
        {"0,001", -1, 0},
        {" 1", -1, 0},
        {"1 ", -1, 0},
        {"1.2.3", -1, 0},
        {"1e5.0", -1, 0},
        {"4.9e-324", 0, 0x1p-1074},
        {"1.7976931348623157e308", 0, DBL_MAX},
        {"abc", -1, 0},
    };

    (void)state;
    for (size_t i = 0; i < COUNT(cases); i++) {
        double value = 12345;

        assert_int_equal(text_to_double(cases[i].text, strlen(cases[i].text), &value),
                         cases[i].status);
        assert_true(value == (cases[i].status == 0 ? cases[i].value : 12345));
    }
    double value;
    char zeros[500];

    assert_int_equal(text_to_double("1.59", 3, &value), 0);
    assert_true(value == 1.5);
    memset(zeros, '1', sizeof zeros);
    assert_int_equal(text_to_double(zeros, 300, &value), 0);
    assert_int_equal(text_to_double(zeros, sizeof zeros, &value), -2);
}

static void writes_the_shortest_decimal(void **state)
{
    static const struct {
        double value;
        const char *text;
    } cases[] = {
        {0, "0"},
        {-0.0, "-0"},
        {1, "1"},
        {-1, "-1"},
        {0.1, "0.1"},
        {100, "100"},
        {1024.5, "1024.5"},
        {1e15, "1000000000000000"},
        {1e16, "1e16"},
        {1e-4, "0.0001"},
        {1.5e-5, "1.5e-5"},
        {-1e-8, "-1e-8"},
        {1e22, "1e22"},
        {0.00012, "0.00012"},
        {0x1p-1074, "5e-324"},
        {DBL_MAX, "1.7976931348623157e308"},
        {1.0 / 3, "0.3333333333333333"},
    };
    char buffer[32];

    (void)state;
    for (size_t i = 0; i < COUNT(cases); i++) {
        assert_string_equal(text_from_double(buffer, cases[i].value), cases[i].text);
    }
    assert_string_equal(text_from_float(buffer, 0.1f), "0.1");
    assert_string_equal(text_from_float(buffer, 16777216.0f), "16777216");
    assert_string_equal(text_from_float(buffer, FLT_MAX), "3.4028235e38");
    assert_string_equal(text_from_float(buffer, 0x1p-149f), "1e-45");
    assert_string_equal(text_from_float(buffer, NAN), "nan");
    assert_string_equal(text_from_float(buffer, -INFINITY), "-inf");
    assert_string_equal(text_from_double(buffer, INFINITY), "inf");
}

/* Bit patterns from a linear congruential generator: every exponent, subnormals included. */
static void numbers_survive_the_round_trip(void **state)
{
    uint64_t x = 42;

    (void)state;
    for (int i = 0; i < 20000; i++) {
        char buffer[32];
        double d, back;
        float f;

        x = x * UINT64_C(6364136223846793005) + 1442695040888963407u;
        const uint32_t word = (uint32_t)(x >> 32);

        memcpy(&d, &x, sizeof d);
        memcpy(&f, &word, sizeof f);
        if (isfinite(d) && d != 0) {
            text_from_double(buffer, d);
            assert_true(strlen(buffer) < sizeof buffer);
            assert_int_equal(text_to_double(buffer, strlen(buffer), &back), 0);
            assert_memory_equal(&back, &d, sizeof d);
        }
        if (isfinite(f) && f != 0) {
            text_from_float(buffer, f);
            assert_int_equal(text_to_double(buffer, strlen(buffer), &back), 0);
            assert_true((float)back == f);
        }
    }
}

static void writes_counts_and_sizes(void **state)
{
    char buffer[32];

    (void)state;
    assert_string_equal(text_from_count(buffer, 0), "0");
    assert_string_equal(text_from_count(buffer, 999), "999");
    assert_string_equal(text_from_count(buffer, 61706), "61,706");
    assert_string_equal(text_from_count(buffer, UINT64_MAX), "18,446,744,073,709,551,615");
    assert_string_equal(text_from_bytes(buffer, 0), "0 bytes");
    assert_string_equal(text_from_bytes(buffer, 1), "1 byte");
    assert_string_equal(text_from_bytes(buffer, 1023), "1023 bytes");
    assert_string_equal(text_from_bytes(buffer, 262144), "256 KiB");
    assert_string_equal(text_from_bytes(buffer, 3355443), "3.2 MiB");
    assert_string_equal(text_from_bytes(buffer, 1048575), "1.0 MiB");
    assert_string_equal(text_from_bytes(buffer, UINT64_MAX), "16 EiB");
}

static void reads_and_writes_durations(void **state)
{
    static const struct {
        const char *text;
        int status;
        long long seconds;
        const char *written;
    } cases[] = {
        {"90s", 0, 90, "1m30s"},
        {"30m", 0, 1800, "30m"},
        {"2h", 0, 7200, "2h"},
        {"1h30m", 0, 5400, "1h30m"},
        {"1d2h3m4s", 0, 93784, "1d2h3m4s"},
        {"0s", 0, 0, "0s"},
        {"1h0m", 0, 3600, "1h"},
        {"1h90m", 0, 9000, "2h30m"},
        {"9223372036854775807s", 0, INT64_MAX, "106751991167300d15h30m7s"},
        {"9223372036854775808s", -2, 0, NULL},
        {"106751991167301d", -2, 0, NULL},
        {"106751991167300d16h", -2, 0, NULL},
        {"", -1, 0, NULL},
        {"30", -1, 0, NULL},
        {"m", -1, 0, NULL},
        {"1m1h", -1, 0, NULL},
        {"1h1h", -1, 0, NULL},
        {"1h30", -1, 0, NULL},
        {"-1h", -1, 0, NULL},
        {"01h", -1, 0, NULL},
        {"1H", -1, 0, NULL},
        {"1.5h", -1, 0, NULL},
        {"1h ", -1, 0, NULL},
        {" 1h", -1, 0, NULL},
        {"99999999999999999999x", -1, 0, NULL},
    };
    char buffer[32];

    (void)state;
    for (size_t i = 0; i < COUNT(cases); i++) {
        long long seconds = -7;
        const char *text = cases[i].text;

        if (text_to_duration(text, strlen(text), &seconds) != cases[i].status) {
            fail_msg("'%s' gave another status than %d", text, cases[i].status);
        }
        if (cases[i].status == 0) {
            assert_int_equal(seconds, cases[i].seconds);
            assert_string_equal(text_from_duration(buffer, seconds), cases[i].written);
        }
    }
}

static void escapes_what_is_not_text(void **state)
{
    char buffer[400], small[6];
    char long_text[200];

    (void)state;
    assert_string_equal(text_escape(buffer, sizeof buffer, "abc", 3), "abc");
    assert_string_equal(text_escape(buffer, sizeof buffer, "a\0\n\x7f", 4), "a\\x00\\x0A\\x7F");
    assert_string_equal(text_escape(buffer, sizeof buffer, "\xc3\xa9\xff", 3), "\xc3\xa9\\xFF");
    assert_string_equal(text_escape(buffer, sizeof buffer, "\xc2\x85", 2), "\\xC2\\x85");
    assert_string_equal(text_escape(buffer, sizeof buffer, "\xe2\x80\xae", 3), "\\xE2\\x80\\xAE");
    assert_string_equal(text_escape(buffer, sizeof buffer, "\xc3", 1), "\\xC3");
    /* Never half an escape, never half a character, always an end. */
    assert_string_equal(text_escape(small, sizeof small, "ab\x01", 3), "ab");
    assert_string_equal(text_escape(small, sizeof small, "abcd\xc3\xa9", 6), "abcd");
    assert_string_equal(text_escape(small, 1, "abc", 3), "");

    memset(long_text, 'x', sizeof long_text);
    text_escape(buffer, sizeof buffer, long_text, 80);
    assert_int_equal(strlen(buffer), 80);
    text_escape(buffer, sizeof buffer, long_text, 81);
    assert_int_equal(strlen(buffer), 83);
    assert_string_equal(buffer + 80, "...");
    memcpy(long_text + 79, "\xc3\xa9", 2);
    text_escape(buffer, sizeof buffer, long_text, sizeof long_text);
    assert_string_equal(buffer + 78, "x...");
    assert_string_equal(text_escape(small, sizeof small, long_text, 200), "xx...");
    text_sanitize(buffer, sizeof buffer, long_text, sizeof long_text);
    assert_int_equal(strlen(buffer), 200);
}

static void finds_the_nearest_word(void **state)
{
    static const char *const words[] = {"filters", "kernel", "stride", "lr", "p", "max", NULL};
    static const char *const none[] = {NULL};
    char long_word[200];

    (void)state;
    assert_string_equal(text_closest("kernal", words), "kernel");
    assert_string_equal(text_closest("fliters", words), "filters");
    assert_string_equal(text_closest("FILTERS", words), "filters");
    assert_string_equal(text_closest("strid", words), "stride");
    assert_string_equal(text_closest("strdie", words), "stride");
    assert_string_equal(text_closest("rl", words), "lr");
    assert_string_equal(text_closest("P", words), "p");
    assert_null(text_closest("stroll", words));
    assert_null(text_closest("mix it", words));
    assert_null(text_closest("q", words));
    assert_null(text_closest("xyz", words));
    assert_null(text_closest("momentum", words));
    assert_null(text_closest("", words));
    assert_null(text_closest("filters", none));
    memset(long_word, 'f', sizeof long_word);
    long_word[sizeof long_word - 1] = '\0';
    assert_null(text_closest(long_word, words));
}

static void knows_utf8(void **state)
{
    static const struct {
        const char *bytes;
        size_t length, valid;
    } cases[] = {
        {"abc", 3, 3},
        {"", 0, 0},
        {"a\0b", 3, 3},
        {"\xc3\xa9", 2, 2},
        {"\xe6\x97\xa5", 3, 3},
        {"\xf0\x9f\x98\x80", 4, 4},
        {"\xf4\x8f\xbf\xbf", 4, 4},
        {"a\xff", 2, 1},
        {"a\x80", 2, 1},
        {"\xc0\xaf", 2, 0},
        {"\xc1\xbf", 2, 0},
        {"\xe0\x9f\xbf", 3, 0},
        {"\xed\xa0\x80", 3, 0},
        {"\xed\x9f\xbf", 3, 3},
        {"\xf0\x8f\xbf\xbf", 4, 0},
        {"\xf4\x90\x80\x80", 4, 0},
        {"\xf8\x88\x80\x80\x80", 5, 0},
        {"ab\xc3", 3, 2},
        {"\xe6\x97", 2, 0},
        {"\xe6\x97"
         "a",
         3, 0},
    };

    (void)state;
    for (size_t i = 0; i < COUNT(cases); i++) {
        assert_int_equal(text_utf8_prefix(cases[i].bytes, cases[i].length), cases[i].valid);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_text_grows),
        cmocka_unit_test(a_text_that_cannot_grow_says_so_once),
        cmocka_unit_test(reads_integers),
        cmocka_unit_test(reads_seeds),
        cmocka_unit_test(reads_decimals),
        cmocka_unit_test(writes_the_shortest_decimal),
        cmocka_unit_test(numbers_survive_the_round_trip),
        cmocka_unit_test(writes_counts_and_sizes),
        cmocka_unit_test(reads_and_writes_durations),
        cmocka_unit_test(escapes_what_is_not_text),
        cmocka_unit_test(finds_the_nearest_word),
        cmocka_unit_test(knows_utf8),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
