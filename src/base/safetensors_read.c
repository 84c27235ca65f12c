/* safetensors_read.c: a file from outside, believed step by step:
 *
 *   1. the header is JSON (safetensors_json.c)
 *   2. it is ours, and of a format that we read
 *   3. its checksum, and where the data begin
 *   4. metadata are strings; tensors are F32, one behind the other, from the first byte to the last
 *   5. the same header, built again from what was understood, has the same bytes
 *   6. the data: checksums, and every value finite
 *
 * Steps 1 and 2 take any safetensors file, so that another program's is not called damaged. The
 * whole file is read first, not mapped: what has been checked cannot change any more. */
#include "base/safetensors.h"

#include "base/check.h"
#include "base/file.h"
#include "base/safetensors_header.h"
#include "base/safetensors_json.h"
#include "base/text.h"

#include <string.h>

#define FORMAT "1"

struct reader {
    struct safetensors *st;
    const char *file; /* all of it */
    size_t size;
    struct safetensors_json json;
    json_t *metadata;
    struct tensor_entry *tensors;
    uint32_t *crc; /* of each, as the header states it */
    struct error *e;
};

#define REFUSE(r, at, ...)                                                                         \
    error_at_offset((r)->e, ERROR_MODEL, (r)->st->path, (long long)(at), __VA_ARGS__)

#define REFUSE_METADATA(r, key, ...)                                                               \
    REFUSE(r, safetensors_json_offset(&(r)->json, (r)->file, key, '"'), __VA_ARGS__)
#define REFUSE_TENSOR(r, t, ...)                                                                   \
    REFUSE(r, safetensors_json_offset(&(r)->json, (r)->file, (t)->name, '{'), __VA_ARGS__)

static int check_format(struct reader *r, const char *key)
{
    r->metadata = json_object_get(r->json.root, "__metadata__");
    const json_t *format = json_object_get(r->metadata, key);

    if (format == NULL) {
        return REFUSE(r, 8, "not a cnntrain model (no '%s' in its metadata)", key);
    }
    const char *value = json_string_value(format);

    if (value == NULL) {
        return REFUSE(r, 8, "metadata values must be strings: '%s' is not", key);
    }
    if (strcmp(value, FORMAT) == 0) {
        return 0;
    }
    uint64_t number = 0;
    const int fit = text_to_unsigned(value, strlen(value), &number);

    if (fit == -2 || (fit == 0 && number > 1)) {
        return REFUSE_METADATA(r, key, "made by a newer cnntrain (format %.20s); this one reads %s",
                               value, FORMAT);
    }
    return REFUSE_METADATA(r, key, "bad version '%.20s' in '%s'", value, key);
}

/* Eight lower-case hexadecimal digits and the end of the string. */
static int read_crc(uint32_t *crc, const char *text, char end)
{
    static const char digits[] = "0123456789abcdef";

    *crc = 0;
    for (int i = 0; i < 8; i++) {
        const char *digit = text[i] != '\0' ? strchr(digits, text[i]) : NULL;

        if (digit == NULL) {
            return -1;
        }
        *crc = *crc << 4 | (uint32_t)(digit - digits);
    }
    return text[8] == end ? 0 : -1;
}

static int check_envelope(const struct reader *r)
{
    const size_t data = r->json.data;
    uint32_t crc;

    if (data % SAFETENSORS_ALIGNMENT != 0) {
        return REFUSE(r, 0, "the data must start at a multiple of %d, not at %zu",
                      SAFETENSORS_ALIGNMENT, data);
    }
    for (size_t i = r->json.object_end; i < data; i++) {
        if (r->file[i] != ' ') {
            return REFUSE(r, i, "bytes after the header object (only spaces allowed)");
        }
    }
    const char *digits = safetensors_crc_digits(r->file, r->json.object_end);

    if (digits == NULL || read_crc(&crc, digits, '"') != 0) {
        return REFUSE(r, digits != NULL ? digits - r->file : 8,
                      "header checksum missing or not 8 hexadecimal digits");
    }
    const uint32_t actual = safetensors_header_crc(r->file, data, digits);

    if (crc != actual) {
        return REFUSE(r, digits - r->file,
                      "header checksum mismatch: says %08x, is %08x: damaged file", (unsigned)crc,
                      (unsigned)actual);
    }
    return 0;
}

static int is_checksum(const char *key)
{
    return strncmp(key, SAFETENSORS_CRC_PREFIX, strlen(SAFETENSORS_CRC_PREFIX)) == 0;
}

/* What belongs to the caller. */
static int read_metadata(struct reader *r)
{
    struct arena *arena = &r->st->arena;
    const size_t count = json_object_size(r->metadata);
    struct metadata_entry *entries = arena_alloc(arena, (count + 1) * sizeof *entries);
    const char *key;
    json_t *value;

    if (entries == NULL) {
        return error_memory(r->e, count * sizeof *entries);
    }
    r->st->metadata = entries;
    json_object_foreach(r->metadata, key, value)
    {
        const size_t length = json_string_length(value);

        if (!json_is_string(value)) {
            return REFUSE(r, 8, "metadata values must be strings: '%.80s' is not", key);
        }
        if (length > SAFETENSORS_VALUE_BYTES) {
            return REFUSE_METADATA(r, key, "metadata '%.80s' is longer than %d bytes", key,
                                   SAFETENSORS_VALUE_BYTES);
        }
        if (strcmp(key, SAFETENSORS_HEADER_CRC) == 0 || is_checksum(key)) {
            continue;
        }
        struct metadata_entry *entry = &entries[r->st->metadata_count++];

        entry->key = arena_strndup(arena, key, strlen(key));
        entry->value = arena_strndup(arena, json_string_value(value), length);
        if (entry->key == NULL || entry->value == NULL) {
            return error_memory(r->e, length);
        }
    }
    return 0;
}

static int read_size(size_t *size, const json_t *number)
{
    if (!json_is_integer(number) || json_integer_value(number) < 0) {
        return -1;
    }
    *size = (size_t)json_integer_value(number);
    return 0;
}

static int read_shape(const struct reader *r, struct tensor_entry *t, const json_t *shape)
{
    if (!json_is_array(shape)) {
        return REFUSE_TENSOR(r, t, "bad shape of '%s': expected a list", t->name);
    }
    if (json_array_size(shape) > SAFETENSORS_DIMENSIONS) {
        return REFUSE_TENSOR(r, t, "'%s' has more than %d dimensions", t->name,
                             SAFETENSORS_DIMENSIONS);
    }
    t->rank = (int)json_array_size(shape);
    for (int i = 0; i < t->rank; i++) {
        if (read_size(&t->shape[i], json_array_get(shape, (size_t)i)) != 0) {
            return REFUSE_TENSOR(r, t, "bad shape of '%s': expected a whole number", t->name);
        }
        if (t->shape[i] == 0) {
            return REFUSE_TENSOR(r, t, "'%s' is zero-sized", t->name);
        }
    }
    if (safetensors_shape_elements(t->shape, t->rank, &t->size) != 0) {
        return REFUSE_TENSOR(r, t, "size overflow: the shape of '%s' is too large", t->name);
    }
    return 0;
}

/* `*position`: where the tensor must begin; moved behind it. */
static int read_place(const struct reader *r, struct tensor_entry *t, const json_t *offsets,
                      size_t *position)
{
    const size_t needed = t->size * sizeof(float), room = r->size - r->json.data;
    size_t begin, end;

    if (json_array_size(offsets) != 2) {
        return REFUSE_TENSOR(r, t, "data_offsets of '%s' must be two numbers", t->name);
    }
    if (read_size(&begin, json_array_get(offsets, 0)) != 0 ||
        read_size(&end, json_array_get(offsets, 1)) != 0) {
        return REFUSE_TENSOR(r, t, "expected a whole number in data_offsets of '%s'", t->name);
    }
    if (begin > end) {
        return REFUSE_TENSOR(r, t, "data of '%s': begin after end", t->name);
    }
    if (end > room) {
        return REFUSE_TENSOR(r, t,
                             "data of '%s' end past the end of the file (cut short?): "
                             "%zu bytes needed after the header, %zu there",
                             t->name, end, room);
    }
    if (end - begin != needed) {
        return REFUSE_TENSOR(r, t, "'%s': %zu bytes declared, shape needs %zu", t->name,
                             end - begin, needed);
    }
    if (begin != *position) {
        return begin < *position ? REFUSE_TENSOR(r, t, "data of '%s' overlap those before", t->name)
                                 : REFUSE_TENSOR(r, t, "%zu unused bytes before '%s'",
                                                 begin - *position, t->name);
    }
    t->offset = (long long)(r->json.data + begin);
    t->data = (const float *)(const void *)(r->file + t->offset);
    *position = end;
    return 0;
}

static int read_tensor(const struct reader *r, struct tensor_entry *t, const json_t *value,
                       size_t *position)
{
    static const char *const keys[] = {"dtype", "shape", "data_offsets"};

    if (!safetensors_name_valid(t->name)) {
        return REFUSE_TENSOR(r, t, "bad name '%.80s' of a tensor", t->name);
    }
    if (!json_is_object(value)) {
        return REFUSE(r, 8, "expected an object as the value of '%s'", t->name);
    }
    for (int i = 0; i < 3; i++) {
        if (json_object_get(value, keys[i]) == NULL) {
            return REFUSE_TENSOR(r, t, "missing %s of '%s'", keys[i], t->name);
        }
    }
    if (json_object_size(value) != 3) {
        return REFUSE_TENSOR(r, t, "unknown key in '%s'", t->name);
    }
    const char *dtype = json_string_value(json_object_get(value, "dtype"));

    if (dtype == NULL || strcmp(dtype, "F32") != 0) {
        return REFUSE_TENSOR(r, t, "dtype of '%s' is %.20s: weights must be F32", t->name,
                             dtype != NULL ? dtype : "no string");
    }
    TRY(read_shape(r, t, json_object_get(value, "shape")));
    return read_place(r, t, json_object_get(value, "data_offsets"), position);
}

static int read_tensors(struct reader *r)
{
    struct arena *arena = &r->st->arena;
    const size_t count = json_object_size(r->json.root) - 1; /* "__metadata__" is there */
    size_t position = 0;
    const char *name;
    json_t *value;

    if (count > SAFETENSORS_TENSORS) {
        return REFUSE(r, 8, "more than %d tensors", SAFETENSORS_TENSORS);
    }
    r->tensors = arena_alloc(arena, (count + 1) * sizeof *r->tensors);
    r->crc = arena_alloc(arena, (count + 1) * sizeof *r->crc);
    if (r->tensors == NULL || r->crc == NULL) {
        return error_memory(r->e, count * sizeof *r->tensors);
    }
    json_object_foreach(r->json.root, name, value)
    {
        if (value == r->metadata) {
            continue;
        }
        struct tensor_entry *t = &r->tensors[r->st->tensor_count];

        t->name = arena_strndup(arena, name, strlen(name));
        if (t->name == NULL) {
            return error_memory(r->e, strlen(name));
        }
        TRY(read_tensor(r, t, value, &position));
        r->st->tensor_count++;
    }
    if (position != r->size - r->json.data) {
        return REFUSE(r, r->json.data + position, "%zu unused byte%s after the last tensor",
                      r->size - r->json.data - position,
                      r->size - r->json.data - position == 1 ? "" : "s");
    }
    return 0;
}

/* One entry for each tensor, and none besides. */
static int read_checksums(const struct reader *r)
{
    const char *name;
    json_t *value;

    for (int i = 0; i < r->st->tensor_count; i++) {
        char key[sizeof SAFETENSORS_CRC_PREFIX + SAFETENSORS_NAME_BYTES];

        snprintf(key, sizeof key, SAFETENSORS_CRC_PREFIX "%s", r->tensors[i].name);
        const char *digits = json_string_value(json_object_get(r->metadata, key));

        if (digits == NULL || read_crc(&r->crc[i], digits, '\0') != 0) {
            return REFUSE_METADATA(r, key,
                                   "checksum entry '%s' missing or not 8 hexadecimal digits", key);
        }
    }
    json_object_foreach(r->metadata, name, value)
    {
        if (!is_checksum(name)) {
            continue;
        }
        const json_t *tensor = json_object_get(r->json.root, name + strlen(SAFETENSORS_CRC_PREFIX));

        if (tensor == NULL || tensor == r->metadata) {
            return REFUSE_METADATA(r, name, "checksum entry '%.80s' belongs to no tensor", name);
        }
    }
    return 0;
}

static int check_same_header(const struct reader *r)
{
    struct text header = {0};
    int result = safetensors_header(&header, r->st->metadata, r->st->metadata_count, r->tensors,
                                    r->crc, r->st->tensor_count, r->e);

    if (result == 0 &&
        (header.length != r->json.data || memcmp(header.data, r->file, header.length) != 0)) {
        result = REFUSE(r, 8, "header is not as cnntrain writes it (order, spaces or escapes)");
    }
    text_free(&header);
    return result;
}

static int check_data(const struct reader *r)
{
    for (int i = 0; i < r->st->tensor_count; i++) {
        const struct tensor_entry *t = &r->tensors[i];

        if (file_crc32(0, t->data, t->size * sizeof(float)) != r->crc[i]) {
            return REFUSE(r, t->offset, "checksum mismatch in '%s': damaged file", t->name);
        }
        const size_t bad = safetensors_first_not_finite(t->data, t->size);

        if (bad < t->size) {
            return REFUSE(r, (size_t)t->offset + bad * sizeof(float),
                          "value %zu of '%s' is not finite", bad, t->name);
        }
    }
    return 0;
}

static int read_all(struct reader *r, const char *format_key)
{
    TRY(safetensors_json(&r->json, r->file, r->size, r->st->path, "a cnntrain model", r->e));
    TRY(check_format(r, format_key));
    TRY(check_envelope(r));
    TRY(read_metadata(r));
    TRY(read_tensors(r));
    TRY(read_checksums(r));
    TRY(check_same_header(r));
    return check_data(r);
}

int safetensors_read(struct safetensors *st, const char *path, const char *format_key,
                     struct error *e)
{
    struct bytes bytes = {0};

    *st = (struct safetensors){0};
    snprintf(st->path, sizeof st->path, "%s", path);
    TRY(file_read(&bytes, path, SAFETENSORS_FILE_BYTES, ERROR_MODEL, e));
    st->file = bytes.data;

    struct reader r = {.st = st, .file = (const char *)bytes.data, .size = bytes.size, .e = e};
    const int result = read_all(&r, format_key);

    st->tensors = r.tensors;
    json_decref(r.json.root);
    if (result != 0) {
        safetensors_free(st);
    }
    return result;
}

void safetensors_free(struct safetensors *st)
{
    arena_free(&st->arena);
    bytes_free(&(struct bytes){.data = st->file});
    *st = (struct safetensors){0};
}
