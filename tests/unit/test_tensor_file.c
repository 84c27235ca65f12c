/* test_tensor_file.c: foreign safetensors files: what is taken, and what is refused where. */
#include "base/tensor_file.h"

#include <fcntl.h>
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

static char directory[] = "/tmp/cnntrain-test-XXXXXX";
static char path[64];

/* A file with this header and `size` bytes of data: 0, 1, 2, ... */
static void write_with(const char *header, const unsigned char *data, size_t size)
{
    const uint64_t length = strlen(header);
    FILE *file = fopen(path, "wb");
    assert_non_null(file);
    fwrite(&length, sizeof length, 1, file);
    fwrite(header, 1, length, file);
    for (size_t i = 0; i < size; i++) {
        fputc(data ? data[i] : (int)(i & 63), file);
    }
    assert_int_equal(fclose(file), 0);
}

static struct tensor_file open_good(const char *header, const unsigned char *data, size_t size)
{
    struct tensor_file file;
    struct error e = {.offset = -1};
    write_with(header, data, size);
    if (tensor_file_read(&file, path, &e) != 0) {
        fail_msg("%s: %s", header, e.message);
    }
    return file;
}

/* Three types, in another order than that of their data, unaligned; no metadata; a scalar; a
 * tensor without data; names that ours may not have; spaces of every sort behind the header. */
static void test_values(void **state)
{
    (void)state;
    const unsigned char data[] = {
        0x80, 0x3F, 0xC0, 0xC0,             /* bf16: 1, -6 */
        7,                                  /* a byte */
        0,    0,    0,    0x40,             /* f32: 2 */
        0,    0x3C, 1,    0,    0xFF, 0x7B, /* f16: 1, 2^-24, 65504 */
    };
    struct tensor_file file =
        open_good("{\"h.w\":{\"dtype\":\"F16\",\"shape\":[3,1],\"data_offsets\":[9,15]},"
                  "\"scalar\":{\"dtype\":\"F32\",\"shape\":[],\"data_offsets\":[5,9]},"
                  "\"none\":{\"shape\":[2,0],\"data_offsets\":[4,4],\"dtype\":\"F32\"},"
                  "\"a b/\\u00e9:0\":{\"dtype\":\"U8\",\"shape\":[1],\"data_offsets\":[4,5]},"
                  "\"b\":{\"dtype\":\"BF16\",\"shape\":[2],\"data_offsets\":[0,4]}} \t\r\n",
                  data, sizeof data);
    float out[3];
    assert_int_equal(file.count, 5);
    assert_null(tensor_file_find(&file, "B"));
    const struct stored_tensor *t = tensor_file_find(&file, "h.w");
    assert_int_equal(t->rank, 2);
    assert_int_equal(t->size, 3);
    assert_string_equal(tensor_type_name(t->type), "F16");
    assert_int_equal(tensor_values(&file, t, out, NULL), 0);
    assert_true(out[0] == 1 && out[1] == 0x1p-24f && out[2] == 65504);
    t = tensor_file_find(&file, "b");
    assert_int_equal(tensor_values(&file, t, out, NULL), 0);
    assert_true(out[0] == 1 && out[1] == -6);
    t = tensor_file_find(&file, "scalar");
    assert_int_equal(t->rank, 0);
    assert_int_equal(tensor_values(&file, t, out, NULL), 0);
    assert_true(out[0] == 2);
    t = tensor_file_find(&file, "none");
    assert_int_equal(t->size, 0);
    assert_int_equal(tensor_values(&file, t, out, NULL), 0);
    t = tensor_file_find(&file, "a b/\xc3\xa9:0");
    assert_non_null(t);
    assert_false(tensor_type_is_float(t->type));
    tensor_file_free(&file);
    assert_null(file.file);
}

static void test_metadata(void **state)
{
    (void)state;
    struct tensor_file file = open_good("{\"__metadata__\":{\"format\":\"pt\"}}", NULL, 0);
    assert_int_equal(file.count, 0);
    tensor_file_free(&file);
    file = open_good("{}      ", NULL, 0);
    assert_int_equal(file.count, 0);
    tensor_file_free(&file);
}

static void test_not_finite(void **state)
{
    (void)state;
    static const struct {
        const char *dtype;
        unsigned char bytes[8];
        int shape, bad, at; /* value, and its byte in the data */
    } rows[] = {
        {"F16", {0, 0x3C, 0, 0x7C}, 2, 1, 2},             /* inf */
        {"F16", {1, 0xFE}, 1, 0, 0},                      /* nan */
        {"BF16", {0, 0, 0x80, 0x7F}, 2, 1, 2},            /* inf */
        {"F32", {0, 0, 0, 0, 0, 0, 0xC0, 0x7F}, 2, 1, 4}, /* nan */
        {"F32", {0, 0, 0x80, 0xFF}, 1, 0, 0},             /* -inf */
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        char header[200], message[80];
        const int size = rows[i].shape * (strcmp(rows[i].dtype, "F32") == 0 ? 4 : 2);
        float out[2];
        struct error e = {.offset = -1};
        snprintf(header, sizeof header,
                 "{\"x\":{\"dtype\":\"%s\",\"shape\":[%d],\"data_offsets\":[0,%d]}}", rows[i].dtype,
                 rows[i].shape, size);
        struct tensor_file file = open_good(header, rows[i].bytes, (size_t)size);
        assert_int_equal(tensor_values(&file, &file.tensors[0], out, &e), -1);
        snprintf(message, sizeof message, "value %d of 'x' is not finite", rows[i].bad);
        assert_string_equal(e.message, message);
        assert_int_equal(e.kind, ERROR_MODEL);
        assert_int_equal(e.offset, 8 + (int)strlen(header) + rows[i].at);
        tensor_file_free(&file);
    }
}

#define T(shape, offsets)                                                                          \
    "\"x\":{\"dtype\":\"F32\",\"shape\":" shape ",\"data_offsets\":" offsets "}"

static void test_refused(void **state)
{
    (void)state;
    static const struct {
        const char *header;
        int size, offset; /* of the data; -1: not looked at */
        const char *message;
    } rows[] = {
        {"{" T("[2]", "[0,8]") "}", 7, 9, "data of 'x' end past the end of the file"},
        {"{" T("[2]", "[0,8]") "}", 9, -1, "1 unused bytes after the last tensor"},
        {"{" T("[2]", "[4,12]") "}", 12, 9, "unused bytes before 'x'"},
        {"{" T("[2]", "[0,4]") "}", 4, 9, "'x': 4 bytes declared, shape needs 8"},
        {"{" T("[2]", "[8,0]") "}", 8, 9, "data_offsets of 'x' must be two whole numbers"},
        {"{" T("[2]", "[0]") "}", 8, 9, "data_offsets of 'x' must be two whole numbers"},
        {"{" T("[2]", "[-8,0]") "}", 8, 9, "data_offsets of 'x' must be two whole numbers"},
        {"{" T("[2]", "[0.0,8]") "}", 8, 9, "data_offsets of 'x' must be two whole numbers"},
        {"{" T("[2.0]", "[0,8]") "}", 8, 9, "bad shape of 'x': expected a whole number"},
        {"{" T("[-2]", "[0,8]") "}", 8, 9, "bad shape of 'x': expected a whole number"},
        {"{" T("2", "[0,8]") "}", 8, 9, "bad shape of 'x': expected a list of at most 8"},
        {"{" T("[1,1,1,1,1,1,1,1,2]", "[0,8]") "}", 8, 9, "bad shape of 'x'"},
        {"{" T("[4294967296,4294967296]", "[0,8]") "}", 8, 9, "size overflow"},
        {"{" T("[9223372036854775807]", "[0,8]") "}", 8, 9, "no whole number of bytes"},
        {"{" T("[2,9223372036854775807]", "[0,8]") "}", 8, 9, "no whole number of bytes"},
        {"{" T("[2]", "[0,8]") ",\"y\":{\"dtype\":\"U8\",\"shape\":[4],\"data_offsets\":[4,8]}}", 8,
         -1, "data of 'y' overlap those before"},
        {"{" T("[2]", "[0,8]") "," T("[2]", "[8,16]") "}", 16, -1, "duplicate name"},
        {"{\"x\":{\"dtype\":\"F31\",\"shape\":[1],\"data_offsets\":[0,4]}}", 4, 9,
         "unknown dtype F31 of 'x'"},
        {"{\"x\":{\"dtype\":32,\"shape\":[1],\"data_offsets\":[0,4]}}", 4, 9, "unknown dtype"},
        {"{\"x\":{\"dtype\":\"F4\",\"shape\":[3],\"data_offsets\":[0,1]}}", 1, 9,
         "no whole number of bytes"},
        {"{\"x\":{\"dtype\":\"F32\",\"shape\":[1]}}", 4, 9,
         "'x' must have dtype, shape and data_offsets"},
        {"{\"x\":{\"dtype\":\"F32\",\"shape\":[1],\"data_offsets\":[0,4],\"crc\":1}}", 4, 9,
         "'x' must have dtype, shape and data_offsets"},
        {"{\"x\":[1]}", 0, -1, "'x' must have dtype, shape and data_offsets"},
        {"{\"\":{\"dtype\":\"F32\",\"shape\":[1],\"data_offsets\":[0,4]}}", 4, 8,
         "a tensor's name must have 1 to 255 bytes"},
        {"{\"__metadata__\":{\"a\":1}}", 0, 8, "metadata values must be strings: 'a' is not"},
        {"{\"__metadata__\":[]}", 0, 8, "'__metadata__' must be an object of strings"},
        {"{}x", 0, 10, "bytes after the header object"},
        {"{x", 0, -1, "header is not JSON"},
        {"[1]", 0, -1, "not a safetensors file: the header must begin with {"},
        {"{\"__metadata__\":{\"cnntrain.format\":\"1\"}}", 0, -1,
         "the data must start at a multiple of 64"},
        {"{\"__metadata__\":{\"cnntrain.format\":\"7\"}}", 0, -1, "made by a newer cnntrain"},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct tensor_file file;
        struct error e = {.offset = -1};
        write_with(rows[i].header, NULL, (size_t)rows[i].size);
        if (tensor_file_read(&file, path, &e) != -1) {
            fail_msg("%s: was taken", rows[i].header);
        }
        if (strstr(e.message, rows[i].message) == NULL) {
            fail_msg("%s: \"%s\", expected \"%s\"", rows[i].header, e.message, rows[i].message);
        }
        assert_int_equal(e.kind, ERROR_MODEL);
        if (rows[i].offset >= 0 && rows[i].offset != 9) {
            assert_int_equal(e.offset, rows[i].offset);
        } else if (rows[i].offset ==
                   9) { /* at the name of the first tensor, where it can be found */
            assert_true(e.offset == 9 || e.offset == 8);
        }
        assert_null(file.file);
    }
}

static void test_other_files(void **state)
{
    (void)state;
    struct tensor_file file;
    struct error e = {.offset = -1};
    FILE *out = fopen(path, "wb");
    fputs("PK\3\4 and so on", out);
    fclose(out);
    assert_int_equal(tensor_file_read(&file, path, &e), -1);
    assert_string_equal(
        e.message, "not a safetensors file: looks like a zip archive, as PyTorch and Keras write");
    assert_int_equal(tensor_file_read(&file, "/nowhere/at/all", &e), -1);
    assert_int_equal(e.kind, ERROR_IO);
}

/* A file of ours, with its checksums; a bit of its data turned over is found. */
static void test_ours(void **state)
{
    (void)state;
    const float values[] = {1, -2, 0.5f};
    const struct tensor_entry entry = {
        .name = "a.weight", .rank = 1, .shape = {3}, .data = values, .size = 3};
    const struct metadata_entry format = {"cnntrain.format", "1"};
    struct tensor_file file;
    struct error e = {.offset = -1};
    float out[3];
    const int dir = open(directory, O_RDONLY | O_DIRECTORY);
    assert_int_equal(
        safetensors_write(&(struct file_target){dir, "x", path, NULL}, &format, 1, &entry, 1, &e),
        0);
    assert_int_equal(tensor_file_read(&file, path, &e), 0);
    assert_int_equal(file.count, 1);
    assert_int_equal(tensor_values(&file, tensor_file_find(&file, "a.weight"), out, &e), 0);
    assert_memory_equal(out, values, sizeof values);
    tensor_file_free(&file);
    const int fd = openat(dir, "x", O_RDWR);
    const off_t last = lseek(fd, -1, SEEK_END);
    assert_int_equal(pwrite(fd, "\x3E", 1, last), 1);
    close(fd);
    close(dir);
    assert_int_equal(tensor_file_read(&file, path, &e), -1);
    assert_string_equal(e.message, "checksum mismatch in 'a.weight': damaged file");
}

/* Whatever a bit of a file becomes: refused, or still read within its bounds. And every shorter
 * file is refused. */
static void test_flips_and_cuts(void **state)
{
    (void)state;
    static const char HEADER[] =
        "{\"a\":{\"dtype\":\"F16\",\"shape\":[2,3],\"data_offsets\":[8,20]},"
        "\"b.c\":{\"dtype\":\"F32\",\"shape\":[2],\"data_offsets\":[0,8]}}  ";
    unsigned char bytes[8 + sizeof HEADER - 1 + 20];
    const size_t size = sizeof bytes;
    float out[32];
    write_with(HEADER, NULL, 20);
    FILE *in = fopen(path, "rb");
    assert_int_equal(fread(bytes, 1, size, in), size);
    fclose(in);
    int taken = 0;
    for (size_t bit = 0; bit < 8 * size + size; bit++) {
        struct tensor_file file;
        struct error e = {.offset = -1};
        const size_t length = bit < 8 * size ? size : bit - 8 * size;
        FILE *f = fopen(path, "wb");
        if (bit < 8 * size) {
            bytes[bit / 8] ^= (unsigned char)(1 << bit % 8);
        }
        fwrite(bytes, 1, length, f);
        fclose(f);
        if (bit < 8 * size) {
            bytes[bit / 8] ^= (unsigned char)(1 << bit % 8);
        }
        if (tensor_file_read(&file, path, &e) != 0) {
            assert_int_equal(e.kind, ERROR_MODEL);
            continue;
        }
        taken++;
        assert_true(length == size);
        for (int i = 0; i < file.count; i++) {
            const struct stored_tensor *t = &file.tensors[i];
            assert_true(t->size <= 20);
            if (tensor_type_is_float(t->type)) {
                tensor_values(&file, t, out, NULL);
            }
        }
        tensor_file_free(&file);
    }
    assert_true(taken >= 160 && taken < (int)(4 * size)); /* at least those in the data */
}

static int make_folder(void **state)
{
    (void)state;
    if (!mkdtemp(directory)) {
        return -1;
    }
    snprintf(path, sizeof path, "%s/x", directory);
    return 0;
}

static int remove_folder(void **state)
{
    (void)state;
    unlink(path);
    return rmdir(directory);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_values),         cmocka_unit_test(test_metadata),
        cmocka_unit_test(test_not_finite),     cmocka_unit_test(test_refused),
        cmocka_unit_test(test_other_files),    cmocka_unit_test(test_ours),
        cmocka_unit_test(test_flips_and_cuts),
    };
    return cmocka_run_group_tests(tests, make_folder, remove_folder);
}
