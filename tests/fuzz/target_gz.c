/* target_gz.c: a gzip file: gzip.c, and behind it IDX images. The input is a file as it stands.
 *
 * All ways of inflating must agree: at once, in pieces, the fast way for whole files, and, where
 * the file is sound, zlib's own reading of it. Then the file is read as the images of a data set.
 *
 * Nothing but luck passes the checksum at the end, so half of the mutants are mutated before they
 * are compressed. */
#include "data/dataset.h"
#include "data/gzip.h"
#include "fuzz/fuzz.h"

#include <stdlib.h>
#include <string.h>

enum { MOST = 1 << 14, MOST_LABELS = 4096, MEMORY = 1 << 18 };

/* All bytes in pieces of `piece`; the status of the last call. */
static int read_all(const uint8_t *data, size_t size, size_t piece, uint8_t *out, size_t *length,
                    struct error *e)
{
    struct gzip gzip;
    int status = gzip_open(&gzip, "a.gz", data, size, e);
    CHECK(status == 0);
    *length = 0;
    while (status == 0 && *length < MOST) {
        const size_t want = MOST - *length < piece ? MOST - *length : piece;
        size_t got = 0;
        status = gzip_read(&gzip, out + *length, want, &got, e);
        CHECK(got <= want);
        *length += got;
        if (status == 0 && got < want) {
            break;
        }
    }
    gzip_close(&gzip);
    return status;
}

/* What zlib makes of the first member; the length, or -1. */
static long reference(const uint8_t *data, size_t size, uint8_t *out, size_t *used)
{
    z_stream z = {.next_in = data, .avail_in = (uInt)size, .next_out = out, .avail_out = MOST};
    CHECK(inflateInit2(&z, 16 + MAX_WBITS) == Z_OK);
    const int status = inflate(&z, Z_FINISH);
    *used = z.total_in;
    const long length = status == Z_STREAM_END ? (long)z.total_out : -1;
    CHECK(inflateEnd(&z) == Z_OK || status == Z_DATA_ERROR);
    return length;
}

static void check_whole(const uint8_t *data, size_t size, const uint8_t *all, size_t length,
                        int status)
{
    static uint8_t out[MOST];
    struct gzip gzip;
    struct error e = {.offset = -1};
    size_t got;
    CHECK(gzip_open(&gzip, "a.gz", data, size, &e) == 0);
    if (gzip_read(&gzip, out, 1, &got, &e) == 0 && got == 1 && length < MOST) {
        if (gzip_read_whole(&gzip, out, length) == 0) {
            CHECK(status == 0 && memcmp(out, all, length) == 0);
        } else {
            CHECK(status != 0 || !gzip.compressed || gzip.members != 1 || gzip.at < size);
        }
    }
    gzip_close(&gzip);
}

static void load(const uint8_t *data, size_t size, const uint8_t *all, size_t length)
{
    static uint8_t labels[8 + MOST_LABELS] = "\0\0\x08\x01";
    const size_t count = length >= 8 ? (size_t)all[6] << 8 | all[7] : 0;
    if (count > MOST_LABELS) {
        return;
    }
    labels[6] = (uint8_t)(count >> 8);
    labels[7] = (uint8_t)count;
    fuzz_no_files();
    fuzz_file("images", data, size);
    fuzz_file("labels", labels, 8 + count);
    const struct source source = {.images = "images", .labels = "labels"};
    const struct loading how = {.memory = MEMORY};
    struct dataset set;
    struct error e = {.offset = -1};
    if (dataset_load(&set, &source, &how, &e) == 0) {
        CHECK(set.count == count);
        CHECK(set.bytes == NULL || set.count * dataset_values(&set) <= length);
        const size_t header = set.bytes != NULL ? length - set.count * dataset_values(&set) : 0;
        CHECK(set.bytes == NULL || memcmp(set.bytes, all + header, length - header) == 0);
    } else {
        fuzz_check_error(&e, KIND(ERROR_DATA) | KIND(ERROR_LIMIT), (size_t)MOST * GZIP_RATIO_MAX);
    }
    dataset_free(&set);
}

int fuzz_one(const uint8_t *data, size_t size)
{
    static uint8_t all[MOST], other[MOST];
    struct error e = {.offset = -1}, e2 = {.offset = -1};
    size_t length, length2, used;
    const int status = read_all(data, size, MOST, all, &length, &e);
    const size_t piece = size > 0 ? data[size - 1] % 97 + 17u : 1;
    const int status2 = read_all(data, size, piece, other, &length2, &e2);
    CHECK(status == status2 && length == length2 && memcmp(all, other, length) == 0);
    if (status != 0) {
        CHECK(e.offset == e2.offset && strcmp(e.message, e2.message) == 0);
        fuzz_check_error(&e, KIND(ERROR_DATA), size);
    }
    const int packed = size > 0 && data[0] == 0x1f && (size == 1 || data[1] == 0x8b);
    if (packed && length < MOST) {
        const long wanted = reference(data, size, other, &used);
        CHECK(status != 0 ||
              (wanted >= 0 && (size_t)wanted <= length && memcmp(all, other, (size_t)wanted) == 0));
        CHECK(status == 0 || wanted < 0 || used < size);
    }
    check_whole(data, size, all, length, status);
    if (status == 0 && length < MOST) {
        load(data, size, all, length);
    }
    return 0;
}

/* ---- the mutator ---- */

static size_t compress_again(const uint8_t *plain, size_t length, uint8_t *out, size_t most,
                             unsigned how)
{
    static const unsigned char NAME[] = "a.idx";
    z_stream z = {.next_in = plain, .avail_in = (uInt)length};
    gz_header header = {.os = 3,
                        .name = how & 8 ? (unsigned char *)(uintptr_t)NAME : NULL,
                        .hcrc = how & 16 ? 1 : 0};
    z.next_out = out;
    z.avail_out = (uInt)most;
    CHECK(deflateInit2(&z, how & 1 ? 1 : 6, Z_DEFLATED, 16 + 9, 1,
                       how & 2   ? Z_FIXED
                       : how & 4 ? Z_HUFFMAN_ONLY
                                 : Z_DEFAULT_STRATEGY) == Z_OK);
    if (how & 24) {
        CHECK(deflateSetHeader(&z, &header) == Z_OK);
    }
    const int status = deflate(&z, Z_FINISH);
    const size_t made = status == Z_STREAM_END ? z.total_out : 0;
    CHECK(deflateEnd(&z) == Z_OK || status != Z_STREAM_END);
    return made;
}

size_t LLVMFuzzerCustomMutator(uint8_t *data, size_t size, size_t most, unsigned seed)
{
    static uint8_t plain[1 << 13], packed[1 << 14];
    size_t used;
    if (seed % 2 == 0 && size > 18) {
        static uint8_t all[MOST];
        const long length = reference(data, size, all, &used);
        if (length > 0 && (size_t)length <= sizeof plain) {
            memcpy(plain, all, (size_t)length);
            const size_t mutated = LLVMFuzzerMutate(plain, (size_t)length, sizeof plain);
            const size_t made = compress_again(
                plain, mutated, packed, most < sizeof packed ? most : sizeof packed, seed >> 1);
            if (made > 0) {
                memcpy(data, packed, made);
                return made;
            }
        }
    }
    return LLVMFuzzerMutate(data, size, most);
}
