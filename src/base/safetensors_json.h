/* safetensors_json.h: from the bytes of a file to its header as JSON; for safetensors_read.c and
 * tensor_file.c only. Takes any safetensors file, ours or not, and names other kinds of files.
 * After this, lengths lie inside the file, the JSON is well formed with no name twice in an object,
 * and depth and size are bounded; nothing is known of what the objects hold. */
#ifndef CNNTRAIN_BASE_SAFETENSORS_JSON_H
#define CNNTRAIN_BASE_SAFETENSORS_JSON_H

#include "base/error.h"

#include <jansson.h>
#include <stddef.h>

struct safetensors_json {
    json_t *root;      /* the caller's to json_decref */
    size_t object_end; /* of the object, which starts at byte 8; the padding follows */
    size_t data;       /* 8 + N: where the tensors start */
};

/* `path` and `wanted` ("a cnntrain model") are for messages. ERROR_MODEL, or ERROR_LIMIT without
 * memory. */
int safetensors_json(struct safetensors_json *out, const char *file, size_t size, const char *path,
                     const char *wanted, struct error *e);

/* Where `"key":` and the first byte of its value stand in the header, for messages; 8, the header's
 * start, when they are written in another way. */
size_t safetensors_json_offset(const struct safetensors_json *json, const char *file,
                               const char *key, char first);

#endif
