/* yaml_check.h: for the tests of the yaml files: one parse at a time, and what must be said of a
 * bad text. */
#ifndef CNNTRAIN_TESTS_YAML_CHECK_H
#define CNNTRAIN_TESTS_YAML_CHECK_H

#include "config/yaml.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#define COUNT(array) (sizeof(array) / sizeof(array)[0])

/* One parse: the tree, or what was wrong. Freed by the teardown. */
struct parse {
    struct arena arena;
    struct error_list errors;
    const struct yaml *root;
};

static struct parse parse;

static inline int start_parse(void **state)
{
    (void)state;
    arena_free(&parse.arena);
    memset(&parse, 0, sizeof parse);
    return 0;
}

static inline int end_parse(void **state)
{
    (void)state;
    arena_free(&parse.arena);
    return 0;
}

static inline const struct yaml *read_bytes(const char *text, size_t length)
{
    start_parse(NULL);
    parse.root = yaml_parse(&parse.arena, "t.yaml", text, length, &parse.errors);
    return parse.root;
}

static inline const struct yaml *read_text(const char *text)
{
    return read_bytes(text, strlen(text));
}

static inline void assert_fault(int line, int column, const char *message)
{
    const struct error *e = &parse.errors.items[0];

    assert_null(parse.root);
    assert_true(parse.errors.total > 0);
    assert_int_equal(e->kind, ERROR_CONFIG);
    assert_string_equal(e->file, "t.yaml");
    if (strstr(e->message, message) == NULL) {
        fail_msg("expected \"%s\" in \"%s\"", message, e->message);
    }
    if (e->line != line || e->column != column) {
        fail_msg("%s: expected at %d:%d, found at %d:%d", message, line, column, e->line,
                 e->column);
    }
}

static inline void assert_refused_bytes(const char *text, size_t length, int line, int column,
                                        const char *message)
{
    read_bytes(text, length);
    assert_fault(line, column, message);
}

static inline void assert_refused(const char *text, int line, int column, const char *message)
{
    assert_refused_bytes(text, strlen(text), line, column, message);
}

static inline void assert_place(const struct yaml *node, int line, int column, int width)
{
    assert_non_null(node);
    assert_int_equal(node->line, line);
    assert_int_equal(node->column, column);
    assert_int_equal(node->width, width);
}

static inline const char *value(const struct yaml *map, const char *key)
{
    const struct yaml *node = yaml_get(map, key);

    return node != NULL ? node->text : "(none)";
}

#define PARSES(test) cmocka_unit_test_setup_teardown(test, start_parse, end_parse)

#endif
