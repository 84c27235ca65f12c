/* target_png.c: a file to pixels: image.c, png_chunks.c, png_data.c, png.c and the part of
 * stb_image behind them. What is accepted is decoded twice, to the same pixels: memory that nobody
 * has written would show. The input is a file as it stands.
 *
 * A checksum stops all that is not known to it, so half of the mutants get the right ones, and some
 * are mutated in the rows before compression. */
#include "data/image.h"
#include "fuzz/fuzz.h"

#include <libdeflate.h>
#include <stdlib.h>
#include <string.h>
#include <zlib.h>

static void check_image(const struct image *image, const uint8_t *data, size_t size)
{
    struct image_decoder decoder = {0};
    struct image again;
    struct error e = {.offset = -1};
    const size_t values = (size_t)image->c * (size_t)image->h * (size_t)image->w;
    CHECK((image->c == 1 || image->c == 3) && image->h >= 1 && image->w >= 1);
    CHECK(image_decode(&again, "a.png", data, size, &decoder, &e) == 0);
    CHECK(again.c == image->c && again.h == image->h && again.w == image->w);
    CHECK(memcmp(again.pixels, image->pixels, values) == 0);
    image_decoder_free(&decoder);
}

int fuzz_one(const uint8_t *data, size_t size)
{
    static struct libdeflate_decompressor *inflater; /* the one thing that is kept */
    struct image_decoder decoder = {.inflater = inflater};
    struct image image;
    struct error e = {.offset = -1};
    if (image_decode(&image, "a.png", data, size, &decoder, &e) == 0) {
        check_image(&image, data, size);
    } else {
        CHECK(image.pixels == NULL);
        fuzz_check_error(&e, KIND(ERROR_DATA), size);
    }
    image_decoder_clear(&decoder);
    inflater = decoder.inflater;
    decoder.inflater = NULL;
    image_decoder_free(&decoder);
    return 0;
}

/* ---- the mutator ---- */

enum { SIGNATURE = 8, FRAME = 12 };

static uint32_t big_endian(const uint8_t *at)
{
    return (uint32_t)at[0] << 24 | (uint32_t)at[1] << 16 | (uint32_t)at[2] << 8 | at[3];
}

static void put_big_endian(uint8_t *at, size_t value)
{
    for (int i = 0; i < 4; i++) {
        at[i] = (uint8_t)(value >> (24 - 8 * i));
    }
}

/* The length of the chunk at `at`, or of what is left of it. */
static size_t chunk_length(const uint8_t *data, size_t size, size_t at)
{
    const size_t said = big_endian(data + at), left = size - at - FRAME;
    return said < left ? said : left;
}

static void fix_checksums(uint8_t *data, size_t size)
{
    for (size_t at = SIGNATURE; at + FRAME <= size;) {
        const size_t length = chunk_length(data, size, at);
        put_big_endian(data + at, length);
        put_big_endian(data + at + 8 + length, crc32_z(0, data + at + 4, length + 4));
        at += FRAME + length;
    }
}

/* The first IDAT chunk, or 0. */
static size_t find_image(const uint8_t *data, size_t size)
{
    for (size_t at = SIGNATURE; at + FRAME <= size; at += FRAME + chunk_length(data, size, at)) {
        if (memcmp(data + at + 4, "IDAT", 4) == 0) {
            return at;
        }
    }
    return 0;
}

/* Mutate what the first IDAT holds, and put it back packed; 0 when that cannot be. */
static size_t mutate_rows(uint8_t *data, size_t size, size_t most)
{
    static uint8_t rows[1 << 14], packed[1 << 15], rest[1 << 16];
    const size_t at = size > SIGNATURE ? find_image(data, size) : 0;
    if (at == 0) {
        return 0;
    }
    const size_t length = chunk_length(data, size, at), behind = at + FRAME + length;
    uLongf unpacked = sizeof rows, repacked = sizeof packed;
    const int status = uncompress(rows, &unpacked, data + at + 8, length);
    if ((status != Z_OK && status != Z_BUF_ERROR && status != Z_DATA_ERROR) || unpacked == 0 ||
        unpacked > sizeof rows || size - behind > sizeof rest) {
        return 0;
    }
    const size_t mutated = LLVMFuzzerMutate(rows, unpacked, sizeof rows);
    if (compress2(packed, &repacked, rows, mutated, 1) != Z_OK || size - length + repacked > most) {
        return 0;
    }
    memcpy(rest, data + behind, size - behind);
    memcpy(data + at + 8, packed, repacked);
    put_big_endian(data + at, repacked);
    memcpy(data + at + FRAME + repacked, rest, size - behind);
    return size - length + repacked;
}

size_t LLVMFuzzerCustomMutator(uint8_t *data, size_t size, size_t most, unsigned seed)
{
    const size_t rows = seed % 4 == 0 ? mutate_rows(data, size, most) : 0;
    const size_t mutated = rows > 0 ? rows : LLVMFuzzerMutate(data, size, most);
    if (rows > 0 || seed % 4 == 1) {
        fix_checksums(data, mutated);
    }
    return mutated;
}
