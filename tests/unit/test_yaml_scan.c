/* test_yaml_scan.c: bytes that are not text, text that is not YAML: where, and in which words. The
 * names Y.. are those of the list of bad inputs. */
#include "yaml_check.h"

/* Bytes */

static void refuses_bytes_that_are_not_text(void **state)
{
    char noise[4096];

    (void)state;
    assert_refused_bytes("a: 1\nb: 2\nc: x\0y\n", 17, 3, 5, "NUL byte"); /* Y07 */
    assert_refused("a: 1\nb: x\x01\n", 2, 5, "control character 0x01");  /* Y08 */
    assert_refused("a: \x7f\n", 1, 4, "control character 0x7F");         /* Y09 */
    assert_refused("a: \x85\n", 1, 4, "invalid UTF-8: byte 0x85");
    assert_refused("a: \xc2\x85\n", 1, 4, "control character U+0085");
    assert_refused("a: x\xe2\x80\xa8y\n", 1, 5, "control character U+2028");
    assert_refused("a: x\xef\xbb\xbfy\n", 1, 5, "control character U+FEFF");
    assert_refused("a: \xef\xbf\xbe\n", 1, 4, "control character U+FFFE");
    assert_refused("a: \xff\xfe\n", 1, 4, "invalid UTF-8: byte 0xFF"); /* Y10 */
    assert_refused("a: \xc0\xaf\n", 1, 4, "invalid UTF-8");            /* Y11 */
    assert_refused("a: \xed\xa0\x80\n", 1, 4, "invalid UTF-8");        /* Y12 */
    assert_refused("a: \xf4\x90\x80\x80\n", 1, 4, "invalid UTF-8");    /* Y13 */
    assert_refused_bytes("\xff\xfe"
                         "a\0",
                         4, 1, 1, "UTF-16 is not accepted; save the file as UTF-8");
    assert_refused_bytes("\xfe\xff\0a", 4, 1, 1, "UTF-16 is not accepted"); /* Y14 */
    assert_refused_bytes("\0a\0:", 4, 1, 1, "NUL byte");                    /* Y15 */
    for (size_t i = 0; i < sizeof noise; i++) {
        noise[i] = (char)(1 + i * 37 % 126);
    }
    assert_refused_bytes(noise, sizeof noise, 1, 1, "control character"); /* Y40 */
}

static void recognises_other_files(void **state)
{
    (void)state;
    assert_refused_bytes("\x89PNG\r\n\x1a\n\0\0", 10, 0, 0,
                         "this is a PNG image, not a config"); /* Y41 */
    assert_refused_bytes("\xff\xd8\xff\xe0", 4, 0, 0, "this is a JPEG image");
    assert_refused_bytes("\x1f\x8b\x08", 3, 0, 0, "this is a gzip file");
    assert_refused_bytes("PK\x03\x04", 4, 0, 0, "this is a zip file");
    assert_refused_bytes("\x7f"
                         "ELF",
                         4, 0, 0, "this is a program");
    assert_refused_bytes("\x40\0\0\0\0\0\0\0{\"a\"", 12, 0, 0, "this is a model file"); /* Y42 */
}

/* Syntax */

static void translates_syntax_errors(void **state)
{
    static const struct {
        const char *text;
        int line, column;
        const char *message, *note;
    } cases[] = {
        {"a:\n\tb: 1\n", 2, 1, "a tab cannot indent; use spaces", ""}, /* Y19 */
        {"a:\n  b: 1\n\tc: 2\n", 3, 1, "a tab cannot indent", ""},
        {"a:\n  b: 1\n c: 2\n", 3, 2, "indentation", "the mapping starts at 1:1"}, /* Y20 */
        {"a:\n  b: 1\n   c: 2\n", 3, 5, "indentation", ""},
        {"a: 1\nb: [1, 2\n", 3, 1, "expected ',' or ']'", "the list opened at 2:4"},    /* Y21 */
        {"a: {b: 1\nc: 2\n", 2, 2, "expected ',' or '}'", "the mapping opened at 1:4"}, /* Y22 */
        {"a: \"abc\nb: 1\n", 3, 1, "unterminated string", "the string opened at 1:4"},  /* Y23 */
        {"a: \"\\q\"\n", 1, 5, "unknown escape", ""},                                   /* Y24 */
        {"a: @x\n", 1, 4, "cannot start a value", ""},                                  /* Y25 */
        {"a: `x\n", 1, 4, "cannot start a value", ""},                                  /* Y26 */
        {"a: 1\nkey value\nb: 2\n", 2, 1, "expected ':'", ""},                          /* Y27 */
        {"a: b: c\n", 1, 5, "mapping not allowed here", ""},                            /* Y28 */
        {"a: 1\n---\nb: 2\n", 2, 1, "only one document", ""},                           /* Y29 */
        {"a: 1\n...\nb: 2\n", 3, 1, "only one document", ""},                           /* Y30 */
        {"\"a\" \"b\"\n", 1, 5, "only one document", ""},
        {"%YAML 1.2\n---\na: 1\n", 1, 1, "directives are not supported", ""},        /* Y31 */
        {"# c\n\n%YAML 9.9\n---\na: 1\n", 3, 1, "directives are not supported", ""}, /* Y32 */
        {"a: !!python/object:os.system x\n", 1, 4, "tags are not supported", ""},    /* Y34 */
        {"a: !local x\n", 1, 4, "tags are not supported", ""},                       /* Y35 */
        {"a: !local [x]\n", 1, 4, "tags are not supported", ""},
        {"a: !x!y x\n", 1, 4, "tags are not supported", ""},
        {"? complex\n: 1\n", 1, 3, "keys must be plain text", ""}, /* Y36 */
        {"{? complex : 1}\n", 1, 4, "keys must be plain text", ""},
        {"[a]: 1\n", 1, 1, "keys must be plain text", ""}, /* Y37 */
        {"{{a: 1}: 1}\n", 1, 2, "keys must be plain text", ""},
        {"a: &x b\n*x : 1\n", 2, 1, "keys must be plain text", ""},
        {"\"\": 1\n", 1, 1, "empty key", ""}, /* Y38 */
        {"~: 1\n", 1, 1, "empty key", ""},
        {"{: 1}\n", 1, 2, "expected a value here", "the list or mapping opened at 1:2"},
        {"a: & b\n", 1, 5, "expected a name after '&' or '*'", ""},
        {"a: - b\n", 1, 4, "a list item ('-') is not allowed here", ""},
        {"a: \"x\\0y\"\n", 1, 4, "NUL in text", ""}, /* S64 */
    };

    (void)state;
    for (size_t i = 0; i < COUNT(cases); i++) {
        assert_refused(cases[i].text, cases[i].line, cases[i].column, cases[i].message);
        assert_int_equal(parse.errors.total, 1);
        assert_string_equal(parse.errors.items[0].note, cases[i].note);
    }
}

static void accepts_one_document_however_it_ends(void **state)
{
    static const char *const texts[] = {"a: 1",
                                        "--- \na: 1\n",
                                        "a: 1\n...\n",
                                        "a: 1\n... # end\n\n# more\n...\n",
                                        "# first\na: what? b\n",
                                        "a: 'x: # %'\n"};

    (void)state;
    for (size_t i = 0; i < COUNT(texts); i++) {
        assert_non_null(read_text(texts[i]));
        assert_int_equal(parse.root->kind, YAML_MAP);
    }
    /* Y01 to Y04: nothing is a tree too; yaml_read refuses it. */
    static const char *const nothing[] = {"", "# a\n", "---\n", "  \n \n"};

    for (size_t i = 0; i < COUNT(nothing); i++) {
        assert_non_null(read_text(nothing[i]));
        assert_int_equal(parse.root->kind, YAML_NULL);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        PARSES(refuses_bytes_that_are_not_text),
        PARSES(recognises_other_files),
        PARSES(translates_syntax_errors),
        PARSES(accepts_one_document_however_it_ends),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
