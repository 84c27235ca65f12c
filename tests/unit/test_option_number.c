/* test_option_number.c: the kinds that hold numbers; the names S.. are those of the list of bad
 * inputs. */
#include "option_check.h"

static void reads_numbers(void **state)
{
    (void)state;
    assert_decoded(
        "{count: 65536, any: -9223372036854775808, seed: 18446744073709551615, rate: 0, share: .5,"
        " above: 1e-300, below: 0, pair: 7, numbers: [1, 0.5, 1e-3]}");
    assert_int_equal(all.count, 65536);
    assert_true(all.any == INT64_MIN);
    assert_true(all.seed == UINT64_MAX); /* S59 */
    assert_true(all.rate == 0);
    assert_true(all.share == 0.5);
    assert_true(all.above == 1e-300);
    assert_true(all.below == 0);
    assert_int_equal(all.pair[0], 7);
    assert_int_equal(all.pair[1], 7);
    assert_int_equal(all.numbers.count, 3);
    assert_true(all.numbers.values[2] == 1e-3);
    assert_decoded("{pair: [2, 9], numbers: []}");
    assert_int_equal(all.pair[0], 2);
    assert_int_equal(all.pair[1], 9);
    assert_int_equal(all.numbers.count, 0);
}

static void refuses_what_is_no_whole_number(void **state)
{
    static const struct {
        const char *value, *message;
    } cases[] = {
        {"abc", "'count' must be a whole number, got 'abc'"}, /* S17 */
        {"0", "'count' must be 1 to 65536, got 0"},           /* S18 */
        {"-8", "'count' must be 1 to 65536, got -8"},         /* S19 */
        {"65537", "'count' must be 1 to 65536, got 65537"},
        {"99999999999", "'count' must be 1 to 65536, got 99999999999"},                   /* S20 */
        {"18446744073709551617", "'count' must be 1 to 65536, got 18446744073709551617"}, /* S21 */
        {"8.0", "'count' must be a whole number, got 8.0"},                               /* S22 */
        {"8.5", "'count' must be a whole number, got 8.5"},                               /* S23 */
        {"1e1", "'count' must be a whole number, got 1e1"},                               /* S24 */
        {"010", "'count' must be a whole number, got '010'; a leading zero is not accepted (YAML "
                "1.1 would read it as "
                "octal)"}, /* S25 */
        {"0x10",
         "'count' must be a whole number, got '0x10'; only decimal numbers are accepted"}, /* S26 */
        {"1_000", "'count' must be a whole number, got '1_000'; leave out the '_'"},       /* S27 */
        {"1:30",
         "'count' must be a whole number, got '1:30'; numbers to base 60 are not accepted"}, /* S28
                                                                                              */
        {"\"8\"",
         "'count' must be a whole number, got the text \"8\"; remove the quotes"}, /* S29 */
        {"+8", "'count' must be a whole number, got '+8'; leave out the '+'"},     /* S30 */
        {"8 8", "'count' must be a whole number, got '8 8'"},                      /* S31 */
        {"~", "'count' is empty: it must be a whole number"},                      /* S32 */
        {"[8]", "'count' must be a whole number, got a list"},                     /* S33 */
        {"{a: 1}", "'count' must be a whole number, got a mapping"},               /* S34 */
        {"\xd9\xa8", "'count' must be a whole number, got '\xd9\xa8'"},            /* S37 */
        {"yes", "'count' must be a whole number, got 'yes'"},                      /* S52 */
        {"1.", "'count' must be a whole number, got '1.'; a digit must follow the point"},
        {"\"\\e[31m\"",
         "'count' must be a whole number, got the text \"\\x1B[31m\"; remove the quotes"},
    };

    (void)state;
    for (size_t i = 0; i < COUNT(cases); i++) {
        char text[64];

        snprintf(text, sizeof text, "count: %s", cases[i].value);
        assert_bad(text, 8, cases[i].message);
    }
    assert_bad("any: 9223372036854775808", 6,
               "'any' must be in the range of its type, got 9223372036854775808");
}

static void cuts_a_number_of_thousands_of_digits(void **state)
{
    char text[4100] = "count: ";

    (void)state;
    memset(text + 7, '9', 4000); /* S36 */
    memset(&all, 0, sizeof all);
    assert_int_equal(decode_rows(all_rows, &all, text), -1);
    assert_non_null(strstr(parse.errors.items[0].message, "must be 1 to 65536, got '99"));
    assert_non_null(strstr(parse.errors.items[0].message, "99...'"));
    assert_true(strlen(parse.errors.items[0].message) < 130);
}

static void refuses_what_is_no_seed(void **state)
{
    (void)state;
    assert_bad("seed: -1", 7, "'seed' must be 0 to 18446744073709551615, got -1"); /* S58 */
    assert_bad("seed: 18446744073709551616", 7,
               "'seed' must be 0 to 18446744073709551615, got 18446744073709551616");
    assert_bad("seed: -99999999999999999999", 7,
               "'seed' must be 0 to 18446744073709551615, got -99999999999999999999");
    assert_bad("seed: 1.5", 7, "'seed' must be a whole number, got 1.5");
    assert_bad("seed: \"1\"", 7,
               "'seed' must be a whole number, got the text \"1\"; remove the quotes");
    assert_bad("seed: [1]", 7, "'seed' must be a whole number, got a list");
}

static void refuses_what_is_no_decimal(void **state)
{
    static const struct {
        const char *text;
        int column;
        const char *message;
    } cases[] = {
        {"rate: abc", 7, "'rate' must be a number, got 'abc'"},          /* S38 */
        {"rate: .nan", 7, "'rate' must be a finite number, got '.nan'"}, /* S39 */
        {"rate: nan", 7, "'rate' must be a finite number, got 'nan'"},
        {"rate: -.INF", 7, "'rate' must be a finite number, got '-.INF'"}, /* S40 */
        {"rate: inf", 7, "'rate' must be a finite number, got 'inf'"},
        {"above: 1e400", 8,
         "'above' must be a finite number, got '1e400'; it is too large to hold"},
        {"above: 1e-400", 8,
         "'above' must be a number, got '1e-400'; it is too small to hold"}, /* S42 */
        {"rate: 1e-60", 7, "'rate' must be a number, got 1e-60; it is too small to hold"},
        {"rate: 1e60", 7, "'rate' must be a finite number, got 1e60; it is too large to hold"},
        {"rate: 0,001", 7,
         "'rate' must be a number, got '0,001'; decimal comma? use a point"}, /* S43 */
        {"rate: 1.", 7,
         "'rate' must be a number, got '1.'; a digit must follow the point"}, /* S44 */
        {"rate: 1e", 7, "'rate' must be a number, got '1e'"},
        {"rate: 007", 7,
         "'rate' must be a number, got '007'; a leading zero is not accepted (YAML 1.1 would read "
         "it "
         "as octal)"},
        {"rate: 1.0", 7, "'rate' must be at least 0 and less than 1, got 1.0"}, /* S46 */
        {"rate: -0.1", 7, "'rate' must be at least 0 and less than 1, got -0.1"},
        {"rate: 0.99999999999", 7, "'rate' must be at least 0 and less than 1, got 0.99999999999"},
        {"share: 0", 8, "'share' must be more than 0 and less than 1, got 0"}, /* S41 */
        {"share: 1", 8, "'share' must be more than 0 and less than 1, got 1"},
        {"above: 0", 8, "'above' must be more than 0, got 0"},
        {"below: 1e-300", 8, "'below' must be at most 0, got 1e-300"},
        {"rate:", 6, "'rate' is empty: it must be a number"},
        {"rate: \"0.5\"", 7, "'rate' must be a number, got the text \"0.5\"; remove the quotes"},
        {"rate: [0.5]", 7, "'rate' must be a number, got a list"},
    };

    (void)state;
    for (size_t i = 0; i < COUNT(cases); i++) {
        assert_bad(cases[i].text, cases[i].column, cases[i].message);
    }
    assert_decoded("share: 0.99999999999");
}

static void refuses_bad_pairs_and_lists(void **state)
{
    (void)state;
    assert_bad("pair: abc", 7, "'pair' must be a whole number or [height, width], got 'abc'");
    assert_bad("pair: [1, 2, 3]", 7,
               "'pair' must be a whole number or [height, width], got a list of 3");
    assert_bad("pair: []", 7, "'pair' must be a whole number or [height, width], got a list of 0");
    assert_bad("pair: [1, x]", 11, "'pair' must be whole numbers, got 'x'");
    assert_bad("pair: [1, [2]]", 11, "'pair' must be whole numbers, got a list");
    assert_bad("pair: [1, 0]", 11, "'pair' must be 1 to 100, got 0");
    assert_bad("pair: 101", 7, "'pair' must be 1 to 100, got 101");
    assert_bad("pair: {h: 1}", 7,
               "'pair' must be a whole number or [height, width], got a mapping");
    assert_bad("numbers: 1", 10, "'numbers' must be a list of numbers, got 1");
    assert_bad("numbers: [1, x]", 14, "'numbers' must be a number, got 'x'");
    assert_bad("numbers: [11]", 11, "'numbers' must be 0 to 10, got 11");
}

static void a_pair_without_bounds_fits_its_integers(void **state)
{
    static const struct option rows[] = {{"p", &OPTION_PAIR, 0, NULL, 0, 0, 0, NULL, ""},
                                         OPTION_END};
    int pair[2] = {0};

    (void)state;
    assert_int_equal(decode_rows(rows, pair, "p: [-2147483648, 2147483647]"), 0);
    assert_int_equal(pair[1], 2147483647);
    assert_int_equal(decode_rows(rows, pair, "p: 2147483648"), -1);
    assert_string_equal(parse.errors.items[0].message,
                        "'p' must be in the range of its type, got 2147483648");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        PARSES(reads_numbers),
        PARSES(refuses_what_is_no_whole_number),
        PARSES(cuts_a_number_of_thousands_of_digits),
        PARSES(refuses_what_is_no_seed),
        PARSES(refuses_what_is_no_decimal),
        PARSES(refuses_bad_pairs_and_lists),
        PARSES(a_pair_without_bounds_fits_its_integers),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
