/* safetensors_image.h: model files made by hand, for the tests of the container.
 *
 * The base file is written out here, with checksums computed elsewhere (Python's zlib), so it is
 * also a second opinion on the format. A test changes a piece of it, pads and seals it again: then
 * its checksum is right, and the fault itself must be found. */
#ifndef CNNTRAIN_TESTS_SAFETENSORS_IMAGE_H
#define CNNTRAIN_TESTS_SAFETENSORS_IMAGE_H

#include "base/safetensors.h"

#include <fcntl.h>
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <zlib.h>

#include <cmocka.h>

#define NAME "model.bin"
#define KEY "cnntrain.format"
#define DATA_BYTES 140
#define META                                                                                       \
    "\"crc32:C1.bias\":\"3fae4203\",\"crc32:C1.weight\":\"de160797\","                             \
    "\"crc32:C2.weight\":\"2bb8b2ad\","                                                            \
    "\"header_crc32\":\"00000000\",\"note\":\"\\\"caf\\u00E9\\\"\""
#define C1 "\"C1.weight\":{\"dtype\":\"F32\",\"shape\":[4,1,2,2],\"data_offsets\":[0,64]}"
#define C2 "\"C2.weight\":{\"dtype\":\"F32\",\"shape\":[16],\"data_offsets\":[64,128]}"
#define BIAS "\"C1.bias\":{\"dtype\":\"F32\",\"shape\":[3],\"data_offsets\":[128,140]}"
#define HEADER                                                                                     \
    "{\"__metadata__\":{\"cnntrain.format\":\"1\",\"config\":\"name: a\\n\"," META "}," C1 "," C2  \
    "," BIAS "}"

static char directory[] = "/tmp/cnntrain-test-XXXXXX";
static char path[64];
static int folder = -1;

struct image {
    char *bytes;
    size_t size, data; /* data: 8 + N */
};

static inline void fill_data(float *data)
{
    for (int i = 0; i < 16; i++) {
        data[i] = (float)i * 0.25f - 2.0f;
        data[16 + i] = 1.5f - (float)i;
    }
    data[32] = 1.0f;
    data[33] = -0.5f;
    data[34] = 0.125f;
}

/* Fill in the digits of the header's checksum, where they are 0. */
static inline void seal(struct image *file)
{
    static const char key[] = "\"header_crc32\":\"00000000\"";
    char *at = memmem(file->bytes, file->data, key, sizeof key - 1);

    if (at != NULL) {
        char digits[16];

        snprintf(digits, sizeof digits, "%08lx",
                 crc32_z(0, (unsigned char *)file->bytes, file->data));
        memcpy(at + sizeof key - 10, digits, 8);
    }
}

/* The header, padded and sealed, and the base file's data. */
static inline struct image build(const char *header, size_t length)
{
    const size_t padded = (8 + length + 63) / 64 * 64;
    struct image file = {malloc(padded + DATA_BYTES), padded + DATA_BYTES, padded};
    const uint64_t n = padded - 8;

    assert_non_null(file.bytes);
    memset(file.bytes, ' ', padded);
    memcpy(file.bytes, &n, sizeof n);
    memcpy(file.bytes + 8, header, length);
    fill_data((float *)(void *)(file.bytes + padded));
    seal(&file);
    return file;
}

/* The base file with the first `from` of its header replaced. */
static inline struct image build_edited(const char *from, const char *to)
{
    const char *at = strstr(HEADER, from);
    const size_t size = strlen(HEADER) + strlen(to) + 1;
    char *header = malloc(size);

    assert_non_null(at);
    assert_non_null(header);
    snprintf(header, size, "%.*s%s%s", (int)(at - HEADER), HEADER, to, at + strlen(from));
    struct image file = build(header, strlen(header));

    free(header);
    return file;
}

static inline void put(const void *bytes, size_t size)
{
    FILE *out = fopen(path, "wb");

    assert_non_null(out);
    assert_int_equal(fwrite(bytes, 1, size, out), size);
    assert_int_equal(fclose(out), 0);
}

#define ANYWHERE (-2)
static inline void refused(const char *id, const char *message, long long offset)
{
    struct safetensors st;
    struct error e = {0};

    if (safetensors_read(&st, path, KEY, &e) != -1) {
        fail_msg("%s: accepted", id);
    }
    if (e.kind != ERROR_MODEL || strcmp(e.file, path) != 0 || strstr(e.message, message) == NULL ||
        (offset != ANYWHERE && e.offset != offset)) {
        fail_msg("%s: kind %d, @%lld: '%s'; expected @%lld: '%s'", id, (int)e.kind, e.offset,
                 e.message, offset, message);
    }
    assert_null(st.file);
    assert_null(st.arena.chunks);
}

static inline void refused_image(const char *id, struct image *file, const char *message,
                                 long long offset)
{
    put(file->bytes, file->size);
    free(file->bytes);
    refused(id, message, offset);
}

static inline int write_file(const struct metadata_entry *metadata, int metadata_count,
                             const struct tensor_entry *tensors, int tensor_count, struct error *e)
{
    return safetensors_write(&(struct file_target){folder, NAME, path, NULL}, metadata,
                             metadata_count, tensors, tensor_count, e);
}

static inline size_t slurp(char *bytes, size_t room)
{
    FILE *in = fopen(path, "rb");

    assert_non_null(in);
    const size_t size = fread(bytes, 1, room, in);

    assert_true(size < room);
    fclose(in);
    return size;
}

/* Group setup and teardown: a fresh directory, open as `folder`. */
static inline int make_directory(void **state)
{
    (void)state;
    if (mkdtemp(directory) == NULL) {
        return -1;
    }
    snprintf(path, sizeof path, "%s/" NAME, directory);
    folder = open(directory, O_RDONLY | O_DIRECTORY);
    return folder < 0;
}

static inline int remove_directory(void **state)
{
    (void)state;
    close(folder);
    unlink(path);
    return rmdir(directory);
}

#endif
