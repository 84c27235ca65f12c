/* output.c: see output.h. */
#include "view/output.h"

#include <string.h>
#include <unistd.h>

int output_write(const char *path, const struct chunk *chunks, int count, struct error *e)
{
    const char *name;
    const int dir = file_open_folder(path, &name, e);
    if (dir < 0) {
        return -1;
    }
    const struct file_target target = {dir, name, path, NULL};
    const int status = file_replace(&target, chunks, count, e);
    close(dir);
    return status;
}

int output_is_numbers(const char *path)
{
    static const char end[] = ".safetensors";
    const size_t length = strlen(path), own = sizeof end - 1;
    return length > own && strcmp(path + length - own, end) == 0;
}

int output_numbers(const char *path, const char *kind, const struct tensor_entry *tensors,
                   int count, struct error *e)
{
    const char *name;
    const struct metadata_entry metadata = {"cnnview", kind};
    const int dir = file_open_folder(path, &name, e);
    if (dir < 0) {
        return -1;
    }
    const struct file_target target = {dir, name, path, NULL};
    const int status = safetensors_write(&target, &metadata, 1, tensors, count, e);
    close(dir);
    return status;
}

struct tensor_entry output_tensor(const char *name, const float *data, const size_t sizes[4])
{
    struct tensor_entry tensor = {.name = name, .data = data, .size = 1};
    for (; tensor.rank < 4 && sizes[tensor.rank] > 0; tensor.rank++) {
        tensor.shape[tensor.rank] = sizes[tensor.rank];
        tensor.size *= sizes[tensor.rank];
    }
    return tensor;
}
