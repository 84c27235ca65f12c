/* test_stopwatch.c: the rows of a stopwatch add up to its time. */
#include "base/stopwatch.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

enum { ROWS = 3 };

static void wait_until(uint64_t time)
{
    while (stopwatch_now() < time) {
    }
}

static void test_laps(void **state)
{
    (void)state;
    uint64_t rows[ROWS] = {0, 5, 0};
    const uint64_t start = stopwatch_now();
    struct stopwatch watch = {.last = start, .rows = rows};
    wait_until(start + 1000000);
    stopwatch_lap(&watch, 0);
    const uint64_t first = rows[0], middle = watch.last;
    assert_true(first >= 1000000);
    assert_true(middle == start + first);
    stopwatch_lap(&watch, 1);
    wait_until(watch.last + 500000);
    stopwatch_lap(&watch, 0); /* adds */
    assert_true(rows[0] >= first + 500000);
    assert_true(rows[0] + (rows[1] - 5) + rows[2] == watch.last - start);
    assert_true(rows[2] == 0);
}

static void test_none(void **state)
{
    (void)state;
    stopwatch_lap(NULL, 7);
}

static void test_clock(void **state)
{
    (void)state;
    uint64_t before = stopwatch_now();
    for (int i = 0; i < 1000; i++) {
        const uint64_t now = stopwatch_now();
        assert_true(now >= before);
        before = now;
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_laps), cmocka_unit_test(test_none),
                                       cmocka_unit_test(test_clock)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
