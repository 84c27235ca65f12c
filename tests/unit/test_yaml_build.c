/* test_yaml_build.c: duplicates, aliases, merges, and the limits that a hostile text runs into. The
 * names L.. are those of the list of bad inputs. */
#include "yaml_check.h"

#include "base/text.h"

#include <time.h>

static void reports_every_duplicate(void **state)
{
    (void)state;
    assert_refused("a: 1\nb: {c: 1, c: 2}\na: 3\n\"a\": 4\n", 2, 11, "duplicate key 'c'");
    assert_int_equal(parse.errors.total, 3);
    assert_string_equal(parse.errors.items[0].note, "first defined at 2:5");
    assert_string_equal(parse.errors.items[0].source, "b: {c: 1, c: 2}");
    assert_int_equal(parse.errors.items[0].width, 1);
    assert_int_equal(parse.errors.items[1].line, 3);
    assert_string_equal(parse.errors.items[1].note, "first defined at 1:1");
    assert_int_equal(parse.errors.items[2].line, 4);
}

/* Anchors */

static void expands_aliases(void **state)
{
    (void)state;
    const struct yaml *root = read_text("a: &x {k: 1}\nb: *x\nc: &x 2\nd: *x\ne: [*x, *x]\n");

    assert_non_null(root);
    assert_ptr_equal(yaml_get(root, "a"), yaml_get(root, "b"));
    assert_string_equal(yaml_get(root, "d")->text, "2");
    assert_string_equal(yaml_get(root, "e")->items[1]->text, "2");
}

static void merges_maps(void **state)
{
    (void)state;
    const struct yaml *root =
        read_text("a: &a {x: 1, y: 1}\nb: &b {y: 2, z: 2}\n"
                  "c: {<<: *a, x: 3}\nd: {<<: [*a, *b], w: 4}\ne: {<<: {q: 5}}\n"
                  "f: {y: 6, <<: [*b, *a]}\ng: {\"<<\": 7}\nh: {<<: []}\n");

    assert_non_null(root);
    const struct yaml *c = yaml_get(root, "c"), *d = yaml_get(root, "d"), *f = yaml_get(root, "f");

    assert_int_equal(c->count, 2);
    assert_string_equal(value(c, "x"), "3");
    assert_string_equal(value(c, "y"), "1");
    assert_int_equal(d->count, 4);
    assert_string_equal(value(d, "x"), "1");
    assert_string_equal(value(d, "y"), "1");
    assert_string_equal(value(d, "z"), "2");
    assert_string_equal(value(d, "w"), "4");
    assert_string_equal(value(yaml_get(root, "e"), "q"), "5");
    assert_int_equal(f->count, 3);
    assert_string_equal(value(f, "y"), "6");
    assert_string_equal(value(f, "x"), "1");
    assert_string_equal(value(yaml_get(root, "g"), "<<"), "7");
    assert_int_equal(yaml_get(root, "h")->count, 0);
    assert_int_equal(yaml_get(root, "a")->count, 2);
}

static void refuses_bad_merges_and_aliases(void **state)
{
    (void)state;
    assert_refused("<<: 5\n", 1, 5,
                   "'<<' takes a mapping or a list of mappings, got text"); /* Y39 */
    assert_refused("<<: [{a: 1}, [b]]\n", 1, 14,
                   "'<<' takes a mapping or a list of mappings, got a list");
    assert_refused("<<: {a: 1}\n<<: {b: 1}\n", 2, 1, "duplicate key '<<'");
    assert_refused("a: &x [*x]\n", 1, 8,
                   "alias '*x' stands inside the value that it names"); /* L04 */
    assert_refused("a: &x {<<: *x}\n", 1, 12, "alias '*x' stands inside");
    assert_refused("a: *nope\n", 1, 4, "no anchor '&nope' before this alias"); /* L05 */
}

/* Limits. Each hostile text must be refused within the time that the list of bad inputs gives it.
 */

static struct text hostile;

static void repeat(const char *piece, int count)
{
    for (int i = 0; i < count; i++) {
        text_append(&hostile, "%s", piece);
    }
}

static double seconds(void)
{
    struct timespec now;

    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &now);
    return (double)now.tv_sec + 1e-9 * (double)now.tv_nsec;
}

static const struct yaml *read_hostile(void)
{
    const double start = seconds();

    assert_false(hostile.failed);
    read_bytes(hostile.data, hostile.length);
    text_free(&hostile);
    assert_true(seconds() - start < 0.5); /* 0.1 in a build without sanitizers */
    return parse.root;
}

static void bounds_the_depth(void **state)
{
    static const struct {
        const char *piece;
        int count, column;
        const char *message;
    } bombs[] = {
        {"[", 100000, 33, "nested deeper than 32"},    /* L07 */
        {"{a: ", 60000, 129, "nested deeper than 32"}, /* L08 */
        {"- ", 100000, 65, "nested deeper than 32"},   /* L09 */
        {"? ", 20000, 3, "keys must be plain text"},   /* L10 */
        {"[x,", 8000, 97, "nested deeper than 32"},    /* L19 */
    };

    (void)state;
    for (size_t i = 0; i < COUNT(bombs); i++) {
        repeat(bombs[i].piece, bombs[i].count);
        read_hostile();
        assert_fault(1, bombs[i].column, bombs[i].message);
    }
    for (int depth = 32; depth <= 33; depth++) { /* L11 */
        repeat("[", depth);
        repeat("]", depth);
        read_hostile();
        if (depth == 32) {
            assert_non_null(parse.root);
        } else {
            assert_fault(1, 33, "nested deeper than 32");
        }
    }
}

static void bounds_the_depth_behind_aliases(void **state)
{
    (void)state;
    assert_non_null(read_text(
        "a: &a [[[[[[[[[[[[[[[[[[[[1]]]]]]]]]]]]]]]]]]]]\nb: [[[[[[[[[[[*a]]]]]]]]]]]\n"));
    assert_refused(
        "a: &a [[[[[[[[[[[[[[[[[[[[1]]]]]]]]]]]]]]]]]]]]\nb: [[[[[[[[[[[[*a]]]]]]]]]]]]\n", 2, 16,
        "nested deeper than 32");
    /* L06: a chain */
    text_append(&hostile, "a0: &a0 1\n");
    for (int i = 1; i < 9000; i++) {
        text_append(&hostile, "a%d: &a%d [*a%d]\n", i, i, i - 1);
    }
    read_hostile();
    assert_fault(33, 12, "nested deeper than 32");
}

static void bounds_the_nodes(void **state)
{
    (void)state;
    /* 1 map + 1 key + 1 list + 19,997 items = 20,000 */
    text_append(&hostile, "a: [");
    repeat("1,", 19997);
    text_append(&hostile, "]");
    assert_non_null(read_hostile());
    text_append(&hostile, "a: [");
    repeat("1,", 19998); /* L13 */
    text_append(&hostile, "]");
    read_hostile();
    assert_fault(1, 39999, "more than 20000 values");
    /* L03: nine levels of nine */
    text_append(&hostile, "a0: &a0 [x,x,x,x,x,x,x,x,x]\n");
    for (int i = 1; i < 10; i++) {
        text_append(&hostile, "a%d: &a%d [", i, i);
        for (int k = 0; k < 9; k++) {
            text_append(&hostile, "%s*a%d", k > 0 ? "," : "", i - 1);
        }
        text_append(&hostile, "]\n");
    }
    read_hostile();
    assert_fault(5, 14, "more than 20000 values, aliases counted with all that they name");
    /* The same with merges, which make no new nodes but would make ever longer maps. */
    text_append(&hostile, "a0: &a0 {k0: 1}\n");
    for (int i = 1; i < 30; i++) {
        text_append(&hostile, "a%d: &a%d {<<: [*a%d, *a%d], k%d: 1}\n", i, i, i - 1, i - 1, i);
    }
    read_hostile();
    assert_int_equal(parse.errors.total, 1);
    assert_non_null(strstr(parse.errors.items[0].message, "more than 20000 values"));
}

static void takes_ten_thousand_anchors_in_its_stride(void **state)
{
    (void)state;
    for (int i = 0; i < 4900; i++) {
        text_append(&hostile, "a%d: &a%d 1\nb%d: *a%d\n", i, i, i, i);
    }
    assert_non_null(read_hostile());
    repeat("k: 1\n", 9990);
    read_hostile();
    assert_fault(2, 1, "duplicate key 'k'");
    assert_int_equal(parse.errors.total, 9989);
    assert_int_equal(parse.errors.count, 20);
}

static void bounds_scalars_and_texts(void **state)
{
    (void)state;
    text_append(&hostile, "a: ");
    repeat("x", 4096); /* L14 */
    assert_non_null(read_hostile());
    text_append(&hostile, "a: ");
    repeat("x", 4097);
    read_hostile();
    assert_fault(1, 4, "longer than 4096 bytes");
    text_append(&hostile, "a: >\n"); /* L18 */
    repeat("\n", 200000);
    text_append(&hostile, "  x\n");
    read_hostile();
    assert_fault(1, 4, "longer than 4096 bytes");
    text_append(&hostile, "a: 1\n#"); /* L12 */
    repeat("x", 262144 - 6);
    assert_non_null(read_hostile());
    text_append(&hostile, "a: 1\n#");
    repeat("x", 262145 - 6);
    read_hostile();
    assert_fault(0, 0, "larger than 256 KiB");
}

static void refuses_directives_at_once(void **state)
{
    static const char *const starts[] = {"", "---\n", "a: 1\n", "a: 1\n...\n"};
    static const char *const messages[] = {"directives", "only one document", "only one document",
                                           "only one document"};
    static const int lines[] = {1, 2, 2, 3};

    (void)state;
    for (size_t i = 0; i < COUNT(starts); i++) { /* Y33 */
        text_append(&hostile, "%s", starts[i]);
        repeat("%TAG !a! tag:b,2000:\n", 12000);
        text_append(&hostile, "---\na: 1\n");
        read_hostile();
        assert_fault(lines[i], 1, messages[i]);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        PARSES(reports_every_duplicate),
        PARSES(expands_aliases),
        PARSES(merges_maps),
        PARSES(refuses_bad_merges_and_aliases),
        PARSES(bounds_the_depth),
        PARSES(bounds_the_depth_behind_aliases),
        PARSES(bounds_the_nodes),
        PARSES(takes_ten_thousand_anchors_in_its_stride),
        PARSES(bounds_scalars_and_texts),
        PARSES(refuses_directives_at_once),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
