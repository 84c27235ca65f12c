/* test_memory.c: memory that is touched is resident, and the peak remembers it when it is freed. */
#include "base/memory.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <sys/mman.h>

#include <cmocka.h>

#define SIZE ((size_t)64 << 20)
#define SLACK ((size_t)2 << 20) /* the system counts in batches, a few pages for each processor */

static void *map(void)
{
    void *block = mmap(NULL, SIZE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    assert_true(block != MAP_FAILED);
    return block;
}

static void test_resident(void **state)
{
    (void)state;
    const uint64_t before = memory_resident();
    if (before == 0) {
        skip(); /* no such system */
    }
    assert_true(before > 100 << 10);
    void *block = map();
    assert_true(memory_resident() < before + SLACK); /* not touched */
    memset(block, 1, SIZE);
    const uint64_t touched = memory_resident();
    assert_true(touched > before + SIZE - SLACK && touched < before + SIZE + SLACK);
    munmap(block, SIZE);
    assert_true(memory_resident() < before + SLACK);
}

static void test_peak(void **state)
{
    (void)state;
    void *block = map();
    memset(block, 1, SIZE);
    const uint64_t resident = memory_resident(), peak = memory_peak();
    assert_true(peak + SLACK > resident && peak > SIZE);
    munmap(block, SIZE);
    assert_true(memory_peak() + SLACK > peak && memory_resident() + SIZE / 2 < peak);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_resident),
                                       cmocka_unit_test(test_peak)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
