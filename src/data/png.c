/* png.c: PNG files as pixels. The file is checked first, all of it; then what carries the image is
 * packed anew, with nothing else beside it, for stb_image to decode:
 *
 *   signature, IHDR, one IDAT, IEND
 *
 * A palette does not go along: the indices are decoded as if they were grey and looked up here, as
 * stb_image would read beyond the palette for an index that it does not have. */
#include "data/png.h"

#include "base/file.h"
#include "data/image.h"

#include <stdlib.h>
#include <string.h>

enum { HEADER = 8 + 25, FRAME = 12, INFLATE_RATIO_MAX = 1032 };

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

/* The contents of all IDAT chunks, one behind the other. */
static void gather(const struct png *png, unsigned char *out)
{
    size_t at = png->first_idat, left = png->packed;
    while (left > 0) {
        const unsigned char *field = png->data + at;
        const size_t length =
            (size_t)field[0] << 24 | (size_t)field[1] << 16 | (size_t)field[2] << 8 | field[3];
        memcpy(out, field + 8, length);
        out += length;
        left -= length;
        at += FRAME + length;
    }
}

/* The new file; NULL without memory. `*packed` is where its image data stand. */
static unsigned char *pack(const struct png *png, size_t *size, unsigned char **packed)
{
    *size = HEADER + FRAME + png->packed + FRAME;
    unsigned char *stream = malloc(*size);
    if (stream == NULL) {
        return NULL;
    }
    memcpy(stream, png->data, HEADER); /* the signature, and IHDR is always the first chunk */
    if (png->colour == PNG_PALETTE) {
        stream[25] = PNG_GREY;
        close_chunk(stream + 8, "IHDR", 13);
    }
    *packed = stream + HEADER + 8;
    gather(png, *packed);
    close_chunk(close_chunk(stream + HEADER, "IDAT", png->packed), "IEND", 0);
    return stream;
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
        memcpy(image->pixels + 3 * i, png->palette + 3 * index, 3);
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

static int decode(const struct png *png, struct image *image, struct error *e)
{
    const int grey = png->colour == PNG_GREY || png->colour == PNG_GREY_ALPHA;
    int status = -1, components = 0;
    const char *reason;
    size_t size;
    unsigned char *packed;
    void *pixels = NULL;
    unsigned char *stream = pack(png, &size, &packed);
    if (stream == NULL) {
        return error_memory(e, size);
    }
    if (png_check_data(png, packed, e) != 0) {
        goto end;
    }
    pixels = stb_decode(stream, (int)size, png->depth == 16, &components, &reason);
    if (pixels == NULL && strcmp(reason, "outofmem") == 0) {
        error_memory(e, png_raw_size(png));
        goto end;
    }
    if (pixels == NULL) {
        error_at_offset(e, ERROR_DATA, png->path, (long long)png->first_idat,
                        "corrupt image data (%s)", reason);
        goto end;
    }
    if (image_allocate(image, grey ? 1 : 3, (int)png->h, (int)png->w, e) != 0) {
        goto end;
    }
    status = 0;
    if (png->colour == PNG_PALETTE) {
        status = look_up(png, pixels, image, e);
    } else {
        copy_channels(png, pixels, components, image);
    }
end:
    free(pixels);
    free(stream);
    return status;
}

int image_decode_png(struct image *image, const char *path, const unsigned char *data, size_t size,
                     struct error *e)
{
    struct png png;
    TRY(png_walk(&png, path, data, size, e));
    if (png_raw_size(&png) / INFLATE_RATIO_MAX > png.packed) {
        return error_at_offset(e, ERROR_DATA, path, (long long)png.first_idat,
                               "image data cut short: %zu bytes cannot hold %ux%u pixels",
                               png.packed, png.w, png.h);
    }
    return decode(&png, image, e);
}
