/* test_error.c: what a fault keeps and how it is printed. */
#include "base/error.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static void assert_printed(const struct error *e, int colour, const char *expected)
{
    char *printed = NULL;
    size_t size = 0;
    FILE *out = open_memstream(&printed, &size);

    assert_non_null(out);
    error_print(out, e, "cnntrain", "error", colour);
    fclose(out);
    assert_string_equal(printed, expected);
    free(printed);
}

static void sets_every_field(void **state)
{
    struct error e;

    (void)state;
    memset(&e, 'x', sizeof e);
    assert_int_equal(error_set(&e, ERROR_DATA, "a.png", "%d of %d", 3, 4), -1);
    assert_int_equal(e.kind, ERROR_DATA);
    assert_string_equal(e.file, "a.png");
    assert_string_equal(e.message, "3 of 4");
    assert_string_equal(e.source, "");
    assert_string_equal(e.note, "");
    assert_int_equal(e.line, 0);
    assert_int_equal(e.column, 0);
    assert_int_equal(e.offset, -1);

    assert_int_equal(error_at_offset(&e, ERROR_MODEL, "m.bin", 46912331, "cut"), -1);
    assert_int_equal(e.kind, ERROR_MODEL);
    assert_int_equal(e.offset, 46912331);
}

static void takes_no_error_at_all(void **state)
{
    (void)state;
    assert_int_equal(error_set(NULL, ERROR_IO, "f", "m"), -1);
    assert_int_equal(error_at_offset(NULL, ERROR_IO, "f", 1, "m"), -1);
    assert_int_equal(error_errno(NULL, ERROR_IO, "f", "m"), -1);
    assert_int_equal(error_memory(NULL, 1), -1);
}

static void escapes_what_a_terminal_would_obey(void **state)
{
    struct error e;

    (void)state;
    error_set(&e, ERROR_CONFIG, "f", "got '%s'", "\033[31m\n\x7f\xff\xc2\x9b");
    assert_string_equal(e.message, "got '\\x1B[31m\\x0A\\x7F\\xFF\\xC2\\x9B'");
    error_set(&e, ERROR_CONFIG, "a\nb\033", "m");
    assert_printed(&e, 0, "a\\x0Ab\\x1B: error: m\n");
}

static void cuts_a_long_message_at_a_character(void **state)
{
    struct error e;
    char text[2000], path[2001];

    (void)state;
    for (size_t i = 0; i + 2 < sizeof text; i += 2) {
        memcpy(text + i, "\xc3\xa9", 3);
    }
    error_set(&e, ERROR_CONFIG, text, "x%s", text);
    assert_int_equal(strlen(e.message), 511);
    assert_int_equal(strlen(e.file), 1023); /* of a path the end, and a sign that it is cut */
    assert_memory_equal(e.file, "...\xc3\xa9", 5);
    assert_string_equal(e.file + 3, text + strlen(text) - 1020);
    snprintf(path, sizeof path, "%s!", text);
    error_set(&e, ERROR_CONFIG, path, "x");
    assert_int_equal(strlen(e.file), 1022); /* not within a character */
    assert_memory_equal(e.file, "...\xc3\xa9", 5);
    error_set(&e, ERROR_CONFIG, text + strlen(text) - 1022, "x");
    assert_string_equal(e.file, text + strlen(text) - 1022);
    error_set(&e, ERROR_CONFIG, "f", "%s", text);
    assert_true(strlen(e.message) >= 510 && strncmp(e.message, text, 510) == 0);
}

static void wraps_its_own_message(void **state)
{
    struct error e;

    (void)state;
    error_set(&e, ERROR_IO, "inner", "cause");
    error_set(&e, ERROR_DATA, e.file, "outer: %s", e.message);
    assert_string_equal(e.file, "inner");
    assert_string_equal(e.message, "outer: cause");
}

static void says_what_the_system_said(void **state)
{
    struct error e;

    (void)state;
    errno = ENOENT;
    assert_int_equal(error_errno(&e, ERROR_IO, "f", "cannot open"), -1);
    assert_string_equal(e.message, "cannot open: No such file or directory");
    assert_int_equal(error_memory(&e, 3 << 20), -1);
    assert_int_equal(e.kind, ERROR_LIMIT);
    assert_string_equal(e.message, "out of memory: cannot allocate 3 MiB");
}

static void prints_each_sort_of_place(void **state)
{
    struct error e;

    (void)state;
    error_set(&e, ERROR_USAGE, NULL, "no config");
    assert_printed(&e, 0, "cnntrain: error: no config\n");
    error_set(&e, ERROR_IO, "a.idx", "cannot open");
    assert_printed(&e, 0, "a.idx: error: cannot open\n");
    error_at_offset(&e, ERROR_DATA, "a.idx", 0, "bad magic");
    assert_printed(&e, 0, "a.idx:@0: error: bad magic\n");
    error_set(&e, ERROR_CONFIG, "a.yaml", "bad");
    e.line = 3;
    e.column = 9;
    assert_printed(&e, 0, "a.yaml:3:9: error: bad\n");
}

static void prints_the_source_as_in_the_specification(void **state)
{
    struct error e;

    (void)state;
    error_set(&e, ERROR_CONFIG, "configs/lenet5.yaml",
              "unknown key 'kernal' in conv; did you mean 'kernel'?");
    e.line = 14;
    e.column = 14;
    e.width = 6;
    strcpy(e.source, "    - conv: {kernal: 5, filters: 6}");
    assert_printed(
        &e, 0,
        "configs/lenet5.yaml:14:14: error: unknown key 'kernal' in conv; did you mean 'kernel'?\n"
        "   14 |     - conv: {kernal: 5, filters: 6}\n"
        "      |              ^~~~~~\n");
    e.column = 1;
    e.width = 1;
    strcpy(e.note, "first defined at 3:1");
    assert_printed(
        &e, 0,
        "configs/lenet5.yaml:14:1: error: unknown key 'kernal' in conv; did you mean 'kernel'?\n"
        "   14 |     - conv: {kernal: 5, filters: 6}\n"
        "      | ^\n"
        "configs/lenet5.yaml:14:1: note: first defined at 3:1\n");
}

static void colours_only_when_asked(void **state)
{
    struct error e;

    (void)state;
    error_set(&e, ERROR_IO, "f", "m");
    assert_printed(&e, 1, "\033[1mf: \033[1;31merror:\033[0m m\n");
}

static void keeps_twenty_and_counts_all(void **state)
{
    static struct error_list list;

    (void)state;
    for (int i = 0; i < 25; i++) {
        struct error *e = error_next(&list);

        assert_int_equal(e->offset, -1);
        assert_int_equal(e->kind, ERROR_NONE);
        error_set(e, ERROR_CONFIG, "f", "%d", i);
    }
    assert_int_equal(list.count, 20);
    assert_int_equal(list.total, 25);
    assert_string_equal(list.items[0].message, "0");
    assert_string_equal(list.items[19].message, "19");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(sets_every_field),
        cmocka_unit_test(takes_no_error_at_all),
        cmocka_unit_test(escapes_what_a_terminal_would_obey),
        cmocka_unit_test(cuts_a_long_message_at_a_character),
        cmocka_unit_test(wraps_its_own_message),
        cmocka_unit_test(says_what_the_system_said),
        cmocka_unit_test(prints_each_sort_of_place),
        cmocka_unit_test(prints_the_source_as_in_the_specification),
        cmocka_unit_test(colours_only_when_asked),
        cmocka_unit_test(keeps_twenty_and_counts_all),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
