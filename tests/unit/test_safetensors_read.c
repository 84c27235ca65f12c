/* test_safetensors_read.c: files with a right header checksum and a fault in what the header says
 * or in the data; each must be refused with its message and at its place. */
#include "safetensors_image.h"

#include <math.h>

static void read_good(struct safetensors *st)
{
    struct error e = {0};

    if (safetensors_read(st, path, KEY, &e) != 0) {
        fail_msg("refused: @%lld: %s", e.offset, e.message);
    }
}

static void test_base_is_good(void **state)
{
    (void)state;
    struct image file = build(HEADER, strlen(HEADER));
    struct safetensors st;

    put(file.bytes, file.size);
    free(file.bytes);
    read_good(&st);
    assert_int_equal(st.tensor_count, 3);
    assert_int_equal(st.metadata_count, 3);
    assert_string_equal(safetensors_metadata(&st, "note"), "\"caf\u00e9\"");
    assert_string_equal(safetensors_metadata(&st, "config"), "name: a\n");
    assert_null(safetensors_metadata(&st, "header_crc32"));
    assert_null(safetensors_tensor(&st, "C3.weight"));
    const struct tensor_entry *t = safetensors_tensor(&st, "C1.bias");

    assert_non_null(t);
    assert_int_equal(t->rank, 1);
    assert_int_equal(t->size, 3);
    assert_int_equal(t->offset, 448 + 128);
    assert_true(t->data[1] == -0.5f);
    assert_int_equal((uintptr_t)st.tensors[0].data % 64, 0);
    safetensors_free(&st);
}

#define OFFSETS "\"data_offsets\":[0,64]"
#define W "\"C1.weight\":{"

/* Edits of the header. `at`: the piece of the new header that the message must point to; NULL:
 * jansson's place, which need only be in the header. */
static const struct {
    const char *id, *from, *to, *message, *at;
} edits[] = {
    {"M16", "C2.weight\":{", "C2.w\377\":{", "invalid UTF-8", NULL},
    {"M16 overlong", "name: a", "name: \300\257", "invalid UTF-8", NULL},
    {"M18 raw", "name: a", "name:\1a", "header is not JSON: control character 0x1", NULL},
    {"M18 escaped", "name: a", "name: \\u0000", "NUL in a string", NULL},
    {"M19", "name: a", "name: \\ud800", "header is not JSON: invalid Unicode", NULL},
    {"M20", "name: a", "name: \\x", "header is not JSON: invalid escape", NULL},
    {"M21 trailing comma", "[128,140]", "[128,140],", "header is not JSON: string or '}' expected",
     NULL},
    {"M21 no comma", "]}," C2, "]}" C2, "header is not JSON: '}' expected", NULL},
    {"M21 no colon", "\"shape\":[16]", "\"shape\"[16]", "header is not JSON: ':' expected", NULL},
    {"M21 quotes", "\"shape\":[16]", "'shape':[16]", "header is not JSON", NULL},
    {"M21 comment", "\"shape\":[16]", "/**/\"shape\":[16]", "header is not JSON", NULL},
    {"M21 unquoted", "\"shape\":[16]", "shape:[16]", "header is not JSON", NULL},
    {"M21 unclosed", "[128,140]}}", "[128,140]}", "header is not JSON: '}' expected", NULL},
    {"M22 NaN", OFFSETS, "\"data_offsets\":[NaN,64]", "header is not JSON", NULL},
    {"M22 Infinity", OFFSETS, "\"data_offsets\":[0,Infinity]", "header is not JSON", NULL},
    {"M22 -1", OFFSETS, "\"data_offsets\":[-1,64]", "expected a whole number", W},
    {"M22 1.0", OFFSETS, "\"data_offsets\":[0,64.0]", "expected a whole number", W},
    {"M22 1e3", OFFSETS, "\"data_offsets\":[0,64e0]", "expected a whole number", W},
    {"M22 01", OFFSETS, "\"data_offsets\":[0,064]", "header is not JSON", NULL},
    {"M22 +1", OFFSETS, "\"data_offsets\":[0,+64]", "header is not JSON", NULL},
    {"M22 0x1", OFFSETS, "\"data_offsets\":[0,0x40]", "header is not JSON", NULL},
    {"M22 string", OFFSETS, "\"data_offsets\":[0,\"64\"]", "expected a whole number", W},
    {"M23", OFFSETS, "\"data_offsets\":[0,18446744073709551616]", "number too large", NULL},
    {"M23 2^63", OFFSETS, "\"data_offsets\":[0,9223372036854775808]", "number too large", NULL},
    {"M23 1e999", OFFSETS, "\"data_offsets\":[0,1e999]", "number too large", NULL},
    {"M24", OFFSETS, "\"data_offsets\":[0,9007199254740993]", "9007199254740993 bytes needed", W},
    {"M26", "\"C2.weight\":{", "\"C1.weight\":{", "duplicate name", NULL},
    {"M27", "\"C2.weight\":{", "\"\\u00431.weight\":{", "duplicate name", NULL},
    {"M28", C2, "\"__metadata__\":{}", "duplicate name", NULL},
    {"M29", "\"shape\":[16]", "\"dtype\":\"F32\",\"shape\":[16]", "duplicate name", NULL},
    {"M30 dtype", W "\"dtype\":\"F32\",", W, "missing dtype of 'C1.weight'", W},
    {"M30 shape", "\"shape\":[4,1,2,2],", "", "missing shape of 'C1.weight'", W},
    {"M30 offsets", "," OFFSETS, "", "missing data_offsets of 'C1.weight'", W},
    {"M31", OFFSETS, OFFSETS ",\"x\":1", "unknown key in 'C1.weight'", W},
    {"M32 number", C1, "\"C1.weight\":1", "expected an object", "{\"__metadata__\""},
    {"M32 list", C1, "\"C1.weight\":[]", "expected an object", "{\"__metadata__\""},
    {"M33 F31", W "\"dtype\":\"F32\"", W "\"dtype\":\"F31\"", "is F31: weights must be F32", W},
    {"M33 f32", W "\"dtype\":\"F32\"", W "\"dtype\":\"f32\"", "weights must be F32", W},
    {"M33 5", W "\"dtype\":\"F32\"", W "\"dtype\":5", "weights must be F32", W},
    {"M33 null", W "\"dtype\":\"F32\"", W "\"dtype\":null", "weights must be F32", W},
    {"M34 F64", W "\"dtype\":\"F32\"", W "\"dtype\":\"F64\"", "weights must be F32", W},
    {"M34 BF16", W "\"dtype\":\"F32\"", W "\"dtype\":\"BF16\"", "weights must be F32", W},
    {"M35", W "\"dtype\":\"F32\"", W "\"dtype\":\"F4\"", "weights must be F32", W},
    {"M36 no list", "[4,1,2,2]", "16", "bad shape of 'C1.weight': expected a list", W},
    {"M36 string", "[4,1,2,2]", "[4,\"4\"]", "bad shape of 'C1.weight'", W},
    {"M36 negative", "[4,1,2,2]", "[4,-4]", "bad shape of 'C1.weight'", W},
    {"M36 real", "[4,1,2,2]", "[4,4.0]", "bad shape of 'C1.weight'", W},
    {"M37", "[4,1,2,2]", "[2,2,2,2,1,1,1,1,1]", "more than 8 dimensions", W},
    {"M38", "[4,1,2,2]", "[2,18446744073709551614]", "number too large", NULL},
    {"M39", "[4,1,2,2]", "[2,9223372036854775807]", "size overflow", W},
    {"M40", "[4,1,2,2]", "[4294967296,4294967296]", "size overflow", W},
    {"M41", "[4,1,2,2]", "[4,0]", "zero-sized", W},
    {"M42", "[4,1,2,2]", "[]", "64 bytes declared, shape needs 4", W},
    {"M43 one", OFFSETS, "\"data_offsets\":[64]", "two numbers", W},
    {"M43 three", OFFSETS, "\"data_offsets\":[0,64,64]", "two numbers", W},
    {"M43 object", OFFSETS, "\"data_offsets\":{\"0\":64}", "two numbers", W},
    {"M44", OFFSETS, "\"data_offsets\":[64,0]", "begin after end", W},
    {"M45", OFFSETS, "\"data_offsets\":[128,192]", "past the end of the file", W},
    {"M46", "[4,1,2,2]", "[17]", "64 bytes declared, shape needs 68", W},
    {"M47", "[64,128]", "[0,64]", "data of 'C2.weight' overlap", "\"C2.weight\":{"},
    {"M48", "[128,140]", "[129,141]", "past the end", "\"C1.bias\":{"},
    {"M48 gap", "[16],\"data_offsets\":[64,128]", "[15],\"data_offsets\":[68,128]",
     "4 unused bytes before 'C2.weight'", "\"C2.weight\":{"},
    {"M49", "[4,1,2,2],\"data_offsets\":[0,64]", "[15],\"data_offsets\":[4,64]",
     "4 unused bytes before 'C1.weight'", W},
    {"M54 empty", "\"C2.weight\":{", "\"\":{", "bad name ''", "\"\":{"},
    {"M54 slash", "\"C2.weight\":{", "\"C2/weight\":{", "bad name 'C2/weight'", "\"C2/weight\":{"},
    {"M54 control", "\"C2.weight\":{", "\"C2\\u001b\":{", "bad name", "{\"__metadata__\""},
    {"M54 space", "\"C2.weight\":{", "\"C2 \":{", "bad name", "\"C2 \":{"},
    {"M55 no metadata", "\"__metadata__\"", "\"__metadata\"", "not a cnntrain model", "{\"__meta"},
    {"M55 list", "{\"cnntrain.format\":\"1\",\"config\":\"name: a\\n\"," META "}", "[]",
     "not a cnntrain model", "{\"__meta"},
    {"M56 number", "\"name: a\\n\"", "1", "metadata values must be strings", "{\"__meta"},
    {"M56 null", "\"name: a\\n\"", "null", "metadata values must be strings", "{\"__meta"},
    {"M56 object", "\"name: a\\n\"", "{}", "metadata values must be strings", "{\"__meta"},
    {"M56 format", KEY "\":\"1\"", KEY "\":1", "metadata values must be strings", "{\"__meta"},
    {"M57", KEY, "cnntrain.forma", "(no 'cnntrain.format' in its metadata)", "{\"__meta"},
    {"M58", "\"" KEY "\":\"1\"", "\"format\":\"pt\"", "not a cnntrain model", "{\"__meta"},
    {"M59", KEY "\":\"1\"", KEY "\":\"2\"", "made by a newer cnntrain (format 2); this one reads 1",
     "\"" KEY},
    {"M59 far", KEY "\":\"1\"", KEY "\":\"99999999999999999999\"", "made by a newer", "\"" KEY},
    {"M60 1.0", KEY "\":\"1\"", KEY "\":\"1.0\"", "bad version '1.0'", "\"" KEY},
    {"M60 space", KEY "\":\"1\"", KEY "\":\" 1\"", "bad version ' 1'", "\"" KEY},
    {"M60 -1", KEY "\":\"1\"", KEY "\":\"-1\"", "bad version '-1'", "\"" KEY},
    {"M60 empty", KEY "\":\"1\"", KEY "\":\"\"", "bad version ''", "\"" KEY},
    {"M60 0", KEY "\":\"1\"", KEY "\":\"0\"", "bad version '0'", "\"" KEY},
    {"M61 missing", "\"header_crc32\":\"00000000\",", "", "header checksum", "{\"__meta"},
    {"M61 7 digits", "\"00000000\"", "\"0000000\"", "header checksum missing", "0000000\""},
    {"M61 9 digits", "\"00000000\"", "\"b5f6f6680\"", "header checksum missing", "b5f6f6680"},
    {"M61 upper case", "\"00000000\"", "\"B5F6F668\"", "header checksum missing", "B5F6F668"},
    {"M61 wrong", "\"00000000\"", "\"b5f6f669\"",
     "header checksum mismatch: says b5f6f669, is b5f6f668", "b5f6f669"},
    {"M61 hidden", "\"header_crc32\":\"00000000\"", "\"a\":\"\\\"header_crc32\\\":\\\"00000000\"",
     "header checksum missing", "{\"__meta"},
    {"M63 missing", "\"crc32:C2.weight\":\"2bb8b2ad\",", "",
     "checksum entry 'crc32:C2.weight' missing", "{\"__meta"},
    {"M63 upper case", "2bb8b2ad", "2BB8B2AD", "checksum entry 'crc32:C2.weight'", "\"crc32:C2.w"},
    {"M63 number", "\"2bb8b2ad\"", "3", "metadata values must be strings", "{\"__meta"},
    {"M63 extra", "\"header_crc32", "\"crc32:C3\":\"00000000\",\"header_crc32",
     "checksum entry 'crc32:C3' belongs to no tensor", "\"crc32:C3"},
    {"M63 metadata", "\"header_crc32", "\"crc32:__metadata__\":\"00000000\",\"header_crc32",
     "belongs to no tensor", "\"crc32:__meta"},
    {"M63 wrong", "2bb8b2ad", "2bb8b2ae", "checksum mismatch in 'C2.weight'", NULL},
    {"space inside", ",\"config\":", ", \"config\":", "not as cnntrain writes it", "{\"__meta"},
    {"not sorted", "\"note\":", "\"a\":", "not as cnntrain writes it", "{\"__meta"},
    {"other escape", "name: a", "n\\u0061me: a", "not as cnntrain writes it", "{\"__meta"},
    {"not ASCII", "caf\\u00E9", "caf\303\251", "not as cnntrain writes it", "{\"__meta"},
    {"minus zero", OFFSETS, "\"data_offsets\":[-0,64]", "not as cnntrain writes it", "{\"__meta"},
    {"bias not last", C2 "," BIAS,
     "\"C1.bias\":{\"dtype\":\"F32\",\"shape\":[3],\"data_offsets\":[64,76]},"
     "\"C2.weight\":{\"dtype\":\"F32\",\"shape\":[16],\"data_offsets\":[76,140]}",
     "not as cnntrain writes it", "{\"__meta"},
};

static void test_header_edits(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof edits / sizeof edits[0]; i++) {
        struct image file = build_edited(edits[i].from, edits[i].to);
        long long offset = ANYWHERE;

        if (edits[i].at != NULL) {
            const char *at = memmem(file.bytes, file.data, edits[i].at, strlen(edits[i].at));

            assert_non_null(at);
            offset = at - file.bytes;
        }
        refused_image(edits[i].id, &file, edits[i].message, offset);
    }
}

static void test_padding(void **state)
{
    (void)state;
    static const char bad[] = {'\0', '\t', '\n', 'x', '}'}; /* M13, M14, M15 */

    for (size_t i = 0; i < sizeof bad; i++) {
        struct image file = build(HEADER, strlen(HEADER));

        const long long offset = (long long)file.data - 3;

        file.bytes[offset] = bad[i];
        refused_image("M13-M15", &file, "bytes after the header object (only spaces allowed)",
                      offset);
    }
}

/* M50, M51, M52. */
static void test_size(void **state)
{
    (void)state;
    struct image file = build(HEADER, strlen(HEADER));
    char longer[448 + DATA_BYTES + 34] = {0};

    memcpy(longer, file.bytes, file.size);
    put(longer, file.size + 1);
    refused("M50", "1 unused byte after the last tensor", (long long)file.size);
    put(longer, file.size + 34);
    refused("M50", "34 unused bytes after the last tensor", (long long)file.size);
    put(file.bytes, file.size - 1);
    refused("M51", "data of 'C1.bias' end past the end of the file (cut short?): 140 bytes needed",
            ANYWHERE);
    put(file.bytes, file.data);
    refused("M51", "'C1.weight' end past the end of the file", ANYWHERE);
    put(file.bytes, file.data - 1);
    refused("M51", "header longer than the file: needs 448 bytes, has 447", 0);

    const uint64_t n = strlen(HEADER);

    memcpy(file.bytes, &n, sizeof n);
    refused_image("M52", &file, "the data must start at a multiple of 64, not at 399", 0);
}

/* Damage without a new seal. */
static void test_damage(void **state)
{
    (void)state;
    static const size_t bytes[] = {0, 30, 63, 64, 100, 127, 128, 133, 139};

    for (size_t i = 0; i < sizeof bytes / sizeof bytes[0]; i++) {
        struct image file = build(HEADER, strlen(HEADER));
        const int tensor = (int)(bytes[i] / 64);
        char message[64];

        file.bytes[file.data + bytes[i]] ^= 16;
        snprintf(message, sizeof message, "checksum mismatch in '%s'",
                 tensor == 0   ? "C1.weight"
                 : tensor == 1 ? "C2.weight"
                               : "C1.bias");
        refused_image("M64", &file, message, (long long)file.data + 64 * tensor);
    }
    struct image config = build(HEADER, strlen(HEADER)), swapped = build(HEADER, strlen(HEADER));
    char *at = memmem(config.bytes, config.data, "name: a", 7);

    assert_non_null(at);
    *at ^= 1;
    at = memmem(config.bytes, config.data, "header_crc32", 12);
    refused_image("M62", &config, "header checksum mismatch", at + 15 - config.bytes);

    memcpy(swapped.bytes + swapped.data + 64, swapped.bytes + swapped.data, 64);
    refused_image("M65", &swapped, "checksum mismatch in 'C2.weight'",
                  (long long)swapped.data + 64);
}

/* The base file with `value` as number `index` of C2.weight and checksums that fit. */
static struct image build_with_value(int index, float value)
{
    struct image file = build(HEADER, strlen(HEADER));
    char *data = file.bytes + file.data + 64, digits[16];
    char *tensor = memmem(file.bytes, file.data, "2bb8b2ad", 8);
    char *header = memmem(file.bytes, file.data, "b5f6f668", 8);

    assert_non_null(tensor);
    assert_non_null(header); /* so the base file's own checksum is what Python said */
    memcpy(data + 4 * index, &value, sizeof value);
    snprintf(digits, sizeof digits, "%08lx", crc32_z(0, (unsigned char *)data, 64));
    memcpy(tensor, digits, 8);
    memcpy(header, "00000000", 8);
    seal(&file);
    return file;
}

static void test_values(void **state)
{
    (void)state;
    const float bad[] = {NAN, -NAN, INFINITY, -INFINITY};
    struct safetensors st;

    for (int i = 0; i < 4; i++) {
        struct image file = build_with_value(5 * i, bad[i]);
        char message[64];

        snprintf(message, sizeof message, "value %d of 'C2.weight' is not finite", 5 * i);
        refused_image("M67", &file, message, (long long)file.data + 64 + 4 * 5 * i);
    }
    struct image zero = build_with_value(0, 0.0f), tiny = build_with_value(15, -1e-42f);

    put(zero.bytes, zero.size); /* M66: legal */
    free(zero.bytes);
    read_good(&st);
    safetensors_free(&st);
    put(tiny.bytes, tiny.size);
    free(tiny.bytes);
    read_good(&st);
    assert_true(safetensors_tensor(&st, "C2.weight")->data[15] == -1e-42f);
    safetensors_free(&st);
}

static void test_unreadable(void **state)
{
    (void)state;
    struct safetensors st;
    struct error e = {0};

    assert_int_equal(safetensors_read(&st, "/nonexistent/model.bin", KEY, &e), -1);
    assert_int_equal(e.kind, ERROR_IO);
    put("", 0);
    assert_int_equal(truncate(path, ((off_t)8 << 30) + 1), 0); /* M79, sparse */
    assert_int_equal(safetensors_read(&st, path, KEY, &e), -1);
    assert_int_equal(e.kind, ERROR_MODEL);
    assert_int_equal(truncate(path, 0), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_base_is_good), cmocka_unit_test(test_header_edits),
        cmocka_unit_test(test_padding),      cmocka_unit_test(test_size),
        cmocka_unit_test(test_damage),       cmocka_unit_test(test_values),
        cmocka_unit_test(test_unreadable),
    };

    return cmocka_run_group_tests(tests, make_directory, remove_directory);
}
