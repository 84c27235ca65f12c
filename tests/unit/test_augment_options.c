/* test_augment_options.c: how a config says what is done to images (augment_options.c): ranges as
 * one number or two, the list, what is refused, and that what is written out reads back the same.
 */
#include "augment_check.h"

/* Faults: the text, where the first of them is, and how it ends. */
static const struct {
    const char *list;
    int column;
    const char *message;
} FAULTS[] = {
    {"rotate", 1, "'augment' must be a list of augmentations, got text"},
    {"{rotate: 15}", 1, "'augment' must be a list of augmentations, got a mapping"},
    {"[rotat: 15]", 2, "unknown augmentation 'rotat'; did you mean 'rotate'?"},
    {"[rotate]", 2, "missing key 'degrees' in rotate"},
    {"[rotate: fast]", 10, "'degrees' must be a number, got 'fast'"},
    {"[rotate: -15]", 10, "'degrees' must be 0 to 360, got -15"},
    {"[rotate: 361]", 10, "'degrees' must be 0 to 360, got 361"},
    {"[rotate: [-361, 0]]", 11, "'degrees' must be -360 to 360, got -361"},
    {"[rotate: [5]]", 10, "'degrees' must be a number or [low, high], got a list of 1"},
    {"[rotate: [1, 2, 3]]", 10, "'degrees' must be a number or [low, high], got a list of 3"},
    {"[rotate: [15, -15]]", 10, "'degrees' must be [low, high], got the greater first"},
    {"[rotate: {degrees: 5, p: 1.5}]", 26, "'p' must be 0 to 1, got 1.5"},
    {"[rotate: {degrees: 5, fill: 128}]", 29, "'fill' must be 0 to 1, got 128"},
    {"[rotate: {degrees: 5, interpolation: cubic}]", 38,
     "unknown interpolation 'cubic'; known values: bilinear, nearest"},
    {"[rotate: {degree: 5}]", 11, "unknown key 'degree' in rotate; did you mean 'degrees'?"},
    {"[zoom: 1]", 8, "'factor' must be 0 to 0.99, got 1"},
    {"[zoom: [0, 2]]", 9, "'factor' must be 0.01 to 100, got 0"},
    {"[brightness: 1.5]", 14, "'factor' must be 0 to 1, got 1.5"},
    {"[translate: 2]", 13, "'share' must be 0 to 1, got 2"},
    {"[noise: -0.1]", 9, "'std' must be 0 to 1, got -0.1"},
    {"[flip: sideways]", 8,
     "unknown direction 'sideways'; known values: horizontal, vertical, both"},
    {"[crop]", 2, "crop needs a 'padding' or a 'size' above 0"},
    {"[{flip: both, rotate: 3}]", 15, "one augmentation per item, got 2"},
    {"[15]", 2, "expected an augmentation name, got a number"},
    {"[~]", 2, "empty augmentation"},
};

static void test_faults(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT(FAULTS); i++) {
        assert_int_equal(read_list(FAULTS[i].list), -1);
        const struct error *e = &parse.errors.items[0];
        if (parse.errors.total != 1 || strcmp(e->message, FAULTS[i].message) != 0 ||
            e->column != FAULTS[i].column || e->kind != ERROR_CONFIG) {
            fail_msg("%s: %d: %s (%lld faults)", FAULTS[i].list, e->column, e->message,
                     parse.errors.total);
        }
    }
}

static void test_too_many(void **state)
{
    (void)state;
    char text[1000] = "[";
    for (int i = 0; i < 101; i++) {
        strcat(text, i > 0 ? ",flip" : "flip");
    }
    strcat(text, "]");
    assert_int_equal(read_list(text), -1);
    assert_string_equal(parse.errors.items[0].message, "more than 100 augmentations");
    assert_int_equal(parse.errors.items[0].column, 2 + 500);
}

/* As given, and as config.yaml has it. */
static const struct {
    const char *given, *written;
} FORMS[] = {
    {"[]", ""},
    {"[rotate: 15]", "\n  - rotate: {degrees: 15, fill: 0, interpolation: bilinear, p: 1}"},
    {"[rotate: [-15, 15]]", "\n  - rotate: {degrees: 15, fill: 0, interpolation: bilinear, p: 1}"},
    {"[rotate: [0, 15]]",
     "\n  - rotate: {degrees: [0, 15], fill: 0, interpolation: bilinear, p: 1}"},
    {"[zoom: 0.1]", "\n  - zoom: {factor: [0.9, 1.1], fill: 0, interpolation: bilinear, p: 1}"},
    {"[noise: 0.1, noise: [0, 0.25]]",
     "\n  - noise: {std: 0.1, p: 1}\n  - noise: {std: [0, 0.25], p: 1}"},
    {"[flip: vertical, flip]", "\n  - flip: {direction: vertical, alternate: false, p: 0.5}\n  - "
                               "flip: {direction: horizontal, alternate: false, p: 0.5}"},
    {"[crop: 4]", "\n  - crop: {padding: 4, size: 0, fill: 0, fill_mode: constant, interpolation: "
                  "bilinear, p: 1}"},
};

static void test_forms(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT(FORMS); i++) {
        struct text out = {0}, again = {0};
        assert_int_equal(read_list(FORMS[i].given), 0);
        OPTION_AUGMENT.emit(NULL, &made.list, &out, 0);
        assert_string_equal(out.length ? out.data : "", FORMS[i].written);
        if (out.length > 0) {
            assert_int_equal(read_list(out.data), 0);
            OPTION_AUGMENT.emit(NULL, &made.list, &again, 0);
            assert_string_equal(again.data, FORMS[i].written);
        }
        text_free(&out);
        text_free(&again);
    }
}

/* Uniform over the range, ends included in the sense of the reals; exact where it is a point. */
static void test_draws(void **state)
{
    struct draws draws = {.seed = 1, .sample = 2, .epoch = 3, .stream = RNG_AUGMENT, .used = 4};
    double sum = 0, least = 10, most = -10;
    int seen[7] = {0};
    (void)state;
    for (int i = 0; i < 7000; i++) {
        const double x = draws_range(&draws, (struct range){-2, 6});
        sum += x;
        least = fmin(least, x);
        most = fmax(most, x);
        seen[draws_below(&draws, 7)]++;
        assert_true(draws_range(&draws, (struct range){1.1, 1.1}) == 1.1);
    }
    assert_true(fabs(sum / 7000 - 2) < 5 * 8 / sqrt(12 * 7000.0));
    assert_true(least > -2 && least < -1.98 && most < 6 && most > 5.98);
    for (int i = 0; i < 7; i++) {
        assert_in_range(seen[i], 850, 1150);
    }
    /* the words are Philox's, from block 0 */
    draws = (struct draws){.seed = 1, .sample = 2, .epoch = 3, .stream = RNG_AUGMENT, .used = 4};
    for (uint32_t i = 0; i < 9; i++) {
        assert_true(draws_uniform(&draws) ==
                    rng_uniform(philox(1, i / 4, 2, 3, RNG_AUGMENT).v[i % 4]));
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_faults),
        cmocka_unit_test(test_too_many),
        cmocka_unit_test(test_forms),
        cmocka_unit_test(test_draws),
    };
    return cmocka_run_group_tests(tests, NULL, end_augment);
}
