/* test_arena.c: pieces of an arena are aligned, zeroed and apart from each other. */
#include "base/arena.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

static void gives_aligned_zeroed_memory(void **state)
{
    struct arena arena = {0};

    (void)state;
    for (size_t size = 0; size < 3000; size += 7) {
        unsigned char *piece = arena_alloc(&arena, size);

        assert_non_null(piece);
        assert_int_equal((uintptr_t)piece % 16, 0);
        for (size_t i = 0; i < size; i++) {
            assert_int_equal(piece[i], 0);
        }
        memset(piece, 0xFF, size);
    }
    arena_free(&arena);
}

static void keeps_pieces_apart(void **state)
{
    struct arena arena = {0};
    unsigned char *pieces[200];

    (void)state;
    for (int i = 0; i < 200; i++) {
        pieces[i] = arena_alloc(&arena, 100);
        assert_non_null(pieces[i]);
        memset(pieces[i], i, 100);
    }
    for (int i = 0; i < 200; i++) {
        for (int k = 0; k < 100; k++) {
            assert_int_equal(pieces[i][k], i);
        }
    }
    arena_free(&arena);
}

static void takes_a_piece_larger_than_any_chunk(void **state)
{
    struct arena arena = {0};
    const size_t size = (size_t)5 << 20;
    unsigned char *small = arena_alloc(&arena, 1);
    unsigned char *large = arena_alloc(&arena, size);
    unsigned char *after = arena_alloc(&arena, 1);

    (void)state;
    assert_non_null(small);
    assert_non_null(large);
    assert_non_null(after);
    large[0] = large[size - 1] = 1;
    assert_int_equal(*small, 0);
    assert_int_equal(*after, 0);
    arena_free(&arena);
}

static void refuses_sizes_that_overflow(void **state)
{
    struct arena arena = {0};

    (void)state;
    assert_null(arena_alloc(&arena, SIZE_MAX));
    assert_null(arena_alloc(&arena, SIZE_MAX - 16));
    assert_null(arena_alloc(&arena, SIZE_MAX - 64));
    assert_null(arena_alloc(&arena, (size_t)PTRDIFF_MAX));
    assert_null(arena_strndup(&arena, "x", SIZE_MAX));
    assert_non_null(arena_alloc(&arena, 1));
    arena_free(&arena);
}

static void copies_text(void **state)
{
    struct arena arena = {0};

    (void)state;
    assert_string_equal(arena_strndup(&arena, "filters: 6", 7), "filters");
    assert_string_equal(arena_strndup(&arena, NULL, 0), "");
    assert_memory_equal(arena_strndup(&arena, "a\0b", 3), "a\0b", 4);
    arena_free(&arena);
}

static void can_be_used_again_after_free(void **state)
{
    struct arena arena = {0};

    (void)state;
    arena_free(&arena);
    assert_non_null(arena_alloc(&arena, 10));
    arena_free(&arena);
    assert_null(arena.chunks);
    assert_non_null(arena_alloc(&arena, 10));
    arena_free(&arena);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(gives_aligned_zeroed_memory),
        cmocka_unit_test(keeps_pieces_apart),
        cmocka_unit_test(takes_a_piece_larger_than_any_chunk),
        cmocka_unit_test(refuses_sizes_that_overflow),
        cmocka_unit_test(copies_text),
        cmocka_unit_test(can_be_used_again_after_free),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
