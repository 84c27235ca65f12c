/* test_idx.c: IDX files, good and bad, through dataset_load; the numbers are those of the list of
 * bad inputs. Each fault of the content is tried twice: in a plain file and in the same file behind
 * gzip. */
#include "data/dataset.h"
#include "data/idx_file.h"

#include "../data_files.h"

#include <math.h>
#include <sys/stat.h>

enum { COUNT = 64, SIDE = 28, PIXELS = SIDE * SIDE };

static const char IMAGES[] = "x-images-idx3-ubyte", LABELS[] = "x-labels-idx1-ubyte";
static const struct source SOURCE = {.images = "x-images-idx3-ubyte"};

static unsigned char pixel(size_t i) { return (unsigned char)(i * 7 + i / 100); }

static struct buffer make_images(uint32_t count, uint32_t h, uint32_t w)
{
    struct buffer file = {0};
    put_idx_header(&file, 0x08, 3, (const uint32_t[]){count, h, w});
    for (size_t i = 0; i < (size_t)count * h * w; i++) {
        put(&file, &(unsigned char){pixel(i)}, 1);
    }
    return file;
}

static struct buffer make_labels(uint32_t count)
{
    struct buffer file = {0};
    put_idx_header(&file, 0x08, 1, &count);
    for (uint32_t i = 0; i < count; i++) {
        put(&file, &(unsigned char){(unsigned char)(i % 10)}, 1);
    }
    return file;
}

static void write_plain(const char *path, struct buffer *file)
{
    write_file(path, file->data, file->size);
    buffer_free(file);
}

static void write_gzip(const char *path, struct buffer *file)
{
    struct buffer packed = {0};
    put_gzip(&packed, file->data, file->size);
    write_plain(path, &packed);
    buffer_free(file);
}

/* The set that IMAGES and LABELS hold must be refused at the byte of the file named so. */
static void expect(enum error_kind kind, const char *file, long long offset, const char *message)
{
    struct dataset set;
    struct error e = {.offset = -1};
    assert_int_equal(dataset_load(&set, &SOURCE, NULL, &e), -1);
    assert_string_equal(e.message, message);
    assert_string_equal(e.file, file);
    assert_int_equal(e.offset, offset);
    assert_int_equal(e.kind, kind);
    assert_null(set.bytes);
    assert_null(set.floats);
    assert_null(set.labels);
    assert_int_equal(dataset_load(&set, &SOURCE, NULL, NULL), -1);
}

/* A bad file in the place of one of the two, the other one good; takes the buffer. */
static void refuse(const char *path, struct buffer *file, long long offset, const char *message)
{
    const int labels = path == LABELS;
    char packed[64];
    struct buffer other = labels ? make_images(COUNT, SIDE, SIDE) : make_labels(COUNT);
    write_plain(labels ? IMAGES : LABELS, &other);
    write_file(path, file->data, file->size);
    expect(ERROR_DATA, path, offset, message);
    write_gzip(path, file);
    snprintf(packed, sizeof packed, "%s(gz)", path);
    expect(ERROR_DATA, packed, offset, message);
}

/* The same for a file that is only a few bytes. */
static void refuse_bytes(const char *path, const void *bytes, size_t size, long long offset,
                         const char *message)
{
    struct buffer file = {0};
    put(&file, bytes, size);
    refuse(path, &file, offset, message);
}

static void refuse_header(const char *path, int type, int dims, const uint32_t *dim,
                          long long offset, const char *message)
{
    struct buffer file = {0};
    put_idx_header(&file, type, dims, dim);
    refuse(path, &file, offset, message);
}

static void expect_good(void)
{
    struct dataset set;
    struct error e;
    assert_int_equal(dataset_load(&set, &SOURCE, NULL, &e), 0);
    assert_string_equal(set.path, IMAGES);
    assert_int_equal(set.count, COUNT);
    assert_int_equal(set.c, 1);
    assert_int_equal(set.h, SIDE);
    assert_int_equal(set.w, SIDE);
    assert_int_equal(set.classes, 10);
    assert_null(set.floats);
    for (size_t i = 0; i < COUNT * PIXELS; i++) {
        assert_int_equal(set.bytes[i], pixel(i));
    }
    for (int i = 0; i < COUNT; i++) {
        assert_int_equal(set.labels[i], i % 10);
    }
    dataset_free(&set);
}

static void test_good(void **state)
{
    (void)state;
    struct buffer images = make_images(COUNT, SIDE, SIDE), labels = make_labels(COUNT);
    write_plain(IMAGES, &images);
    write_plain(LABELS, &labels);
    expect_good();
    images = make_images(COUNT, SIDE, SIDE);
    write_gzip(IMAGES, &images); /* I37: gzip without the name */
    expect_good();
}

/* I36: the content decides, not the name. */
static void test_plain_named_gz(void **state)
{
    (void)state;
    struct dataset set;
    struct error e;
    struct buffer images = make_images(COUNT, SIDE, SIDE), labels = make_labels(COUNT);
    write_plain("plain-images-idx3-ubyte.gz", &images);
    write_plain("plain-labels-idx1-ubyte.gz", &labels);
    const struct source source = {.images = "plain-images-idx3-ubyte.gz"};
    assert_int_equal(dataset_load(&set, &source, NULL, &e), 0);
    assert_int_equal(set.bytes[1], pixel(1));
    dataset_free(&set);
    write_file("plain-images-idx3-ubyte.gz", "\x78\x9c 1234", 7);
    assert_int_equal(dataset_load(&set, &source, NULL, &e), -1);
    assert_string_equal(
        e.message,
        "not an IDX file, named .gz but not gzip data: looks like a zlib stream, expected gzip");
}

static void test_not_idx(void **state)
{
    (void)state;
    refuse_bytes(IMAGES, "", 0, 0, "file is empty, expected IDX header"); /* I01 */
    for (size_t size = 1; size < 4; size++) {                             /* I02 */
        refuse_bytes(IMAGES, "\0\0\x08", size, 0, "shorter than the 4-byte magic of IDX");
    }
    refuse_bytes(IMAGES, "\0\1\x08\x03", 4, 0, "not an IDX file"); /* I04 */
    refuse_bytes(IMAGES, "\1\0\x08\x03", 4, 0, "not an IDX file");
    refuse_bytes(IMAGES, "\x03\x08\0\0\x40\0\0\0", 8, 0,
                 "not an IDX file: byte order reversed (little-endian IDX?)"); /* I05 */
    static const struct {
        const char *bytes;
        const char *message;
    } cases[] = {
        {"<!DOCTYPE html>", "not an IDX file: looks like HTML or XML (a bad download?)"}, /* I38 */
        {"version https://git-lfs.github.com/spec/v1\n",
         "not an IDX file: looks like a Git LFS pointer: run git lfs pull"}, /* I39 */
        {"version 2 of something", "not an IDX file"},
        {"\x78\x9c....", "not an IDX file: looks like a zlib stream, expected gzip"}, /* G22 */
        {"\x78\xda....", "not an IDX file: looks like a zlib stream, expected gzip"},
        {"\x78\x01....", "not an IDX file: looks like a zlib stream, expected gzip"},
        {"\x78\x5e....", "not an IDX file: looks like a zlib stream, expected gzip"},
        {"\x28\xb5\x2f\xfd....", "not an IDX file: looks like zstd data: unpack it"}, /* G23 */
        {"\xfd"
         "7zXZ",
         "not an IDX file: looks like xz data: unpack it"},
        {"BZh91AY", "not an IDX file: looks like bzip2 data: unpack it"},
        {"PK\x03\x04....", "not an IDX file: looks like a zip archive"},
        {"\x89PNG\r\n\x1a\n", "not an IDX file: looks like a PNG image"},
        {"\xff\xd8\xff\xe0", "not an IDX file: looks like a JPEG image"},
        {"\x93NUMPY\x01", "not an IDX file: looks like a NumPy array"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        refuse_bytes(IMAGES, cases[i].bytes, strlen(cases[i].bytes), 0, cases[i].message);
    }
    refuse_bytes(LABELS, "<html>", 6, 0,
                 "not an IDX file: looks like HTML or XML (a bad download?)");
}

/* G21 */
static void test_gzip_twice(void **state)
{
    (void)state;
    struct buffer images = make_images(COUNT, SIDE, SIDE), once = {0};
    put_gzip(&once, images.data, images.size);
    write_gzip(IMAGES, &once);
    buffer_free(&images);
    expect(ERROR_DATA, "x-images-idx3-ubyte(gz)", 0,
           "not an IDX file: looks like gzip data, compressed twice");
}

static void test_bad_headers(void **state)
{
    (void)state;
    refuse_bytes(IMAGES, "\0\0\x08\x03\0\0\0", 7, 4,
                 "header cut short: 3 dimensions take 12 bytes, got 3"); /* I03 */
    refuse_bytes(LABELS, "\0\0\x08\x01\0", 5, 4,
                 "header cut short: 1 dimensions take 4 bytes, got 1");
    static const struct { /* I06 */
        int type;
        const char *message;
    } types[] = {
        {0x00, "unknown element type 0x00"}, {0x07, "unknown element type 0x07"},
        {0x0a, "unknown element type 0x0a"}, {0x0f, "unknown element type 0x0f"},
        {0xff, "unknown element type 0xff"},
    };
    for (size_t i = 0; i < sizeof types / sizeof *types; i++) {
        refuse_header(IMAGES, types[i].type, 3, (const uint32_t[]){COUNT, SIDE, SIDE}, 2,
                      types[i].message);
    }
    refuse_bytes(IMAGES, "\0\0\x08\0", 4, 3,
                 "images need at least 2 and at most 4 dimensions, got 0"); /* I10 */
    struct buffer labels = make_labels(COUNT);                              /* I11 */
    refuse(IMAGES, &labels, 3, "this is a label file; images need 2 to 4 dimensions");
    refuse_bytes(IMAGES, "\0\0\x08\x05", 4, 3,
                 "images need at least 2 and at most 4 dimensions, got 5"); /* I13 */
    refuse_bytes(IMAGES, "\0\0\x08\xff", 4, 3,
                 "images need at least 2 and at most 4 dimensions, got 255");
    struct buffer images = make_images(COUNT, SIDE, SIDE); /* I12 */
    refuse(LABELS, &images, 3, "labels need 1 dimension, got 3: this is an images file");
    refuse_bytes(LABELS, "\0\0\x08\0", 4, 3, "labels need 1 dimension, got 0");
    refuse_bytes(LABELS, "\0\0\x08\x05", 4, 3, "labels need 1 dimension, got 5");
}

static void test_bad_dimensions(void **state)
{
    (void)state;
    refuse_header(IMAGES, 8, 3, (const uint32_t[]){0, SIDE, SIDE}, 4,
                  "data set is empty"); /* I14 */
    refuse_header(LABELS, 8, 1, (const uint32_t[]){0}, 4, "data set is empty");
    refuse_header(IMAGES, 8, 3, (const uint32_t[]){COUNT, 0, SIDE}, 8,
                  "zero-sized image"); /* I15 */
    refuse_header(IMAGES, 8, 3, (const uint32_t[]){COUNT, SIDE, 0}, 12, "zero-sized image");
    refuse_header(IMAGES, 8, 4, (const uint32_t[]){COUNT, 0, SIDE, SIDE}, 8, "zero-sized image");
    refuse_header(IMAGES, 8, 3, (const uint32_t[]){COUNT, 65537, SIDE}, 8,
                  "height 65537 must be 1..65536"); /* I16 */
    refuse_header(IMAGES, 8, 3, (const uint32_t[]){COUNT, SIDE, 65537}, 12,
                  "width 65537 must be 1..65536");
    refuse_header(IMAGES, 8, 2, (const uint32_t[]){COUNT, 65537}, 8,
                  "width 65537 must be 1..65536");
    refuse_header(IMAGES, 8, 4, (const uint32_t[]){COUNT, 5, SIDE, SIDE}, 8,
                  "channels 5 must be 1..4");
    const char *overflow = "size overflow: no file can hold what the header declares";
    const uint32_t huge[] = {UINT32_MAX, UINT32_MAX, UINT32_MAX, UINT32_MAX};
    refuse_header(IMAGES, 8, 3, huge, 4, overflow); /* I17 */
    refuse_header(IMAGES, 8, 4, huge, 4, overflow);
    refuse_header(IMAGES, 8, 4, (const uint32_t[]){65536, 65536, 65536, 65536}, 4,
                  overflow); /* I19 */
    refuse_header(IMAGES, 0x0e, 4, (const uint32_t[]){1 << 30, 1, 1 << 16, 1 << 15}, 4, overflow);
}

/* I18, I20: nothing is allocated for what the file cannot hold. */
static void test_larger_than_the_file(void **state)
{
    (void)state;
    struct buffer file = {0};
    put_idx_header(&file, 8, 3, (const uint32_t[]){65536, 65536, 65536});
    write_plain(IMAGES, &file);
    expect(ERROR_DATA, IMAGES, 4,
           "larger than the file: 65536 images, needs 256.0 TiB; file has 16 bytes");
    put_idx_header(&file, 8, 3, (const uint32_t[]){65536, 65536, 65536});
    write_gzip(IMAGES, &file);
    struct stat status;
    char message[160];
    assert_int_equal(stat(IMAGES, &status), 0);
    snprintf(message, sizeof message,
             "larger than the file: 65536 images, needs 256.0 TiB; file has %lld bytes",
             (long long)status.st_size);
    expect(ERROR_DATA, "x-images-idx3-ubyte(gz)", 4, message);

    file = make_images(COUNT, SIDE, SIDE);
    file.data[4] = 0x80;
    write_plain(IMAGES, &file);
    expect(ERROR_DATA, IMAGES, 4,
           "larger than the file: 2147483712 images, needs 1.5 TiB; file has 50192 bytes");
}

/* What deflate could hold in such a file is as far as the benefit of the doubt goes. */
static void test_plausible_size(void **state)
{
    (void)state;
    struct buffer file = {0};
    unsigned char *zeros = calloc(60000, 1);
    assert_non_null(zeros);
    put_idx_header(&file, 8, 2, (const uint32_t[]){60, 1000});
    put(&file, zeros, 60000);
    write_gzip(IMAGES, &file);
    struct buffer labels = make_labels(60);
    write_plain(LABELS, &labels);
    struct dataset set;
    assert_int_equal(dataset_load(&set, &SOURCE, NULL, NULL), 0);
    dataset_free(&set);
    free(zeros);
}

static void test_wrong_size(void **state)
{
    (void)state;
    struct buffer file = make_images(COUNT, SIDE, SIDE); /* I21 */
    file.size -= 1;
    refuse(IMAGES, &file, 50191, "file ends early, in image 63 of 64");
    file = make_images(COUNT, SIDE, SIDE); /* I23 */
    file.size = 16 + 32 * PIXELS;
    refuse(IMAGES, &file, 16 + 32 * PIXELS, "file ends early, in image 32 of 64");
    file = make_images(COUNT, SIDE, SIDE);
    file.size = 16 + 700;
    refuse(IMAGES, &file, 16 + 700, "file ends early, in image 0 of 64");
    file = make_labels(COUNT);
    file.size -= 2;
    refuse(LABELS, &file, 70, "file ends early, in label 62 of 64");

    struct dataset set;
    struct error e = {.offset = -1};
    file = make_images(COUNT, SIDE, SIDE);
    file.size -= 1;
    write_plain(IMAGES, &file);
    assert_int_equal(dataset_load(&set, &SOURCE, NULL, &e), -1);
    assert_string_equal(e.note, "expected 50192 bytes, file has 50191");
}

static void test_unexpected_bytes(void **state)
{
    (void)state;
    struct buffer file = make_images(COUNT, SIDE, SIDE); /* I22 */
    put(&file, "x", 1);
    write_plain(IMAGES, &file);
    expect(ERROR_DATA, IMAGES, 50192, "1 unexpected byte after the data");
    file = make_images(COUNT, SIDE, SIDE); /* I24 */
    file.data[7] = 63;
    write_plain(IMAGES, &file);
    expect(ERROR_DATA, IMAGES, 16 + 63 * PIXELS, "784 unexpected bytes after the data");

    unsigned char *zeros = calloc(20 << 20, 1); /* G18: inflating stops behind what was declared */
    assert_non_null(zeros);
    file = make_images(COUNT, SIDE, SIDE);
    put(&file, zeros, 20 << 20);
    write_gzip(IMAGES, &file);
    expect(ERROR_DATA, "x-images-idx3-ubyte(gz)", 50192, "unexpected bytes after the data");
    free(zeros);
    file = make_images(COUNT, SIDE, SIDE);
    write_plain(IMAGES, &file);
    file = make_labels(COUNT);
    put(&file, "xy", 2);
    write_plain(LABELS, &file);
    expect(ERROR_DATA, LABELS, 72, "2 unexpected bytes after the data");
}

/* G19: what the file could hold but the machine could not. */
static void test_memory_limit(void **state)
{
    (void)state;
    const size_t images = idx_memory_limit() / (65536 * 1024) + 2;
    if (images * 65536 > (size_t)64 << 20) {
        skip(); /* the file would be larger than a test should write */
    }
    struct buffer file = {0};
    put_idx_header(&file, 8, 3, (const uint32_t[]){(uint32_t)images, 65536, 1024});
    struct buffer packed = {0};
    put_gzip(&packed, file.data, file.size);
    unsigned char *rest = calloc(images, 65536);
    assert_non_null(rest);
    put(&packed, rest, images * 65536);
    free(rest);
    write_plain(IMAGES, &packed);
    buffer_free(&file);
    struct dataset set;
    struct error e = {.offset = -1};
    assert_int_equal(dataset_load(&set, &SOURCE, NULL, &e), -1);
    assert_int_equal(e.kind, ERROR_LIMIT);
    assert_int_equal(e.offset, 4);
    assert_non_null(strstr(e.message, "memory limit"));
}

/* A gzip fault in the midst of the data says in which image. */
static void test_gzip_faults(void **state)
{
    (void)state;
    struct buffer images = make_images(COUNT, SIDE, SIDE), packed = {0},
                  labels = make_labels(COUNT);
    write_plain(LABELS, &labels);
    put_gzip(&packed, images.data, images.size);

    const long long whole = (long long)packed.size;
    write_file(IMAGES, packed.data, packed.size - 1);
    expect(ERROR_DATA, IMAGES, whole - 1, "gzip trailer cut short");
    packed.data[whole - 8] ^= 1;
    write_file(IMAGES, packed.data, packed.size);
    expect(ERROR_DATA, IMAGES, whole - 8, "gzip checksum mismatch");

    struct buffer stored = {0};
    put(&stored, "\x1f\x8b\x08\0\0\0\0\0\0\x03", 10);
    put(&stored, "\0", 1); /* a stored block, not the last */
    put_little_endian(&stored, 16 + 10 * PIXELS + 5, 2);
    put_little_endian(&stored, ~(16 + 10 * PIXELS + 5) & 0xffff, 2);
    put(&stored, images.data, 16 + 10 * PIXELS + 5);
    const long long end = (long long)stored.size;
    write_file(IMAGES, stored.data, stored.size);
    expect(ERROR_DATA, IMAGES, end,
           "file ends early, in image 10 of 64: compressed data cut short");
    put(&stored, "\x07", 1);
    write_file(IMAGES, stored.data, stored.size);
    expect(ERROR_DATA, IMAGES, end + 1,
           "corrupt compressed data (invalid block type), in image 10 of 64");
    write_file(IMAGES, stored.data, 9);
    expect(ERROR_DATA, IMAGES, 9, "gzip header cut short");
    buffer_free(&stored);
    buffer_free(&images);
    buffer_free(&packed);
}

/* A gzip file of stored blocks, `empty` of them without bytes in front. */
static void write_stored(const char *path, const struct buffer *file, int empty)
{
    struct buffer out = {0};
    put(&out, "\x1f\x8b\x08\0\0\0\0\0\0\x03", 10);
    for (int i = 0; i < empty; i++) {
        put(&out, "\0\0\0\xff\xff", 5);
    }
    for (size_t at = 0; at < file->size;) {
        const size_t left = file->size - at, size = left < 0xffff ? left : 0xffff;
        put(&out, size == left ? "\1" : "\0", 1);
        put_little_endian(&out, (uint32_t)size, 2);
        put_little_endian(&out, ~(uint32_t)size & 0xffff, 2);
        put(&out, file->data + at, size);
        at += size;
    }
    put_little_endian(&out, (uint32_t)crc32(0, file->data, (uInt)file->size), 4);
    put_little_endian(&out, (uint32_t)file->size, 4);
    write_plain(path, &out);
}

/* How many bytes this process has read; 0 where the system does not say. */
static long bytes_read(void)
{
    long bytes = 0;
    FILE *file = fopen("/proc/self/io", "r");
    if (file != NULL) {
        assert_int_equal(fscanf(file, "rchar: %ld", &bytes), 1);
        fclose(file);
    }
    return bytes;
}

/* Of a compressed file an outline reads the ends; where they do not do, all of it. */
static void test_outline(void **state)
{
    (void)state;
    enum { MANY = 2000 };
    const struct loading how = {.outline = 1};
    struct buffer images = make_images(MANY, SIDE, SIDE), labels = make_labels(MANY);
    const int empty[] = {0, 10, 100000}; /* half a megabyte in front of the header */
    struct dataset plain;
    write_plain(LABELS, &labels);
    write_file(IMAGES, images.data, images.size);
    assert_int_equal(dataset_load(&plain, &SOURCE, &how, NULL), 0);
    for (size_t i = 0; i < sizeof empty / sizeof *empty; i++) {
        struct dataset set;
        struct error e;
        write_stored(IMAGES, &images, empty[i]);
        const long before = bytes_read();
        assert_int_equal(dataset_load(&set, &SOURCE, &how, &e), 0);
        const long after = bytes_read();
        assert_true(after == 0 || (after - before < (long)images.size) == (empty[i] < 100000));
        assert_int_equal(set.count, MANY);
        assert_int_equal(set.h, SIDE);
        assert_int_equal(set.crc32, plain.crc32);
        assert_int_equal(set.outline, 1);
        dataset_free(&set);
    }
    dataset_free(&plain);
    images.data[7] = 1; /* 2,000 is 0x7d0 */
    for (size_t i = 0; i < sizeof empty / sizeof *empty; i++) {
        struct dataset set;
        struct error e;
        write_stored(IMAGES, &images, empty[i]);
        assert_int_equal(dataset_load(&set, &SOURCE, &how, &e), -1);
        assert_string_equal(e.message, "2000 labels for 1793 images in x-images-idx3-ubyte");
    }
    buffer_free(&images);
}

static void test_label_counts(void **state)
{
    (void)state;
    struct buffer file = make_labels(COUNT - 1); /* I25 */
    refuse(LABELS, &file, 4, "63 labels for 64 images in x-images-idx3-ubyte");
    file = make_labels(COUNT + 1); /* I26 */
    refuse(LABELS, &file, 4, "65 labels for 64 images in x-images-idx3-ubyte");
    refuse_header(LABELS, 0x0d, 1, (const uint32_t[]){COUNT}, 2,
                  "labels must be whole numbers, not floats");
}

static void test_label_values(void **state)
{
    (void)state;
    struct buffer file = {0}; /* I29 */
    put_idx_header(&file, 0x0c, 1, (const uint32_t[]){COUNT});
    for (int i = 0; i < COUNT; i++) {
        put_big_endian(&file, i == 5 ? UINT32_MAX : 3, 4);
    }
    refuse(LABELS, &file, 8 + 4 * 5, "sample 5: label -1 is not in 0..65535");
    put_idx_header(&file, 0x0c, 1, (const uint32_t[]){COUNT});
    for (int i = 0; i < COUNT; i++) {
        put_big_endian(&file, i == 63 ? 65536 : 3, 4);
    }
    refuse(LABELS, &file, 8 + 4 * 63, "sample 63: label 65536 is not in 0..65535");
}

static void test_label_types(void **state)
{
    (void)state;
    static const struct {
        int type, size;
    } types[] = {{0x08, 1}, {0x09, 1}, {0x0b, 2}, {0x0c, 4}};
    struct buffer images = make_images(COUNT, SIDE, SIDE);
    write_plain(IMAGES, &images);
    for (size_t k = 0; k < sizeof types / sizeof *types; k++) {
        struct buffer file = {0};
        put_idx_header(&file, types[k].type, 1, (const uint32_t[]){COUNT});
        for (uint32_t i = 0; i < COUNT; i++) {
            put_big_endian(&file, i % 10, types[k].size);
        }
        write_plain(LABELS, &file);
        expect_good();
    }
    struct buffer file = {0};
    put_idx_header(&file, 0x0c, 1, (const uint32_t[]){COUNT});
    for (uint32_t i = 0; i < COUNT; i++) {
        put_big_endian(&file, i == 9 ? 65535 : 0, 4);
    }
    write_plain(LABELS, &file);
    struct dataset set;
    assert_int_equal(dataset_load(&set, &SOURCE, NULL, NULL), 0);
    assert_int_equal(set.labels[9], 65535);
    assert_int_equal(set.classes, 65536);
    assert_int_equal(set.labels_size, 4);
    dataset_free(&set);
}

static uint64_t bits_of_float(float value)
{
    uint32_t bits;
    memcpy(&bits, &value, sizeof bits);
    return bits;
}

static uint64_t bits_of_double(double value)
{
    uint64_t bits;
    memcpy(&bits, &value, sizeof bits);
    return bits;
}

/* I07, I09: every type but bytes becomes floats, exactly where a float can. */
static void test_element_types(void **state)
{
    (void)state;
    const struct {
        int type, size;
        uint64_t bits[6];
        float values[6];
    } cases[] = {
        {0x09, 1, {0, 1, 127, 128, 255, 200}, {0, 1, 127, -128, -1, -56}},
        {0x0b, 2, {0, 1, 32767, 32768, 65535, 256}, {0, 1, 32767, -32768, -1, 256}},
        {0x0c,
         4,
         {0, 1, 0x7fffffff, 0x80000000, 0xffffffff, 1 << 16},
         {0, 1, 0x1p31f, -0x1p31f, -1, 65536}},
        {0x0d,
         4,
         {bits_of_float(0), bits_of_float(-1.5f), bits_of_float(1e38f), bits_of_float(1e-45f),
          bits_of_float(0.1f), 0x80000000},
         {0, -1.5f, 1e38f, 1e-45f, 0.1f, -0.0f}},
        {0x0e,
         8,
         {bits_of_double(0), bits_of_double(-1.5), bits_of_double(1e38), bits_of_double(1e-300),
          bits_of_double(0.1), bits_of_double(3)},
         {0, -1.5f, 1e38f, 0, 0.1f, 3}},
    };
    for (size_t k = 0; k < sizeof cases / sizeof *cases; k++) {
        struct buffer file = {0}, labels = make_labels(3);
        put_idx_header(&file, cases[k].type, 2, (const uint32_t[]){3, 2});
        for (int i = 0; i < 6; i++) {
            put_big_endian(&file, cases[k].bits[i], cases[k].size);
        }
        write_plain(IMAGES, &file);
        write_plain(LABELS, &labels);
        struct dataset set;
        assert_int_equal(dataset_load(&set, &SOURCE, NULL, NULL), 0);
        assert_null(set.bytes);
        assert_int_equal(set.c, 1);
        assert_int_equal(set.h, 1);
        assert_int_equal(set.w, 2);
        assert_memory_equal(set.floats, cases[k].values, sizeof cases[k].values);
        dataset_free(&set);
    }
}

/* A float image larger than the pieces it is read in. */
static void test_many_floats(void **state)
{
    (void)state;
    enum { N = 7, SIZE = 3001 };
    for (int packed = 0; packed < 2; packed++) {
        struct buffer file = {0}, labels = make_labels(N);
        put_idx_header(&file, 0x0d, 2, (const uint32_t[]){N, SIZE});
        for (int i = 0; i < N * SIZE; i++) {
            put_big_endian(&file, bits_of_float((float)i / 3), 4);
        }
        struct buffer cut = {0};
        put(&cut, file.data, file.size - 1);
        write_plain(LABELS, &labels);
        (packed ? write_gzip : write_plain)(IMAGES, &cut);
        expect(ERROR_DATA, packed ? "x-images-idx3-ubyte(gz)" : IMAGES, 12 + 4 * N * SIZE - 1,
               "file ends early, in image 6 of 7");
        (packed ? write_gzip : write_plain)(IMAGES, &file);
        struct dataset set;
        assert_int_equal(dataset_load(&set, &SOURCE, NULL, NULL), 0);
        for (int i = 0; i < N * SIZE; i++) {
            assert_true(set.floats[i] == (float)i / 3);
        }
        dataset_free(&set);
    }
}

static void test_floats_that_are_none(void **state)
{
    (void)state;
    const struct {
        int type, size;
        uint64_t bits;
        const char *message;
    } cases[] = {
        {0x0d, 4, bits_of_float(NAN), "sample 5: value is not finite"},      /* I08 */
        {0x0d, 4, bits_of_float(INFINITY), "sample 5: value is not finite"}, /* I09 */
        {0x0d, 4, bits_of_float(-INFINITY), "sample 5: value is not finite"},
        {0x0e, 8, bits_of_double(NAN), "sample 5: value is not finite"},
        {0x0e, 8, bits_of_double(1e39), "sample 5: value is beyond the range of a float"},
    };
    for (size_t k = 0; k < sizeof cases / sizeof *cases; k++) {
        struct buffer file = {0};
        put_idx_header(&file, cases[k].type, 3, (const uint32_t[]){COUNT, 2, 3});
        for (int i = 0; i < COUNT * 6; i++) {
            put_big_endian(&file, i == 5 * 6 + 2 ? cases[k].bits : 0, cases[k].size);
        }
        refuse(IMAGES, &file, 16 + (5 * 6 + 2) * cases[k].size, cases[k].message);
    }
}

static void test_shapes(void **state)
{
    (void)state;
    struct dataset set;
    struct buffer file = {0}, labels = make_labels(2);
    write_plain(LABELS, &labels);
    put_idx_header(&file, 8, 4, (const uint32_t[]){2, 3, 1, 2});
    put(&file, "abcdefghijkl", 12);
    write_plain(IMAGES, &file);
    assert_int_equal(dataset_load(&set, &SOURCE, NULL, NULL), 0);
    assert_int_equal(set.c, 3);
    assert_int_equal(set.h, 1);
    assert_int_equal(set.w, 2);
    assert_memory_equal(set.bytes, "abcdefghijkl", 12);
    dataset_free(&set);
    put_idx_header(&file, 8, 2, (const uint32_t[]){2, 5});
    put(&file, "abcdefghij", 10);
    write_plain(IMAGES, &file);
    assert_int_equal(dataset_load(&set, &SOURCE, NULL, NULL), 0);
    assert_int_equal(set.c, 1);
    assert_int_equal(set.h, 1);
    assert_int_equal(set.w, 5);
    dataset_free(&set);
}

/* I41, I42: what cannot be read at all. */
static void test_io(void **state)
{
    (void)state;
    struct dataset set;
    struct error e = {.offset = -1};
    const struct source missing = {.images = "none-images-idx3-ubyte"};
    assert_int_equal(dataset_load(&set, &missing, NULL, &e), -1);
    assert_int_equal(e.kind, ERROR_IO);
    assert_string_equal(e.file, "none-images-idx3-ubyte");
    assert_int_equal(mkfifo("fifo-images", 0600), 0);
    const struct source fifo = {.images = "fifo-images"};
    assert_int_equal(dataset_load(&set, &fifo, NULL, &e), -1);
    assert_int_equal(e.kind, ERROR_IO);
    assert_string_equal(e.message, "not a regular file");
    assert_int_equal(mkdir("labels", 0700), 0);
    struct buffer images = make_images(COUNT, SIDE, SIDE);
    write_plain(IMAGES, &images);
    const struct source folder = {.images = IMAGES, .labels = "labels"};
    assert_int_equal(dataset_load(&set, &folder, NULL, &e), -1);
    assert_int_equal(e.kind, ERROR_IO);
    assert_string_equal(e.message, "is a directory");
    const struct source nothing = {.images = ""};
    assert_int_equal(dataset_load(&set, &nothing, NULL, &e), -1);
    assert_int_equal(e.kind, ERROR_IO);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_good),
        cmocka_unit_test(test_plain_named_gz),
        cmocka_unit_test(test_not_idx),
        cmocka_unit_test(test_gzip_twice),
        cmocka_unit_test(test_bad_headers),
        cmocka_unit_test(test_bad_dimensions),
        cmocka_unit_test(test_larger_than_the_file),
        cmocka_unit_test(test_plausible_size),
        cmocka_unit_test(test_wrong_size),
        cmocka_unit_test(test_unexpected_bytes),
        cmocka_unit_test(test_memory_limit),
        cmocka_unit_test(test_gzip_faults),
        cmocka_unit_test(test_outline),
        cmocka_unit_test(test_label_counts),
        cmocka_unit_test(test_label_values),
        cmocka_unit_test(test_label_types),
        cmocka_unit_test(test_element_types),
        cmocka_unit_test(test_many_floats),
        cmocka_unit_test(test_floats_that_are_none),
        cmocka_unit_test(test_shapes),
        cmocka_unit_test(test_io),
    };
    return cmocka_run_group_tests(tests, folder_make, folder_remove);
}
