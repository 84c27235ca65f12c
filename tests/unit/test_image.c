/* test_image.c: PNG and JPEG files, good and bad (image.c, png*.c, jpeg.c, stb_image.c). The rows
 * of good PNG files are made here by the format's own formulas, so every pixel is known; the P
 * numbers are those of the list of bad inputs. */
#include "data/image.h"

#include "../image_files.h"

enum { W = 13, H = 11 };

static struct image_decoder decoder;

static unsigned value_of(int y, int x, int k) { return (unsigned)(y * 7919 + x * 104729 + k * 31); }

/* A row's samples, packed: `channels` of `depth` bits. */
static void put_row(struct buffer *raw, int y, int x0, int dx, int w, int channels, int depth,
                    int mask)
{
    unsigned bits = 0, filled = 0;
    put(raw, "", 1);
    for (int x = x0; x < w; x += dx) {
        for (int k = 0; k < channels; k++) {
            const unsigned value = value_of(y, x, k) & (unsigned)mask;
            if (depth == 16) {
                put_big_endian(raw, value, 2);
                continue;
            }
            bits = bits << depth | value;
            filled += (unsigned)depth;
            if (filled == 8) {
                put(raw, &(unsigned char){(unsigned char)bits}, 1);
                bits = filled = 0;
            }
        }
    }
    if (filled > 0) {
        put(raw, &(unsigned char){(unsigned char)(bits << (8 - filled))}, 1);
    }
}

static int decode(const struct buffer *file, struct image *image, struct error *e)
{
    return image_decode(image, "x.png", file->data, file->size, &decoder, e);
}

/* All colour types and depths, whole and interlaced. */
static void test_png_kinds(void **state)
{
    (void)state;
    static const int kinds[][3] = {
        /* colour, channels, depth */
        {0, 1, 1}, {0, 1, 2}, {0, 1, 4}, {0, 1, 8}, {0, 1, 16}, {2, 3, 8}, {2, 3, 16}, {3, 1, 1},
        {3, 1, 2}, {3, 1, 4}, {3, 1, 8}, {4, 2, 8}, {4, 2, 16}, {6, 4, 8}, {6, 4, 16},
    };
    static const int adam7[][4] = {{0, 0, 8, 8}, {0, 4, 8, 8}, {4, 0, 8, 4}, {0, 2, 4, 4},
                                   {2, 0, 4, 2}, {0, 1, 2, 2}, {1, 0, 2, 1}};
    unsigned char palette[768];
    for (int i = 0; i < 768; i++) {
        palette[i] = (unsigned char)(i * 53 + 7);
    }
    for (size_t t = 0; t < sizeof kinds / sizeof *kinds; t++) {
        const int colour = kinds[t][0], channels = kinds[t][1], depth = kinds[t][2];
        const int top = (1 << depth) - 1;
        for (int interlaced = 0; interlaced < 2; interlaced++) {
            struct buffer raw = {0}, file = {0};
            struct image image;
            struct error e = {.offset = -1};
            for (int y = 0; y < H && !interlaced; y++) {
                put_row(&raw, y, 0, 1, W, channels, depth, top);
            }
            for (int p = 0; p < 7 && interlaced; p++) {
                for (int y = adam7[p][0]; y < H; y += adam7[p][2]) {
                    put_row(&raw, y, adam7[p][1], adam7[p][3], W, channels, depth, top);
                }
            }
            put_png(&file, W, H, depth, colour, interlaced, colour == 3 ? palette : NULL,
                    (size_t)top + 1, raw.data, raw.size);
            if (decode(&file, &image, &e) != 0) {
                fail_msg("colour %d, depth %d: %s", colour, depth, e.message);
            }
            assert_int_equal(image.c, colour == 0 || colour == 4 ? 1 : 3);
            assert_int_equal(image.h, H);
            assert_int_equal(image.w, W);
            for (int i = 0; i < H * W * image.c; i++) {
                const int k = i % image.c, x = i / image.c % W, y = i / image.c / W;
                const unsigned value = value_of(y, x, colour == 3 ? 0 : k) & (unsigned)top;
                const unsigned wanted = colour == 3   ? palette[3 * value + (unsigned)k]
                                        : depth == 16 ? (value + 128) / 257
                                                      : value * 255 / (unsigned)top;
                assert_int_equal(image.pixels[i], wanted);
            }
            image_decoder_clear(&decoder);
            buffer_free(&raw);
            buffer_free(&file);
        }
    }
}

/* 5x4 grey, each row with another filter: the pixels are 10 * y + x. */
static void put_filtered(struct buffer *raw)
{
    static const unsigned char rows[5][6] = {
        {0, 0, 1, 2, 3, 4},      {1, 10, 1, 1, 1, 1}, /* sub */
        {2, 10, 10, 10, 10, 10},                      /* up */
        {3, 20, 6, 6, 6, 6},                          /* average: (left + above) / 2 */
        {4, 10, 1, 1, 1, 1},                          /* Paeth */
    };
    put(raw, rows, sizeof rows);
}

static void test_png_filters(void **state)
{
    (void)state;
    struct buffer raw = {0}, file = {0};
    struct image image;
    put_filtered(&raw);
    put_png(&file, 5, 5, 8, 0, 0, NULL, 0, raw.data, raw.size);
    assert_int_equal(decode(&file, &image, NULL), 0);
    for (int y = 0; y < 3; y++) {
        for (int x = 0; x < 5; x++) {
            assert_int_equal(image.pixels[5 * y + x], 10 * y + x);
        }
    }
    for (int x = 0; x < 5; x++) { /* by the definition of the average filter */
        const int left = x > 0 ? image.pixels[15 + x - 1] : 0, above = 20 + x;
        assert_int_equal(image.pixels[15 + x], (x == 0 ? 20 : 6) + (left + above) / 2);
    }
    image_decoder_clear(&decoder);
    buffer_free(&raw);
    buffer_free(&file);
}

/* Rows that fill a stored block of 65,535 bytes, one more, and some of them. */
static void test_png_blocks(void **state)
{
    (void)state;
    static const int sizes[][3] = {{1, 255, 256}, {1, 256, 255}, {3, 250, 300}, {3, 1000, 701}};
    for (size_t t = 0; t < sizeof sizes / sizeof *sizes; t++) {
        const int c = sizes[t][0], h = sizes[t][1], w = sizes[t][2];
        struct buffer raw = {0}, file = {0};
        struct image image;
        for (int y = 0; y < h; y++) {
            put_row(&raw, y, 0, 1, w, c, 8, 255);
        }
        put_png(&file, w, h, 8, c == 1 ? 0 : 2, 0, NULL, 0, raw.data, raw.size);
        assert_int_equal(decode(&file, &image, NULL), 0);
        for (int i = 0; i < h * w * c; i++) {
            assert_int_equal(image.pixels[i], value_of(i / c / w, i / c % w, i % c) & 255);
        }
        image_decoder_clear(&decoder);
        buffer_free(&raw);
        buffer_free(&file);
    }
}

/* Chunks of one byte, chunks that are skipped, transparency that is dropped. */
static void test_png_good(void **state)
{
    (void)state;
    struct buffer raw = {0}, packed = {0}, file = {0};
    struct image image;
    put_filtered(&raw);
    put_zlib(&packed, raw.data, raw.size);
    put_png_start(&file, 5, 5, 8, 0, 0);
    put_chunk(&file, "gAMA", "\0\0\xb1\x8f", 4);
    put_chunk(&file, "tRNS", "\0\1", 2);
    put_chunk(&file, "prIv", "anything", 8);
    for (size_t i = 0; i < packed.size; i++) {
        put_chunk(&file, "IDAT", packed.data + i, 1);
    }
    put_chunk(&file, "tEXt", "Comment\0hello", 13);
    put_chunk(&file, "IEND", "", 0);
    assert_int_equal(decode(&file, &image, NULL), 0);
    assert_int_equal(image.c, 1);
    assert_int_equal(image.pixels[11], 21);
    image_decoder_clear(&decoder);
    buffer_free(&raw);
    buffer_free(&packed);
    buffer_free(&file);
}

static void make_small(struct buffer *file)
{
    uint8_t pixels[6 * 5 * 3];
    for (size_t i = 0; i < sizeof pixels; i++) {
        pixels[i] = (uint8_t)(i * 17);
    }
    put_simple_png(file, pixels, 3, 6, 5);
}

/* No cut, no added byte and no flipped bit goes unseen. */
static void test_png_damage(void **state)
{
    (void)state;
    struct buffer file = {0};
    struct image image;
    make_small(&file);
    for (size_t size = 0; size < file.size; size++) {
        unsigned char *copy = malloc(size + 1); /* so that a read beyond it is found */
        memcpy(copy, file.data, size);
        struct error e = {.offset = -1};
        assert_int_equal(image_decode(&image, "x", copy, size, &decoder, &e), -1);
        assert_int_equal(e.kind, ERROR_DATA);
        assert_null(image.pixels);
        free(copy);
    }
    for (size_t bit = 0; bit < 8 * file.size; bit++) {
        file.data[bit / 8] ^= (unsigned char)(1 << bit % 8);
        assert_int_equal(decode(&file, &image, NULL), -1);
        file.data[bit / 8] ^= (unsigned char)(1 << bit % 8);
    }
    assert_int_equal(decode(&file, &image, NULL), 0);
    image_decoder_clear(&decoder);
    put(&file, "", 1);
    assert_int_equal(decode(&file, &image, NULL), -1);
    buffer_free(&file);
}

static void expect_refused(struct buffer *file, long long offset, const char *message)
{
    struct image image;
    struct error e = {.offset = -1};
    if (decode(file, &image, &e) == 0) {
        fail_msg("accepted, expected: %s", message);
    }
    if (strstr(e.message, message) == NULL || (offset >= 0 && e.offset != offset)) {
        fail_msg("@%lld: '%s', expected @%lld: '%s'", e.offset, e.message, offset, message);
    }
    assert_int_equal(e.kind, ERROR_DATA);
    assert_string_equal(e.file, "x.png");
    assert_int_equal(decode(file, &image, NULL), -1);
    buffer_free(file);
}

static void test_png_headers(void **state)
{
    (void)state;
    static const struct {
        uint32_t w, h;
        int depth, colour, interlace;
        long long offset;
        const char *message;
    } cases[] = {
        {0, 1, 8, 0, 0, 16, "zero-sized image"},                                 /* P14 */
        {1, 0, 8, 0, 0, 20, "zero-sized image"},                                 /* P14 */
        {0x80000000, 1, 8, 0, 0, 16, "width out of range"},                      /* P15 */
        {1, 0xffffffff, 8, 0, 0, 20, "height out of range"},                     /* P15 */
        {16385, 1, 8, 0, 0, 16, "width 16385 is larger than 16384"},             /* P16 */
        {1, 16385, 8, 0, 0, 16, "height 16385 is larger than 16384"},            /* P16 */
        {16384, 16384, 8, 0, 0, 16, "more than 67108864 pixels"},                /* P17 */
        {1, 1, 3, 0, 0, 24, "bad bit depth 3"},                                  /* P18 */
        {1, 1, 0, 0, 0, 24, "bad bit depth 0"},                                  /* P18 */
        {1, 1, 32, 0, 0, 24, "bad bit depth 32"},                                /* P18 */
        {1, 1, 8, 1, 0, 25, "bad colour type 1"},                                /* P19 */
        {1, 1, 8, 5, 0, 25, "bad colour type 5"},                                /* P19 */
        {1, 1, 8, 7, 0, 25, "bad colour type 7"},                                /* P19 */
        {1, 1, 4, 2, 0, 24, "depth 4 not allowed for colour type 2"},            /* P20 */
        {1, 1, 16, 3, 0, 24, "depth 16 not allowed for colour type 3"},          /* P20 */
        {1, 1, 8, 0, 2, 28, "unknown interlace method 2"},                       /* P22 */
        {8000, 8000, 8, 6, 0, 33, "image data cut short: 10 bytes cannot hold"}, /* bomb */
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct buffer file = {0};
        put_png(&file, cases[i].w, cases[i].h, cases[i].depth, cases[i].colour, cases[i].interlace,
                NULL, 0, "\0\0", 2);
        expect_refused(&file, cases[i].offset, cases[i].message);
    }
}

/* The signature and IHDR of 1x1 in 8 bits; 33 bytes. */
static void start(struct buffer *file, int colour) { put_png_start(file, 1, 1, 8, colour, 0); }

static void end(struct buffer *file)
{
    put_image_data(file, "\0\0\0\0\0", 2);
    put_chunk(file, "IEND", "", 0);
}

static void test_png_chunks(void **state)
{
    (void)state;
    struct buffer f = {0};
    put(&f, "\x89PNG\r\n\x1a\n", 8);
    expect_refused(&f, 8, "no IHDR"); /* P02 */
    put(&f, "\x89PNG\n\x1a\n\0\0\0\r", 12);
    expect_refused(&f, 4, "damaged by a transfer in text mode"); /* P03 */
    put(&f, "\x89PNG\r\n\x1a\n", 8);
    put_chunk(&f, "gAMA", "1234", 4);
    expect_refused(&f, 8, "first chunk must be IHDR"); /* P06 */
    put(&f, "\x89PNG\r\n\x1a\n", 8);
    put_chunk(&f, "CgBI", "1234", 4);
    expect_refused(&f, 8, "CgBI"); /* P52 */
    put(&f, "\x89PNG\r\n\x1a\n", 8);
    put_chunk(&f, "IHDR", "\0\0\0\1\0\0\0\1\10\0\0\0\0\0", 14);
    expect_refused(&f, 8, "IHDR must be 13 bytes, is 14"); /* P07 */
    put(&f, "\x89PNG\r\n\x1a\n", 8);
    put_chunk(&f, "IHDR", "\0\0\0\1\0\0\0\1\10\0\1\0\0", 13);
    expect_refused(&f, 26, "unknown compression method 1"); /* P21 */
    put(&f, "\x89PNG\r\n\x1a\n", 8);
    put_chunk(&f, "IHDR", "\0\0\0\1\0\0\0\1\10\0\0\1\0", 13);
    expect_refused(&f, 27, "unknown filter method 1"); /* P21 */
    start(&f, 0);
    put_chunk(&f, "IHDR", "\0\0\0\1\0\0\0\1\10\0\0\0\0", 13);
    expect_refused(&f, 33, "second IHDR"); /* P08 */
    start(&f, 0);
    f.data[30] ^= 1;
    expect_refused(&f, 29, "checksum mismatch in IHDR"); /* P09 */
    start(&f, 0);
    end(&f);
    f.data[33 + 8 + 3] ^= 1;
    expect_refused(&f, 33 + 8 + 10, "checksum mismatch in IDAT"); /* P10, P13 */
    start(&f, 0);
    put_chunk(&f, "tEXt", "a\0b", 3);
    f.data[41] ^= 1;
    expect_refused(&f, 44, "checksum mismatch in tEXt"); /* P12 */
    start(&f, 0);
    put(&f, "\x7f\xff\xff\xffIDAT\0\0\0\0\0\0", 14);
    expect_refused(&f, 33, "runs past the end of the file"); /* P24 */
    start(&f, 0);
    put(&f, "\xff\xff\xff\xffIDAT\0\0\0\0\0\0", 14);
    expect_refused(&f, 33, "chunk length out of range"); /* P25 */
    start(&f, 0);
    put_chunk(&f, "ID1T", "", 0);
    expect_refused(&f, 37, "bad chunk type"); /* P26 */
    start(&f, 0);
    put_chunk(&f, "ABCD", "", 0);
    expect_refused(&f, 33, "unknown critical chunk ABCD"); /* P27 */
    start(&f, 0);
    for (int i = 0; i < 100001; i++) {
        put_chunk(&f, "tEXt", "", 0);
    }
    expect_refused(&f, -1, "too many chunks (limit 100000)"); /* P29 */
    start(&f, 0);
    unsigned char *large = calloc(9, 1 << 20);
    put_chunk(&f, "zTXt", large, (size_t)9 << 20);
    free(large);
    expect_refused(&f, 33, "chunk zTXt is larger than 8 MiB"); /* P30 */
    start(&f, 0);
    put_chunk(&f, "IEND", "", 0);
    expect_refused(&f, 33, "no image data"); /* P31 */
    start(&f, 0);
    put_image_data(&f, "\0\0", 2);
    put_chunk(&f, "tEXt", "", 0);
    put_image_data(&f, "\0\0", 2);
    expect_refused(&f, -1, "IDAT chunks must be consecutive"); /* P34 */
    start(&f, 0);
    put_image_data(&f, "\0\0", 2);
    expect_refused(&f, -1, "cut short: no IEND"); /* P36 */
    start(&f, 0);
    put_image_data(&f, "\0\0", 2);
    put_chunk(&f, "IEND", "x", 1);
    expect_refused(&f, -1, "IEND must be empty"); /* P37 */
    start(&f, 0);
    end(&f);
    put(&f, "x", 1);
    expect_refused(&f, (long long)f.size - 1, "unexpected bytes after IEND"); /* P38 */
    start(&f, 3);
    end(&f);
    expect_refused(&f, 33, "no palette"); /* P43 */
    start(&f, 3);
    put_chunk(&f, "PLTE", "1234", 4);
    expect_refused(&f, 33, "bad palette length 4"); /* P44 */
    start(&f, 0);
    put_chunk(&f, "PLTE", "123", 3);
    expect_refused(&f, 33, "a palette in a grey image");
    start(&f, 3);
    put_chunk(&f, "PLTE", "123", 3);
    put_chunk(&f, "tRNS", "12", 2);
    expect_refused(&f, 48, "bad tRNS"); /* P46 */
    start(&f, 6);
    put_chunk(&f, "tRNS", "12", 2);
    expect_refused(&f, 33, "bad tRNS"); /* P46 */
    start(&f, 0);
    put_chunk(&f, "acTL", "12345678", 8);
    expect_refused(&f, 33, "animated PNG is not supported"); /* P51 */
    put_png_start(&f, 1, 1, 2, 3, 0);
    put_chunk(&f, "PLTE", "123456789abcdef", 15);
    expect_refused(&f, 33, "bad palette length 15"); /* 5 colours in 2 bits */
}

/* What is packed: the chunks themselves are right. */
static void test_png_data(void **state)
{
    (void)state;
    static const struct {
        const char *raw;
        size_t size;
        const char *message;
    } cases[] = {
        {"\0\1\2\0\3\4", 6, NULL},
        {"\0\1\2\0\3", 5, "image data cut short, in row 2 of 2"}, /* P39 */
        {"\0\1\2", 3, "image data cut short, in row 1 of 2"},     /* P39 */
        {"\0\1\2\0\3\4\0", 7, "more image data than 2x2"},        /* P40 */
        {"\0\1\2\5\3\4", 6, "bad filter in row 1"},               /* P41 */
        {"\377\1\2\0\3\4", 6, "bad filter in row 0"},             /* P41 */
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct buffer file = {0};
        struct image image;
        put_png(&file, 2, 2, 8, 0, 0, NULL, 0, cases[i].raw, cases[i].size);
        if (cases[i].message != NULL) {
            expect_refused(&file, -1, cases[i].message);
            continue;
        }
        assert_int_equal(decode(&file, &image, NULL), 0);
        image_decoder_clear(&decoder);
        buffer_free(&file);
    }
    static const struct {
        size_t at; /* from the end of the zlib stream when above 100 */
        unsigned char flip;
        const char *message;
    } damages[] = {
        {0, 0x10, "corrupt image data"}, /* P42: not deflate */
        {1, 0x20, "corrupt image data"}, /* P42: a dictionary */
        {2, 0x06, "corrupt image data"},
        {101, 0x01, "checksum mismatch in image data"}, /* P11 */
    };
    for (size_t i = 0; i < sizeof damages / sizeof *damages; i++) {
        struct buffer file = {0}, packed = {0};
        put_zlib(&packed, "\0\1\2\0\3\4", 6);
        packed.data[damages[i].at > 100 ? packed.size - 1 : damages[i].at] ^= damages[i].flip;
        put_png_start(&file, 2, 2, 8, 0, 0);
        put_chunk(&file, "IDAT", packed.data, packed.size);
        put_chunk(&file, "IEND", "", 0);
        expect_refused(&file, -1, damages[i].message);
        buffer_free(&packed);
    }
    struct buffer file = {0}, packed = {0};
    put_zlib(&packed, "\0\1\2\0\3\4", 6);
    put_png_start(&file, 2, 2, 8, 0, 0);
    put_chunk(&file, "IDAT", packed.data, packed.size - 1);
    put_chunk(&file, "IEND", "", 0);
    expect_refused(&file, (long long)(33 + 8 + packed.size - 1), "image data cut short"); /* P35 */
    put_png_start(&file, 2, 2, 8, 0, 0);
    put_chunk(&file, "IDAT", "", 0);
    put_chunk(&file, "IEND", "", 0);
    expect_refused(&file, 41, "image data cut short"); /* P32 */
    put_png_start(&file, 2, 2, 8, 0, 0);
    put_chunk(&file, "IDAT", packed.data, packed.size);
    put_chunk(&file, "IDAT", "x", 1);
    put_chunk(&file, "IEND", "", 0);
    expect_refused(&file, (long long)(33 + 12 + packed.size + 8),
                   "unexpected bytes after the image data");
    buffer_free(&packed);
    put_png(&file, 2, 1, 8, 3, 0, (const unsigned char *)"abcdef", 2, "\0\1\2", 3);
    expect_refused(&file, -1, "palette index 2 out of range at row 0, column 1"); /* P45 */
}

/* A small generator, so that every run tries the same files. */
static unsigned dice(uint64_t *state, unsigned sides)
{
    *state = *state * 6364136223846793005u + 1442695040888963407u;
    return (unsigned)(*state >> 33) % sides;
}

/* Random headers over random rows, sometimes too few or too many, in chunks with right checksums;
 * and such files with a byte of the packed data changed. Right ones are decoded, and nothing reads
 * or writes where it should not. */
static void test_png_random(void **state)
{
    (void)state;
    static const unsigned char colours[] = {0, 2, 3, 4, 6}, channels[] = {1, 3, 1, 2, 4};
    uint64_t seed = 7;
    int decoded = 0;
    for (int round = 0; round < 4000; round++) {
        const unsigned kind = dice(&seed, 5), w = 1 + dice(&seed, 40), h = 1 + dice(&seed, 40);
        const int depth = 1 << dice(&seed, 5);
        struct buffer raw = {0}, packed = {0}, file = {0};
        struct image image;
        unsigned char palette[768];
        const size_t row = (w * channels[kind] * (unsigned)depth + 7) / 8;
        for (unsigned y = 0; y < h; y++) {
            put(&raw, &(unsigned char){(unsigned char)dice(&seed, 5)}, 1);
            for (size_t i = 0; i < row; i++) {
                put(&raw, &(unsigned char){(unsigned char)dice(&seed, 256)}, 1);
            }
        }
        for (int i = 0; i < 768; i++) {
            palette[i] = (unsigned char)dice(&seed, 256);
        }
        const size_t cut = dice(&seed, 20) == 0 ? dice(&seed, (unsigned)raw.size) : 0;
        put_zlib(&packed, raw.data, raw.size - cut);
        if (dice(&seed, 4) == 0) {
            packed.data[dice(&seed, (unsigned)packed.size)] ^= (unsigned char)(1 << dice(&seed, 8));
        }
        put_png_start(&file, w, h, depth, colours[kind], dice(&seed, 8) == 0);
        if (colours[kind] == 3) {
            put_chunk(&file, "PLTE", palette, 3 * (size_t)(depth < 8 ? 1 << depth : 256));
        }
        put_chunk(&file, "IDAT", packed.data, packed.size);
        put_chunk(&file, "IEND", "", 0);
        if (decode(&file, &image, NULL) == 0) {
            assert_int_equal(image.h * 1000 + image.w, h * 1000 + w);
            decoded++;
            image_decoder_clear(&decoder);
        }
        buffer_free(&raw);
        buffer_free(&packed);
        buffer_free(&file);
    }
    assert_in_range(decoded, 1000, 3000);
}

static void fill(uint8_t *pixels, int c, int h, int w)
{
    for (int i = 0; i < c * h * w; i++) { /* smooth, so that compression loses little */
        pixels[i] = (uint8_t)(20 + i % c * 40 + i / c % w * 4 + i / c / w * 3);
    }
}

static void test_jpeg_kinds(void **state)
{
    (void)state;
    uint8_t pixels[3 * 20 * 17];
    for (int c = 1; c <= 3; c += 2) {
        for (int progressive = 0; progressive < 2; progressive++) {
            struct buffer file = {0};
            struct image image;
            fill(pixels, c, 20, 17);
            put_jpeg(&file, pixels, c, 20, 17, c == 1 ? JCS_GRAYSCALE : JCS_RGB, 100, progressive);
            put(&file, "preview", 7); /* what cameras put behind the end */
            assert_int_equal(image_decode(&image, "x", file.data, file.size, &decoder, NULL), 0);
            assert_int_equal(image.c, c);
            assert_int_equal(image.h, 20);
            assert_int_equal(image.w, 17);
            for (int i = 0; i < c * 20 * 17; i++) {
                assert_in_range(image.pixels[i] + 6, pixels[i], pixels[i] + 12);
            }
            image_decoder_clear(&decoder);
            buffer_free(&file);
        }
    }
}

static void refuse_jpeg(struct buffer *file, const char *message)
{
    struct image image;
    struct error e = {.offset = -1};
    assert_int_equal(image_decode(&image, "x.jpg", file->data, file->size, &decoder, &e), -1);
    assert_null(image.pixels);
    assert_int_equal(e.kind, ERROR_DATA);
    assert_string_equal(e.file, "x.jpg");
    assert_in_range(e.offset, 0, file->size);
    if (strstr(e.message, message) == NULL) {
        fail_msg("'%s', expected '%s'", e.message, message);
    }
    buffer_free(file);
}

/* The same coefficients again and again. */
static void repeat_last_scan(struct buffer *file, int times)
{
    const unsigned char *scan = file->data + file->size - 2;
    while (memcmp(scan, "\xff\xda", 2) != 0) {
        scan--;
    }
    const size_t length = (size_t)(file->data + file->size - 2 - scan);
    unsigned char *copy = malloc(length);
    assert_non_null(copy);
    memcpy(copy, scan, length);
    file->size -= 2;
    for (int i = 0; i < times; i++) {
        put(file, copy, length);
    }
    put(file, "\xff\xd9", 2);
    free(copy);
}

static void test_jpeg_refused(void **state)
{
    (void)state;
    uint8_t pixels[4 * 20 * 17];
    struct buffer file = {0};
    struct image image;
    fill(pixels, 4, 20, 17);
    put_jpeg(&file, pixels, 4, 20, 17, JCS_CMYK, 90, 0);
    refuse_jpeg(&file, "bad JPEG: CMYK is not supported");
    put_jpeg(&file, pixels, 1, 20, 17, JCS_GRAYSCALE, 90, 0);
    file.size /= 2;
    refuse_jpeg(&file, "bad JPEG: "); /* J03 */
    put(&file, "\xff\xd8\xff\xd9", 4);
    refuse_jpeg(&file, "bad JPEG: ");
    put(&file, "\xff\xd8\xff", 3);
    refuse_jpeg(&file, "bad JPEG: ");

    /* A header of 10000x6000 over the data of 20x17. */
    put_jpeg(&file, pixels, 1, 20, 17, JCS_GRAYSCALE, 90, 0);
    unsigned char *frame = memmem(file.data, file.size, "\xff\xc0\0\x0b\x08", 5);
    assert_non_null(frame);
    memcpy(frame + 5, "\x27\x10\x17\x70", 4);
    refuse_jpeg(&file, "bad JPEG: image data cut short");
    put_jpeg(&file, pixels, 1, 20, 17, JCS_GRAYSCALE, 90, 0);
    frame = memmem(file.data, file.size, "\xff\xc0\0\x0b\x08", 5);
    memcpy(frame + 5, "\xff\x00\x17\x70", 4);
    refuse_jpeg(&file, "height 65280 is larger than 16384");

    /* J02: a Huffman table of 257 codes and more. */
    put_jpeg(&file, pixels, 1, 20, 17, JCS_GRAYSCALE, 90, 0);
    unsigned char *table = memmem(file.data, file.size, "\xff\xc4", 2);
    assert_non_null(table);
    memset(table + 5, 0xff, 16);
    refuse_jpeg(&file, "bad JPEG: ");

    put_jpeg(&file, pixels, 1, 20, 17, JCS_GRAYSCALE, 90, 1);
    repeat_last_scan(&file, 200);
    refuse_jpeg(&file, "bad JPEG: "); /* the second is already out of order */
    put_jpeg(&file, pixels, 3, 20, 17, JCS_RGB, 90, 2);
    repeat_last_scan(&file, 97);
    assert_int_equal(image_decode(&image, "x", file.data, file.size, &decoder, NULL), 0);
    image_decoder_clear(&decoder);
    repeat_last_scan(&file, 1);
    refuse_jpeg(&file, "bad JPEG: more than 100 scans");
}

/* A cut anywhere is seen; a flipped bit must do no harm. */
static void test_jpeg_damage(void **state)
{
    (void)state;
    uint8_t pixels[3 * 9 * 10];
    for (int progressive = 0; progressive < 2; progressive++) {
        struct buffer file = {0};
        struct image image;
        fill(pixels, 3, 9, 10);
        put_jpeg(&file, pixels, 3, 9, 10, JCS_RGB, 80, progressive);
        for (size_t size = 0; size < file.size; size++) {
            unsigned char *copy = malloc(size + 1);
            memcpy(copy, file.data, size);
            assert_int_equal(image_decode(&image, "x", copy, size, &decoder, NULL), -1);
            free(copy);
        }
        for (size_t bit = 0; bit < 8 * file.size; bit++) {
            file.data[bit / 8] ^= (unsigned char)(1 << bit % 8);
            if (image_decode(&image, "x", file.data, file.size, &decoder, NULL) != 0) {
                assert_null(image.pixels);
            }
            image_decoder_clear(&decoder);
            file.data[bit / 8] ^= (unsigned char)(1 << bit % 8);
        }
        buffer_free(&file);
    }
}

static void test_other_files(void **state)
{
    (void)state;
    static const struct {
        const char *bytes;
        size_t size;
        const char *message;
    } cases[] = {
        {"", 0, "file is empty"},
        {"x", 1, "not a PNG or JPEG image"},
        {"hello, world", 12, "not a PNG or JPEG image"},
        {"GIF89a..", 8, "looks like a GIF image"},
        {"BM......", 8, "looks like a BMP image"},
        {"II*\0....", 8, "looks like a TIFF image"},
        {"RIFF....WEBPVP8 ", 16, "looks like a WebP image"},
        {"8BPS....", 8, "looks like a Photoshop image"},
        {"P6 1 1 255\n...", 14, "looks like a PPM image"},
        {"<svg xmlns='...'>", 17, "looks like HTML, SVG or XML (a bad download?)"},
        {"version https://git-lfs.github.com/spec/v1", 42, "run git lfs pull"},
        {"\x89PN", 3, "not a PNG or JPEG image"},
        {"\x89PNG\r\n\x1a", 7, "PNG signature cut short"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct buffer file = {0};
        put(&file, cases[i].bytes, cases[i].size);
        expect_refused(&file, cases[i].size == 7 ? 7 : 0, cases[i].message);
    }
    struct image image;
    struct error e = {.offset = -1};
    unsigned char *large = calloc(1, IMAGE_FILE_MAX + 1); /* P53 */
    assert_int_equal(image_decode(&image, "x", large, IMAGE_FILE_MAX + 1, &decoder, &e), -1);
    assert_string_equal(e.message, "larger than 64 MiB");
    free(large);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_png_kinds),    cmocka_unit_test(test_png_filters),
        cmocka_unit_test(test_png_blocks),   cmocka_unit_test(test_png_good),
        cmocka_unit_test(test_png_damage),   cmocka_unit_test(test_png_headers),
        cmocka_unit_test(test_png_chunks),   cmocka_unit_test(test_png_data),
        cmocka_unit_test(test_png_random),   cmocka_unit_test(test_jpeg_kinds),
        cmocka_unit_test(test_jpeg_refused), cmocka_unit_test(test_jpeg_damage),
        cmocka_unit_test(test_other_files),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
