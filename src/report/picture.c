/* picture.c: PNG (W3C, "Portable Network Graphics", third edition) of the simplest kind: signature,
 * IHDR, one IDAT with unfiltered rows, IEND; libdeflate does the work: zlib takes twice the time.
 * Pictures of a few dozen pixels would gain nothing from filters. Base64: RFC 4648, section 4. */
#include "report/picture.h"

#include "base/file.h"
#include "data/fit.h"

#include <libdeflate.h>
#include <stdlib.h>
#include <string.h>

enum { MOST_SIDE = 64, CHUNK_EXTRA = 12, EFFORT = 9 };

static void put_u32(uint8_t *at, uint32_t value)
{
    at[0] = (uint8_t)(value >> 24);
    at[1] = (uint8_t)(value >> 16);
    at[2] = (uint8_t)(value >> 8);
    at[3] = (uint8_t)value;
}

/* A chunk around `size` bytes that stand at at + 8 already; returns where the next begins. */
static uint8_t *end_chunk(uint8_t *at, const char *type, size_t size)
{
    put_u32(at, (uint32_t)size);
    memcpy(at + 4, type, 4);
    put_u32(at + 8 + size, file_crc32(0, at + 4, size + 4));
    return at + CHUNK_EXTRA + size;
}

static void append_base64(struct text *out, const uint8_t *bytes, size_t size)
{
    static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    for (size_t at = 0; at < size; at += 3) {
        const size_t n = size - at < 3 ? size - at : 3;
        const uint32_t bits = (uint32_t)bytes[at] << 16 |
                              (n > 1 ? (uint32_t)bytes[at + 1] : 0) << 8 |
                              (n > 2 ? (uint32_t)bytes[at + 2] : 0);
        const char four[4] = {digits[bits >> 18], digits[bits >> 12 & 63],
                              n > 1 ? digits[bits >> 6 & 63] : '=',
                              n > 2 ? digits[bits & 63] : '='};
        text_append_bytes(out, four, 4);
    }
}

int picture_append(struct text *out, const uint8_t *pixels, int w, int h, int channels,
                   struct error *e)
{
    static const uint8_t signature[8] = {0x89, 'P', 'N', 'G', '\r', '\n', 0x1a, '\n'};
    const size_t row = (size_t)w * (size_t)channels, raw_size = (row + 1) * (size_t)h;
    const size_t most = libdeflate_zlib_compress_bound(NULL, raw_size);
    const size_t room = raw_size + sizeof signature + 13 + most + (size_t)3 * CHUNK_EXTRA;
    uint8_t *const raw = malloc(room);
    struct libdeflate_compressor *compressor = raw ? libdeflate_alloc_compressor(EFFORT) : NULL;
    if (!compressor) {
        free(raw);
        return error_memory(e, room);
    }
    for (int y = 0; y < h; y++) {
        raw[(row + 1) * (size_t)y] = 0; /* no filter */
        memcpy(raw + (row + 1) * (size_t)y + 1, pixels + row * (size_t)y, row);
    }
    uint8_t *const png = raw + raw_size, *at = png + sizeof signature;
    memcpy(png, signature, sizeof signature);
    put_u32(at + 8, (uint32_t)w);
    put_u32(at + 12, (uint32_t)h);
    memcpy(at + 16, (uint8_t[]){8, channels == 3 ? 2 : 0, 0, 0, 0}, 5);
    at = end_chunk(at, "IHDR", 13);
    at = end_chunk(at, "IDAT", libdeflate_zlib_compress(compressor, raw, raw_size, at + 8, most));
    at = end_chunk(at, "IEND", 0);
    text_append(out, "data:image/png;base64,");
    append_base64(out, png, (size_t)(at - png));
    libdeflate_free_compressor(compressor);
    free(raw);
    return 0;
}

/* The sample as bytes, [h][w][channels]. */
static void interleave(const struct dataset *set, const uint8_t *bytes, const float *floats,
                       int channels, uint8_t *pixels)
{
    const size_t plane = (size_t)set->h * (size_t)set->w, n = plane * (size_t)channels;
    float low = 0, high = 0;
    for (size_t i = 0; floats && i < n; i++) {
        low = i == 0 || floats[i] < low ? floats[i] : low;
        high = i == 0 || floats[i] > high ? floats[i] : high;
    }
    const float scale = high > low ? 255 / (high - low) : 0;
    for (size_t i = 0; i < n; i++) {
        const size_t from = i % (size_t)channels * plane + i / (size_t)channels;
        pixels[i] = floats ? (uint8_t)((floats[from] - low) * scale + 0.5f) : bytes[from];
    }
}

int picture_append_sample(struct text *out, const struct dataset *set, size_t sample,
                          struct error *e)
{
    const int channels = set->c == 3 ? 3 : 1, longer = set->h > set->w ? set->h : set->w;
    const size_t values = dataset_values(set), shown = values / (size_t)set->c * (size_t)channels;
    const size_t size = values + shown + (size_t)MOST_SIDE * MOST_SIDE * 3;
    uint8_t *const stored = malloc(size), *const pixels = stored ? stored + values : NULL;
    uint8_t *const small = stored ? pixels + shown : NULL;
    int h = set->h, w = set->w, status = 0;
    if (!stored) {
        return error_memory(e, size);
    }
    interleave(set, set->floats ? NULL : dataset_pixels(set, sample, stored),
               set->floats ? set->floats + sample * values : NULL, channels, pixels);
    if (longer > MOST_SIDE) {
        const struct pixels from = {pixels, (size_t)w * (size_t)channels, channels, h, w};
        h = h * MOST_SIDE / longer > 0 ? h * MOST_SIDE / longer : 1;
        w = w * MOST_SIDE / longer > 0 ? w * MOST_SIDE / longer : 1;
        struct room room = {0};
        status = image_resize(&from, h, w, small, &room, e);
        room_free(&room);
    }
    if (status == 0) {
        status = dataset_failed(set, e);
    }
    if (status == 0) {
        status = picture_append(out, longer > MOST_SIDE ? small : pixels, w, h, channels, e);
    }
    free(stored);
    return status;
}
