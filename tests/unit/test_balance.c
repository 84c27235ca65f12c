/* test_balance.c: epochs in which every class has as many samples as the largest. */
#include "data/balance.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

enum { COUNT = 21, CLASSES = 4, MOST = 10 };
static int32_t labels[COUNT]; /* classes of 3, 0, 10 and 8, mixed */
static struct dataset set;
static struct subset subset;
static struct balance balance;

static int open_balance(void **state)
{
    (void)state;
    const int sizes[CLASSES] = {3, 0, 10, 8};
    int n = 0;
    for (int k = 0; k < CLASSES; k++) {
        for (int i = 0; i < sizes[k]; i++) {
            labels[n++ * 8 % COUNT] = k;
        }
    }
    set = (struct dataset){.count = COUNT, .labels = labels, .classes = CLASSES};
    return subset_all(&subset, &set, NULL) || balance_open(&balance, &subset, NULL);
}

static int close_balance(void **state)
{
    (void)state;
    balance_close(&balance);
    subset_free(&subset);
    return 0;
}

/* Each class 10 times: 3 samples 3 or 4 times, 10 once, 8 once or twice; copies are numbered. */
static void test_classes_are_even(void **state)
{
    (void)state;
    uint32_t drawn[3 * MOST];
    assert_int_equal(balance.count, 3 * MOST);
    for (uint32_t epoch = 0; epoch < 50; epoch++) {
        int times[COUNT] = {0}, found[CLASSES] = {0};
        balance_draw(&balance, 9, epoch, drawn);
        for (int i = 0; i < 3 * MOST; i++) {
            const uint32_t sample = drawn_sample(drawn[i], &set);
            found[labels[sample]]++;
            assert_int_equal(drawn[i] / COUNT, times[sample]++); /* no copy comes up twice */
        }
        for (int k = 0; k < CLASSES; k++) {
            assert_int_equal(found[k], k == 1 ? 0 : MOST);
        }
        for (int i = 0; i < COUNT; i++) {
            const int least = labels[i] == 0 ? 3 : 1, most = labels[i] == 2 ? 1 : least + 1;
            assert_true(times[i] >= least && times[i] <= most);
        }
    }
}

/* A function of seed and epoch, and of both; over many epochs nobody is preferred. */
static void test_draws(void **state)
{
    (void)state;
    uint32_t one[3 * MOST], two[3 * MOST];
    int more[COUNT] = {0};
    balance_draw(&balance, 9, 4, one);
    balance_draw(&balance, 9, 4, two);
    assert_memory_equal(one, two, sizeof one);
    balance_draw(&balance, 9, 5, two);
    assert_memory_not_equal(one, two, sizeof one);
    balance_draw(&balance, 10, 4, two);
    assert_memory_not_equal(one, two, sizeof one);
    for (uint32_t epoch = 0; epoch < 3000; epoch++) {
        balance_draw(&balance, 1, epoch, one);
        for (int i = 0; i < 3 * MOST; i++) {
            more[drawn_sample(one[i], &set)]++;
        }
    }
    for (int i = 0; i < COUNT; i++) { /* six standard deviations, at most */
        const double expected = labels[i] == 0   ? 3000 * 10 / 3.0
                                : labels[i] == 2 ? 3000
                                                 : 3000 * 10 / 8.0;
        assert_true(more[i] > expected - 160 && more[i] < expected + 160);
    }
}

/* Only of a part of a set. */
static void test_part(void **state)
{
    (void)state;
    struct subset part = {.set = &set, .index = (uint32_t[]){2, 5, 8, 13}, .count = 4};
    struct balance b;
    uint32_t drawn[COUNT];
    assert_int_equal(balance_open(&b, &part, NULL), 0);
    assert_true(b.count <= COUNT);
    balance_draw(&b, 1, 0, drawn);
    for (size_t i = 0; i < b.count; i++) {
        const uint32_t sample = drawn_sample(drawn[i], &set);
        assert_true(sample == 2 || sample == 5 || sample == 8 || sample == 13);
    }
    balance_close(&b);
    assert_null(b.order);
}

/* 70,000 samples of which one is of class 1: 69,999 copies of it would have numbers over 2^32. */
static void test_too_unequal(void **state)
{
    (void)state;
    enum { MANY = 70000 };
    static int32_t unequal[MANY];
    unequal[7] = 1;
    struct dataset many = {.path = "x", .count = MANY, .labels = unequal, .classes = 2};
    struct subset all;
    struct balance b;
    struct error e = {.offset = -1};
    assert_int_equal(subset_all(&all, &many, NULL), 0);
    assert_int_equal(balance_open(&b, &all, &e), -1);
    assert_int_equal(e.kind, ERROR_LIMIT);
    assert_string_equal(e.message,
                        "the classes are too unequal to over-sample: 70000 copies of an image");
    assert_null(b.order);
    subset_free(&all);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_classes_are_even, open_balance, close_balance),
        cmocka_unit_test_setup_teardown(test_draws, open_balance, close_balance),
        cmocka_unit_test_setup_teardown(test_part, open_balance, close_balance),
        cmocka_unit_test(test_too_unequal),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
