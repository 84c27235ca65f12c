/* test_duplicates.c: equal images are found, whichever set they are in, and only those. */
#include "data/duplicates.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <zlib.h>

#include <cmocka.h>

static struct dataset make(uint8_t *bytes, float *floats, size_t count, int w)
{
    return (struct dataset){
        .path = "x", .count = count, .c = 1, .h = 1, .w = w, .bytes = bytes, .floats = floats};
}

static void expect(const struct twins *twins, size_t count, const struct twin *wanted)
{
    assert_int_equal(twins->count, count);
    for (size_t i = 0; i < count; i++) {
        assert_memory_equal(&twins->items[i], &wanted[i], sizeof *wanted);
    }
}

static void test_sets(void **state)
{
    (void)state;
    uint8_t one[] = {1, 2, 3, 4, 1, 2, 9, 9, 1, 2}, two[] = {9, 9, 5, 6, 9, 9};
    uint8_t three[] = {1, 2, 3, 4, 1, 2};
    struct dataset a = make(one, NULL, 5, 2), b = make(two, NULL, 3, 2),
                   c = make(three, NULL, 2, 3);
    struct subset parts[3];
    assert_int_equal(subset_all(&parts[0], &a, NULL) | subset_all(&parts[1], &b, NULL) |
                         subset_all(&parts[2], &c, NULL),
                     0);
    const struct subset *const all[] = {&parts[0], &parts[1], &parts[2]};
    struct twins twins;
    static const struct twin wanted[] = {{0, 0, 2, 0}, {0, 0, 4, 0}, {1, 0, 0, 3}, {1, 0, 2, 3}};
    assert_int_equal(twins_find(&twins, all, 3, NULL), 0);
    expect(&twins, 4, wanted);
    twins_free(&twins);
    assert_int_equal(twins_find(&twins, all + 1, 2, NULL), 0);
    static const struct twin alone[] = {{0, 0, 2, 0}};
    expect(&twins, 1, alone);
    twins_free(&twins);
    parts[0].count = 1; /* a part of a set */
    assert_int_equal(twins_find(&twins, all, 1, NULL), 0);
    expect(&twins, 0, NULL);
    twins_free(&twins);
    for (int p = 0; p < 3; p++) {
        subset_free(&parts[p]);
    }
}

static void test_floats(void **state)
{
    (void)state;
    float values[] = {1, 2, 1, 2, 2, 1};
    uint8_t bytes[24];
    memcpy(bytes, values, sizeof bytes);
    struct dataset a = make(NULL, values, 3, 2), b = make(bytes, NULL, 3, 8);
    struct subset parts[2];
    assert_int_equal(subset_all(&parts[0], &a, NULL) | subset_all(&parts[1], &b, NULL), 0);
    const struct subset *const all[] = {&parts[0], &parts[1]};
    struct twins twins;
    static const struct twin wanted[] = {{0, 0, 1, 0}, {1, 1, 1, 0}};
    assert_int_equal(twins_find(&twins, all, 2, NULL), 0); /* the same bits, another kind */
    expect(&twins, 2, wanted);
    twins_free(&twins);
    subset_free(&parts[0]);
    subset_free(&parts[1]);
}

/* Five zeros, and five bytes that were solved for the same CRC-32. */
static void test_same_checksum(void **state)
{
    (void)state;
    uint8_t bytes[10] = {0, 0, 0, 0, 0, 1, 150, 48, 7, 119};
    assert_int_equal(crc32(0, bytes, 5), crc32(0, bytes + 5, 5));
    struct dataset set = make(bytes, NULL, 2, 5);
    struct subset part;
    assert_int_equal(subset_all(&part, &set, NULL), 0);
    const struct subset *const all[] = {&part};
    struct twins twins;
    assert_int_equal(twins_find(&twins, all, 1, NULL), 0);
    assert_int_equal(twins.count, 0);
    twins_free(&twins);
    subset_free(&part);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_sets),
        cmocka_unit_test(test_floats),
        cmocka_unit_test(test_same_checksum),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
