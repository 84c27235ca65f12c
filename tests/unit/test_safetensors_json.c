/* test_safetensors_json.c: files that are no safetensors file at all, or whose header is too much:
 * what is refused before and by the JSON reader. The numbers M.. are those of the list of bad
 * inputs that the project began with. */
#include "safetensors_image.h"

#include "base/text.h"

/* Files that are nothing like a header. Filled up with zeros to `size`. */
static void test_first_bytes(void **state)
{
    (void)state;
    static const struct {
        const char *id, *bytes;
        size_t length, size;
        const char *message;
        long long offset;
    } cases[] = {
        {"M01", "", 0, 0, "empty file", 0},
        {"M02", "\1", 1, 1, "shorter than 8 bytes", 0},
        {"M02", "\1", 1, 7, "shorter than 8 bytes", 0},
        {"M03", "", 0, 64, "header length 0", 0},
        {"M04", "\1\0\0\0\0\0\0\0{", 9, 9, "header length 1", 0},
        {"M04 twin", "\70\0\0\0\0\0\0\0{", 9, 64, "header is not JSON", ANYWHERE},
        {"M05", "\71\0\0\0\0\0\0\0{", 9, 64, "header longer than the file: needs 65 bytes, has 64",
         0},
        {"M06", "\1\341\365\5\0\0\0\0{", 9, 64, "header larger than 16777216", 0},
        {"M07 2^63", "\0\0\0\0\0\0\0\200{", 9, 64, "header larger than", 0},
        {"M07 2^64-1", "\377\377\377\377\377\377\377\377{", 9, 64, "header larger than", 0},
        {"M07 2^64-8", "\370\377\377\377\377\377\377\377{", 9, 64, "header larger than", 0},
        {"M08", "\74\0\0\0\377\377\377\377{", 9, 64, "header larger than", 0},
        {"M10", "\0\0\0\0\0\0\0\70{", 9, 64, "wrong byte order", 0},
        {"M11", "\70\0\0\0\0\0\0\0 {}", 11, 64, "must begin with {", 8},
        {"M12 []", "\70\0\0\0\0\0\0\0[]", 10, 64, "must begin with {", 8},
        {"M12 string", "\70\0\0\0\0\0\0\0\"x\"", 11, 64, "must begin with {", 8},
        {"M12 1",
         "\70\0\0\0\0\0\0\0"
         "1",
         9, 64, "must begin with {", 8},
        {"M12 null", "\70\0\0\0\0\0\0\0null", 12, 64, "must begin with {", 8},
        {"M17", "\70\0\0\0\0\0\0\0\357\273\277{}", 13, 64, "must begin with {", 8},
        {"M55", "\70\0\0\0\0\0\0\0{}                                                      ", 64, 64,
         "not a cnntrain model (no 'cnntrain.format' in its metadata)", 8},
        {"M76 zip", "PK\3\4\24\0\0\0", 8, 100, "looks like a zip archive, as PyTorch", 0},
        {"M76 pickle", "\200\4\225\20\0\0\0\0", 8, 100, "looks like a Python pickle", 0},
        {"M76 pickle 2", "\200\2}q\0X\1\0", 8, 100, "looks like a Python pickle", 0},
        {"M76 GGUF", "GGUF\3\0\0\0", 8, 100, "looks like a GGUF", 0},
        {"M76 HDF5", "\211HDF\r\n\32\n", 8, 100, "looks like an HDF5", 0},
        {"M76 ONNX", "\10\7\22\7pytorch", 11, 100, "looks like an ONNX", 0},
        {"M76 darknet", "\0\0\0\0\2\0\0\0\5\0\0\0", 12, 100, "looks like a darknet weights file",
         0},
        {"M76 gzip", "\37\213\10\0\0\0\0\0", 8, 100, "looks like a gzip", 0},
        {"PNG", "\211PNG\r\n\32\n", 8, 100, "looks like a PNG", 0},
        {"JPEG", "\377\330\377\340\0\20JF", 8, 100, "looks like a JPEG", 0},
        {"NumPy", "\223NUMPY\1\0", 8, 100, "looks like a NumPy", 0},
        {"config", "name: lenet5\n", 13, 100, "looks like a text file", 0},
    };

    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        char bytes[128] = {0};

        memcpy(bytes, cases[i].bytes, cases[i].length);
        put(bytes, cases[i].size);
        refused(cases[i].id, cases[i].message, cases[i].offset);
    }
}

/* M09: a header one byte over the limit, in a file that has room for it. */
static void test_header_limit(void **state)
{
    (void)state;
    const uint64_t n = ((uint64_t)16 << 20) + 1;
    char start[9] = {0};

    memcpy(start, &n, sizeof n);
    start[8] = '{';
    put(start, sizeof start);
    assert_int_equal(truncate(path, (off_t)n + 100), 0);
    refused("M09", "header larger than 16777216", 0);
}

/* Headers too long to write out: `head`, `count` times `piece`, which may print its number, `tail`.
 */
static void refused_long(const char *id, const char *head, const char *piece, int count,
                         const char *tail, const char *message, long long offset)
{
    struct text header = {0};

    text_append_bytes(&header, head, strlen(head));
    for (int i = 0; i < count; i++) {
        const char *number = strchr(piece, '#');

        if (number == NULL) {
            text_append_bytes(&header, piece, strlen(piece));
        } else {
            text_append(&header, "%.*s%d%s", (int)(number - piece), piece, i, number + 1);
        }
    }
    text_append_bytes(&header, tail, strlen(tail));
    assert_false(header.failed);
    struct image file = build(header.data, header.length);

    text_free(&header);
    refused_image(id, &file, message, offset);
}

static void test_long_headers(void **state)
{
    (void)state;
#define HEAD "{\"__metadata__\":{\"cnntrain.format\":\"1\",\"header_crc32\":\"00000000\"}"

    refused_long("M25", "{\"a\":", "[", 100000, "", "unexpected '[': nested deeper than 3",
                 8 + 5 + 2);
    refused_long("M25", "", "{\"a\":", 100000, "", "unexpected '{': nested deeper than 3",
                 8 + 3 * 5);
    refused_long("items", "{\"a\":[0", ",0", 262145, "]}", "more than 262144 items in the header",
                 8 + 7 + 2 * 262144);
    refused_long("escapes", "{\"a\":\"x\\\"", "}", 3, "\"}", "not a cnntrain model", 8);
    refused_long("M53", HEAD, ",\"#\":0", 16385, "}", "more than 16384 tensors", 8);
    refused_long("M53 twin", HEAD, ",\"#\":0", 16384, "}", "expected an object", 8);
    refused_long("M54 255 bytes", HEAD ",\"", "abcde", 51, "\":0}", "expected an object", 8);
    refused_long("M54 256 bytes", HEAD ",\"", "abcdefgh", 32, "\":0}", "bad name 'abcdefgh", 8);
    refused_long("value", "{\"__metadata__\":{\"cnntrain.format\":\"1\",\"config\":\"",
                 "0123456789abcdef", 65537, "\",\"header_crc32\":\"00000000\"}}",
                 "'config' is longer than 1048576", 47);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_first_bytes),
        cmocka_unit_test(test_header_limit),
        cmocka_unit_test(test_long_headers),
    };

    return cmocka_run_group_tests(tests, make_directory, remove_directory);
}
