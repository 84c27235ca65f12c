/* output.c: see output.h. */
#include "view/output.h"

#include "base/retry.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

/* The folder that the file is in, opened; *name is what follows. -1 with ERROR_IO. */
static int open_folder(const char *path, const char **name, struct error *e)
{
    char folder[1024];
    const char *slash = strrchr(path, '/');
    const size_t length = slash == NULL ? 0 : slash == path ? 1 : (size_t)(slash - path);
    *name = slash != NULL ? slash + 1 : path;
    if (length >= sizeof folder) {
        errno = ENAMETOOLONG;
        return error_errno(e, ERROR_IO, path, "cannot write");
    }
    snprintf(folder, sizeof folder, "%.*s", (int)length, path);
    const int dir = RETRY(open(length > 0 ? folder : ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC));
    return dir >= 0 ? dir : error_errno(e, ERROR_IO, path, "cannot write");
}

int output_write(const char *path, const struct chunk *chunks, int count, struct error *e)
{
    const char *name;
    const int dir = open_folder(path, &name, e);
    if (dir < 0) {
        return -1;
    }
    const int status = file_replace(dir, name, path, chunks, count, e);
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
    const int dir = open_folder(path, &name, e);
    if (dir < 0) {
        return -1;
    }
    const int status = safetensors_write(dir, name, path, &metadata, 1, tensors, count, e);
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
