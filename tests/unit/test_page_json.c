/* test_page_json.c: the parts of a page's data that no run shows easily: logs as others left them,
 * very long ones, texts with bytes that are no text, many mistakes, many classes. */
#include "report/json.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static double value_at(const json_t *log, const char *column, size_t row)
{
    const json_t *value = json_array_get(json_object_get(log, column), row);
    assert_non_null(value);
    return json_is_null(value) ? NAN : json_number_value(value);
}

static void test_log(void **state)
{
    (void)state;
    double seconds;
    json_t *log =
        json_log("epoch,lr,val_loss,seconds,extra\n1,0.5,,1.5,7\n2,0.25,3e-1,2.25,x\n", &seconds);
    assert_int_equal(json_object_size(log), 4); /* no times */
    assert_true(value_at(log, "epoch", 1) == 2 && value_at(log, "lr", 1) == 0.25);
    assert_true(isnan(value_at(log, "val_loss", 0)) && value_at(log, "val_loss", 1) == 0.3);
    assert_true(value_at(log, "extra", 0) == 7 && isnan(value_at(log, "extra", 1)));
    assert_true(seconds == 3.75);
    json_decref(log);
}

static void test_short_logs(void **state)
{
    (void)state;
    double seconds;
    static const char *const logs[] = {"", "epoch", "epoch\n", "epoch,lr\n1", "epoch\n\n"};
    for (size_t i = 0; i < sizeof logs / sizeof *logs; i++) {
        json_t *log = json_log(logs[i], &seconds);
        assert_true(json_is_object(log) && seconds == 0);
        json_decref(log);
    }
}

/* 4,001 epochs: each third, and the last. */
static void test_long_log(void **state)
{
    (void)state;
    struct text csv = {0};
    double seconds;
    text_append(&csv, "epoch,seconds\n");
    for (int i = 1; i <= 4001; i++) {
        text_append(&csv, "%d,1\n", i);
    }
    json_t *log = json_log(csv.data, &seconds);
    assert_int_equal(json_array_size(json_object_get(log, "epoch")), 4001 / 3 + 1);
    assert_true(value_at(log, "epoch", 0) == 3 && value_at(log, "epoch", 1333) == 4001);
    assert_true(seconds == 4001);
    json_decref(log);
    text_free(&csv);
}

static void assert_text(const char *text, const char *want)
{
    json_t *string = json_safe_text(text);
    assert_string_equal(json_string_value(string), want);
    json_decref(string);
}

static void test_texts(void **state)
{
    (void)state;
    char longest[3000], want[3000];
    assert_text("", "");
    assert_text("a\nb\n", "a\nb\n");
    assert_text("\xff"
                "a\x1b[0m\xc3",
                "\\xFFa\\x1B[0m\\xC3");
    memset(longest, 'x', sizeof longest);
    memcpy(longest + 255, "\xc3\xbc", 2); /* across the edge of a piece */
    longest[2999] = '\0';
    memcpy(want, longest, sizeof want);
    assert_text(longest, want);
}

/* 50 mistakes, of which the 40 with the greatest outputs stay, equal ones in their order; 100
 * classes are no matrix. */
static void test_outcome(void **state)
{
    (void)state;
    enum { N = 50, CLASSES = 100 };
    uint8_t bytes[N] = {0};
    uint32_t index[N];
    int32_t labels[N] = {0};
    char names[CLASSES][12];
    const char *values[CLASSES];
    const struct dataset set = {
        .count = N, .c = 1, .h = 1, .w = 1, .bytes = bytes, .labels = labels, .held = N};
    for (int i = 0; i < CLASSES; i++) {
        snprintf(names[i], sizeof names[i], "%d", i);
        values[i] = names[i];
    }
    for (uint32_t i = 0; i < N; i++) {
        index[i] = N - 1 - i;
    }
    const struct subset subset = {&set, index, N};
    const struct texts texts = {.count = CLASSES, .values = values};
    struct outcome outcome;
    float p[CLASSES] = {0};
    struct error e;
    assert_int_equal(outcome_open(&outcome, &subset, CLASSES, 1, 0, &e), 0);
    for (int i = 0; i < N; i++) {
        p[1 + i % 2] = 0.5f + (float)(i / 10) / 16; /* ten of each size */
        p[2 - i % 2] = 0;
        assert_int_equal(outcome_add(&outcome, p, 1, 0, 0, 1), 1 + i % 2);
    }
    assert_int_equal(outcome.mistakes, MOST_MISTAKES);
    for (int i = 0; i < MOST_MISTAKES; i++) {
        const int number = 40 - i / 10 * 10 + i % 10;
        assert_int_equal(outcome.mistake[i].sample, N - 1 - number);
        assert_int_equal(outcome.mistake[i].prediction, 1 + number % 2);
    }
    json_t *json = json_outcome(&outcome, &texts, &e);
    assert_true(json_is_null(json_object_get(json, "confusion")));
    assert_true(json_is_null(json_object_get(json, "calibration")));
    char *pairs = json_dumps(json_object_get(json, "pairs"), JSON_COMPACT);
    assert_string_equal(pairs, "[[0,1,25],[0,2,25]]");
    free(pairs);
    json_decref(json);
    outcome_clear(&outcome);
    assert_int_equal(outcome.metrics.count, 0);
    assert_int_equal(outcome.metrics.confusion[1], 0);
    outcome_close(&outcome);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_log),      cmocka_unit_test(test_short_logs),
        cmocka_unit_test(test_long_log), cmocka_unit_test(test_texts),
        cmocka_unit_test(test_outcome),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
