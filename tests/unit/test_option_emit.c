/* test_option_emit.c: options written out and read back, and the lists of --list. */
#include "base/rng.h"
#include "option_check.h"

static void writes_blocks(void **state)
{
    struct text out = {0};

    (void)state;
    assert_decoded("{name: net, any: -3, numbers: [1, 0.5], texts: [a, '1'], inner: {label: x y}}");
    options_emit(all_rows, &all, &out, 2);
    assert_false(out.failed);
    assert_string_equal(out.data, "  count: 8\n"
                                  "  any: -3\n"
                                  "  seed: 0\n"
                                  "  rate: 0.5\n"
                                  "  share: 0.1\n"
                                  "  above: 1\n"
                                  "  below: -1\n"
                                  "  flag: true\n"
                                  "  pair: [5, 3]\n"
                                  "  name: net\n"
                                  "  fit: pad\n"
                                  "  numbers: [1, 0.5]\n"
                                  "  texts: [a, \"1\"]\n"
                                  "  choice: {type: adam, lr: 0.001, beta: 0.9}\n"
                                  "  inner:\n"
                                  "    width: 7\n"
                                  "    label: \"x y\"\n");
    text_free(&out);
}

static void writes_flow(void **state)
{
    struct text out = {0};

    (void)state;
    assert_decoded("{choice: relu, pair: 4}");
    options_emit_flow(all_rows, &all, &out);
    assert_string_equal(
        out.data,
        "{count: 8, any: 0, seed: 0, rate: 0.5, share: 0.1, above: 1, below: -1, flag: true, "
        "pair: 4, fit: pad, choice: relu, inner: {width: 7}}");
    text_free(&out);

    const struct option none[] = {OPTION_END};

    options_emit_flow(none, NULL, &out);
    assert_string_equal(out.data, "{}");
    text_free(&out);
}

/* A group of nothing is still a mapping, a choice of nothing is no key at all. */
static void leaves_out_what_is_not_there(void **state)
{
    static const struct option label[] = {{"label", &OPTION_TEXT, 0, "", 0, 0, 0, NULL, ""},
                                          OPTION_END};
    static const struct group group = {label, sizeof(char *), NULL};
    static const struct option rows[] = {
        {"g", &OPTION_GROUP, 0, "{}", 0, 0, 0, &group, ""},
        {"c", &OPTION_FAMILY, sizeof(char *), "", 0, 0, 0, &family, ""},
        OPTION_END};
    unsigned char zero[sizeof(char *) + sizeof(struct choice)] = {0};
    struct text out = {0};

    (void)state;
    options_emit(rows, zero, &out, 0);
    assert_string_equal(out.data, "g: {}\n");
    text_free(&out);
}

static void quotes_what_must_be(void **state)
{
    static const struct {
        const char *text, *yaml;
    } cases[] = {
        {"lenet5", "lenet5"},
        {"data/train-images.idx3.gz", "data/train-images.idx3.gz"},
        {"/tmp/x", "/tmp/x"},
        {"../x", "../x"},
        {"", "\"\""},
        {"5", "\"5\""},
        {"1e5", "\"1e5\""},
        {".5", "\".5\""},
        {".nan", "\".nan\""},
        {"-x", "\"-x\""},
        {"~", "\"~\""},
        {"null", "\"null\""},
        {"True", "\"True\""},
        {"no", "\"no\""},
        {"2020-01-01", "\"2020-01-01\""},
        {"a: b", "\"a: b\""},
        {"a #b", "\"a #b\""},
        {"[x]", "\"[x]\""},
        {"a\"b\\c", "\"a\\\"b\\\\c\""},
        {"a\tb\nc\rd", "\"a\\tb\\nc\\rd\""},
        {"\x01\x7f", "\"\\x01\\x7F\""},
        {"\xc2\x85\xc2\xa0", "\"\\x85\xc2\xa0\""},
        {"\xe2\x80\xa8\xef\xbb\xbf\xef\xbf\xbf", "\"\\u2028\\uFEFF\\uFFFF\""},
        {"\xe6\x97\xa5\xf0\x9f\x98\x80", "\"\xe6\x97\xa5\xf0\x9f\x98\x80\""},
        {"${A}", "\"$${A}\""},
        {"$${A}$", "\"$$${A}$\""},
    };

    (void)state;
    for (size_t i = 0; i < COUNT(cases); i++) {
        struct text out = {0};

        text_append(&out, "name: ");
        option_emit_text(&out, cases[i].text);
        assert_string_equal(out.data + 6, cases[i].yaml);
        if (cases[i].text[0] != '\0') {
            assert_decoded(out.data);
            assert_string_equal(all.name, cases[i].text);
        }
        text_free(&out);
    }
    struct text out = {0};

    option_emit_text(&out, "a\xff\xe2\x80");
    assert_string_equal(out.data, "\"a\\uFFFD\\uFFFD\\uFFFD\"");
    text_free(&out);
}

/* What is written reads back to the same numbers, bit for bit, and is then written the same way. */
static void survives_the_round_trip(void **state)
{
    (void)state;
    for (uint32_t i = 0; i < 300; i++) {
        const struct philox_words words = philox(3, i, 0, 0, 77);
        struct text in = {0}, first = {0}, second = {0};
        char number[32];

        text_append(&in, "{count: %u, any: %d, seed: %u%u, ", words.v[0] % 65536 + 1,
                    (int)words.v[1], words.v[0] % 9 + 1, words.v[2]);
        text_append(&in, "rate: %s, ", text_from_float(number, rng_uniform(words.v[1])));
        text_append(&in, "above: %s, ",
                    text_from_double(number, ldexp((double)words.v[2] + 1, (int)(i * 6) - 1000)));
        text_append(&in, "share: %s, ", text_from_double(number, (words.v[3] + 0.5) / 0x1p32));
        text_append(&in, "numbers: [%s], ", text_from_double(number, (double)words.v[0] / 0x1p30));
        text_append(&in, "choice: {type: adam, lr: %s}}",
                    text_from_float(number, rng_uniform(words.v[3])));
        assert_decoded(in.data);

        const struct all before = all;
        const struct adam adam_before = *(const struct adam *)all.choice.options;
        const double number_before = all.numbers.values[0];

        options_emit(all_rows, &all, &first, 0);
        assert_decoded(first.data);
        assert_memory_equal(&all, &before, offsetof(struct all, name));
        assert_memory_equal(all.choice.options, &adam_before, sizeof adam_before);
        assert_memory_equal(all.numbers.values, &number_before, sizeof number_before);
        options_emit(all_rows, &all, &second, 0);
        assert_string_equal(first.data, second.data);
        text_free(&in);
        text_free(&first);
        text_free(&second);
    }
}

static void lists_rows(void **state)
{
    struct text out = {0};

    (void)state;
    options_list(conv_rows, &out, 2);
    assert_string_equal(out.data,
                        "  filters  integer            required  1 to 65536  output channels\n"
                        "  kernel   integer or [h, w]  3         1 to 100    size of the window\n");
    text_free(&out);
    options_list(inner_rows, &out, 0);
    assert_string_equal(out.data, "width  integer  7  1 to 9  width\n"
                                  "label  text     -          label\n");
    text_free(&out);
    options_list(all_rows, &out, 0);
    assert_non_null(strstr(out.data, "more than 0 and less than 1"));
    assert_non_null(strstr(out.data, "at most 0"));
    assert_non_null(strstr(out.data, "adam | conv | relu"));
    assert_non_null(strstr(out.data, "\n  width  integer  7  1 to 9  width\n"));
    text_free(&out);
}

static void lists_families(void **state)
{
    struct text out = {0};

    (void)state;
    family_list(&family, &out);
    assert_string_equal(out.data,
                        "adam  adaptive moments\n"
                        "    lr    number  0.001  more than 0 and at most 100  learning rate\n"
                        "    beta  number  0.9    at least 0 and less than 1   decay\n"
                        "conv  convolution\n"
                        "    filters  integer            required  1 to 65536  output channels\n"
                        "    kernel   integer or [h, w]  3         1 to 100    size of the window\n"
                        "relu  max(0, x)\n");
    text_free(&out);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        PARSES(writes_blocks),
        PARSES(writes_flow),
        PARSES(leaves_out_what_is_not_there),
        PARSES(quotes_what_must_be),
        PARSES(survives_the_round_trip),
        PARSES(lists_rows),
        PARSES(lists_families),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
