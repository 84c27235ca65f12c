/* test_option_text.c: booleans, words, texts and the environment in them. */
#include "option_check.h"

static void reads_booleans_and_words(void **state)
{
    (void)state;
    assert_decoded("{flag: false, fit: crop}");
    assert_int_equal(all.flag, 0);
    assert_ptr_equal(all.fit, fits[2]);
    assert_decoded("{flag: true, fit: \"stretch\"}");
    assert_int_equal(all.flag, 1);
    assert_ptr_equal(all.fit, fits[1]);
}

static void refuses_what_is_no_boolean(void **state)
{
    static const struct {
        const char *value, *rest;
    } cases[] = {
        {"yes", "got 'yes'; write true"},
        {"True", "got 'True'; write true"},
        {"ON", "got 'ON'; write true"},
        {"1", "got 1; write true"},
        {"no", "got 'no'; write false"},
        {"FALSE", "got 'FALSE'; write false"},
        {"off", "got 'off'; write false"},
        {"0", "got 0; write false"},
        {"maybe", "got 'maybe'"},
        {"[true]", "got a list"},
        {"\"true\"", "got the text \"true\"; remove the quotes"},
    };

    (void)state;
    for (size_t i = 0; i < COUNT(cases); i++) { /* S53, S54 */
        char text[64], message[128];

        snprintf(text, sizeof text, "flag: %s", cases[i].value);
        snprintf(message, sizeof message, "'flag' must be true or false, %s", cases[i].rest);
        assert_bad(text, 7, message);
    }
    assert_bad("flag:", 6, "'flag' is empty: it must be true or false");
}

static void refuses_unknown_words(void **state)
{
    (void)state;
    assert_bad("fit: padd", 6, "unknown fit 'padd'; did you mean 'pad'?"); /* S51 */
    assert_bad("fit: xyzzy", 6, "unknown fit 'xyzzy'; known values: pad, stretch, crop");
    assert_bad("fit: 5", 6, "unknown fit '5'; known values: pad, stretch, crop");
    assert_bad("fit: \"\"", 6, "unknown fit ''; known values: pad, stretch, crop");
    assert_bad("fit: [pad]", 6, "'fit' must be pad, stretch or crop, got a list");
    assert_bad("fit:", 5, "'fit' is empty: it must be pad, stretch or crop");
}

static void reads_texts(void **state)
{
    (void)state;
    assert_decoded("{name: lenet5, texts: [zero, 1, \"two\", true]}");
    assert_string_equal(all.name, "lenet5");
    assert_int_equal(all.texts.count, 4);
    assert_string_equal(all.texts.values[1], "1");
    assert_string_equal(all.texts.values[3], "true");
    assert_decoded("name: \"  two\\nlines \"");
    assert_string_equal(all.name, "  two\nlines ");
    assert_decoded("texts: []");
    assert_int_equal(all.texts.count, 0);
    assert_non_null(all.texts.values);
}

static void refuses_what_is_no_text(void **state)
{
    (void)state;
    assert_bad("name: \"\"", 7, "'name' is empty"); /* S63 */
    assert_bad("name:", 6, "'name' is empty: it must be text");
    assert_bad("name: [a]", 7, "'name' must be text, got a list");
    assert_bad("texts: a", 8, "'texts' must be a list of texts, got 'a'");
    assert_bad("texts: [a, \"\"]", 12, "an item of 'texts' is empty");
    assert_bad("texts: [a, {b: c}]", 12, "'texts' must be text, got a mapping");
}

static void expands_the_environment(void **state)
{
    static const struct {
        const char *text, *value;
    } cases[] = {
        {"${CNN_A}", "alpha"},
        {"x/${CNN_A}/${CNN_B}.gz", "x/alpha/b }.gz"},
        {"${CNN_A:-other}", "alpha"},
        {"${CNN_NONE:-other}", "other"},
        {"${CNN_EMPTY:-other}", "other"},
        {"x${CNN_EMPTY}", "x"},
        {"x${CNN_NONE:-}", "x"},
        {"${CNN_NONE:-a:-b}", "a:-b"},
        {"$CNN_A", "$CNN_A"},
        {"cost: 5$", "cost: 5$"},
        {"$${CNN_A}", "${CNN_A}"},
        {"$$${CNN_A}", "$${CNN_A}"},
        {"$$", "$$"},
        {"{}", "{}"},
    };

    (void)state;
    setenv("CNN_A", "alpha", 1);
    setenv("CNN_B", "b }", 1);
    setenv("CNN_EMPTY", "", 1);
    unsetenv("CNN_NONE");
    for (size_t i = 0; i < COUNT(cases); i++) {
        char text[64];

        snprintf(text, sizeof text, "name: '%s'", cases[i].text);
        assert_decoded(text);
        assert_string_equal(all.name, cases[i].value);
    }
    assert_decoded("texts: ['${CNN_A}']");
    assert_string_equal(all.texts.values[0], "alpha");
}

static void refuses_bad_expansions(void **state)
{
    char *large = malloc(4098);

    (void)state;
    assert_non_null(large);
    memset(large, 'x', 4097);
    large[4097] = '\0';
    setenv("CNN_LARGE", large, 1);
    setenv("CNN_BYTES", "\xff", 1);
    setenv("CNN_EMPTY", "", 1);
    unsetenv("CNN_NONE");
    assert_bad("name: ${CNN_NONE}", 7,
               "'name' needs the environment variable 'CNN_NONE', which is not set");
    assert_bad("name: ${CNN_BYTES}", 7,
               "'name' needs the environment variable 'CNN_BYTES', which is not UTF-8");
    assert_bad("name: ${CNN_EMPTY}", 7, "'name' is empty");
    assert_bad("name: ${CNN_LARGE}", 7, "'name' is longer than 4096 bytes");
    assert_bad("name: a${CNN", 7, "'name' has '${' without '}'");
    assert_bad("name: ${}", 7, "'name' has '${}', which names no variable");
    assert_bad("name: ${1A}", 7, "'name' has '${1A}', which names no variable");
    assert_bad("name: ${A B}", 7, "'name' has '${A B}', which names no variable");
    assert_bad("name: ${:-x}", 7, "'name' has '${}', which names no variable");
    large[4096] = '\0';
    setenv("CNN_LARGE", large, 1);
    assert_decoded("name: ${CNN_LARGE}");
    assert_int_equal(strlen(all.name), 4096);
    unsetenv("CNN_LARGE");
    free(large);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        PARSES(reads_booleans_and_words), PARSES(refuses_what_is_no_boolean),
        PARSES(refuses_unknown_words),    PARSES(reads_texts),
        PARSES(refuses_what_is_no_text),  PARSES(expands_the_environment),
        PARSES(refuses_bad_expansions),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
