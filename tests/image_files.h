/* image_files.h: PNG and JPEG files for the tests of src/data. PNG chunks are built by hand and
 * packed by zlib; JPEG files are made by libjpeg's own compressor. */
#ifndef CNNTRAIN_TESTS_IMAGE_FILES_H
#define CNNTRAIN_TESTS_IMAGE_FILES_H

#include "data_files.h"

#include <jpeglib.h>

static inline void put_chunk(struct buffer *buffer, const char *type, const void *data, size_t size)
{
    const size_t at = buffer->size;
    put_big_endian(buffer, size, 4);
    put(buffer, type, 4);
    put(buffer, data, size);
    put_big_endian(buffer, crc32(0, buffer->data + at + 4, (uInt)(size + 4)), 4);
}

static inline void put_png_start(struct buffer *buffer, uint32_t w, uint32_t h, int depth,
                                 int colour, int interlace)
{
    struct buffer header = {0};
    put(buffer, "\x89PNG\r\n\x1a\n", 8);
    put_big_endian(&header, w, 4);
    put_big_endian(&header, h, 4);
    put(&header,
        (unsigned char[]){(unsigned char)depth, (unsigned char)colour, 0, 0,
                          (unsigned char)interlace},
        5);
    put_chunk(buffer, "IHDR", header.data, header.size);
    buffer_free(&header);
}

/* A zlib stream of the bytes. */
static inline void put_zlib(struct buffer *buffer, const void *data, size_t size)
{
    uLongf packed = compressBound((uLong)size);
    unsigned char *out = malloc(packed);
    assert_non_null(out);
    assert_int_equal(compress(out, &packed, data, (uLong)size), Z_OK);
    put(buffer, out, packed);
    free(out);
}

static inline void put_image_data(struct buffer *buffer, const void *raw, size_t size)
{
    struct buffer packed = {0};
    put_zlib(&packed, raw, size);
    put_chunk(buffer, "IDAT", packed.data, packed.size);
    buffer_free(&packed);
}

/* A whole file from rows that already have their filter bytes; `palette` of `entries` or NULL. */
static inline void put_png(struct buffer *buffer, uint32_t w, uint32_t h, int depth, int colour,
                           int interlace, const unsigned char *palette, size_t entries,
                           const void *raw, size_t size)
{
    put_png_start(buffer, w, h, depth, colour, interlace);
    if (palette != NULL) {
        put_chunk(buffer, "PLTE", palette, 3 * entries);
    }
    put_image_data(buffer, raw, size);
    put_chunk(buffer, "IEND", "", 0);
}

/* Pixels [h][w][c] of 8 bits as a PNG file; c is 1 to 4: grey, with alpha, RGB, RGBA. */
static inline void put_simple_png(struct buffer *buffer, const uint8_t *pixels, int c, int h, int w)
{
    static const int colours[] = {0, 0, 4, 2, 6};
    struct buffer raw = {0};
    for (int y = 0; y < h; y++) {
        put(&raw, "", 1);
        put(&raw, pixels + (size_t)y * (size_t)(w * c), (size_t)(w * c));
    }
    put_png(buffer, (uint32_t)w, (uint32_t)h, 8, colours[c], 0, NULL, 0, raw.data, raw.size);
    buffer_free(&raw);
}

/* Pixels [h][w][c] as a JPEG file in a colour space of libjpeg, which has c channels. `progressive`
 * 2: not that, but a scan for each of three channels. */
static inline void put_jpeg(struct buffer *buffer, const uint8_t *pixels, int c, int h, int w,
                            J_COLOR_SPACE space, int quality, int progressive)
{
    struct jpeg_compress_struct info;
    struct jpeg_error_mgr manager;
    static const jpeg_scan_info apart[] = {
        {1, {0}, 0, 63, 0, 0}, {1, {1}, 0, 63, 0, 0}, {1, {2}, 0, 63, 0, 0}};
    unsigned char *out = NULL;
    unsigned long size = 0;
    info.err = jpeg_std_error(&manager);
    jpeg_create_compress(&info);
    jpeg_mem_dest(&info, &out, &size);
    info.image_width = (JDIMENSION)w;
    info.image_height = (JDIMENSION)h;
    info.input_components = c;
    info.in_color_space = space;
    jpeg_set_defaults(&info);
    jpeg_set_quality(&info, quality, TRUE);
    if (progressive == 2) {
        info.scan_info = apart;
        info.num_scans = 3;
    } else if (progressive) {
        jpeg_simple_progression(&info);
    }
    jpeg_start_compress(&info, TRUE);
    for (int y = 0; y < h; y++) {
        uint8_t *row = malloc((size_t)(w * c));
        assert_non_null(row);
        memcpy(row, pixels + (size_t)y * (size_t)(w * c), (size_t)(w * c));
        jpeg_write_scanlines(&info, &row, 1);
        free(row);
    }
    jpeg_finish_compress(&info);
    jpeg_destroy_compress(&info);
    put(buffer, out, size);
    free(out);
}

#endif
