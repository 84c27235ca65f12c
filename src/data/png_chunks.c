/* png_chunks.c: see png.h. A PNG file is a signature and a row of chunks (W3C, "Portable Network
 * Graphics (PNG) Specification", second edition, sections 5 and 11):
 *
 *   length (4, big-endian)   type (4 letters)   data   CRC-32 of type and data (4)
 *
 * IHDR first; PLTE, where there is one, before the IDATs; these without a gap; IEND last, and
 * nothing behind it. A small letter at the start of a type marks a chunk that may be skipped. */
#include "data/png.h"

#include "base/file.h"
#include "data/image.h"

#include <string.h>

enum { CHUNKS_MAX = 100000, ANCILLARY_MAX = 8 << 20, FRAME = 12 };

struct chunk_place {
    size_t at; /* of its length field */
    char type[5];
    const unsigned char *data;
    size_t length;
};

struct walk {
    struct png *png;
    int chunks, header, ended;
    int transparent;    /* tRNS seen */
    int image;          /* IDAT seen */
    size_t after_image; /* where the last IDAT ended */
};

#define FAULT(e, walk, offset, ...)                                                                \
    error_at_offset(e, ERROR_DATA, (walk)->png->path, (long long)(offset), __VA_ARGS__)

static uint32_t big_endian(const unsigned char *bytes)
{
    return (uint32_t)bytes[0] << 24 | (uint32_t)bytes[1] << 16 | (uint32_t)bytes[2] << 8 | bytes[3];
}

static int is_type(const struct chunk_place *chunk, const char *type)
{
    return memcmp(chunk->type, type, 4) == 0;
}

static int is_letter(unsigned char c) { return (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z'); }

/* The chunk at `at`, whole and with the right checksum. */
static int read_chunk(struct walk *walk, size_t at, struct chunk_place *chunk, struct error *e)
{
    const struct png *png = walk->png;
    const size_t left = png->size - at;
    const unsigned char *bytes = png->data + at;
    if (left < FRAME) {
        return FAULT(e, walk, png->size, "cut short: a chunk needs at least %d bytes", FRAME);
    }
    *chunk = (struct chunk_place){.at = at, .data = bytes + 8, .length = big_endian(bytes)};
    memcpy(chunk->type, bytes + 4, 4);
    for (int i = 0; i < 4; i++) {
        if (!is_letter(bytes[4 + i])) {
            return FAULT(e, walk, at + 4, "bad chunk type");
        }
    }
    if (chunk->length > INT32_MAX) {
        return FAULT(e, walk, at, "chunk length out of range");
    }
    if (chunk->length > left - FRAME) {
        return FAULT(e, walk, at, "cut short: chunk %s runs past the end of the file", chunk->type);
    }
    if (big_endian(chunk->data + chunk->length) != file_crc32(0, bytes + 4, chunk->length + 4)) {
        return FAULT(e, walk, at + 8 + chunk->length, "checksum mismatch in %s", chunk->type);
    }
    if (++walk->chunks > CHUNKS_MAX) {
        return FAULT(e, walk, at, "too many chunks (limit %d)", CHUNKS_MAX);
    }
    return 0;
}

/* The depths that a colour type may have, as a sum: they are powers of two. */
static int depths_of(int colour)
{
    static const unsigned char depths[] = {[PNG_GREY] = 31,
                                           [PNG_RGB] = 24,
                                           [PNG_PALETTE] = 15,
                                           [PNG_GREY_ALPHA] = 24,
                                           [PNG_RGBA] = 24};
    return colour < (int)sizeof depths ? depths[colour] : 0;
}

static int take_header(struct walk *walk, const struct chunk_place *chunk, struct error *e)
{
    struct png *png = walk->png;
    const unsigned char *data = chunk->data;
    if (walk->header) {
        return FAULT(e, walk, chunk->at, "second IHDR");
    }
    if (chunk->length != 13) {
        return FAULT(e, walk, chunk->at, "IHDR must be 13 bytes, is %zu", chunk->length);
    }
    walk->header = 1;
    png->w = big_endian(data);
    png->h = big_endian(data + 4);
    png->depth = data[8];
    png->colour = data[9];
    png->interlaced = data[12];
    if (png->w > INT32_MAX || png->h > INT32_MAX) {
        return FAULT(e, walk, png->w > INT32_MAX ? 16 : 20, "%s out of range",
                     png->w > INT32_MAX ? "width" : "height");
    }
    TRY(image_check_size(png->path, png->w == 0 || png->h != 0 ? 16 : 20, png->h, png->w, e));
    if (png->depth == 0 || png->depth > 16 || (png->depth & (png->depth - 1)) != 0) {
        return FAULT(e, walk, 24, "bad bit depth %d", png->depth);
    }
    if (depths_of(png->colour) == 0) {
        return FAULT(e, walk, 25, "bad colour type %d", png->colour);
    }
    if ((depths_of(png->colour) & png->depth) == 0) {
        return FAULT(e, walk, 24, "depth %d not allowed for colour type %d", png->depth,
                     png->colour);
    }
    if (data[10] != 0 || data[11] != 0) {
        return FAULT(e, walk, data[10] != 0 ? 26 : 27, "unknown %s method %d",
                     data[10] != 0 ? "compression" : "filter", data[10] != 0 ? data[10] : data[11]);
    }
    if (png->interlaced > 1) {
        return FAULT(e, walk, 28, "unknown interlace method %d", png->interlaced);
    }
    return 0;
}

static int take_palette(struct walk *walk, const struct chunk_place *chunk, struct error *e)
{
    struct png *png = walk->png;
    if (png->palette != NULL || walk->image) {
        return FAULT(e, walk, chunk->at, png->palette != NULL ? "second PLTE" : "PLTE after IDAT");
    }
    if (png->colour == PNG_GREY || png->colour == PNG_GREY_ALPHA) {
        return FAULT(e, walk, chunk->at, "a palette in a grey image");
    }
    png->entries = (int)(chunk->length / 3);
    if (chunk->length % 3 != 0 || chunk->length == 0 || chunk->length > 768 ||
        (png->colour == PNG_PALETTE && png->entries > 1 << png->depth)) {
        return FAULT(e, walk, chunk->at, "bad palette length %zu", chunk->length);
    }
    png->palette = chunk->data;
    return 0;
}

/* Its content is not used, as alpha is not. */
static int take_transparency(struct walk *walk, const struct chunk_place *chunk, struct error *e)
{
    const struct png *png = walk->png;
    const size_t most = png->colour == PNG_GREY  ? 2
                        : png->colour == PNG_RGB ? 6
                        : png->palette != NULL   ? (size_t)png->entries
                                                 : 0;
    const size_t least = png->colour == PNG_PALETTE ? 1 : most;
    if (walk->transparent || walk->image || most == 0 || chunk->length < least ||
        chunk->length > most) {
        return FAULT(e, walk, chunk->at, "bad tRNS");
    }
    walk->transparent = 1;
    return 0;
}

static int take_image(struct walk *walk, const struct chunk_place *chunk, struct error *e)
{
    struct png *png = walk->png;
    if (png->colour == PNG_PALETTE && png->palette == NULL) {
        return FAULT(e, walk, chunk->at, "no palette");
    }
    if (walk->image && walk->after_image != chunk->at) {
        return FAULT(e, walk, chunk->at, "IDAT chunks must be consecutive");
    }
    if (!walk->image) {
        png->first_idat = chunk->at;
    }
    walk->image = 1;
    walk->after_image = chunk->at + FRAME + chunk->length;
    png->packed += chunk->length;
    return 0;
}

static int take_end(struct walk *walk, const struct chunk_place *chunk, struct error *e)
{
    if (chunk->length != 0) {
        return FAULT(e, walk, chunk->at, "IEND must be empty");
    }
    if (!walk->image) {
        return FAULT(e, walk, chunk->at, "no image data");
    }
    walk->ended = 1;
    return 0;
}

static int take_other(struct walk *walk, const struct chunk_place *chunk, struct error *e)
{
    if (is_type(chunk, "acTL") || is_type(chunk, "fcTL") || is_type(chunk, "fdAT")) {
        return FAULT(e, walk, chunk->at, "animated PNG is not supported");
    }
    if (chunk->type[0] <= 'Z') {
        return FAULT(e, walk, chunk->at, "unknown critical chunk %s", chunk->type);
    }
    if (chunk->length > ANCILLARY_MAX) {
        return FAULT(e, walk, chunk->at, "chunk %s is larger than %d MiB", chunk->type,
                     ANCILLARY_MAX >> 20);
    }
    return 0;
}

static int take_chunk(struct walk *walk, const struct chunk_place *chunk, struct error *e)
{
    static const struct {
        const char *type;
        int (*take)(struct walk *walk, const struct chunk_place *chunk, struct error *e);
    } known[] = {
        {"IHDR", take_header}, {"PLTE", take_palette}, {"tRNS", take_transparency},
        {"IDAT", take_image},  {"IEND", take_end},
    };
    if (!walk->header && !is_type(chunk, "IHDR")) {
        return FAULT(e, walk, chunk->at,
                     is_type(chunk, "CgBI") ? "CgBI (Apple's own PNG) is not supported"
                                            : "first chunk must be IHDR");
    }
    for (size_t i = 0; i < sizeof known / sizeof *known; i++) {
        if (is_type(chunk, known[i].type)) {
            return known[i].take(walk, chunk, e);
        }
    }
    return take_other(walk, chunk, e);
}

int png_walk(struct png *png, const char *path, const unsigned char *data, size_t size,
             struct error *e)
{
    static const unsigned char signature[8] = {0x89, 'P', 'N', 'G', '\r', '\n', 0x1a, '\n'};
    *png = (struct png){.path = path, .data = data, .size = size};
    struct walk walk = {.png = png};
    if (size < sizeof signature) {
        return FAULT(e, &walk, size, "PNG signature cut short");
    }
    if (memcmp(data, signature, sizeof signature) != 0) {
        return FAULT(e, &walk, 4, "PNG signature damaged by a transfer in text mode");
    }
    size_t at = sizeof signature;
    while (!walk.ended) {
        struct chunk_place chunk;
        if (at == size) {
            return FAULT(e, &walk, at, !walk.header ? "no IHDR" : "cut short: no IEND");
        }
        TRY(read_chunk(&walk, at, &chunk, e));
        TRY(take_chunk(&walk, &chunk, e));
        at += FRAME + chunk.length;
    }
    if (at != size) {
        return FAULT(e, &walk, at, "unexpected bytes after IEND");
    }
    return 0;
}
