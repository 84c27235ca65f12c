/* tensor_file.c: a foreign safetensors file, by the rules of its README: {"name": {"dtype":,
 * "shape":, "data_offsets": [begin, end]}}, in any order, each tensor where the one before ends.
 * Nothing is allocated by a number from the file before the file's own size has borne it out. */
#include "base/tensor_file.h"

#include "base/file.h"
#include "base/half.h"
#include "base/safetensors_header.h"
#include "base/safetensors_json.h"
#include "base/text.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

static float from_f32(const unsigned char *at)
{
    float value;
    memcpy(&value, at, sizeof value);
    return value;
}

static uint16_t word(const unsigned char *at) { return (uint16_t)(at[0] | at[1] << 8); }
static float from_f16(const unsigned char *at) { return float_from_half(word(at)); }
static float from_bf16(const unsigned char *at) { return float_from_bfloat16(word(at)); }

/* All that the format knows. */
static const struct tensor_type {
    const char *name;
    unsigned bits;
    float (*read)(const unsigned char *at); /* NULL: not for us */
} TYPES[] = {
    {"F32", 32, from_f32}, {"F16", 16, from_f16},    {"BF16", 16, from_bf16},  {"F64", 64, NULL},
    {"I64", 64, NULL},     {"I32", 32, NULL},        {"I16", 16, NULL},        {"I8", 8, NULL},
    {"U64", 64, NULL},     {"U32", 32, NULL},        {"U16", 16, NULL},        {"U8", 8, NULL},
    {"BOOL", 8, NULL},     {"C64", 64, NULL},        {"F8_E5M2", 8, NULL},     {"F8_E4M3", 8, NULL},
    {"F8_E8M0", 8, NULL},  {"F8_E4M3FNUZ", 8, NULL}, {"F8_E5M2FNUZ", 8, NULL}, {"F6_E2M3", 6, NULL},
    {"F6_E3M2", 6, NULL},  {"F4", 4, NULL},
};

const char *tensor_type_name(const struct tensor_type *type) { return type->name; }
int tensor_type_is_float(const struct tensor_type *type) { return type->read != NULL; }

static const struct tensor_type *find_type(const char *name)
{
    for (size_t i = 0; name != NULL && i < sizeof TYPES / sizeof TYPES[0]; i++) {
        if (strcmp(TYPES[i].name, name) == 0) {
            return &TYPES[i];
        }
    }
    return NULL;
}

struct reader {
    struct tensor_file *file;
    const char *bytes;
    size_t size;
    struct safetensors_json json;
    struct error *e;
};

#define REFUSE(r, at, ...)                                                                         \
    error_at_offset((r)->e, ERROR_MODEL, (r)->file->path, (long long)(at), __VA_ARGS__)
#define REFUSE_TENSOR(r, name, ...)                                                                \
    REFUSE(r, safetensors_json_offset(&(r)->json, (r)->bytes, name, '{'), __VA_ARGS__)

static int read_size(size_t *size, const json_t *number)
{
    if (!json_is_integer(number) || json_integer_value(number) < 0) {
        return -1;
    }
    *size = (size_t)json_integer_value(number);
    return 0;
}

/* The shape, the number of elements, and the bytes that they take. */
static int read_shape(const struct reader *r, struct stored_tensor *t, const json_t *shape,
                      size_t *bytes)
{
    size_t bits;

    if (!json_is_array(shape) || json_array_size(shape) > SAFETENSORS_DIMENSIONS) {
        return REFUSE_TENSOR(r, t->name, "bad shape of '%s': expected a list of at most %d numbers",
                             t->name, SAFETENSORS_DIMENSIONS);
    }
    t->rank = (int)json_array_size(shape);
    t->size = 1;
    for (int i = 0; i < t->rank; i++) {
        if (read_size(&t->shape[i], json_array_get(shape, (size_t)i)) != 0) {
            return REFUSE_TENSOR(r, t->name, "bad shape of '%s': expected a whole number", t->name);
        }
        if (__builtin_mul_overflow(t->size, t->shape[i], &t->size)) {
            return REFUSE_TENSOR(r, t->name, "size overflow: the shape of '%s' is too large",
                                 t->name);
        }
    }
    if (__builtin_mul_overflow(t->size, (size_t)t->type->bits, &bits) || bits % 8 != 0) {
        return REFUSE_TENSOR(r, t->name, "'%s': its shape and dtype are no whole number of bytes",
                             t->name);
    }
    *bytes = bits / 8;
    return 0;
}

static int read_place(const struct reader *r, struct stored_tensor *t, const json_t *offsets,
                      size_t bytes)
{
    size_t begin, end;

    if (json_array_size(offsets) != 2 || read_size(&begin, json_array_get(offsets, 0)) != 0 ||
        read_size(&end, json_array_get(offsets, 1)) != 0 || begin > end) {
        return REFUSE_TENSOR(r, t->name,
                             "data_offsets of '%s' must be two whole numbers, [begin, "
                             "end]",
                             t->name);
    }
    if (end > r->size - r->json.data) {
        return REFUSE_TENSOR(r, t->name,
                             "data of '%s' end past the end of the file (cut short?): "
                             "%zu bytes needed after the header, %zu there",
                             t->name, end, r->size - r->json.data);
    }
    if (end - begin != bytes) {
        return REFUSE_TENSOR(r, t->name, "'%s': %zu bytes declared, shape needs %zu", t->name,
                             end - begin, bytes);
    }
    t->offset = (long long)(r->json.data + begin);
    t->data = (const unsigned char *)r->bytes + t->offset;
    return 0;
}

static int read_tensor(const struct reader *r, struct stored_tensor *t, const json_t *value)
{
    const size_t length = strlen(t->name);
    const char *dtype = json_string_value(json_object_get(value, "dtype"));
    size_t bytes = 0;

    if (length == 0 || length > SAFETENSORS_NAME_BYTES) {
        return REFUSE(r, 8, "a tensor's name must have 1 to %d bytes, '%.80s' has %zu",
                      SAFETENSORS_NAME_BYTES, t->name, length);
    }
    if (!json_is_object(value) || json_object_size(value) != 3) {
        return REFUSE_TENSOR(r, t->name, "'%s' must have dtype, shape and data_offsets", t->name);
    }
    t->type = find_type(dtype);
    if (t->type == NULL) {
        return REFUSE_TENSOR(r, t->name, "unknown dtype %.20s of '%s'", dtype ? dtype : "",
                             t->name);
    }
    TRY(read_shape(r, t, json_object_get(value, "shape"), &bytes));
    return read_place(r, t, json_object_get(value, "data_offsets"), bytes);
}

static int by_offset(const void *a, const void *b)
{
    const struct stored_tensor *one = a, *two = b;

    if (one->offset != two->offset) {
        return one->offset < two->offset ? -1 : 1;
    }
    return (one->size != 0) - (two->size != 0); /* one without data stands before the next */
}

/* No hole, no overlap, nothing behind. */
static int check_layout(const struct reader *r, const struct stored_tensor *tensors)
{
    size_t position = r->json.data;

    for (int i = 0; i < r->file->count; i++) {
        const struct stored_tensor *t = &tensors[i];

        if ((size_t)t->offset != position) {
            return REFUSE_TENSOR(r, t->name,
                                 (size_t)t->offset < position ? "data of '%s' overlap those before"
                                                              : "unused bytes before '%s'",
                                 t->name);
        }
        position += t->size * t->type->bits / 8;
    }
    if (position != r->size) {
        return REFUSE(r, position, "%zu unused bytes after the last tensor", r->size - position);
    }
    return 0;
}

static int check_metadata(const struct reader *r, json_t *metadata)
{
    const char *key;
    json_t *value;

    if (metadata != NULL && !json_is_object(metadata)) {
        return REFUSE(r, 8, "'__metadata__' must be an object of strings");
    }
    json_object_foreach(metadata, key, value)
    {
        if (!json_is_string(value)) {
            return REFUSE(r, 8, "metadata values must be strings: '%.80s' is not", key);
        }
    }
    return 0;
}

static int read_foreign(struct reader *r)
{
    struct tensor_file *file = r->file;
    json_t *metadata = json_object_get(r->json.root, "__metadata__");
    const size_t count = json_object_size(r->json.root) - (metadata != NULL);
    const char *name;
    json_t *value;

    for (size_t i = r->json.object_end; i < r->json.data; i++) {
        if (strchr(" \t\r\n", r->bytes[i]) == NULL || r->bytes[i] == '\0') {
            return REFUSE(r, i, "bytes after the header object (only spaces allowed)");
        }
    }
    TRY(check_metadata(r, metadata));
    if (count > SAFETENSORS_TENSORS) {
        return REFUSE(r, 8, "more than %d tensors", SAFETENSORS_TENSORS);
    }
    struct stored_tensor *tensors = arena_alloc(&file->arena, (count + 1) * sizeof *tensors);
    if (tensors == NULL) {
        return error_memory(r->e, count * sizeof *tensors);
    }
    file->tensors = tensors;
    json_object_foreach(r->json.root, name, value)
    {
        struct stored_tensor *t = &tensors[file->count];

        if (value == metadata) {
            continue;
        }
        *t = (struct stored_tensor){.name = arena_strndup(&file->arena, name, strlen(name))};
        if (t->name == NULL) {
            return error_memory(r->e, strlen(name));
        }
        TRY(read_tensor(r, t, value));
        file->count++;
    }
    qsort(tensors, (size_t)file->count, sizeof *tensors, by_offset);
    return check_layout(r, tensors);
}

/* A file of ours, seen as any other. */
static int take_ours(struct tensor_file *file, struct error *e)
{
    const struct safetensors *ours = &file->ours;
    struct stored_tensor *tensors =
        arena_alloc(&file->arena, ((size_t)ours->tensor_count + 1) * sizeof *tensors);

    if (tensors == NULL) {
        return error_memory(e, (size_t)ours->tensor_count * sizeof *tensors);
    }
    for (int i = 0; i < ours->tensor_count; i++) {
        const struct tensor_entry *from = &ours->tensors[i];

        tensors[i] = (struct stored_tensor){.name = from->name,
                                            .type = find_type("F32"),
                                            .rank = from->rank,
                                            .size = from->size,
                                            .data = (const unsigned char *)from->data,
                                            .offset = from->offset};
        memcpy(tensors[i].shape, from->shape, sizeof from->shape);
    }
    file->tensors = tensors;
    file->count = ours->tensor_count;
    return 0;
}

int tensor_file_read(struct tensor_file *file, const char *path, struct error *e)
{
    struct bytes bytes = {0};
    int status;

    *file = (struct tensor_file){0};
    snprintf(file->path, sizeof file->path, "%s", path);
    TRY(file_read(&bytes, path, SAFETENSORS_FILE_BYTES, ERROR_MODEL, e));
    file->file = bytes.data;

    struct reader r = {.file = file, .bytes = (const char *)bytes.data, .size = bytes.size, .e = e};
    status = safetensors_json(&r.json, r.bytes, r.size, path, "a safetensors file", e);
    if (status == 0 &&
        json_object_get(json_object_get(r.json.root, "__metadata__"), "cnntrain.format") != NULL) {
        bytes_free(&bytes);
        file->file = NULL;
        status = safetensors_read(&file->ours, path, "cnntrain.format", e);
        status = status == 0 ? take_ours(file, e) : status;
    } else if (status == 0) {
        status = read_foreign(&r);
    }
    json_decref(r.json.root);
    if (status != 0) {
        tensor_file_free(file);
    }
    return status;
}

void tensor_file_free(struct tensor_file *file)
{
    arena_free(&file->arena);
    safetensors_free(&file->ours);
    bytes_free(&(struct bytes){.data = file->file});
    *file = (struct tensor_file){0};
}

const struct stored_tensor *tensor_file_find(const struct tensor_file *file, const char *name)
{
    for (int i = 0; i < file->count; i++) {
        if (strcmp(file->tensors[i].name, name) == 0) {
            return &file->tensors[i];
        }
    }
    return NULL;
}

int tensor_values(const struct tensor_file *file, const struct stored_tensor *tensor, float *out,
                  struct error *e)
{
    const size_t step = tensor->type->bits / 8;

    for (size_t i = 0; i < tensor->size; i++) {
        out[i] = tensor->type->read(tensor->data + i * step);
        if (!isfinite(out[i])) {
            return error_at_offset(e, ERROR_MODEL, file->path,
                                   tensor->offset + (long long)(i * step),
                                   "value %zu of '%s' is not finite", i, tensor->name);
        }
    }
    return 0;
}
