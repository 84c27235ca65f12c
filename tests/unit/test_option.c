/* test_option.c: mappings against tables: unknown and missing keys, defaults, families, groups; the
 * names S.. are those of the list of bad inputs. */
#include "option_check.h"

static void defaults_fill_what_is_absent(void **state)
{
    (void)state;
    assert_decoded("{}");
    assert_int_equal(all.count, 8);
    assert_int_equal(all.any, 0);
    assert_true(all.rate == 0.5f);
    assert_true(all.share == 0.1);
    assert_int_equal(all.flag, 1);
    assert_int_equal(all.pair[0], 5);
    assert_int_equal(all.pair[1], 3);
    assert_null(all.name);
    assert_string_equal(all.fit, "pad");
    assert_null(all.numbers.values);
    assert_ptr_equal(all.choice.type, &adam);
    assert_null(all.choice.where);
    assert_true(((struct adam *)all.choice.options)->lr == 0.001f);
    assert_int_equal(all.inner.width, 7);
    assert_null(all.inner.label);
}

static void takes_nothing_for_all_defaults(void **state)
{
    struct decoder decoder = {&parse.arena, &parse.errors};

    (void)state;
    assert_int_equal(options_decode(all_rows, &all, NULL, "test", NULL, &decoder), 0);
    assert_int_equal(all.count, 8);
    assert_decoded("~");
    assert_decoded("inner:");
    assert_int_equal(all.inner.width, 7);
}

static void names_unknown_keys(void **state)
{
    (void)state;
    assert_bad("cuont: 3", 1, "unknown key 'cuont' in test; did you mean 'count'?"); /* S07 */
    assert_bad("Count: 3", 1, "unknown key 'Count' in test; did you mean 'count'?"); /* S08 */
    assert_bad("{momentum: 3}", 2,
               "unknown key 'momentum' in test; known keys: count, any, seed, rate, share, above, "
               "below, flag, pair, name, fit, numbers, texts, choice, inner");
    assert_bad("inner: {width: 3, wdith: 4}", 19,
               "unknown key 'wdith' in inner; did you mean 'width'?");
    assert_bad("choice: {type: relu, x: 1}", 22, "unknown key 'x' in relu; there are none");
    assert_bad("choice: {type: adam, momentum: 0.9}", 22, /* S49 */
               "unknown key 'momentum' in adam; known keys: lr, beta");
    /* A decimal comma inside braces makes a key. */
    assert_bad("{rate: 0,001}", 10, "unknown key '001' in test; a decimal comma? write a point");
}

static void names_missing_keys(void **state)
{
    struct conv options = {0};

    (void)state;
    assert_int_equal(decode_rows(conv_rows, &options, "\n  kernel: 5\n"), -1);
    assert_int_equal(parse.errors.total, 1);
    assert_string_equal(parse.errors.items[0].message, "missing key 'filters' in test");
    assert_int_equal(parse.errors.items[0].line, 2);
    assert_int_equal(parse.errors.items[0].column, 3);
    /* S09: one fault, not two */
    assert_int_equal(decode_rows(conv_rows, &options, "filtres: 5"), -1);
    assert_int_equal(parse.errors.total, 1);
    /* At the top there is nothing to be in, and without a text there is no place. */
    struct decoder decoder = {&parse.arena, &parse.errors};

    assert_int_equal(options_decode(conv_rows, &options, NULL, "", NULL, &decoder), -1);
    assert_string_equal(parse.errors.items[1].message, "missing key 'filters'");
    assert_int_equal(parse.errors.items[1].line, 0);
}

static void wants_a_mapping(void **state)
{
    (void)state;
    assert_bad("[a]", 1, "expected a mapping in test, got a list");
    assert_bad("inner: 5", 8, "expected a mapping in inner, got text");
}

static void reports_every_fault_in_one_pass(void **state)
{
    (void)state;
    memset(&all, 0, sizeof all);
    assert_int_equal(
        decode_rows(
            all_rows, &all,
            "count: 0\nrate: abc\nflag: yes\nchoice: {type: adma}\ninner: {width: 0, x: 1}\n"
            "pair: [0, 0]\nseed: 42\n"),
        -1);
    assert_int_equal(parse.errors.total, 8);
    assert_int_equal(all.seed, 42);
    for (int i = 1; i < 8; i++) {
        assert_true(parse.errors.items[i].line >= parse.errors.items[i - 1].line);
    }
}

static void counts_what_it_does_not_show(void **state)
{
    struct text text = {0};

    (void)state;
    for (int i = 0; i < 9000; i++) { /* L16 */
        text_append(&text, "k%d: 1\n", i);
    }
    assert_int_equal(decode_rows(all_rows, &all, text.data), -1);
    assert_int_equal(parse.errors.total, 9000);
    assert_int_equal(parse.errors.count, 20);
    text_free(&text);
}

static void chooses_from_a_family(void **state)
{
    (void)state;
    assert_decoded("choice: relu");
    assert_ptr_equal(all.choice.type, &relu);
    assert_null(all.choice.options);
    assert_int_equal(all.choice.where->column, 9);
    assert_decoded("choice: {lr: 0.1, type: adam}");
    assert_true(((struct adam *)all.choice.options)->lr == 0.1f);
    assert_true(((struct adam *)all.choice.options)->beta == 0.9f);

    assert_bad("choice: adma", 9, "unknown optimizer 'adma'; did you mean 'adam'?");
    assert_bad("choice: xyzzy", 9, "unknown optimizer 'xyzzy'; known optimizers: adam, conv, relu");
    assert_bad("choice: {type: adma}", 16, "unknown optimizer 'adma'; did you mean 'adam'?");
    assert_bad("choice: {lr: 0.1}", 9, "missing key 'type' in choice");
    assert_bad("choice: {adam: {lr: 0.1}}", 10,
               "missing key 'type' in choice: write {type: adam, ...}");
    assert_bad("choice: [adam]", 9,
               "'choice' must be an optimizer name or {type: name, ...}, got a list");
    assert_bad("choice:", 8,
               "'choice' is empty: it must be an optimizer name or {type: name, ...}");
    assert_bad("choice: 5", 9, "expected an optimizer name, got a number");
    assert_bad("choice: {type: [a]}", 16, "expected an optimizer name, got a list");
    assert_bad("choice: conv", 9, "missing key 'filters' in conv");
    assert_bad("choice: {type: adam, lr: 0}", 26,
               "'lr' must be more than 0 and at most 100, got 0");
}

/* Items of a list of members */

static int decode_item(const char *text, struct choice *choice)
{
    static const struct family layers = {"layer", "layers", members};

    read_text(text);
    return item_decode(&layers, choice, parse.root, &(struct decoder){&parse.arena, &parse.errors});
}

static void reads_items(void **state)
{
    struct choice choice = {0};

    (void)state;
    assert_int_equal(decode_item("relu", &choice), 0);
    assert_ptr_equal(choice.type, &relu);
    assert_int_equal(decode_item("relu:", &choice), 0);
    assert_int_equal(decode_item("relu: {}", &choice), 0);
    assert_int_equal(decode_item("conv: 6", &choice), 0);
    assert_int_equal(((struct conv *)choice.options)->filters, 6);
    assert_int_equal(((struct conv *)choice.options)->kernel[1], 3);
    assert_string_equal(choice.where->text, "conv");
    assert_int_equal(decode_item("conv: {filters: 6, kernel: [5, 4]}", &choice), 0);
    assert_int_equal(((struct conv *)choice.options)->kernel[1], 4);
}

static void refuses_bad_items(void **state)
{
    static const struct {
        const char *text;
        int column;
        const char *message;
    } cases[] = {
        {"convolutonal", 1,
         "unknown layer 'convolutonal'; known layers: adam, conv, relu"}, /* S10 */
        {"conf: 5", 1, "unknown layer 'conf'; did you mean 'conv'?"},
        {"{conv: 5, relu: }", 11, "one layer per item, got 2"}, /* S11 */
        {"{}", 1, "one layer per item, got 0"},
        {"5", 1, "expected a layer name, got a number"}, /* S12 */
        {"-0.5", 1, "expected a layer name, got a number"},
        {"~", 1, "empty layer"}, /* S13 */
        {"[conv]", 1, "expected a layer name, got a list"},
        {"\"\"", 1, "expected a layer name, got text"},
        {"relu: 5", 7, "'relu' takes no value"},
        {"relu: {a: 5}", 8, "unknown key 'a' in relu; there are none"},
        {"conv:", 1, "missing key 'filters' in conv"},
        {"conv", 1, "missing key 'filters' in conv"},
        {"conv: {}", 7, "missing key 'filters' in conv"},
        {"conv: 0", 7, "'filters' must be 1 to 65536, got 0"},
        {"conv: [1]", 7, "'filters' must be a whole number, got a list"},
    };

    (void)state;
    for (size_t i = 0; i < COUNT(cases); i++) {
        struct choice choice = {0};

        assert_int_equal(decode_item(cases[i].text, &choice), -1);
        assert_int_equal(parse.errors.total, 1);
        assert_string_equal(parse.errors.items[0].message, cases[i].message);
        assert_int_equal(parse.errors.items[0].column, cases[i].column);
    }
}

static void finds_members(void **state)
{
    (void)state;
    assert_ptr_equal(family_find(&family, "relu"), &relu);
    assert_null(family_find(&family, "rel"));
    assert_null(family_find(&family, ""));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        PARSES(defaults_fill_what_is_absent),
        PARSES(takes_nothing_for_all_defaults),
        PARSES(names_unknown_keys),
        PARSES(names_missing_keys),
        PARSES(wants_a_mapping),
        PARSES(reports_every_fault_in_one_pass),
        PARSES(counts_what_it_does_not_show),
        PARSES(chooses_from_a_family),
        PARSES(reads_items),
        PARSES(refuses_bad_items),
        PARSES(finds_members),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
