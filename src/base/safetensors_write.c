/* safetensors_write.c: the content is checked, summed, put behind its header and handed to
 * file_replace in pieces that point at the caller's memory: the tensors are never copied.
 *
 * Whatever the reader would refuse is refused here, before a byte is written. A value that is not
 * finite comes from a training that diverged, a limit from a very large config; the rest can only
 * be a mistake of ours. */
#include "base/safetensors.h"

#include "base/arena.h"
#include "base/check.h"
#include "base/file.h"
#include "base/safetensors_header.h"
#include "base/text.h"

#include <string.h>

#define PIECE ((size_t)1 << 12) /* values */

static int check_metadata(const struct metadata_entry *metadata, int count, const char *path,
                          struct error *e)
{
    if (count > SAFETENSORS_METADATA) {
        return error_set(e, ERROR_LIMIT, path, "more than %d metadata entries",
                         SAFETENSORS_METADATA);
    }
    for (int i = 0; i < count; i++) {
        const char *key = metadata[i].key, *value = metadata[i].value;
        const size_t key_length = strlen(key), length = strlen(value);

        if (strcmp(key, SAFETENSORS_HEADER_CRC) == 0 ||
            strncmp(key, SAFETENSORS_CRC_PREFIX, strlen(SAFETENSORS_CRC_PREFIX)) == 0) {
            return error_set(e, ERROR_INTERNAL, path, "metadata '%s' belongs to the container",
                             key);
        }
        if (text_utf8_prefix(key, key_length) != key_length ||
            text_utf8_prefix(value, length) != length) {
            return error_set(e, ERROR_INTERNAL, path, "metadata '%.80s' is not valid UTF-8", key);
        }
        if (length > SAFETENSORS_VALUE_BYTES) {
            return error_set(e, ERROR_LIMIT, path, "metadata '%.80s' is longer than %d bytes", key,
                             SAFETENSORS_VALUE_BYTES);
        }
    }
    return 0;
}

static int check_tensor(const struct tensor_entry *tensor, const char *path, struct error *e)
{
    size_t elements;

    if (!safetensors_name_valid(tensor->name)) {
        return error_set(e, ERROR_INTERNAL, path, "bad tensor name '%.80s'", tensor->name);
    }
    if (tensor->rank < 0 || tensor->rank > SAFETENSORS_DIMENSIONS || tensor->size == 0 ||
        safetensors_shape_elements(tensor->shape, tensor->rank, &elements) != 0 ||
        elements != tensor->size) {
        return error_set(e, ERROR_INTERNAL, path, "shape and size of '%s' do not agree",
                         tensor->name);
    }
    return 0;
}

static int check_tensors(const struct tensor_entry *tensors, int count, const char *path,
                         struct error *e)
{
    size_t total = 0;

    if (count > SAFETENSORS_TENSORS) {
        return error_set(e, ERROR_LIMIT, path, "more than %d tensors", SAFETENSORS_TENSORS);
    }
    for (int i = 0; i < count; i++) {
        TRY(check_tensor(&tensors[i], path, e));
        if (check_add(total, tensors[i].size * sizeof(float), &total) != 0 ||
            total > SAFETENSORS_FILE_BYTES - SAFETENSORS_HEADER_BYTES - 8) {
            return error_set(e, ERROR_LIMIT, path, "the tensors need more than 8 GiB");
        }
    }
    return 0;
}

/* The CRC-32 of the values, all of which must be finite: in pieces that the first look leaves in
 * the cache for the second. */
static int sum_tensor(const struct tensor_entry *tensor, uint32_t *crc, const char *path,
                      struct error *e)
{
    *crc = 0;
    for (size_t done = 0; done < tensor->size; done += PIECE) {
        const size_t left = tensor->size - done, size = left < PIECE ? left : PIECE;
        const size_t bad = safetensors_first_not_finite(tensor->data + done, size);

        if (bad < size) {
            return error_set(e, ERROR_NUMERIC, path, "not written: value %zu of '%s' is not finite",
                             done + bad, tensor->name);
        }
        *crc = file_crc32(*crc, tensor->data + done, size * sizeof(float));
    }
    return 0;
}

static int write_chunks(const struct file_target *target, const struct text *header,
                        const struct tensor_entry *tensors, int count, struct chunk *chunks,
                        struct error *e)
{
    int n = 0;

    chunks[n++] = (struct chunk){header->data, header->length};
    for (int pass = 0; pass < 2; pass++) {
        for (int i = 0; i < count; i++) {
            if (safetensors_pass(&tensors[i]) == pass) {
                chunks[n++] = (struct chunk){tensors[i].data, tensors[i].size * sizeof(float)};
            }
        }
    }
    return file_replace(target, chunks, n, e);
}

int safetensors_write(const struct file_target *target, const struct metadata_entry *metadata,
                      int metadata_count, const struct tensor_entry *tensors, int tensor_count,
                      struct error *e)
{
    const char *path = target->path;

    TRY(check_metadata(metadata, metadata_count, path, e));
    TRY(check_tensors(tensors, tensor_count, path, e));

    struct arena arena = {0};
    struct text header = {0};
    int result = -1;
    const size_t chunks_size = ((size_t)tensor_count + 1) * sizeof(struct chunk);
    struct chunk *chunks = arena_alloc(&arena, chunks_size);
    uint32_t *crc = arena_alloc(&arena, ((size_t)tensor_count + 1) * sizeof *crc);

    if (chunks == NULL || crc == NULL) {
        error_memory(e, chunks_size);
        goto out;
    }
    for (int i = 0; i < tensor_count; i++) {
        if (sum_tensor(&tensors[i], &crc[i], path, e) != 0) {
            goto out;
        }
    }
    if (safetensors_header(&header, metadata, metadata_count, tensors, crc, tensor_count, e) != 0) {
        goto out;
    }
    if (header.length - 8 > SAFETENSORS_HEADER_BYTES) {
        error_set(e, ERROR_LIMIT, path, "the header would be larger than %zu bytes",
                  SAFETENSORS_HEADER_BYTES);
        goto out;
    }
    result = write_chunks(target, &header, tensors, tensor_count, chunks, e);
out:
    text_free(&header);
    arena_free(&arena);
    return result;
}
