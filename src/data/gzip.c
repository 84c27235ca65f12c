/* gzip.c: see gzip.h. The raw deflate data are inflated by libdeflate where they are sound and of
 * known size (MNIST: 39 ms, zlib: 107), and by zlib, which knows the byte of a fault and what came
 * before it, where they are not. The wrapping (RFC 1952) is read here, for the sake of the
 * messages:
 *
 *   1f 8b, method 8, flags, time (4), extra flags, system
 *   [length (2), extra field]  [name, 0]  [comment, 0]  [CRC-16 of the header]
 *   deflate data
 *   CRC-32 (4), length mod 2^32 (4), little-endian
 *
 * and then, perhaps, another member. Names in the header are skipped, never used. */
#include "data/gzip.h"

#include "base/file.h"

#include <libdeflate.h>
#include <string.h>

enum { FLAG_HCRC = 2, FLAG_EXTRA = 4, FLAG_NAME = 8, FLAG_COMMENT = 16, FLAGS_RESERVED = 0xe0 };
enum { HEADER_SIZE = 10, TRAILER_SIZE = 8 };
/* Output is made in pieces that are still in the cache when their checksum is taken. */
enum { PIECE = 1 << 18 };

static uint32_t little_endian(const unsigned char *bytes, int count)
{
    uint32_t value = 0;
    for (int i = count - 1; i >= 0; i--) {
        value = value << 8 | bytes[i];
    }
    return value;
}

static int fault(struct gzip *gzip, size_t offset, const char *message, struct error *e)
{
    if (gzip->members > 1) {
        return error_at_offset(e, ERROR_DATA, gzip->path, (long long)offset, "%s in member %d",
                               message, gzip->members);
    }
    return error_at_offset(e, ERROR_DATA, gzip->path, (long long)offset, "%s", message);
}

static int fault_truncated(struct gzip *gzip, size_t offset, const char *message, struct error *e)
{
    gzip->truncated = 1;
    return fault(gzip, offset, message, e);
}

/* Skip a name or comment and the zero that ends it. */
static int skip_name(struct gzip *gzip, struct error *e)
{
    const size_t left = gzip->size - gzip->at;
    const size_t most = left < GZIP_NAME_MAX ? left : GZIP_NAME_MAX;
    const unsigned char *end = memchr(gzip->data + gzip->at, 0, most);
    if (end == NULL && most == GZIP_NAME_MAX) {
        return fault(gzip, gzip->at, "gzip header too long", e);
    }
    if (end == NULL) {
        return fault_truncated(gzip, gzip->at, "gzip header cut short", e);
    }
    gzip->at = (size_t)(end - gzip->data) + 1;
    return 0;
}

static int skip_extra(struct gzip *gzip, struct error *e)
{
    const size_t left = gzip->size - gzip->at;
    if (left < 2 || left - 2 < little_endian(gzip->data + gzip->at, 2)) {
        return fault_truncated(gzip, gzip->at, "gzip header cut short", e);
    }
    gzip->at += 2 + little_endian(gzip->data + gzip->at, 2);
    return 0;
}

static int check_header_crc(struct gzip *gzip, size_t start, struct error *e)
{
    if (gzip->size - gzip->at < 2) {
        return fault_truncated(gzip, gzip->at, "gzip header cut short", e);
    }
    const uint32_t crc = file_crc32(0, gzip->data + start, gzip->at - start);
    if (little_endian(gzip->data + gzip->at, 2) != (crc & 0xffff)) {
        return fault(gzip, gzip->at, "gzip header checksum mismatch", e);
    }
    gzip->at += 2;
    return 0;
}

static int begin_member(struct gzip *gzip, struct error *e)
{
    const size_t start = gzip->at;
    const size_t left = gzip->size - start;
    const unsigned char *header = gzip->data + start;
    if (gzip->members > 0 && (left < 2 || header[0] != 0x1f || header[1] != 0x8b)) {
        return error_at_offset(e, ERROR_DATA, gzip->path, (long long)start,
                               "unexpected bytes after gzip data");
    }
    if (gzip->members == GZIP_MEMBERS_MAX) {
        return error_at_offset(e, ERROR_DATA, gzip->path, (long long)start,
                               "too many gzip members (limit %d)", GZIP_MEMBERS_MAX);
    }
    gzip->members++;
    if (left > 2 && header[2] != 8) {
        return fault(gzip, start + 2, "unknown compression method", e);
    }
    if (left > 3 && (header[3] & FLAGS_RESERVED) != 0) {
        return fault(gzip, start + 3, "reserved gzip flags are set", e);
    }
    if (left < HEADER_SIZE) {
        return fault_truncated(gzip, gzip->size, "gzip header cut short", e);
    }
    const int flags = header[3];
    gzip->at += HEADER_SIZE;
    if (flags & FLAG_EXTRA) {
        TRY(skip_extra(gzip, e));
    }
    if (flags & FLAG_NAME) {
        TRY(skip_name(gzip, e));
    }
    if (flags & FLAG_COMMENT) {
        TRY(skip_name(gzip, e));
    }
    if (flags & FLAG_HCRC) {
        TRY(check_header_crc(gzip, start, e));
    }
    gzip->crc32 = 0;
    gzip->length = 0;
    gzip->inside = 1;
    gzip->begin = gzip->members == 1 ? gzip->at : gzip->begin;
    inflateReset(&gzip->inflater);
    return 0;
}

static int end_member(struct gzip *gzip, struct error *e)
{
    const unsigned char *trailer = gzip->data + gzip->at;
    if (gzip->size - gzip->at < TRAILER_SIZE) {
        return fault_truncated(gzip, gzip->size, "gzip trailer cut short", e);
    }
    if (little_endian(trailer, 4) != gzip->crc32) {
        return fault(gzip, gzip->at, "gzip checksum mismatch", e);
    }
    if (little_endian(trailer + 4, 4) != gzip->length) {
        return fault(gzip, gzip->at + 4, "gzip length mismatch", e);
    }
    gzip->at += TRAILER_SIZE;
    gzip->inside = 0;
    return 0;
}

/* One call of zlib: some more of the member, at most `size` bytes. */
static int inflate_piece(struct gzip *gzip, unsigned char *out, size_t size, size_t *made,
                         struct error *e)
{
    z_stream *z = &gzip->inflater;
    const size_t left = gzip->size - gzip->at;
    const uInt in_size = left < UINT32_MAX ? (uInt)left : UINT32_MAX;
    const uInt out_size = size < PIECE ? (uInt)size : PIECE;
    z->next_in = gzip->data + gzip->at;
    z->avail_in = in_size;
    z->next_out = out;
    z->avail_out = out_size;
    const int status = inflate(z, Z_NO_FLUSH);
    gzip->at += in_size - z->avail_in;
    *made = out_size - z->avail_out;
    gzip->crc32 = file_crc32(gzip->crc32, out, *made);
    gzip->length += (uint32_t)*made;
    if (status == Z_STREAM_END) {
        return end_member(gzip, e);
    }
    if (status == Z_MEM_ERROR) {
        return error_memory(e, 1 << MAX_WBITS);
    }
    if (status != Z_OK && status != Z_BUF_ERROR) {
        char message[128];
        snprintf(message, sizeof message, "corrupt compressed data (%s)",
                 z->msg != NULL ? z->msg : "preset dictionary");
        return fault(gzip, gzip->at, message, e);
    }
    if (gzip->at == gzip->size && z->avail_out > 0) {
        return fault_truncated(gzip, gzip->size, "compressed data cut short", e);
    }
    return 0;
}

int gzip_begins(const void *data, size_t size)
{
    const unsigned char *bytes = data;
    return size > 0 && bytes[0] == 0x1f && (size == 1 || bytes[1] == 0x8b);
}

int gzip_open(struct gzip *gzip, const char *path, const void *data, size_t size, struct error *e)
{
    memset(gzip, 0, sizeof *gzip);
    gzip->path = path;
    gzip->data = data;
    gzip->size = size;
    gzip->compressed = gzip_begins(data, size);
    if (gzip->compressed && inflateInit2(&gzip->inflater, -MAX_WBITS) != Z_OK) {
        gzip->compressed = 0;
        return error_memory(e, 1 << MAX_WBITS);
    }
    return 0;
}

int gzip_read(struct gzip *gzip, void *out, size_t size, size_t *got, struct error *e)
{
    unsigned char *to = out;
    *got = 0;
    if (!gzip->compressed) {
        const size_t left = gzip->size - gzip->at;
        *got = size < left ? size : left;
        if (*got > 0) {
            memcpy(to, gzip->data + gzip->at, *got);
            gzip->at += *got;
        }
        return 0;
    }
    while (*got < size) {
        if (!gzip->inside) {
            if (gzip->members > 0 && gzip->at == gzip->size) {
                return 0;
            }
            TRY(begin_member(gzip, e));
        }
        size_t made = 0;
        const int status = inflate_piece(gzip, to + *got, size - *got, &made, e);
        *got += made;
        TRY(status);
    }
    return 0;
}

int gzip_read_whole(const struct gzip *gzip, void *out, size_t size)
{
    struct libdeflate_decompressor *inflater =
        gzip->begin > 0 ? libdeflate_alloc_decompressor() : NULL;
    if (inflater == NULL) {
        return -1;
    }
    const unsigned char *packed = gzip->data + gzip->begin;
    const size_t left = gzip->size - gzip->begin;
    size_t used;
    const int whole = libdeflate_deflate_decompress_ex(inflater, packed, left, out, size, &used,
                                                       NULL) == LIBDEFLATE_SUCCESS &&
                      left - used == TRAILER_SIZE &&
                      little_endian(packed + used, 4) == file_crc32(0, out, size) &&
                      little_endian(packed + used + 4, 4) == (uint32_t)size;
    libdeflate_free_decompressor(inflater);
    return whole ? 0 : -1;
}

uint32_t gzip_crc32(const struct gzip *gzip)
{
    return gzip->compressed ? little_endian(gzip->data + gzip->size - TRAILER_SIZE, 4)
                            : file_crc32(0, gzip->data, gzip->size);
}

void gzip_close(struct gzip *gzip)
{
    if (gzip->compressed) {
        inflateEnd(&gzip->inflater);
    }
    gzip->compressed = 0;
}
