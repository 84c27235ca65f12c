/* test_option_duration.c: the kind that holds a span of time. */
#include "option_check.h"

static const struct option ROWS[] = {
    {"limit", &OPTION_DURATION, 0, "", 1, 7200, 0, NULL, "a limit"},
    OPTION_END,
};

static void reads_and_writes(void **state)
{
    static const struct {
        const char *text;
        long long seconds;
        const char *emitted;
    } cases[] = {
        {"limit: 90s", 90, "limit: 1m30s\n"},
        {"limit: 1h30m", 5400, "limit: 1h30m\n"},
        {"limit: \"2h\"", 7200, "limit: 2h\n"},
        {"{}", 0, ""}, /* no limit */
    };

    (void)state;
    for (size_t i = 0; i < COUNT(cases); i++) {
        struct text out = {0};
        long long seconds = 0;

        assert_int_equal(decode_rows(ROWS, &seconds, cases[i].text), 0);
        assert_int_equal(seconds, cases[i].seconds);
        options_emit(ROWS, &seconds, &out, 0);
        assert_string_equal(out.data ? out.data : "", cases[i].emitted);
        text_free(&out);
    }
}

static void refuses(void **state)
{
    static const char FORM[] = "'limit' must be a time such as 90s, 30m, 2h or 1h30m, got ";
    static const struct {
        const char *value, *rest;
    } cases[] = {
        {"30", "30; add a unit: d, h, m or s"},
        {"1.5h", "'1.5h'; whole numbers only: 1h30m, not 1.5h"},
        {"1h 3m", "'1h 3m'; without spaces"},
        {"3w", "'3w'; the units are d, h, m and s, the greater first"},
        {"[1h]", "a list"},
    };

    (void)state;
    for (size_t i = 0; i < COUNT(cases); i++) {
        char text[64], message[200];
        long long seconds = 0;

        snprintf(text, sizeof text, "limit: %s", cases[i].value);
        snprintf(message, sizeof message, "%s%s", FORM, cases[i].rest);
        assert_int_equal(decode_rows(ROWS, &seconds, text), -1);
        assert_string_equal(parse.errors.items[0].message, message);
        assert_int_equal(parse.errors.items[0].column, 8);
        assert_int_equal(seconds, 0);
    }
}

static void keeps_bounds(void **state)
{
    static const char *const values[] = {"0s", "7201s", "3h", "99999999999999999999s"};
    struct text range = {0};

    (void)state;
    for (size_t i = 0; i < COUNT(values); i++) {
        char text[64], message[200];
        long long seconds = 0;

        snprintf(text, sizeof text, "limit: %s", values[i]);
        snprintf(message, sizeof message, "'limit' must be 1s to 2h, got '%s'", values[i]);
        assert_int_equal(decode_rows(ROWS, &seconds, text), -1);
        assert_string_equal(parse.errors.items[0].message, message);
    }
    OPTION_DURATION.describe(&ROWS[0], &range);
    assert_string_equal(range.data, "1s to 2h");
    text_free(&range);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_teardown(reads_and_writes, end_parse),
        cmocka_unit_test_teardown(refuses, end_parse),
        cmocka_unit_test_teardown(keeps_bounds, end_parse),
    };

    (void)all_rows;
    return cmocka_run_group_tests(tests, NULL, NULL);
}
