/* tensor_file.h: the tensors of any safetensors file, ours or not: weights to begin with that
 * another program may have written. Of a file of ours all is verified that safetensors_read
 * verifies; of a foreign one the rules of the format: sizes, JSON without duplicates, known types,
 * tensors that fill the data section without a hole or an overlap, metadata that are strings.
 * Limits as in base/safetensors.h; names may be any valid UTF-8 of 1 to 255 bytes. */
#ifndef CNNTRAIN_BASE_TENSOR_FILE_H
#define CNNTRAIN_BASE_TENSOR_FILE_H

#include "base/safetensors.h"

struct tensor_type;

struct stored_tensor {
    const char *name;
    const struct tensor_type *type;
    int rank;
    size_t shape[8];           /* a 0 in it is a tensor without data */
    size_t size;               /* elements */
    const unsigned char *data; /* where it stands in the file: not aligned */
    long long offset;          /* its byte in the file, for messages */
};

struct tensor_file {
    char path[1024];
    int count;
    const struct stored_tensor *tensors; /* in file order */
    struct safetensors ours;             /* owns the memory of a file of ours */
    struct arena arena;                  /* owns that of a foreign one */
    unsigned char *file;
};
/* ERROR_MODEL with a byte offset, ERROR_IO, ERROR_LIMIT; then nothing is left allocated. */
int tensor_file_read(struct tensor_file *file, const char *path, struct error *e);
void tensor_file_free(struct tensor_file *file);
/* NULL when there is none of that name. */
const struct stored_tensor *tensor_file_find(const struct tensor_file *file, const char *name);

/* "F32", "BF16", ... */
const char *tensor_type_name(const struct tensor_type *type);
/* Whether tensor_values takes it: F32, F16, BF16. */
int tensor_type_is_float(const struct tensor_type *type);
/* All elements as floats, exactly. ERROR_MODEL at the first that is not finite. */
int tensor_values(const struct tensor_file *file, const struct stored_tensor *tensor, float *out,
                  struct error *e);

#endif
