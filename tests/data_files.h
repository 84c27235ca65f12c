/* data_files.h: what the tests of src/data read: a temporary folder, IDX files, gzip data. Bytes
 * are built here by hand and by zlib's deflate, so that the tests share no code with src/. */
#ifndef CNNTRAIN_TESTS_DATA_FILES_H
#define CNNTRAIN_TESTS_DATA_FILES_H

#include <ftw.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define ZLIB_CONST
#include <zlib.h>

#include <cmocka.h>

/* A group of tests works in a folder of its own, which is gone afterwards. */
static inline int folder_make(void **state)
{
    char *folder = strdup("/tmp/cnntrain-test-XXXXXX");
    *state = folder;
    return folder == NULL || mkdtemp(folder) == NULL || chdir(folder) != 0 ? -1 : 0;
}

static inline int folder_remove_entry(const char *path, const struct stat *status, int type,
                                      struct FTW *ftw)
{
    (void)status;
    (void)type;
    (void)ftw;
    return remove(path);
}

static inline int folder_remove(void **state)
{
    const int failed =
        chdir("/") != 0 || nftw(*state, folder_remove_entry, 8, FTW_DEPTH | FTW_PHYS) != 0;
    free(*state);
    return failed ? -1 : 0;
}

/* Bytes that grow at their end. */
struct buffer {
    unsigned char *data;
    size_t size, capacity;
};

static inline void buffer_free(struct buffer *buffer)
{
    free(buffer->data);
    *buffer = (struct buffer){0};
}

static inline void put(struct buffer *buffer, const void *data, size_t size)
{
    if (buffer->size + size >= buffer->capacity) {
        buffer->capacity = 2 * (buffer->size + size) + 64;
        buffer->data = realloc(buffer->data, buffer->capacity);
        assert_non_null(buffer->data);
    }
    memcpy(buffer->data + buffer->size, data, size);
    buffer->size += size;
}

static inline void put_little_endian(struct buffer *buffer, uint32_t value, int size)
{
    for (int i = 0; i < size; i++) {
        put(buffer, &(unsigned char){(unsigned char)(value >> 8 * i)}, 1);
    }
}

static inline void put_big_endian(struct buffer *buffer, uint64_t value, int size)
{
    for (int i = size - 1; i >= 0; i--) {
        put(buffer, &(unsigned char){(unsigned char)(value >> 8 * i)}, 1);
    }
}

/* Raw deflate data of the bytes. */
static inline void put_deflated(struct buffer *buffer, const void *data, size_t size)
{
    z_stream z = {.next_in = data, .avail_in = (uInt)size};
    assert_int_equal(deflateInit2(&z, 9, Z_DEFLATED, -MAX_WBITS, 9, Z_DEFAULT_STRATEGY), Z_OK);
    const size_t bound = deflateBound(&z, size);
    unsigned char *out = malloc(bound);
    assert_non_null(out);
    z.next_out = out;
    z.avail_out = (uInt)bound;
    assert_int_equal(deflate(&z, Z_FINISH), Z_STREAM_END);
    put(buffer, out, bound - z.avail_out);
    deflateEnd(&z);
    free(out);
}

/* One whole gzip member, without optional fields. */
static inline void put_gzip(struct buffer *buffer, const void *data, size_t size)
{
    put(buffer, "\x1f\x8b\x08\0\0\0\0\0\0\x03", 10);
    put_deflated(buffer, data, size);
    put_little_endian(buffer, (uint32_t)crc32(0, data, (uInt)size), 4);
    put_little_endian(buffer, (uint32_t)size, 4);
}

static inline void put_idx_header(struct buffer *buffer, int type, int dims, const uint32_t *dim)
{
    put(buffer, (unsigned char[]){0, 0, (unsigned char)type, (unsigned char)dims}, 4);
    for (int i = 0; i < dims; i++) {
        put_big_endian(buffer, dim[i], 4);
    }
}

static inline void write_file(const char *path, const void *data, size_t size)
{
    FILE *file = fopen(path, "wb");
    assert_non_null(file);
    assert_int_equal(fwrite(data, 1, size, file), size);
    assert_int_equal(fclose(file), 0);
}

#endif
