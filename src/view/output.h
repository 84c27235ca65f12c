/* output.h: where a view goes: a picture, or the numbers behind it. */
#ifndef CNNTRAIN_VIEW_OUTPUT_H
#define CNNTRAIN_VIEW_OUTPUT_H

#include "base/file.h"
#include "base/safetensors.h"

/* Replace the file by the chunks, atomically. ERROR_IO. */
int output_write(const char *path, const struct chunk *chunks, int count, struct error *e);

/* Whether numbers are asked for: the name ends in .safetensors. */
int output_is_numbers(const char *path);
/* Tensors as a safetensors file that says what they are. ERROR_IO, ERROR_LIMIT, ERROR_NUMERIC. */
int output_numbers(const char *path, const char *kind, const struct tensor_entry *tensors,
                   int count, struct error *e);
/* A tensor of up to four sizes, the first that is 0 ends them. */
struct tensor_entry output_tensor(const char *name, const float *data, const size_t sizes[4]);

#endif
