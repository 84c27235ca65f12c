/* test_picture.c: pictures of a set as PNG in data: URIs, decoded again by zlib: channels, sizes,
 * floats, what is too large, and every length that base64 can have to fill up. */
#include "report/picture.h"

#include "../data_files.h"

/* What a URI holds: rows of bytes, each behind its filter; *size gets how many. */
static unsigned char *unpack(const char *uri, int w, int h, int channels)
{
    static const char prefix[] = "data:image/png;base64,";
    static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    assert_memory_equal(uri, prefix, strlen(prefix));
    uri += strlen(prefix);
    assert_int_equal(strlen(uri) % 4, 0);
    unsigned char *png = malloc(strlen(uri));
    size_t size = 0;
    unsigned bits = 0;
    int have = 0;
    for (; *uri && *uri != '='; uri++) {
        bits = bits << 6 | (unsigned)(strchr(digits, *uri) - digits);
        have += 6;
        if (have >= 8) {
            have -= 8;
            png[size++] = (unsigned char)(bits >> have);
        }
    }
    assert_memory_equal(png, "\x89PNG\r\n\x1a\n\0\0\0\rIHDR", 16);
    assert_int_equal(png[18] << 8 | png[19], w);
    assert_int_equal(png[22] << 8 | png[23], h);
    assert_int_equal(png[24], 8);
    assert_int_equal(png[25], channels == 3 ? 2 : 0);
    assert_memory_equal(png + size - 8, "IEND\xae\x42\x60\x82", 8);
    uLongf raw_size = (uLongf)((w * channels + 1) * h);
    unsigned char *raw = malloc(raw_size);
    assert_int_equal(uncompress(raw, &raw_size, png + 41, size - 41 - 12 - 4), Z_OK);
    assert_int_equal(raw_size, (w * channels + 1) * h);
    free(png);
    return raw;
}

static struct dataset set_of(int c, int h, int w, uint8_t *bytes, float *floats)
{
    return (struct dataset){
        .count = 2, .c = c, .h = h, .w = w, .bytes = bytes, .floats = floats, .held = 2};
}

static unsigned char *sample_of(const struct dataset *set, int w, int h, int channels)
{
    struct text uri = {0};
    assert_int_equal(picture_append_sample(&uri, set, 1, NULL), 0);
    unsigned char *raw = unpack(uri.data, w, h, channels);
    text_free(&uri);
    return raw;
}

static void test_grey(void **state)
{
    (void)state;
    uint8_t bytes[12] = {0, 0, 0, 0, 0, 0, 1, 2, 3, 4, 5, 255};
    const struct dataset set = set_of(1, 2, 3, bytes, NULL);
    unsigned char *raw = sample_of(&set, 3, 2, 1);
    assert_memory_equal(raw, "\0\1\2\3\0\4\5\xff", 8);
    free(raw);
}

/* Planes become triples; of two channels the first is shown. */
static void test_channels(void **state)
{
    (void)state;
    uint8_t bytes[12] = {0, 0, 0, 0, 0, 0, 10, 11, 20, 21, 30, 31};
    struct dataset set = set_of(3, 1, 2, bytes, NULL);
    unsigned char *raw = sample_of(&set, 2, 1, 3);
    assert_memory_equal(raw, "\0\x0a\x14\x1e\x0b\x15\x1f", 7);
    free(raw);
    set = set_of(2, 1, 3, bytes, NULL);
    raw = sample_of(&set, 3, 1, 1);
    assert_memory_equal(raw, "\0\x0a\x0b\x14", 4);
    free(raw);
}

static void test_floats(void **state)
{
    (void)state;
    float floats[6] = {0, 0, 0, -1, 1, 0};
    struct dataset set = set_of(1, 1, 3, NULL, floats);
    unsigned char *raw = sample_of(&set, 3, 1, 1);
    assert_memory_equal(raw, "\0\x00\xff\x80", 4);
    free(raw);
    floats[3] = floats[4] = 0; /* all alike */
    raw = sample_of(&set, 3, 1, 1);
    assert_memory_equal(raw, "\0\0\0\0", 4);
    free(raw);
}

/* 130 x 4 becomes 64 x 1; an even picture stays even. */
static void test_large(void **state)
{
    (void)state;
    uint8_t *bytes = malloc(2 * 4 * 130);
    memset(bytes, 77, 2 * 4 * 130);
    const struct dataset set = set_of(1, 4, 130, bytes, NULL);
    unsigned char *raw = sample_of(&set, 64, 1, 1);
    assert_int_equal(raw[1], 77);
    assert_int_equal(raw[64], 77);
    free(raw);
    free(bytes);
}

static void test_lengths(void **state)
{
    (void)state;
    uint8_t pixels[300];
    for (int i = 0; i < 300; i++) {
        pixels[i] = (uint8_t)(i * i * 7 + i);
    }
    for (int w = 1; w < 40; w++) {
        struct text uri = {0};
        assert_int_equal(picture_append(&uri, pixels, w, 3, 1, NULL), 0);
        unsigned char *raw = unpack(uri.data, w, 3, 1);
        for (int y = 0; y < 3; y++) {
            assert_memory_equal(raw + (w + 1) * y + 1, pixels + w * y, (size_t)w);
        }
        free(raw);
        text_free(&uri);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_grey),    cmocka_unit_test(test_channels),
        cmocka_unit_test(test_floats),  cmocka_unit_test(test_large),
        cmocka_unit_test(test_lengths),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
