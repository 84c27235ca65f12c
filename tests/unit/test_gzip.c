/* test_gzip.c: every fault that RFC 1952 data can have, each with its byte and message; the numbers
 * are those of the list of bad inputs. Then all truncations and all single-bit flips of one file:
 * never wrong bytes. */
#include "data/gzip.h"

#include "../data_files.h"

enum { PAYLOAD = 3000, OUT = 1 << 16 };

static unsigned char payload[PAYLOAD];

static int make_payload(void **state)
{
    (void)state;
    for (int i = 0; i < PAYLOAD; i++) {
        payload[i] = (unsigned char)(i * i / 7 + i);
    }
    return 0;
}

/* Read all, in pieces of `step`. */
static int read_all(const void *data, size_t size, size_t step, unsigned char *out, size_t *total,
                    struct error *e)
{
    struct gzip gzip;
    size_t got = step;
    int status = gzip_open(&gzip, "x.gz", data, size, e);
    *total = 0;
    while (status == 0 && got == step && *total + step <= OUT) {
        status = gzip_read(&gzip, out + *total, step, &got, e);
        *total += got;
    }
    gzip_close(&gzip);
    return status;
}

/* The same at once, after a first byte: 0 when these are `size` bytes. */
static int read_whole(const void *data, size_t size, unsigned char *out, size_t out_size)
{
    struct gzip gzip;
    size_t got;
    int status = gzip_open(&gzip, "x.gz", data, size, NULL);
    if (status == 0) {
        status = gzip_read(&gzip, out, 1, &got, NULL);
    }
    if (status == 0) {
        status = gzip_read_whole(&gzip, out, out_size);
    }
    gzip_close(&gzip);
    return status;
}

static void expect_payload(const struct buffer *file, int copies)
{
    static const size_t steps[] = {1, 7, 1000, PAYLOAD, PAYLOAD + 1, OUT};
    static unsigned char out[OUT];
    for (size_t i = 0; i < sizeof steps / sizeof *steps; i++) {
        struct error e;
        size_t total;
        assert_int_equal(read_all(file->data, file->size, steps[i], out, &total, &e), 0);
        assert_int_equal(total, copies * PAYLOAD);
        for (int k = 0; k < copies; k++) {
            assert_memory_equal(out + k * PAYLOAD, payload, PAYLOAD);
        }
    }
}

static void refuse(struct buffer *file, long long offset, const char *message)
{
    static unsigned char out[OUT];
    struct error e = {.offset = -1};
    size_t total;
    assert_int_equal(read_all(file->data, file->size, 500, out, &total, &e), -1);
    assert_int_equal(e.kind, ERROR_DATA);
    assert_string_equal(e.file, "x.gz");
    assert_string_equal(e.message, message);
    assert_int_equal(e.offset, offset);
    assert_int_equal(read_all(file->data, file->size, 500, out, &total, NULL), -1);
    assert_int_equal(read_whole(file->data, file->size, out, PAYLOAD), -1);
    buffer_free(file);
}

static struct buffer good(void)
{
    struct buffer file = {0};
    put_gzip(&file, payload, PAYLOAD);
    return file;
}

/* A member with a header of the caller's. */
static struct buffer with_header(const void *header, size_t size)
{
    struct buffer file = {0};
    put(&file, header, size);
    put_deflated(&file, payload, PAYLOAD);
    put_little_endian(&file, (uint32_t)crc32(0, payload, PAYLOAD), 4);
    put_little_endian(&file, PAYLOAD, 4);
    return file;
}

static void test_good(void **state)
{
    (void)state;
    struct buffer file = good();
    expect_payload(&file, 1);
    buffer_free(&file);
}

/* At once: one member, all of it, of the right size. */
static void test_whole(void **state)
{
    (void)state;
    static unsigned char out[2 * PAYLOAD];
    struct buffer file = good();
    const struct gzip packed = {.compressed = 1, .data = file.data, .size = file.size};
    const struct gzip plain = {.data = payload, .size = PAYLOAD};
    assert_int_equal(gzip_crc32(&packed), crc32(0, payload, PAYLOAD));
    assert_int_equal(gzip_crc32(&plain), crc32(0, payload, PAYLOAD));
    assert_int_equal(read_whole(file.data, file.size, out, PAYLOAD), 0);
    assert_memory_equal(out, payload, PAYLOAD);
    assert_int_equal(read_whole(file.data, file.size, out, PAYLOAD - 1), -1);
    assert_int_equal(read_whole(file.data, file.size, out, PAYLOAD + 1), -1);
    put_gzip(&file, payload, PAYLOAD);
    assert_int_equal(read_whole(file.data, file.size, out, PAYLOAD), -1);
    assert_int_equal(read_whole(file.data, file.size, out, 2 * PAYLOAD), -1);
    buffer_free(&file);
    put(&file, payload, PAYLOAD);
    assert_int_equal(read_whole(file.data, file.size, out, PAYLOAD), -1);
    buffer_free(&file);
}

static void test_plain_bytes_pass(void **state)
{
    (void)state;
    struct buffer file = {0};
    put(&file, payload, PAYLOAD);
    expect_payload(&file, 1);
    buffer_free(&file);

    struct error e;
    unsigned char out[4];
    size_t total;
    assert_int_equal(read_all("", 0, 1, out, &total, &e), 0);
    assert_int_equal(total, 0);
}

static void test_header_fields_are_skipped(void **state)
{
    (void)state;
    struct buffer header = {0};
    put(&header, "\x1f\x8b\x08\x1e\x01\x02\x03\x04\0\x03", 10);
    put(&header, "\x03\0abc", 5);
    put(&header, "../../etc/passwd", 17); /* G12 */
    put(&header, "comment", 8);
    put_little_endian(&header, (uint32_t)crc32(0, header.data, (uInt)header.size) & 0xffff, 2);
    struct buffer file = with_header(header.data, header.size);
    expect_payload(&file, 1);
    file.data[header.size - 1] ^= 1; /* G11 */
    refuse(&file, (long long)header.size - 2, "gzip header checksum mismatch");
    buffer_free(&header);
}

static void test_bad_headers(void **state)
{
    (void)state;
    struct buffer file = good(); /* G07 */
    file.data[2] = 7;
    refuse(&file, 2, "unknown compression method");
    for (int bit = 5; bit < 8; bit++) { /* G08 */
        file = good();
        file.data[3] |= (unsigned char)(1 << bit);
        refuse(&file, 3, "reserved gzip flags are set");
    }
    file = (struct buffer){0}; /* G09 */
    put(&file, "\x1f\x8b\x08\x04\0\0\0\0\0\x03\xff\xff", 12);
    put(&file, payload, 500);
    refuse(&file, 10, "gzip header cut short");
    put(&file, "\x1f\x8b\x08\x04\0\0\0\0\0\x03\x03\0ab", 14);
    refuse(&file, 10, "gzip header cut short");
    put(&file, "\x1f\x8b\x08\x04\0\0\0\0\0\x03\xff", 11);
    refuse(&file, 10, "gzip header cut short");
    put(&file, "\x1f\x8b\x08\x08\0\0\0\0\0\x03name", 14);
    refuse(&file, 10, "gzip header cut short");
    put(&file, "\x1f\x8b\x08\x10\0\0\0\0\0\x03name", 14);
    refuse(&file, 10, "gzip header cut short");
    put(&file, "\x1f\x8b\x08\x02\0\0\0\0\0\x03", 10);
    put(&file, "\x01", 1);
    refuse(&file, 10, "gzip header cut short");
}

static void test_long_name(void **state)
{
    (void)state;
    char *name = malloc(1 << 20);
    assert_non_null(name);
    memset(name, 'n', 1 << 20);
    struct buffer file = {0}; /* G10 */
    put(&file, "\x1f\x8b\x08\x08\0\0\0\0\0\x03", 10);
    put(&file, name, 1 << 20);
    refuse(&file, 10, "gzip header too long");

    put(&file, "\x1f\x8b\x08\x10\0\0\0\0\0\x03", 10);
    put(&file, name, GZIP_NAME_MAX);
    put(&file, "", 1);
    refuse(&file, 10, "gzip header too long");

    struct buffer header = {0}; /* the longest that is taken */
    put(&header, "\x1f\x8b\x08\x08\0\0\0\0\0\x03", 10);
    put(&header, name, GZIP_NAME_MAX - 1);
    put(&header, "", 1);
    file = with_header(header.data, header.size);
    expect_payload(&file, 1);
    buffer_free(&file);
    buffer_free(&header);
    free(name);
}

static void test_every_truncation(void **state)
{
    (void)state;
    struct buffer whole = good();
    const size_t trailer = whole.size - 8;
    for (size_t size = 1; size < whole.size; size++) { /* G01, G02, G03 */
        struct buffer file = {0};
        put(&file, whole.data, size);
        refuse(&file, (long long)size,
               size < 10        ? "gzip header cut short"
               : size < trailer ? "compressed data cut short"
                                : "gzip trailer cut short");
    }
    buffer_free(&whole);
}

static void test_every_bit(void **state)
{
    (void)state;
    static unsigned char out[OUT];
    struct buffer file = good();
    const size_t last = file.size - 9;
    for (size_t bit = 16; bit < 8 * file.size;
         bit++) { /* G04, G05, G06; a damaged magic is not gzip */
        struct error e = {.offset = -1};
        size_t total;
        file.data[bit / 8] ^= (unsigned char)(1 << bit % 8);
        const int at_once = read_whole(file.data, file.size, out, PAYLOAD);
        const int status = read_all(file.data, file.size, 500, out, &total, &e);
        file.data[bit / 8] ^= (unsigned char)(1 << bit % 8);
        assert_int_equal(at_once, status);
        /* The time, the compressor's notes, the text flag and the bits behind the last code mean
         * nothing. */
        const size_t byte = bit / 8;
        if (status == 0 && ((byte >= 4 && byte < 10) || bit == 3 * 8 || byte == last)) {
            assert_int_equal(total, PAYLOAD);
            assert_memory_equal(out, payload, PAYLOAD);
            continue;
        }
        assert_int_equal(status, -1);
        assert_int_equal(e.kind, ERROR_DATA);
        assert_true(e.offset >= 0 && e.offset <= (long long)file.size);
    }
    buffer_free(&file);
}

static void test_bad_data(void **state)
{
    (void)state;
    struct buffer file = good(); /* G04 */
    const size_t size = file.size;
    file.data[size - 8] ^= 1;
    refuse(&file, (long long)size - 8, "gzip checksum mismatch");
    file = good(); /* G05 */
    file.data[size - 1] ^= 1;
    refuse(&file, (long long)size - 4, "gzip length mismatch");
    put(&file, "\x1f\x8b\x08\0\0\0\0\0\0\x03\x07", 11); /* G06: block type 3 */
    refuse(&file, 11, "corrupt compressed data (invalid block type)");
    /* G24: fixed codes, 'a', then a match of 3 bytes at distance 2. */
    put(&file, "\x1f\x8b\x08\0\0\0\0\0\0\x03\x4b\x04\x22\0\0\0\0\0\0\0\0", 21);
    refuse(&file, 13, "corrupt compressed data (invalid distance too far back)");
}

static void test_what_follows(void **state)
{
    (void)state;
    struct buffer file = good(); /* G13 */
    const long long size = (long long)file.size;
    put(&file, "xyz", 3);
    refuse(&file, size, "unexpected bytes after gzip data");
    file = good(); /* G14: the padding of tar is refused like anything else */
    put(&file, "\0\0\0\0", 4);
    refuse(&file, size, "unexpected bytes after gzip data");
    file = good();
    put(&file, "\x1f", 1);
    refuse(&file, size, "unexpected bytes after gzip data");
    file = good();
    put(&file, "\x1f\x8b\x08", 3);
    refuse(&file, size + 3, "gzip header cut short in member 2");
}

static void test_members(void **state)
{
    (void)state;
    struct buffer file = good(); /* G15 */
    const size_t size = file.size;
    put_gzip(&file, payload, PAYLOAD);
    expect_payload(&file, 2);
    file.data[2 * size - 8] ^= 1; /* G16 */
    refuse(&file, 2 * (long long)size - 8, "gzip checksum mismatch in member 2");

    file = good(); /* G17: empty members count */
    for (int i = 1; i < GZIP_MEMBERS_MAX; i++) {
        put_gzip(&file, "", 0);
    }
    expect_payload(&file, 1);
    const long long limit = (long long)file.size;
    put_gzip(&file, "", 0);
    refuse(&file, limit, "too many gzip members (limit 1000)");
}

/* A reader that has room for `n` bytes gets `n`, however much there is. */
static void test_budget(void **state)
{
    (void)state;
    enum { ROOM = 64 };
    unsigned char out[ROOM];
    unsigned char *zeros = calloc(10 << 20, 1);
    assert_non_null(zeros);
    struct buffer file = {0};
    put_gzip(&file, zeros, 10 << 20);
    struct error e;
    struct gzip gzip;
    size_t got;
    assert_int_equal(gzip_open(&gzip, "x.gz", file.data, file.size, &e), 0);
    assert_int_equal(gzip_read(&gzip, out, ROOM, &got, &e), 0);
    assert_int_equal(got, ROOM);
    assert_int_equal(gzip_read(&gzip, out, 0, &got, &e), 0);
    assert_int_equal(got, 0);
    /* Not more of the file was inflated than those bytes took, give or take zlib's look-ahead. */
    assert_true(gzip.at < file.size / 4);
    gzip_close(&gzip);
    buffer_free(&file);
    free(zeros);
}

/* G20: blocks without content before the data cost time in proportion to the file, no more. */
static void test_empty_blocks(void **state)
{
    (void)state;
    struct buffer file = {0}, blocks = {0};
    enum { BLOCKS = 100000 };
    blocks.data = malloc(5 * BLOCKS);
    assert_non_null(blocks.data);
    for (int i = 0; i < BLOCKS; i++) {
        memcpy(blocks.data + 5 * i, "\0\0\0\xff\xff", 5);
    }
    put(&file, "\x1f\x8b\x08\0\0\0\0\0\0\x03", 10);
    put(&file, blocks.data, 5 * BLOCKS);
    put_deflated(&file, payload, PAYLOAD);
    put_little_endian(&file, (uint32_t)crc32(0, payload, PAYLOAD), 4);
    put_little_endian(&file, PAYLOAD, 4);
    expect_payload(&file, 1);
    buffer_free(&file);
    buffer_free(&blocks);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_good),
        cmocka_unit_test(test_whole),
        cmocka_unit_test(test_plain_bytes_pass),
        cmocka_unit_test(test_header_fields_are_skipped),
        cmocka_unit_test(test_bad_headers),
        cmocka_unit_test(test_long_name),
        cmocka_unit_test(test_every_truncation),
        cmocka_unit_test(test_every_bit),
        cmocka_unit_test(test_bad_data),
        cmocka_unit_test(test_what_follows),
        cmocka_unit_test(test_members),
        cmocka_unit_test(test_budget),
        cmocka_unit_test(test_empty_blocks),
    };
    return cmocka_run_group_tests(tests, make_payload, NULL);
}
