/* safetensors_json.c: three steps, each safe because of the one before: N is checked against the
 * file, nesting and number of items are bounded in one pass without recursion, and only then
 * jansson reads. */
#include "base/safetensors_json.h"

#include "base/safetensors_header.h"

#include <errno.h>
#include <stdint.h>
#include <string.h>

#define ITEMS (1 << 18) /* commas; a tensor of 8 dimensions and its checksum have 12 */
#define DEPTH 3         /* the root, a tensor, its shape */

#define REFUSE(at, ...) error_at_offset(e, ERROR_MODEL, path, (long long)(at), __VA_ARGS__)

static int is_text(const char *bytes, size_t size)
{
    for (size_t i = 0; i < size; i++) {
        if ((bytes[i] < ' ' && strchr("\t\n\r", bytes[i]) == NULL) || bytes[i] == '\0' ||
            bytes[i] > '~') {
            return 0;
        }
    }
    return 1;
}

/* The type of a file that is no safetensors file, or NULL. */
static const char *foreign_type(const char *file, size_t size)
{
    static const struct {
        const char *bytes;
        size_t size;
        const char *type;
    } known[] = {
        {"PK\3\4", 4, "a zip archive, as PyTorch and Keras write"},
        {"\200\2", 2, "a Python pickle"},
        {"\200\3", 2, "a Python pickle"},
        {"\200\4", 2, "a Python pickle"},
        {"\200\5", 2, "a Python pickle"},
        {"GGUF", 4, "a GGUF file"},
        {"\211HDF\r\n\032\n", 8, "an HDF5 file"},
        {"\211PNG", 4, "a PNG image"},
        {"\377\330\377", 3, "a JPEG image"},
        {"\37\213", 2, "a gzip file"},
        {"\223NUMPY", 6, "a NumPy array"},
        {"\0\0\0\0\1\0\0\0", 8, "a darknet weights file"},
        {"\0\0\0\0\2\0\0\0", 8, "a darknet weights file"},
    };

    for (size_t i = 0; i < sizeof known / sizeof known[0]; i++) {
        if (size >= known[i].size && memcmp(file, known[i].bytes, known[i].size) == 0) {
            return known[i].type;
        }
    }
    /* ONNX is a protocol buffer: field 1, the version, then field 2, the producer's name. */
    if (size >= 8 && file[0] == 8 && file[1] > 0 && file[1] < 32 && file[2] == 0x12) {
        return "an ONNX file";
    }
    return size >= 8 && is_text(file, 8) ? "a text file" : NULL;
}

/* N, in *data as 8 + N. */
static int read_length(size_t *data, const char *file, size_t size, const char *path,
                       const char *wanted, struct error *e)
{
    uint64_t n = 0;

    memcpy(&n, file, size < sizeof n ? size : sizeof n);
    if (size >= 8 && n >= 2 && n <= SAFETENSORS_HEADER_BYTES && n <= size - 8 && file[8] == '{') {
        *data = (size_t)n + 8;
        return 0;
    }
    const char *type = foreign_type(file, size);

    if (size == 0) {
        return REFUSE(0, "empty file");
    }
    if (type != NULL) {
        return REFUSE(0, "not %s: looks like %s", wanted, type);
    }
    if (size < 8) {
        return REFUSE(0, "not %s: shorter than 8 bytes", wanted);
    }
    if (n < 2) {
        return REFUSE(0, "not %s: header length %d", wanted, (int)n);
    }
    if (n > SAFETENSORS_HEADER_BYTES) {
        return REFUSE(0, "not %s: header larger than %zu bytes%s", wanted, SAFETENSORS_HEADER_BYTES,
                      __builtin_bswap64(n) <= SAFETENSORS_HEADER_BYTES ? " (wrong byte order)"
                                                                       : "");
    }
    if (n > size - 8) {
        return REFUSE(0, "header longer than the file: needs %zu bytes, has %zu", (size_t)n + 8,
                      size);
    }
    return REFUSE(8, "not %s: the header must begin with {", wanted);
}

static int scan_header(size_t *object_end, const char *file, size_t data, const char *path,
                       struct error *e)
{
    int depth = 0, in_string = 0, items = 0;

    for (size_t i = 8; i < data; i++) {
        const char c = file[i];

        if (in_string) {
            i += c == '\\';
            in_string = c != '"';
        } else if (c == '"') {
            in_string = 1;
        } else if (c == '{' || c == '[') {
            if (++depth > DEPTH) {
                return REFUSE(i, "unexpected '%c': nested deeper than %d levels", c, DEPTH);
            }
        } else if (c == ',') {
            if (++items > ITEMS) {
                return REFUSE(i, "more than %d items in the header", ITEMS);
            }
        } else if ((c == '}' || c == ']') && --depth == 0) {
            *object_end = i + 1;
            return 0;
        }
    }
    *object_end = data; /* never closed: jansson says what is missing */
    return 0;
}

static const char *fault(enum json_error_code code)
{
    switch (code) {
    case json_error_duplicate_key:
        return "duplicate name";
    case json_error_numeric_overflow:
        return "number too large";
    case json_error_invalid_utf8:
        return "invalid UTF-8";
    case json_error_null_character:
    case json_error_null_byte_in_key:
        return "NUL in a string";
    default:
        return "header is not JSON";
    }
}

int safetensors_json(struct safetensors_json *out, const char *file, size_t size, const char *path,
                     const char *wanted, struct error *e)
{
    json_error_t error;

    TRY(read_length(&out->data, file, size, path, wanted, e));
    TRY(scan_header(&out->object_end, file, out->data, path, e));
    errno = 0;
    out->root = json_loadb(file + 8, out->object_end - 8, JSON_REJECT_DUPLICATES, &error);
    if (out->root != NULL) {
        return 0;
    }
    if (errno == ENOMEM) { /* which jansson reports as bad syntax in some places */
        return error_memory(e, out->object_end);
    }
    const enum json_error_code code = json_error_code(&error);

    if (code == json_error_null_character || code == json_error_null_byte_in_key) {
        return REFUSE(8 + error.position, "%s", fault(code)); /* jansson speaks of its own flags */
    }
    return REFUSE(8 + error.position, "%s: %s", fault(code), error.text);
}

size_t safetensors_json_offset(const struct safetensors_json *json, const char *file,
                               const char *key, char first)
{
    char text[SAFETENSORS_NAME_BYTES + 16];
    const int length = snprintf(text, sizeof text, "\"%s\":%c", key, first);

    if (length < 0 || (size_t)length >= sizeof text) {
        return 8;
    }
    const char *at = memmem(file + 8, json->object_end - 8, text, (size_t)length);

    return at != NULL ? (size_t)(at - file) : 8;
}
