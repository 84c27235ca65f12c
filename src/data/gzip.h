/* gzip.h: the bytes of a file, inflated on the way when they are gzip (RFC 1952). Told by the magic
 * 1f 8b, not by the name.
 *
 * zlib's gzread passes a truncated file off as a normal end, a file with a damaged magic as raw
 * data, and ignores what follows the last member. Here every fault is an error with its byte:
 * header, deflate data, CRC-32, length, anything behind the end. The caller says how many bytes it
 * wants and where, so a bomb stops at what the caller has room for. */
#ifndef CNNTRAIN_DATA_GZIP_H
#define CNNTRAIN_DATA_GZIP_H

#include "base/error.h"

#include <stddef.h>
#include <stdint.h>

#define ZLIB_CONST
#include <zlib.h>

enum { GZIP_MEMBERS_MAX = 1000, GZIP_NAME_MAX = 65536 };
/* One byte of deflate data makes at most this many: 258 bytes take two bits. */
enum { GZIP_RATIO_MAX = 1032 };

struct gzip {
    const char *path; /* for messages; the caller's, as is `data` */
    const unsigned char *data;
    size_t size, at;        /* the file, and what of it is used up */
    int compressed;         /* else the bytes are passed on as they are */
    int truncated;          /* the last failure was an early end of the file */
    int members;            /* begun so far; a gzip file is one or several */
    int inside;             /* a member's deflate data */
    size_t begin;           /* where those of the first begin; 0: not there yet */
    uint32_t crc32, length; /* of the member's output so far */
    z_stream inflater;      /* points back to itself: a struct gzip is not to be copied */
};

/* Whether a file that begins so is compressed; of one byte, whether it may be the beginning of
 * that.
 */
int gzip_begins(const void *data, size_t size);
/* Begin reading the file's bytes. ERROR_LIMIT. */
int gzip_open(struct gzip *gzip, const char *path, const void *data, size_t size, struct error *e);
/* Put the next `size` bytes into `out`; *got says how many there were, less than `size` only at the
 * end, where all has been verified. On failure (ERROR_DATA, with the byte of the compressed file)
 * *got bytes were made before the fault. */
int gzip_read(struct gzip *gzip, void *out, size_t size, size_t *got, struct error *e);
/* All that a compressed file holds, from its beginning and at once, once a byte of it has been
 * read: three times as fast as gzip_read, which this does not concern. 0 when these are `size`
 * bytes of one member, whole, verified; else -1, and gzip_read says what is wrong, or can do
 * better. */
int gzip_read_whole(const struct gzip *gzip, void *out, size_t size);
/* The CRC-32 of the bytes of a file that has been begun, not verified: of the last member, as it
 * says itself, where it is compressed. */
uint32_t gzip_crc32(const struct gzip *gzip);
void gzip_close(struct gzip *gzip);

#endif
