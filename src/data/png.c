/* png.c: PNG files as pixels. The file is checked first, all of it, which takes its image data
 * apart; then what carries the image is put into a new one, with nothing else beside it and the
 * rows in blocks that are stored as they are, for stb_image to decode:
 *
 *   signature, IHDR, one IDAT, IEND
 *
 * A palette does not go along: the indices are decoded as if they were grey and looked up here, as
 * stb_image would read beyond the palette for an index that it does not have. */
#include "data/png.h"

#include "base/file.h"
#include "data/image.h"

#include <string.h>

enum { HEADER = 8 + 25, FRAME = 12, INFLATE_RATIO_MAX = 1032 };
/* A zlib stream begins with two bytes and ends with a checksum; a stored block holds so many bytes
 * behind a header of its own (RFC 1950; RFC 1951, section 3.2.4). */
enum { ZLIB_HEADER = 2, ZLIB_TRAILER = 4, BLOCK = 65535, BLOCK_HEADER = 5 };

static void put_big_endian(unsigned char *at, size_t value)
{
    for (int i = 0; i < 4; i++) {
        at[i] = (unsigned char)(value >> (24 - 8 * i));
    }
}

/* The frame of a chunk whose data stand at `chunk` + 8; returns where the next begins. */
static unsigned char *close_chunk(unsigned char *chunk, const char *type, size_t length)
{
    put_big_endian(chunk, length);
    memcpy(chunk + 4, type, 4);
    put_big_endian(chunk + 8 + length, file_crc32(0, chunk + 4, length + 4));
    return chunk + FRAME + length;
}

/* Of the chunk that begins at `at`. */
static size_t length_of(const struct png *png, size_t at)
{
    const unsigned char *field = png->data + at;
    return (size_t)field[0] << 24 | (size_t)field[1] << 16 | (size_t)field[2] << 8 | field[3];
}

/* The contents of all IDAT chunks, one behind the other: in the file itself, where there is one of
 * them, else a copy. NULL without memory. */
static const unsigned char *gather(const struct png *png, struct room *room)
{
    size_t at = png->first_idat, length = length_of(png, at);
    if (length == png->packed) {
        return png->data + at + 8;
    }
    unsigned char *copy = room_take(room, png->packed);
    for (size_t done = 0; copy != NULL && done < png->packed; done += length) {
        length = length_of(png, at);
        memcpy(copy + done, png->data + at + 8, length);
        at += FRAME + length;
    }
    return copy;
}

/* The sizes of a file with `raw` bytes of rows in stored blocks. */
struct stored {
    size_t raw, blocks, stream, file;
};

static struct stored stored_size(size_t raw)
{
    const size_t blocks = (raw + BLOCK - 1) / BLOCK;
    const size_t stream = ZLIB_HEADER + blocks * BLOCK_HEADER + raw + ZLIB_TRAILER;
    return (struct stored){raw, blocks, stream, HEADER + FRAME + stream + FRAME};
}

/* The headers of the blocks, and each block's bytes, which were inflated behind all of these, to
 * its own. */
static void divide(const struct stored *stored, unsigned char *to)
{
    const unsigned char *from = to + stored->blocks * BLOCK_HEADER;
    for (size_t i = 0, left = stored->raw; i < stored->blocks; i++) {
        const size_t length = left < BLOCK ? left : BLOCK;
        left -= length;
        to[0] = left == 0;
        to[1] = (unsigned char)length;
        to[2] = (unsigned char)(length >> 8);
        to[3] = (unsigned char)~to[1];
        to[4] = (unsigned char)~to[2];
        memmove(to + BLOCK_HEADER, from, length);
        to += BLOCK_HEADER + length;
        from += length;
    }
}

/* The new file into `file`. */
static int repack(const struct png *png, const unsigned char *packed, const struct stored *stored,
                  unsigned char *file, struct image_decoder *decoder, struct error *e)
{
    unsigned char *stream = file + HEADER + 8, *blocks = stream + ZLIB_HEADER;
    TRY(png_inflate(png, packed, blocks + stored->blocks * BLOCK_HEADER, decoder, e));
    memcpy(file, png->data, HEADER); /* the signature, and IHDR is always the first chunk */
    if (png->colour == PNG_PALETTE) {
        file[25] = PNG_GREY;
        close_chunk(file + 8, "IHDR", 13);
    }
    memcpy(stream, "\x78\x01", ZLIB_HEADER);
    divide(stored, blocks);
    memcpy(stream + stored->stream - ZLIB_TRAILER, packed + png->packed - ZLIB_TRAILER,
           ZLIB_TRAILER);
    close_chunk(close_chunk(file + HEADER, "IDAT", stored->stream), "IEND", 0);
    return 0;
}

/* Indices, which stb_image has spread over 0..255 as grey of few bits, to colours. */
static int look_up(const struct png *png, const uint8_t *grey, struct image *image, struct error *e)
{
    const int spread = png->depth == 8 ? 1 : 255 / ((1 << png->depth) - 1);
    const size_t count = (size_t)png->w * png->h;
    for (size_t i = 0; i < count; i++) {
        const int index = grey[i] / spread;
        if (index >= png->entries) {
            return error_at_offset(e, ERROR_DATA, png->path, (long long)png->first_idat,
                                   "palette index %d out of range at row %zu, column %zu: the "
                                   "palette has %d colours",
                                   index, i / png->w, i % png->w, png->entries);
        }
        memcpy(image->pixels + 3 * i, png->palette + 3 * (size_t)index, 3);
    }
    return 0;
}

/* The first channels of each pixel, as 8 bits. */
static void copy_channels(const struct png *png, const void *pixels, int components,
                          struct image *image)
{
    const size_t count = (size_t)png->w * png->h, step = (size_t)components;
    const size_t channels = (size_t)image->c;
    for (size_t i = 0; i < count; i++) {
        for (size_t k = 0; k < channels; k++) {
            if (png->depth == 16) {
                const unsigned value = ((const uint16_t *)pixels)[i * step + k];
                image->pixels[i * channels + k] = (uint8_t)((value + 128) / 257);
            } else {
                image->pixels[i * channels + k] = ((const uint8_t *)pixels)[i * step + k];
            }
        }
    }
}

/* What stb_image makes of the new file, as 8 bits a channel, without alpha and palette. */
static int decode(const struct png *png, const unsigned char *file, size_t size,
                  struct image *image, struct room *room, struct error *e)
{
    const int grey = png->colour == PNG_GREY || png->colour == PNG_GREY_ALPHA;
    int components = 0;
    const char *reason;
    void *pixels = stb_decode(file, (int)size, png->depth == 16, &components, room, &reason);
    if (pixels == NULL && strcmp(reason, "outofmem") == 0) {
        return error_memory(e, png_raw_size(png));
    }
    if (pixels == NULL) {
        return error_at_offset(e, ERROR_DATA, png->path, (long long)png->first_idat,
                               "corrupt image data (%s)", reason);
    }
    if (png->depth <= 8 && components == (grey ? 1 : 3)) {
        *image = (struct image){components, (int)png->h, (int)png->w, pixels};
        return 0;
    }
    TRY(image_allocate(image, grey ? 1 : 3, (int)png->h, (int)png->w, room, e));
    if (png->colour == PNG_PALETTE) {
        return look_up(png, pixels, image, e);
    }
    copy_channels(png, pixels, components, image);
    return 0;
}

int image_decode_png(struct image *image, const char *path, const unsigned char *data, size_t size,
                     struct image_decoder *decoder, struct error *e)
{
    struct png png;
    TRY(png_walk(&png, path, data, size, e));
    if (png_raw_size(&png) / INFLATE_RATIO_MAX > png.packed) {
        return error_at_offset(e, ERROR_DATA, path, (long long)png.first_idat,
                               "image data cut short: %zu bytes cannot hold %ux%u pixels",
                               png.packed, png.w, png.h);
    }
    const struct stored stored = stored_size((size_t)png_raw_size(&png));
    unsigned char *file = room_take(&decoder->room, stored.file);
    const unsigned char *packed = gather(&png, &decoder->room);
    if (file == NULL || packed == NULL) {
        return error_memory(e, stored.file);
    }
    TRY(repack(&png, packed, &stored, file, decoder, e));
    return decode(&png, file, stored.file, image, &decoder->room, e);
}
