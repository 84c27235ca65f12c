/* idx_file.c: see idx_file.h. */
#include "data/idx_file.h"

#include "base/check.h"
#include "base/memory.h"
#include "base/text.h"

#include <assert.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static uint64_t big_endian(const unsigned char *bytes, int count)
{
    uint64_t value = 0;
    for (int i = 0; i < count; i++) {
        value = value << 8 | bytes[i];
    }
    return value;
}

static double value_uint8(const unsigned char *bytes) { return bytes[0]; }

static double value_int8(const unsigned char *bytes) { return (int8_t)bytes[0]; }

static double value_int16(const unsigned char *bytes) { return (int16_t)big_endian(bytes, 2); }

static double value_int32(const unsigned char *bytes) { return (int32_t)big_endian(bytes, 4); }

static double value_float32(const unsigned char *bytes)
{
    const uint32_t bits = (uint32_t)big_endian(bytes, 4);
    float value;
    memcpy(&value, &bits, sizeof value);
    return (double)value;
}

static double value_float64(const unsigned char *bytes)
{
    const uint64_t bits = big_endian(bytes, 8);
    double value;
    memcpy(&value, &bits, sizeof value);
    return value;
}

static const struct idx_element ELEMENTS[] = {
    {0x08, 1, 1, value_uint8}, {0x09, 1, 1, value_int8},    {0x0b, 2, 1, value_int16},
    {0x0c, 4, 1, value_int32}, {0x0d, 4, 0, value_float32}, {0x0e, 8, 0, value_float64},
};

static const struct idx_element *find_element(unsigned char code)
{
    for (size_t i = 0; i < sizeof ELEMENTS / sizeof *ELEMENTS; i++) {
        if (ELEMENTS[i].code == code) {
            return &ELEMENTS[i];
        }
    }
    return NULL;
}

size_t idx_memory_limit(void)
{
    const uint64_t bytes = memory_total();
    return bytes > 0 && bytes < SIZE_MAX ? (size_t)bytes / 2 : SIZE_MAX / 2;
}

/* What people take for an IDX file, by its first bytes. */
static const char *looks_like(const char *bytes, size_t size)
{
    static const struct {
        const char *prefix;
        size_t length;
        const char *what;
    } known[] = {
        {"\x1f\x8b", 2, "gzip data, compressed twice"},
        {"<", 1, "HTML or XML (a bad download?)"},
        {"version https://git-lfs", 23, "a Git LFS pointer: run git lfs pull"},
        {"\x78\x01", 2, "a zlib stream, expected gzip"},
        {"\x78\x5e", 2, "a zlib stream, expected gzip"},
        {"\x78\x9c", 2, "a zlib stream, expected gzip"},
        {"\x78\xda", 2, "a zlib stream, expected gzip"},
        {"PK\x03\x04", 4, "a zip archive"},
        {"\3757zXZ", 5, "xz data: unpack it"},
        {"\x28\xb5\x2f\xfd", 4, "zstd data: unpack it"},
        {"BZh", 3, "bzip2 data: unpack it"},
        {"\x89PNG", 4, "a PNG image"},
        {"\xff\xd8\xff", 3, "a JPEG image"},
        {"\x93NUMPY", 6, "a NumPy array"},
    };
    for (size_t i = 0; i < sizeof known / sizeof *known; i++) {
        if (size >= known[i].length && memcmp(bytes, known[i].prefix, known[i].length) == 0) {
            return known[i].what;
        }
    }
    return NULL;
}

static int fault_not_idx(struct idx_file *idx, const unsigned char *magic, struct error *e)
{
    if (magic[2] == 0 && magic[3] == 0 && find_element(magic[1]) != NULL) {
        return IDX_FAULT(e, idx, 0, "not an IDX file: byte order reversed (little-endian IDX?)");
    }
    char head[32];
    size_t more = 0;
    memcpy(head, magic, 4);
    /* A fault behind the first bytes would only say again that this is not the right file. */
    (void)gzip_read(&idx->stream, head + 4, sizeof head - 4, &more, NULL);
    const char *what = looks_like(head, 4 + more);
    const size_t length = strlen(idx->name);
    const int misnamed = length > 3 && strcmp(idx->name + length - 3, ".gz") == 0;
    return IDX_FAULT(e, idx, 0, "not an IDX file%s%s%s",
                     misnamed ? ", named .gz but not gzip data" : "",
                     what != NULL ? ": looks like " : "", what != NULL ? what : "");
}

static int read_magic(struct idx_file *idx, struct error *e)
{
    unsigned char magic[4];
    size_t got;
    TRY(gzip_read(&idx->stream, magic, sizeof magic, &got, e));
    if (got == 0) {
        return IDX_FAULT(e, idx, 0, "file is empty, expected IDX header");
    }
    if (got < sizeof magic) {
        return IDX_FAULT(e, idx, 0, "shorter than the 4-byte magic of IDX");
    }
    if (magic[0] != 0 || magic[1] != 0) {
        return fault_not_idx(idx, magic, e);
    }
    idx->element = find_element(magic[2]);
    if (idx->element == NULL) {
        return IDX_FAULT(e, idx, 2, "unknown element type 0x%02x", magic[2]);
    }
    idx->dims = magic[3];
    return 0;
}

static int read_dimensions(struct idx_file *idx, struct error *e)
{
    unsigned char bytes[16];
    const size_t size = 4 * (size_t)idx->dims;
    size_t got;
    TRY(gzip_read(&idx->stream, bytes, size, &got, e));
    if (got < size) {
        return IDX_FAULT(e, idx, 4, "header cut short: %d dimensions take %zu bytes, got %zu",
                         idx->dims, size, got);
    }
    for (int i = 0; i < idx->dims; i++) {
        idx->dim[i] = (size_t)big_endian(bytes + 4 * (size_t)i, 4);
    }
    idx->header = 4 + size;
    return 0;
}

/* No dimension may be 0, and the sizes must be numbers that can be counted with. */
static int multiply_dimensions(struct idx_file *idx, struct error *e)
{
    if (idx->dim[0] == 0) {
        return IDX_FAULT(e, idx, 4, "data set is empty");
    }
    idx->item = 1;
    int overflow = 0;
    for (int i = 1; i < idx->dims; i++) {
        if (idx->dim[i] == 0) {
            return IDX_FAULT(e, idx, 4 + 4 * i, "zero-sized image");
        }
        overflow |= check_multiply(idx->item, idx->dim[i], &idx->item);
    }
    size_t unused;
    overflow |= check_multiply(idx->dim[0], idx->item, &idx->size);
    overflow |= check_multiply(idx->size, idx->element->size, &idx->size);
    overflow |= check_add(idx->size, idx->header, &unused);
    if (overflow) {
        return IDX_FAULT(e, idx, 4, "size overflow: no file can hold what the header declares");
    }
    return 0;
}

int idx_read_header(struct idx_file *idx, struct error *e)
{
    assert(idx->dims <= 4);
    TRY(read_dimensions(idx, e));
    return multiply_dimensions(idx, e);
}

/* An image that no network can take: each tensor of one has at most so many values. */
static int check_item(const struct idx_file *idx, struct error *e)
{
    return idx->item <= INT32_MAX ? 0
                                  : IDX_FAULT(e, idx, 8, "an %s of %zu values; the most are %d",
                                              idx->noun, idx->item, INT32_MAX);
}

/* Before anything is read: a plain file that holds what its header says, but images that are too
 * large, is refused without taking memory for it. */
static int peek(struct idx_file *idx, const char *path, struct error *e)
{
    unsigned char head[20];
    struct stat status;
    const size_t got = file_peek(path, head, sizeof head);
    if (got < sizeof head || head[0] != 0 || head[1] != 0 || head[3] < 2 || head[3] > 4) {
        return 0;
    }
    const struct idx_element *element = find_element(head[2]);
    if (element == NULL || stat(path, &status) != 0) {
        return 0;
    }
    size_t size = element->size;
    int overflow = 0;
    idx->item = 1;
    for (int i = 0; i < head[3]; i++) {
        const size_t dim = (size_t)big_endian(head + 4 + 4 * (size_t)i, 4);
        overflow |= check_multiply(size, dim, &size);
        overflow |= i > 0 && check_multiply(idx->item, dim, &idx->item) != 0;
    }
    return overflow || (size_t)status.st_size != 4 + 4 * (size_t)head[3] + size
               ? 0
               : check_item(idx, e);
}

int idx_check_size(const struct idx_file *idx, struct error *e)
{
    const size_t have = idx->stream.size, want = idx->header + idx->size;
    if (want / GZIP_RATIO_MAX > have) {
        char bytes[32];
        return IDX_FAULT(e, idx, 4, "larger than the file: %zu %ss, needs %s; file has %zu bytes",
                         idx->dim[0], idx->noun, text_from_bytes(bytes, want), have);
    }
    if (!idx->stream.compressed && have < want) {
        IDX_FAULT(e, idx, have, "file ends early, in %s %zu of %zu", idx->noun,
                  (have - idx->header) / (idx->item * idx->element->size), idx->dim[0]);
        if (e != NULL) {
            snprintf(e->note, sizeof e->note, "expected %zu bytes, file has %zu", want, have);
        }
        return -1;
    }
    if (!idx->stream.compressed && have > want) {
        return IDX_FAULT(e, idx, want, "%zu unexpected byte%s after the data", have - want,
                         have - want == 1 ? "" : "s");
    }
    return check_item(idx, e);
}

static int is_gzip(const char *path)
{
    unsigned char head[2];
    return gzip_begins(head, file_peek(path, head, sizeof head));
}

int idx_open(struct idx_file *idx, const char *path, const char *noun, int outline, struct error *e)
{
    memset(idx, 0, sizeof *idx);
    idx->noun = noun;
    snprintf(idx->name, sizeof idx->name, "%s", path);
    TRY(peek(idx, path, e));
    const size_t limit = idx_memory_limit();
    TRY(outline && is_gzip(path) ? file_read_ends(&idx->file, path, limit, ERROR_DATA, e)
                                 : file_read(&idx->file, path, limit, ERROR_DATA, e));
    TRY(gzip_open(&idx->stream, path, idx->file.data, idx->file.size, e));
    snprintf(idx->name, sizeof idx->name, "%s%s", path, idx->stream.compressed ? "(gz)" : "");
    return read_magic(idx, e);
}

void idx_close(struct idx_file *idx)
{
    gzip_close(&idx->stream);
    bytes_free(&idx->file);
}

/* The next `size` bytes of elements; `done` came before them. */
static int read_data(struct idx_file *idx, void *out, size_t size, size_t done, struct error *e)
{
    size_t got;
    const int status = gzip_read(&idx->stream, out, size, &got, e);
    if (got == size || e == NULL) {
        return status == 0 && got == size ? 0 : -1;
    }
    const size_t item = (done + got) / (idx->item * idx->element->size);
    if (status == 0) {
        IDX_FAULT(e, idx, idx->header + done + got, "file ends early, in %s %zu of %zu", idx->noun,
                  item, idx->dim[0]);
        snprintf(e->note, sizeof e->note, "expected %zu bytes, got %zu", idx->header + idx->size,
                 idx->header + done + got);
        return -1;
    }
    char cause[256];
    snprintf(cause, sizeof cause, "%.255s", e->message);
    if (idx->stream.truncated) {
        return error_at_offset(e, e->kind, idx->stream.path, e->offset,
                               "file ends early, in %s %zu of %zu: %s", idx->noun, item,
                               idx->dim[0], cause);
    }
    return error_at_offset(e, e->kind, idx->stream.path, e->offset, "%s, in %s %zu of %zu", cause,
                           idx->noun, item, idx->dim[0]);
}

static int read_end(struct idx_file *idx, struct error *e)
{
    unsigned char byte;
    size_t got;
    TRY(gzip_read(&idx->stream, &byte, 1, &got, e));
    if (got > 0) {
        return IDX_FAULT(e, idx, idx->header + idx->size, "unexpected bytes after the data");
    }
    return 0;
}

int idx_read_bytes(struct idx_file *idx, void *out, struct error *e)
{
    if (gzip_read_whole(&idx->stream, out, idx->header + idx->size) == 0) {
        memmove(out, (const unsigned char *)out + idx->header, idx->size);
        return 0;
    }
    TRY(read_data(idx, out, idx->size, 0, e));
    return read_end(idx, e);
}

int idx_read_values(struct idx_file *idx,
                    int (*put)(const struct idx_file *idx, size_t index, double value, void *to,
                               struct error *e),
                    void *to, struct error *e)
{
    unsigned char piece[1 << 13];
    const size_t element = idx->element->size;
    for (size_t done = 0; done < idx->size;) {
        const size_t left = idx->size - done;
        const size_t size = left < sizeof piece ? left : sizeof piece;
        TRY(read_data(idx, piece, size, done, e));
        for (size_t i = 0; i < size; i += element) {
            TRY(put(idx, (done + i) / element, idx->element->value(piece + i), to, e));
        }
        done += size;
    }
    return read_end(idx, e);
}

long long idx_offset(const struct idx_file *idx, size_t index)
{
    return (long long)(idx->header + index * idx->element->size);
}
