/* safetensors.h: the container of model.bin and checkpoint.bin. Valid safetensors files in a strict
 * profile: the data begin at a multiple of 64 bytes, the header is pure ASCII, every tensor is F32
 * and has a CRC-32, and so has the header. Knows tensors and strings; what they mean is
 * train/model.h's affair.
 *
 *   bytes 0..7    N, little-endian: the header's length; 8 + N is a multiple of 64
 *   bytes 8..8+N  {"__metadata__":{...},
 *                  "name":{"dtype":"F32","shape":[..],"data_offsets":[begin,end]},...} and spaces
 *   then          the tensors, contiguous: first those of a multiple of 64 bytes, then the rest
 *
 * Metadata: what the caller gives, plus "crc32:<tensor>" and "header_crc32" (of bytes 0..8+N with
 * its own 8 digits as 0). Names of tensors: 1 to 255 printable ASCII characters, none of
 * them a space, quote, backslash or slash. Limits: header 16 MiB, 16384 tensors and as many
 * metadata entries, a value 1 MiB, a file 8 GiB. */
#ifndef CNNTRAIN_BASE_SAFETENSORS_H
#define CNNTRAIN_BASE_SAFETENSORS_H

#include "base/arena.h"
#include "base/error.h"
#include "base/file.h"

#include <stddef.h>

struct tensor_entry {
    const char *name;
    int rank;
    size_t shape[8];
    const float *data; /* writing: the caller's; reading: into the file's buffer */
    size_t size;       /* elements */
    long long offset;  /* reading: byte offset of the data in the file, for messages */
};
struct metadata_entry {
    const char *key, *value;
};

/* Write a file, atomically (base/file.h). Same content, same bytes:
 * metadata are sorted bytewise. A value that is not finite is refused with ERROR_NUMERIC ("not
 * written: value 17 of 'C1.weight' is not finite", counted from 0), anything over a limit with
 * ERROR_LIMIT, a wrong name or shape, or a string that is not UTF-8, with ERROR_INTERNAL; then
 * nothing is written. */
int safetensors_write(const struct file_target *target, const struct metadata_entry *metadata,
                      int metadata_count, const struct tensor_entry *tensors, int tensor_count,
                      struct error *e);

struct safetensors {
    char path[1024];
    int metadata_count, tensor_count;
    const struct metadata_entry *metadata; /* without the checksums; sorted */
    const struct tensor_entry *tensors;    /* in file order */
    struct arena arena;                    /* owns all of the above */
    unsigned char *file;                   /* owns the bytes */
};
/* Read and verify a file, everything checked before it is believed: sizes, JSON form (duplicates,
 * depth, types), profile, checksums, finiteness. ERROR_MODEL with a byte offset where there is one;
 * ERROR_IO when it cannot be read. `format_key` ("cnntrain.format"): the metadata key that must be
 * there, with the value "1", else the file is "not a cnntrain model"; other formats are recognised
 * by their first bytes and named. On failure nothing is left allocated. */
int safetensors_read(struct safetensors *st, const char *path, const char *format_key,
                     struct error *e);
void safetensors_free(struct safetensors *st);
const struct tensor_entry *safetensors_tensor(const struct safetensors *st, const char *name);
const char *safetensors_metadata(const struct safetensors *st, const char *key);

#endif
