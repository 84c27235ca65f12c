/* test_room.c: pieces that do not overlap, whatever was asked for, and memory that is kept. */
#include "base/room.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

/* A round of pieces, all written, then all looked at. */
static void take_round(struct room *room, const size_t *sizes, int count)
{
    unsigned char *pieces[8];
    for (int i = 0; i < count; i++) {
        pieces[i] = room_take(room, sizes[i]);
        assert_non_null(pieces[i]);
        assert_int_equal((uintptr_t)pieces[i] % 64, 0);
        memset(pieces[i], i + 1, sizes[i]);
    }
    for (int i = 0; i < count; i++) {
        for (size_t k = 0; k < sizes[i]; k++) {
            assert_int_equal(pieces[i][k], i + 1);
        }
    }
    room_clear(room);
}

static void test_rounds(void **state)
{
    (void)state;
    static const size_t small[] = {1, 63, 64, 65, 1000}, large[] = {5000, 0, 7, 100000};
    struct room room = {0};
    room_clear(&room);
    take_round(&room, small, 5);
    take_round(&room, large, 4);
    take_round(&room, small, 5);
    take_round(&room, large, 4);
    room_free(&room);
    assert_null(room.block);
}

/* The second of two equal rounds allocates nothing. (Under AddressSanitizer it does.) */
static void test_memory_is_kept(void **state)
{
    (void)state;
    static const size_t sizes[] = {100, 10000, 1};
    struct room room = {0};
    take_round(&room, sizes, 3);
    const size_t size = room.size;
#ifndef __SANITIZE_ADDRESS__
    assert_int_equal(size, 128 + 10048 + 64);
    for (int i = 0; i < 3; i++) {
        room_take(&room, sizes[i]);
        assert_null(room.extras);
    }
    assert_int_equal(room.used, size);
    room_clear(&room);
    room_reserve(&room, 2 * size);
    assert_int_equal(room.size, 2 * size);
#endif
    room_reserve(&room, size);
    room_free(&room);
}

static void test_too_much(void **state)
{
    (void)state;
    struct room room = {0};
    assert_null(room_take(&room, SIZE_MAX));
    assert_null(room_take(&room, SIZE_MAX / 4 + 1));
    assert_non_null(room_take(&room, 1));
    room_free(&room);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_rounds),
        cmocka_unit_test(test_memory_is_kept),
        cmocka_unit_test(test_too_much),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
