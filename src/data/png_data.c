/* png_data.c: see png.h. The image data of a PNG are rows, each a filter byte and the packed pixels
 * (W3C PNG, sections 7 to 10); an interlaced image (Adam7) has those of seven smaller images, one
 * after the other. All of it is one zlib stream (RFC 1950), which libdeflate inflates, and zlib
 * once more where something is wrong with it, as it knows the byte. */
#include "data/png.h"

#include <libdeflate.h>
#include <string.h>

#define ZLIB_CONST
#include <zlib.h>

enum { PIECE = 1 << 13, FILTERS = 5, FRAME = 12 };

/* First row and column, and the distance of the next, of each of the seven images. */
static const struct pass {
    unsigned char y, x, dy, dx;
} ADAM7[] = {{0, 0, 8, 8}, {0, 4, 8, 8}, {4, 0, 8, 4}, {0, 2, 4, 4},
             {2, 0, 4, 2}, {0, 1, 2, 2}, {1, 0, 2, 1}};
static const struct pass WHOLE = {0, 0, 1, 1};

static int pass_count(const struct png *png) { return png->interlaced ? 7 : 1; }

/* Rows of a pass, and bytes of one with its filter; no rows when it has no columns. */
static void pass_size(const struct png *png, int number, uint32_t *rows, uint64_t *bytes)
{
    static const unsigned char samples[] = {
        [PNG_GREY] = 1, [PNG_RGB] = 3, [PNG_PALETTE] = 1, [PNG_GREY_ALPHA] = 2, [PNG_RGBA] = 4};
    const struct pass pass = png->interlaced ? ADAM7[number] : WHOLE;
    const uint64_t columns = png->w > pass.x ? (png->w - pass.x + pass.dx - 1u) / pass.dx : 0;
    *rows = png->h > pass.y && columns > 0 ? (png->h - pass.y + pass.dy - 1u) / pass.dy : 0;
    *bytes = 1 + (columns * samples[png->colour] * (unsigned)png->depth + 7) / 8;
}

uint64_t png_raw_size(const struct png *png)
{
    uint64_t total = 0;
    for (int i = 0; i < pass_count(png); i++) {
        uint32_t rows;
        uint64_t bytes;
        pass_size(png, i, &rows, &bytes);
        total += rows * bytes;
    }
    return total;
}

/* Where in the file byte `offset` of all IDAT data stands. */
static long long place_of(const struct png *png, size_t offset)
{
    size_t at = png->first_idat;
    for (;;) {
        const unsigned char *field = png->data + at;
        const size_t length =
            (size_t)field[0] << 24 | (size_t)field[1] << 16 | (size_t)field[2] << 8 | field[3];
        if (offset < length || at + FRAME + length + FRAME > png->size ||
            memcmp(png->data + at + FRAME + length + 4, "IDAT", 4) != 0) {
            return (long long)(at + 8 + offset);
        }
        offset -= length;
        at += FRAME + length;
    }
}

#define FAULT(e, png, offset, ...)                                                                 \
    error_at_offset(e, ERROR_DATA, (png)->path, place_of(png, offset), __VA_ARGS__)

/* How far the rows have come. */
struct rows {
    int pass;
    uint32_t left, number; /* rows of this pass still to come; rows seen of all */
    uint64_t bytes, at;    /* of a row; place in it */
};

static void next_pass(struct rows *rows, const struct png *png)
{
    while (rows->left == 0 && rows->pass < pass_count(png)) {
        pass_size(png, rows->pass++, &rows->left, &rows->bytes);
    }
}

/* `size` more bytes of rows; the filters of those that begin here. 0, or -1 at a bad one. */
static int take_rows(struct rows *rows, const struct png *png, const unsigned char *bytes,
                     size_t size)
{
    while (size > 0) {
        next_pass(rows, png);
        if (rows->at == 0) {
            rows->number++;
            if (*bytes >= FILTERS) {
                return -1;
            }
        }
        const uint64_t rest = rows->bytes - rows->at;
        const size_t step = size < rest ? size : (size_t)rest;
        rows->at += step;
        bytes += step;
        size -= step;
        if (rows->at == rows->bytes) {
            rows->at = 0;
            rows->left--;
        }
    }
    return 0;
}

static int fault_of_zlib(const struct png *png, const z_stream *z, int status, size_t offset,
                         struct error *e)
{
    if (status == Z_MEM_ERROR) {
        return error_memory(e, 1 << MAX_WBITS);
    }
    if (status == Z_OK || status == Z_BUF_ERROR) {
        return FAULT(e, png, png->packed, "image data cut short");
    }
    const char *cause = z->msg != NULL ? z->msg : "preset dictionary";
    if (strcmp(cause, "incorrect data check") == 0) {
        return FAULT(e, png, offset, "checksum mismatch in image data");
    }
    return FAULT(e, png, offset, "corrupt image data (%s)", cause);
}

static int check_stream(const struct png *png, z_stream *z, const unsigned char *packed,
                        struct error *e)
{
    unsigned char piece[PIECE];
    struct rows rows = {0};
    uint64_t left = png_raw_size(png);
    int status = Z_OK;
    z->next_in = packed;
    z->avail_in = (uInt)png->packed;
    while (status == Z_OK) {
        z->next_out = piece;
        z->avail_out = PIECE;
        status = inflate(z, Z_NO_FLUSH);
        const size_t made = PIECE - z->avail_out, used = png->packed - z->avail_in;
        if (made > left) {
            return FAULT(e, png, used, "more image data than %ux%u", png->w, png->h);
        }
        if (take_rows(&rows, png, piece, made) != 0) {
            return FAULT(e, png, used, "bad filter in row %u", rows.number - 1);
        }
        left -= made;
        if (status == Z_OK && z->avail_in == 0 && made == 0) {
            break;
        }
    }
    const size_t used = png->packed - z->avail_in;
    if (status != Z_STREAM_END) {
        return fault_of_zlib(png, z, status, used, e);
    }
    if (left > 0) {
        return FAULT(e, png, used, "image data cut short, in row %u of %u", rows.number, png->h);
    }
    if (z->avail_in > 0) {
        return FAULT(e, png, used, "unexpected bytes after the image data");
    }
    return 0;
}

/* What is wrong with the stream. */
static int find_fault(const struct png *png, const unsigned char *packed, struct error *e)
{
    z_stream z = {0};
    if (inflateInit(&z) != Z_OK) {
        return error_memory(e, 1 << MAX_WBITS);
    }
    const int status = check_stream(png, &z, packed, e);
    inflateEnd(&z);
    return status != 0 ? -1 : FAULT(e, png, 0, "corrupt image data");
}

int png_inflate(const struct png *png, const unsigned char *packed, unsigned char *raw,
                struct image_decoder *decoder, struct error *e)
{
    const size_t size = (size_t)png_raw_size(png);
    struct rows rows = {0};
    size_t used;
    if (decoder->inflater == NULL) {
        decoder->inflater = libdeflate_alloc_decompressor();
    }
    if (decoder->inflater == NULL) {
        return error_memory(e, 1 << MAX_WBITS);
    }
    const int good = libdeflate_zlib_decompress_ex(decoder->inflater, packed, png->packed, raw,
                                                   size, &used, NULL) == LIBDEFLATE_SUCCESS &&
                     used == png->packed && take_rows(&rows, png, raw, size) == 0;
    return good ? 0 : find_fault(png, packed, e);
}
