/* safetensors_header.c: the header's bytes, and the rules that hold for both directions.
 *
 * The metadata go through jansson, which sorts and escapes them. A tensor's name needs no escape,
 * so the tensors are printed. The checksum is of a header that holds it: it is computed with its
 * digits as 0, and then written over them.
 *
 * Format: https://github.com/huggingface/safetensors, README.md, "Format". */
#include "base/safetensors_header.h"

#include "base/check.h"
#include "base/file.h"

#include <jansson.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#define ZERO_DIGITS "00000000"

int safetensors_name_valid(const char *name)
{
    const size_t length = strnlen(name, SAFETENSORS_NAME_BYTES + 1);

    if (length == 0 || length > SAFETENSORS_NAME_BYTES || strcmp(name, "__metadata__") == 0) {
        return 0;
    }
    for (size_t i = 0; i < length; i++) {
        if (name[i] <= ' ' || name[i] > '~' || strchr("\"\\/", name[i]) != NULL) {
            return 0;
        }
    }
    return 1;
}

int safetensors_shape_elements(const size_t *shape, int rank, size_t *elements)
{
    size_t bytes;

    *elements = 1;
    for (int i = 0; i < rank; i++) {
        TRY(check_multiply(*elements, shape[i], elements));
    }
    return check_multiply(*elements, sizeof(float), &bytes);
}

int safetensors_pass(const struct tensor_entry *tensor)
{
    return tensor->size * sizeof(float) % SAFETENSORS_ALIGNMENT != 0;
}

size_t safetensors_first_not_finite(const float *data, size_t size)
{
    enum { BLOCK = 1024 };
    size_t i = 0;

    /* Whole blocks without a branch, as the compiler makes vectors of: x - x is 0 but for these. */
    for (; size - i >= BLOCK; i += BLOCK) {
        int bad = 0;

        for (size_t k = i; k < i + BLOCK; k++) {
            bad |= !(data[k] - data[k] == 0);
        }
        if (bad) {
            break;
        }
    }
    while (i < size && isfinite(data[i])) {
        i++;
    }
    return i;
}

const char *safetensors_crc_digits(const char *header, size_t size)
{
    static const char key[] = "\"" SAFETENSORS_HEADER_CRC "\":\"";
    const size_t length = sizeof key - 1;
    const char *end = header + size, *at = memmem(header, size, key, length);

    /* In a string the quote would be escaped; so the first one that is not is the key itself. */
    while (at != NULL && at > header && at[-1] == '\\') {
        at = memmem(at + 1, (size_t)(end - at - 1), key, length);
    }
    return at != NULL && (size_t)(end - at) >= length + strlen(ZERO_DIGITS) ? at + length : NULL;
}

uint32_t safetensors_header_crc(const char *header, size_t size, const char *digits)
{
    const char *rest = digits + strlen(ZERO_DIGITS);
    uint32_t crc = file_crc32(0, header, (size_t)(digits - header));

    crc = file_crc32(crc, ZERO_DIGITS, strlen(ZERO_DIGITS));
    return file_crc32(crc, rest, (size_t)(header + size - rest));
}

/* The text of the whole "__metadata__" object, to be freed; NULL with *e filled. */
static char *metadata_text(const struct metadata_entry *metadata, int metadata_count,
                           const struct tensor_entry *tensors, const uint32_t *crc,
                           int tensor_count, struct error *e)
{
    json_t *object = json_object();
    int failed = object == NULL;
    char *text = NULL;

    for (int i = 0; i < metadata_count && !failed; i++) {
        failed = json_object_set_new(object, metadata[i].key, json_string(metadata[i].value));
    }
    for (int i = 0; i < tensor_count && !failed; i++) {
        char key[sizeof SAFETENSORS_CRC_PREFIX + SAFETENSORS_NAME_BYTES], digits[16];

        snprintf(key, sizeof key, SAFETENSORS_CRC_PREFIX "%s", tensors[i].name);
        snprintf(digits, sizeof digits, "%08x", (unsigned)crc[i]);
        failed = json_object_set_new(object, key, json_string(digits));
    }
    failed =
        failed || json_object_set_new(object, SAFETENSORS_HEADER_CRC, json_string(ZERO_DIGITS));
    if (!failed && json_object_size(object) != (size_t)metadata_count + (size_t)tensor_count + 1) {
        error_set(e, ERROR_INTERNAL, NULL, "two tensors or metadata entries have one name");
    } else {
        text =
            failed ? NULL : json_dumps(object, JSON_COMPACT | JSON_ENSURE_ASCII | JSON_SORT_KEYS);
        if (text == NULL) {
            error_memory(e, SAFETENSORS_HEADER_BYTES);
        }
    }
    json_decref(object);
    return text;
}

static void append_tensor(struct text *out, const struct tensor_entry *tensor, size_t begin)
{
    text_append(out, ",\"%s\":{\"dtype\":\"F32\",\"shape\":[", tensor->name);
    for (int i = 0; i < tensor->rank; i++) {
        text_append(out, i > 0 ? ",%zu" : "%zu", tensor->shape[i]);
    }
    text_append(out, "],\"data_offsets\":[%zu,%zu]}", begin, begin + tensor->size * sizeof(float));
}

int safetensors_header(struct text *out, const struct metadata_entry *metadata, int metadata_count,
                       const struct tensor_entry *tensors, const uint32_t *crc, int tensor_count,
                       struct error *e)
{
    char *metadata_json = metadata_text(metadata, metadata_count, tensors, crc, tensor_count, e);
    size_t begin = 0;

    if (metadata_json == NULL) {
        return -1;
    }
    text_append_bytes(out, "\0\0\0\0\0\0\0\0{\"__metadata__\":", 8 + strlen("{\"__metadata__\":"));
    text_append_bytes(out, metadata_json, strlen(metadata_json));
    free(metadata_json);
    for (int pass = 0; pass < 2; pass++) {
        for (int i = 0; i < tensor_count; i++) {
            if (safetensors_pass(&tensors[i]) == pass) {
                append_tensor(out, &tensors[i], begin);
                begin += tensors[i].size * sizeof(float);
            }
        }
    }
    text_append_bytes(out, "}", 1);
    while (!out->failed && out->length % SAFETENSORS_ALIGNMENT != 0) {
        text_append_bytes(out, " ", 1);
    }
    if (out->failed) {
        return error_memory(e, SAFETENSORS_HEADER_BYTES);
    }
    const uint64_t n = out->length - 8;
    char hex[16];

    memcpy(out->data, &n, sizeof n);
    const size_t at = (size_t)(safetensors_crc_digits(out->data, out->length) - out->data);

    snprintf(hex, sizeof hex, "%08x",
             (unsigned)safetensors_header_crc(out->data, out->length, out->data + at));
    memcpy(out->data + at, hex, strlen(ZERO_DIGITS));
    return 0;
}

const struct tensor_entry *safetensors_tensor(const struct safetensors *st, const char *name)
{
    for (int i = 0; i < st->tensor_count; i++) {
        if (strcmp(st->tensors[i].name, name) == 0) {
            return &st->tensors[i];
        }
    }
    return NULL;
}

const char *safetensors_metadata(const struct safetensors *st, const char *key)
{
    for (int i = 0; i < st->metadata_count; i++) {
        if (strcmp(st->metadata[i].key, key) == 0) {
            return st->metadata[i].value;
        }
    }
    return NULL;
}
