/* test_safetensors_write.c: the writer's bytes, and what it refuses to write. */
#include "safetensors_image.h"

#include <math.h>

/* The writer makes the base file, to the byte, from entries in another order. */
static void test_base(void **state)
{
    (void)state;
    float data[35];
    struct image expected = build(HEADER, strlen(HEADER));
    struct error e = {0};
    char bytes[1024];

    fill_data(data);
    const struct metadata_entry metadata[] = {
        {"note", "\"caf\u00e9\""}, {"config", "name: a\n"}, {KEY, "1"}};
    const struct tensor_entry tensors[] = {
        {.name = "C1.bias", .rank = 1, .shape = {3}, .data = data + 32, .size = 3},
        {.name = "C1.weight", .rank = 4, .shape = {4, 1, 2, 2}, .data = data, .size = 16},
        {.name = "C2.weight", .rank = 1, .shape = {16}, .data = data + 16, .size = 16},
    };

    assert_int_equal(write_file(metadata, 3, tensors, 3, &e), 0);
    assert_int_equal(slurp(bytes, sizeof bytes), expected.size);
    assert_memory_equal(bytes, expected.bytes, expected.size);
    free(expected.bytes);
}

/* What the writer refuses; the file that was there stays. */
static void test_refused_tensors(void **state)
{
    (void)state;
    static const float one[16] = {0};
    float bad[20] = {0};
    char long_name[257];

    bad[17] = NAN;
    memset(long_name, 'a', 256);
    long_name[256] = '\0';
    const struct {
        struct tensor_entry tensor;
        enum error_kind kind;
        const char *message;
    } cases[] = {
        {{"C1.weight", 1, {20}, bad, 20, 0},
         ERROR_NUMERIC,
         "value 17 of 'C1.weight' is not finite"},
        {{"", 1, {16}, one, 16, 0}, ERROR_INTERNAL, "bad tensor name ''"},
        {{"a/b", 1, {16}, one, 16, 0}, ERROR_INTERNAL, "bad tensor name 'a/b'"},
        {{"a b", 1, {16}, one, 16, 0}, ERROR_INTERNAL, "bad tensor name 'a b'"},
        {{"a\"b", 1, {16}, one, 16, 0}, ERROR_INTERNAL, "bad tensor name"},
        {{"a\\b", 1, {16}, one, 16, 0}, ERROR_INTERNAL, "bad tensor name"},
        {{"\u00fc", 1, {16}, one, 16, 0}, ERROR_INTERNAL, "bad tensor name"},
        {{"__metadata__", 1, {16}, one, 16, 0}, ERROR_INTERNAL, "bad tensor name"},
        {{long_name, 1, {16}, one, 16, 0}, ERROR_INTERNAL, "bad tensor name"},
        {{"ok", 1, {16}, one, 16, 0}, ERROR_INTERNAL, "have one name"},
        {{"a", 1, {15}, one, 16, 0}, ERROR_INTERNAL, "shape and size of 'a' do not agree"},
        {{"a", 2, {0, 16}, one, 0, 0}, ERROR_INTERNAL, "do not agree"},
        {{"a", 9, {16}, one, 16, 0}, ERROR_INTERNAL, "do not agree"},
        {{"a", -1, {16}, one, 16, 0}, ERROR_INTERNAL, "do not agree"},
        {{"a", 2, {(size_t)1 << 32, ((size_t)1 << 32) + 16}, one, 16, 0},
         ERROR_INTERNAL,
         "do not agree"},
    };
    struct error e = {0};

    put("old", 3);
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        const struct tensor_entry tensors[] = {{"ok", 0, {0}, one, 1, 0}, cases[i].tensor};
        char bytes[16];

        assert_int_equal(write_file(NULL, 0, tensors, 2, &e), -1);
        if (e.kind != cases[i].kind || strstr(e.message, cases[i].message) == NULL) {
            fail_msg("%zu: kind %d: %s", i, (int)e.kind, e.message);
        }
        assert_int_equal(slurp(bytes, sizeof bytes), 3);
    }
}

static void test_refused_metadata(void **state)
{
    (void)state;
    const size_t size = (size_t)1 << 20;
    char *value = malloc(size + 2);
    struct metadata_entry *many = malloc(16385 * sizeof *many);
    struct tensor_entry *tensors = calloc(16385, sizeof *tensors);
    static const float one = 1.0f;
    struct safetensors st;
    struct error e = {0};

    assert_non_null(value);
    assert_non_null(many);
    assert_non_null(tensors);
    memset(value, 'v', size + 1);
    value[size + 1] = '\0';
    const struct {
        struct metadata_entry entry;
        enum error_kind kind;
        const char *message;
    } cases[] = {
        {{"header_crc32", "0"}, ERROR_INTERNAL, "'header_crc32' belongs to the container"},
        {{"crc32:x", "0"}, ERROR_INTERNAL, "'crc32:x' belongs to the container"},
        {{"k\xff", "0"}, ERROR_INTERNAL, "not valid UTF-8"},
        {{"k", "\xed\xa0\x80"}, ERROR_INTERNAL, "'k' is not valid UTF-8"},
        {{"k", value}, ERROR_LIMIT, "'k' is longer than 1048576 bytes"},
        {{KEY, "2"}, ERROR_INTERNAL, "have one name"},
    };

    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        const struct metadata_entry metadata[] = {{KEY, "1"}, cases[i].entry};

        assert_int_equal(write_file(metadata, 2, NULL, 0, &e), -1);
        if (e.kind != cases[i].kind || strstr(e.message, cases[i].message) == NULL) {
            fail_msg("%zu: kind %d: %s", i, (int)e.kind, e.message);
        }
    }
    value[size] = '\0'; /* exactly 1 MiB is allowed; sixteen of them are more than a header holds */
    for (int i = 0; i < 16385; i++) {
        char *key = malloc(16);

        assert_non_null(key);
        snprintf(key, 16, "%05d", i);
        many[i] = (struct metadata_entry){key, i < 16 ? value : "1"};
        tensors[i] = (struct tensor_entry){.name = key, .data = &one, .size = 1};
    }
    assert_int_equal(write_file(many, 16, NULL, 0, &e), -1);
    assert_int_equal(e.kind, ERROR_LIMIT);
    assert_non_null(strstr(e.message, "header would be larger than 16777216"));
    assert_int_equal(write_file(many, 16385, NULL, 0, &e), -1);
    assert_int_equal(e.kind, ERROR_LIMIT);
    assert_int_equal(write_file(NULL, 0, tensors, 16385, &e), -1);
    assert_int_equal(e.kind, ERROR_LIMIT);

    /* At the limits the writer does not make what the reader refuses. */
    for (int i = 0; i < 16384; i++) {
        many[i].value = i == 0 ? value : "1";
        tensors[i].rank = 8;
        memcpy(tensors[i].shape, (size_t[8]){1, 1, 1, 1, 1, 1, 1, 1}, sizeof tensors[i].shape);
    }
    many[0].value = "1";
    many[1].value = value;
    assert_int_equal(write_file(many, 16384, tensors, 16384, &e), 0);
    assert_int_equal(safetensors_read(&st, path, "00000", &e), 0);
    assert_int_equal(st.tensor_count, 16384);
    assert_int_equal(st.metadata_count, 16384);
    assert_string_equal(safetensors_metadata(&st, "00001"), value);
    safetensors_free(&st);
    for (int i = 0; i < 16385; i++) {
        free((void *)(uintptr_t)many[i].key);
    }
    free(tensors);
    free(many);
    free(value);
}

static void test_unwritable(void **state)
{
    (void)state;
    const struct metadata_entry metadata = {KEY, "1"};
    const size_t gib = (size_t)1 << 30;
    /* No data are there: the sizes are checked before any value. */
    const struct tensor_entry tensors[] = {
        {.name = "a", .rank = 1, .shape = {gib}, .size = gib},
        {.name = "b", .rank = 2, .shape = {1024, gib / 1024}, .size = gib},
    };
    struct error e = {0};

    assert_int_equal(
        safetensors_write(&(struct file_target){-1, NAME, path, NULL}, &metadata, 1, NULL, 0, &e),
        -1);
    assert_int_equal(e.kind, ERROR_IO);
    assert_int_equal(write_file(&metadata, 1, tensors, 2, &e), -1);
    assert_int_equal(e.kind, ERROR_LIMIT);
    assert_string_equal(e.message, "the tensors need more than 8 GiB");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_base),
        cmocka_unit_test(test_refused_tensors),
        cmocka_unit_test(test_refused_metadata),
        cmocka_unit_test(test_unwritable),
    };

    return cmocka_run_group_tests(tests, make_directory, remove_directory);
}
