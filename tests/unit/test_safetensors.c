/* test_safetensors.c: both directions of the container together: what is written reads back, the
 * same content gives the same bytes, no bit of a file can change unnoticed, and no memory is no
 * crash. */
#include "safetensors_image.h"

#include <errno.h>
#include <jansson.h>
#include <math.h>
#include <sys/stat.h>

/* Every kind of content that is allowed: escapes, other scripts, scalars, 8 dimensions, the least
 * and largest values. */
static void test_round_trip(void **state)
{
    (void)state;
    const float numbers[] = {0.0f, -0.0f, 1e-45f, -1e-45f, 3.4028235e38f, -3.4028235e38f,
                             1.0f, 0.1f,  5.0f,   6.0f,    7.0f,          8.0f,
                             9.0f, 10.0f, 11.0f,  12.0f};
    const struct metadata_entry metadata[] = {
        {KEY, "1"},
        {"", "an empty key"},
        {"a\\\"header_crc32", "00000000"},
        {"config", "# \t\r\n\"\\/\x7f\x01\x1f \u00fc \u20ac \U0001f600\n"},
        {"crc32", "no checksum"},
        {"dtype", ""},
        {"\u00fc", "last: bytewise order"},
    };
    const struct tensor_entry tensors[] = {
        {.name = "w", .rank = 8, .shape = {1, 2, 1, 2, 1, 2, 1, 2}, .data = numbers, .size = 16},
        {.name = "!#$~[]{}", .rank = 0, .data = numbers + 7, .size = 1},
        {.name = "dtype", .rank = 2, .shape = {5, 3}, .data = numbers, .size = 15},
    };
    struct safetensors st;
    struct error e = {0};
    char first[4096], second[4096];

    assert_int_equal(write_file(metadata, 7, tensors, 3, &e), 0);
    const size_t size = slurp(first, sizeof first);

    assert_int_equal(safetensors_read(&st, path, KEY, &e), 0);
    assert_string_equal(st.path, path);
    assert_int_equal(st.metadata_count, 7);
    assert_int_equal(st.tensor_count, 3);
    for (int i = 0; i < 7; i++) {
        assert_string_equal(safetensors_metadata(&st, metadata[i].key), metadata[i].value);
        assert_true(i == 0 || strcmp(st.metadata[i - 1].key, st.metadata[i].key) < 0);
    }
    for (int i = 0; i < 3; i++) {
        const struct tensor_entry *t = safetensors_tensor(&st, tensors[i].name);

        assert_non_null(t);
        assert_int_equal(t->rank, tensors[i].rank);
        assert_int_equal(t->size, tensors[i].size);
        assert_memory_equal(t->shape, tensors[i].shape, sizeof t->shape);
        assert_memory_equal(t->data, tensors[i].data, t->size * sizeof(float));
        assert_memory_equal(first + t->offset, tensors[i].data, t->size * sizeof(float));
    }
    /* What was read writes the same file, and again. */
    for (int i = 0; i < 2; i++) {
        assert_int_equal(
            write_file(st.metadata, st.metadata_count, st.tensors, st.tensor_count, &e), 0);
        assert_int_equal(slurp(second, sizeof second), size);
        assert_memory_equal(first, second, size);
    }
    safetensors_free(&st);
    safetensors_free(&st); /* a second time does no harm */
}

static void test_empty(void **state)
{
    (void)state;
    const struct metadata_entry metadata = {"b", "1"};
    struct safetensors st;
    struct error e = {0};

    assert_int_equal(write_file(NULL, 0, NULL, 0, &e), 0);
    assert_int_equal(safetensors_read(&st, path, "b", &e), -1);
    assert_int_equal(write_file(&metadata, 1, NULL, 0, &e), 0);
    assert_int_equal(safetensors_read(&st, path, "b", &e), 0);
    assert_int_equal(st.tensor_count, 0);
    safetensors_free(&st);
}

/* A file of about 2 KiB, as a small net's. */
static size_t write_small(void)
{
    static float data[256];
    const struct metadata_entry metadata[] = {
        {KEY, "1"},
        {"classes", "[\"zero\",\"one\"]"},
        {"config",
         "name: tiny\nnetwork:\n  - conv: {name: C1, filters: 4, kernel: 3}\n  - dense: 2\n"},
    };
    const struct tensor_entry tensors[] = {
        {.name = "C1.weight", .rank = 4, .shape = {4, 1, 3, 3}, .data = data, .size = 36},
        {.name = "C1.bias", .rank = 1, .shape = {4}, .data = data + 36, .size = 4},
        {.name = "dense1.weight", .rank = 2, .shape = {2, 96}, .data = data + 40, .size = 192},
        {.name = "dense1.bias", .rank = 1, .shape = {2}, .data = data + 232, .size = 2},
    };
    struct error e = {0};
    struct stat status;

    for (int i = 0; i < 256; i++) {
        data[i] = sinf((float)i);
    }
    assert_int_equal(write_file(metadata, 3, tensors, 4, &e), 0);
    assert_int_equal(stat(path, &status), 0);
    return (size_t)status.st_size;
}

static void must_refuse(const char *what, size_t where)
{
    struct safetensors st;
    struct error e = {0};

    if (safetensors_read(&st, path, KEY, &e) == 0) {
        fail_msg("accepted: %s %zu", what, where);
    }
    if (e.kind != ERROR_MODEL || e.message[0] == '\0' || strcmp(e.file, path) != 0) {
        fail_msg("%s %zu: kind %d: %s", what, where, (int)e.kind, e.message);
    }
}

static void test_every_bit(void **state)
{
    (void)state;
    const size_t size = write_small();
    const int fd = open(path, O_RDWR);
    unsigned char byte;

    assert_true(size > 1500 && size < 4096);
    for (size_t bit = 0; bit < 8 * size; bit++) {
        const off_t at = (off_t)(bit / 8);

        assert_int_equal(pread(fd, &byte, 1, at), 1);
        byte ^= (unsigned char)(1u << bit % 8);
        assert_int_equal(pwrite(fd, &byte, 1, at), 1);
        must_refuse("bit", bit);
        byte ^= (unsigned char)(1u << bit % 8);
        assert_int_equal(pwrite(fd, &byte, 1, at), 1);
    }
    struct safetensors st;
    struct error e = {0};

    assert_int_equal(safetensors_read(&st, path, KEY, &e), 0); /* all of them are undone */
    safetensors_free(&st);
    close(fd);
}

static void test_every_length(void **state)
{
    (void)state;
    const size_t size = write_small();

    for (size_t more = 1; more <= 64; more++) {
        assert_int_equal(truncate(path, (off_t)(size + more)), 0);
        must_refuse("longer by", more);
    }
    for (size_t length = size; length-- > 0;) {
        assert_int_equal(truncate(path, (off_t)length), 0);
        must_refuse("length", length);
    }
}

/* jansson's allocations fail from the k-th on, for every k. */
static long allocations_left;

static void *failing_malloc(size_t size)
{
    if (allocations_left-- > 0) {
        return malloc(size);
    }
    errno = ENOMEM;
    return NULL;
}

static void test_no_memory(void **state)
{
    (void)state;
    const struct metadata_entry metadata[] = {{KEY, "1"}, {"config", "name: a\n"}};
    const float one = 1.0f;
    const struct tensor_entry tensor = {
        .name = "w", .rank = 1, .shape = {1}, .data = &one, .size = 1};
    struct safetensors st;
    struct error e = {0};
    int writes = 0, reads = 0;

    json_set_alloc_funcs(failing_malloc, free);
    for (;; writes++) {
        allocations_left = writes;
        if (write_file(metadata, 2, &tensor, 1, &e) == 0) {
            break;
        }
        assert_int_equal(e.kind, ERROR_LIMIT);
    }
    for (;; reads++) {
        allocations_left = reads;
        if (safetensors_read(&st, path, KEY, &e) == 0) {
            break;
        }
        if (e.kind != ERROR_LIMIT) {
            fail_msg("allocation %d: %s", reads, e.message);
        }
    }
    safetensors_free(&st);
    json_set_alloc_funcs(malloc, free);
    assert_true(writes > 5 && reads > 10);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_round_trip), cmocka_unit_test(test_empty),
        cmocka_unit_test(test_every_bit),  cmocka_unit_test(test_every_length),
        cmocka_unit_test(test_no_memory),
    };

    return cmocka_run_group_tests(tests, make_directory, remove_directory);
}
