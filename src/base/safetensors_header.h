/* safetensors_header.h: what the writer and the reader of the container must agree on; only they
 * include it. The writer builds a header with safetensors_header(); the reader builds it again from
 * what it understood and compares the bytes. So the reader takes exactly what the writer would have
 * written: no other order, spacing or escape, and no second file with the same meaning. */
#ifndef CNNTRAIN_BASE_SAFETENSORS_HEADER_H
#define CNNTRAIN_BASE_SAFETENSORS_HEADER_H

#include "base/error.h"
#include "base/safetensors.h"
#include "base/text.h"

#include <stddef.h>
#include <stdint.h>

_Static_assert(__BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__ && sizeof(float) == 4,
               "the container holds little-endian fp32, and so must memory");

enum {
    SAFETENSORS_ALIGNMENT = 64, /* of the data section */
    SAFETENSORS_DIMENSIONS = 8,
    SAFETENSORS_NAME_BYTES = 255,
    SAFETENSORS_TENSORS = 16384,
    SAFETENSORS_METADATA = 16384, /* entries, without the checksums */
    SAFETENSORS_VALUE_BYTES = 1 << 20
};
#define SAFETENSORS_HEADER_BYTES ((size_t)16 << 20)
#define SAFETENSORS_FILE_BYTES ((size_t)8 << 30)
#define SAFETENSORS_CRC_PREFIX "crc32:"
#define SAFETENSORS_HEADER_CRC "header_crc32"

/* 1 to 255 printable ASCII characters, none a space, quote, slash or backslash: a name needs no
 * escape in JSON and is no path. */
int safetensors_name_valid(const char *name);

/* The product of the shape in *elements; -1 when it, or its size in bytes, overflows. */
int safetensors_shape_elements(const size_t *shape, int rank, size_t *elements);

/* Where the tensor belongs: 0, with those that keep the next one aligned, or 1, behind them. */
int safetensors_pass(const struct tensor_entry *tensor);

/* Index of the first value that is NaN or infinite; `size` when all are finite. */
size_t safetensors_first_not_finite(const float *data, size_t size);

/* The eight digits of the header's checksum, or NULL. `size` is 8 + N. */
const char *safetensors_crc_digits(const char *header, size_t size);
/* The checksum itself: of the whole header with those digits as 0. */
uint32_t safetensors_header_crc(const char *header, size_t size, const char *digits);

/* Bytes 0..8+N of the file with this content. `crc[i]` belongs to tensors[i]; names are valid,
 * values UTF-8. The caller frees `out`, also after a failure (no memory, or one name twice). */
int safetensors_header(struct text *out, const struct metadata_entry *metadata, int metadata_count,
                       const struct tensor_entry *tensors, const uint32_t *crc, int tensor_count,
                       struct error *e);

#endif
