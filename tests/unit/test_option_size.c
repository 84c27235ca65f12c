/* test_option_size.c: the kind that holds a number of bytes. */
#include "option_check.h"

struct sized {
    uint64_t memory;
};
static const struct option rows[] = {
    {"memory", &OPTION_SIZE, offsetof(struct sized, memory), "", 0, 0, 0, NULL, "a size"},
    OPTION_END,
};

static void reads_and_writes_sizes(void **state)
{
    static const struct {
        const char *text;
        uint64_t bytes;
        const char *written;
    } cases[] = {
        {"memory: 1", 1, "memory: 1\n"},
        {"memory: 1000", 1000, "memory: 1000\n"},
        {"memory: 2048", 2048, "memory: 2KiB\n"},
        {"memory: 3KiB", 3072, "memory: 3KiB\n"},
        {"memory: 512MiB", 512u << 20, "memory: 512MiB\n"},
        {"memory: 1024MiB", 1u << 30, "memory: 1GiB\n"},
        {"memory: 5TiB", (uint64_t)5 << 40, "memory: 5TiB\n"},
        {"memory: 18446744073709551615", UINT64_MAX, "memory: 18446744073709551615\n"},
        {"{}", 0, NULL},
    };
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct sized sized = {7};
        struct text out = {0};
        sized.memory = 0;
        assert_int_equal(decode_rows(rows, &sized, cases[i].text), 0);
        assert_true(sized.memory == cases[i].bytes);
        options_emit(rows, &sized, &out, 0);
        if (cases[i].written != NULL) {
            assert_string_equal(out.data, cases[i].written);
        } else {
            assert_true(out.data == NULL || out.data[0] == '\0');
        }
        text_free(&out);
    }
}

static void refuses_other_things(void **state)
{
    static const char *const texts[] = {
        "memory: 0",      "memory: 0GiB",          "memory: -1",   "memory: 1.5GiB",
        "memory: 2GB",    "memory: 2 GiB",         "memory: GiB",  "memory: 010",
        "memory: '1KiB'", "memory: [1]",           "memory: half", "memory: 18446744073709551616",
        "memory: 2gib",   "memory: 17179869184GiB"};
    (void)state;
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) {
        struct sized sized = {0};
        if (decode_rows(rows, &sized, texts[i]) == 0) {
            fail_msg("%s is accepted", texts[i]);
        }
        assert_int_equal(parse.errors.total, 1);
        assert_int_equal(parse.errors.items[0].column, 9);
        assert_non_null(strstr(parse.errors.items[0].message,
                               "'memory' must be a number of bytes: a whole number, alone or "
                               "with KiB, MiB, GiB or TiB, got "));
    }
}

static void says_what_it_takes(void **state)
{
    (void)state;
    struct text out = {0};
    OPTION_SIZE.describe(rows, &out);
    assert_string_equal(out.data, "a whole number, alone or with KiB, MiB, GiB, TiB");
    text_free(&out);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        PARSES(reads_and_writes_sizes),
        PARSES(refuses_other_things),
        PARSES(says_what_it_takes),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
