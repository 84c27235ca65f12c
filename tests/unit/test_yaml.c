/* test_yaml.c: texts as trees with places, files, and faults that point into them. */
#include "yaml_check.h"

#include <stdlib.h>
#include <unistd.h>

/* Trees */

static void makes_a_tree_with_places(void **state)
{
    (void)state;
    const struct yaml *root =
        read_text("seed: 42\nnetwork:\n  - conv: {filters: 6, kernel: [5, 3]}\n  - relu\n");

    assert_non_null(root);
    assert_int_equal(root->kind, YAML_MAP);
    assert_int_equal(root->count, 2);
    assert_place(root, 1, 1, 4);
    assert_string_equal(yaml_get(root, "seed")->text, "42");
    assert_place(yaml_get(root, "seed"), 1, 7, 2);
    assert_place(root->keys[1], 2, 1, 7);

    const struct yaml *network = yaml_get(root, "network");

    assert_int_equal(network->kind, YAML_LIST);
    assert_place(network, 3, 3, 1);
    assert_int_equal(network->count, 2);
    assert_place(network->items[1], 4, 5, 4);

    const struct yaml *conv = yaml_get(network->items[0], "conv");

    assert_place(network->items[0], 3, 5, 4);
    assert_place(conv, 3, 11, 28);
    assert_place(yaml_get(conv, "kernel"), 3, 32, 6);
    assert_string_equal(yaml_get(conv, "kernel")->items[1]->text, "3");
    assert_null(yaml_get(conv, "stride"));
    assert_null(yaml_get(network, "conv"));
    assert_null(yaml_get(NULL, "conv"));
}

static void tells_nulls_and_quotes(void **state)
{
    static const char *const nulls[] = {"", "~", "null", "Null", "NULL"};
    char text[64];

    (void)state;
    for (size_t i = 0; i < COUNT(nulls); i++) {
        snprintf(text, sizeof text, "a: %s\nb: \"%s\"\n", nulls[i], nulls[i]);
        read_text(text);
        assert_int_equal(yaml_get(parse.root, "a")->kind, YAML_NULL);
        assert_int_equal(yaml_get(parse.root, "b")->kind, YAML_SCALAR);
        assert_int_equal(yaml_get(parse.root, "b")->quoted, 1);
    }
    read_text("a: 8\nb: '8'\nc: |\n  8\n");
    assert_int_equal(yaml_get(parse.root, "a")->quoted, 0);
    assert_int_equal(yaml_get(parse.root, "b")->quoted, 1);
    assert_int_equal(yaml_get(parse.root, "c")->quoted, 1);
    assert_string_equal(yaml_get(parse.root, "c")->text, "8\n");
}

static void names_kinds(void **state)
{
    (void)state;
    read_text("[{}, [], x, ~]");
    assert_string_equal(yaml_kind_name(parse.root->items[0]), "a mapping");
    assert_string_equal(yaml_kind_name(parse.root->items[1]), "a list");
    assert_string_equal(yaml_kind_name(parse.root->items[2]), "text");
    assert_string_equal(yaml_kind_name(parse.root->items[3]), "nothing");
    assert_string_equal(yaml_kind_name(NULL), "nothing");
}

static void counts_columns_in_characters(void **state)
{
    (void)state;
    read_text("\"\xe6\x97\xa5\xe6\x9c\xac\": [a, b]\n");
    assert_place(yaml_get(parse.root, "\xe6\x97\xa5\xe6\x9c\xac"), 1, 7, 6);
    assert_refused("\xe6\x97\xa5: \xff", 1, 4, "invalid UTF-8: byte 0xFF");
    assert_string_equal(parse.errors.items[0].source, "\xe6\x97\xa5: ?");
}

/* Y16 to Y18 */
static void accepts_every_line_end_and_a_mark(void **state)
{
    static const char *const texts[] = {"a: 1\nb: 2\n", "a: 1\r\nb: 2\r\n", "a: 1\rb: 2\r",
                                        "\xEF\xBB\xBF\x61: 1\nb: 2"};

    (void)state;
    for (size_t i = 0; i < COUNT(texts); i++) {
        read_text(texts[i]);
        assert_place(yaml_get(parse.root, "a"), 1, 4, 1);
        assert_place(yaml_get(parse.root, "b"), 2, 4, 1);
    }
    assert_refused("a: 1\r\nb: {c: 1,\r\n  c: 2}\r\n", 3, 3, "duplicate key 'c'");
    assert_string_equal(parse.errors.items[0].source, "  c: 2}");
    assert_refused("a: 1\rb: \x01", 2, 4, "control character");
}

static void does_not_need_a_terminator(void **state)
{
    char *text = malloc(4);

    (void)state;
    assert_non_null(text);
    memcpy(text, "a: 1", 4);
    assert_non_null(read_bytes(text, 4));
    free(text);
}

/* Places in messages */

static void shows_the_line_and_underlines_the_node(void **state)
{
    struct error e;

    (void)state;
    read_text("a: 1\nb:\n  - {c: [1, 2], d: 3}\n");
    const struct yaml *c = yaml_get(yaml_get(parse.root, "b")->items[0], "c");

    assert_int_equal(yaml_error(&parse.errors, c, "bad %s", "list"), -1);
    assert_int_equal(parse.errors.total, 1);
    assert_int_equal(parse.errors.items[0].kind, ERROR_CONFIG);
    assert_string_equal(parse.errors.items[0].message, "bad list");
    assert_string_equal(parse.errors.items[0].source, "  - {c: [1, 2], d: 3}");
    assert_int_equal(parse.errors.items[0].column, 9);
    assert_int_equal(parse.errors.items[0].width, 6);

    assert_int_equal(yaml_error_one(&e, ERROR_DATA, c, "no such file"), -1);
    assert_int_equal(e.kind, ERROR_DATA);
    assert_int_equal(e.line, 3);
    assert_int_equal(yaml_error_one(NULL, ERROR_DATA, c, "no such file"), -1);
    assert_int_equal(yaml_error_one(&e, ERROR_DATA, NULL, "nowhere"), -1);
    assert_string_equal(e.file, "");
}

static void cuts_long_lines_and_shows_odd_bytes_as_marks(void **state)
{
    (void)state;
    assert_refused("a:\tx\t\x01z\n", 1, 6, "control character 0x01");
    assert_string_equal(parse.errors.items[0].source, "a: x ?z");
    /* Underlined to the end of the line, not beyond. */
    read_text("a: {b: 1,\n  c: 2}\n");
    yaml_error(&parse.errors, yaml_get(parse.root, "a"), "x");
    assert_string_equal(parse.errors.items[0].source, "a: {b: 1,");
    assert_int_equal(parse.errors.items[0].width, 6);
    /* A fault behind the cut has no source line: a caret would point nowhere. */
    char text[700] = "a: {b: ";

    for (int i = 0; i < 300; i++) {
        strcat(text, "\xc3\xa9");
    }
    strcat(text, ", c: 1}\n");
    read_text(text);
    yaml_error(&parse.errors, yaml_get(yaml_get(parse.root, "a"), "c"), "x");
    assert_int_equal(parse.errors.items[0].column, 313);
    assert_string_equal(parse.errors.items[0].source, "");
    yaml_error(&parse.errors, yaml_get(yaml_get(parse.root, "a"), "b"), "x");
    assert_int_equal(strlen(parse.errors.items[1].source), 255);
    assert_int_equal(parse.errors.items[1].width, 124);
}

/* Files */

static void reads_files(void **state)
{
    char path[] = "/tmp/cnntrain-yaml-XXXXXX";
    const int fd = mkstemp(path);

    (void)state;
    assert_true(fd >= 0);
    assert_int_equal(write(fd, "a: 1\n", 5), 5);
    parse.root = yaml_read(&parse.arena, path, &parse.errors);
    assert_string_equal(value(parse.root, "a"), "1");

    static const struct {
        const char *text;
        const char *message;
    } bad[] = {
        {"# nothing\n", "the config is empty: expected a mapping of keys"},
        {"- a\n", "expected a mapping of keys, got a list"},
        {"hello\n", "expected a mapping of keys, got text"},
        {"a: [\n", "expected a value here"},
    };

    for (size_t i = 0; i < COUNT(bad); i++) {
        start_parse(NULL);
        assert_int_equal(ftruncate(fd, 0), 0);
        assert_int_equal(pwrite(fd, bad[i].text, strlen(bad[i].text), 0), strlen(bad[i].text));
        assert_null(yaml_read(&parse.arena, path, &parse.errors));
        assert_int_equal(parse.errors.items[0].kind, ERROR_CONFIG);
        assert_string_equal(parse.errors.items[0].file, path);
        assert_string_equal(parse.errors.items[0].message, bad[i].message);
    }
    /* Duplicate keys do not keep the other faults from being found. */
    start_parse(NULL);
    assert_int_equal(ftruncate(fd, 0), 0);
    assert_int_equal(pwrite(fd, "a: 1\nb: 2\na: 3\n", 15, 0), 15);
    parse.root = yaml_read(&parse.arena, path, &parse.errors);
    assert_int_equal(parse.errors.total, 1);
    assert_int_equal(parse.root->count, 2);
    assert_string_equal(value(parse.root, "a"), "1");
    start_parse(NULL);
    assert_int_equal(ftruncate(fd, 262145), 0);
    assert_null(yaml_read(&parse.arena, path, &parse.errors));
    assert_string_equal(parse.errors.items[0].message, "larger than 256 KiB");
    /* What it is says more than how large it is. */
    assert_int_equal(pwrite(fd, "\x40\0\0\0\0\0\0\0{", 9, 0), 9);
    start_parse(NULL);
    assert_null(yaml_read(&parse.arena, path, &parse.errors));
    assert_string_equal(parse.errors.items[0].message, "this is a model file, not a config");
    close(fd);
    unlink(path);
    start_parse(NULL);
    assert_null(yaml_read(&parse.arena, path, &parse.errors));
    assert_int_equal(parse.errors.items[0].kind, ERROR_IO);
    assert_string_equal(parse.errors.items[0].message, "cannot open: No such file or directory");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        PARSES(makes_a_tree_with_places),
        PARSES(tells_nulls_and_quotes),
        PARSES(names_kinds),
        PARSES(counts_columns_in_characters),
        PARSES(accepts_every_line_end_and_a_mark),
        PARSES(does_not_need_a_terminator),
        PARSES(shows_the_line_and_underlines_the_node),
        PARSES(cuts_long_lines_and_shows_odd_bytes_as_marks),
        PARSES(reads_files),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
