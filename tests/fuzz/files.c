/* files.c: see fuzz.h: the files that a target sees, all in memory, each copied for its reader into
 * memory of just its size, so that the sanitizer sees a read behind its end. */
#include "fuzz/fuzz.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

int __wrap_file_read(struct bytes *out, const char *path, size_t limit, enum error_kind kind,
                     struct error *e);
int __wrap_file_read_ends(struct bytes *out, const char *path, size_t limit, enum error_kind kind,
                          struct error *e);
size_t __wrap_file_peek(const char *path, void *buffer, size_t size);
int __wrap_file_replace(const struct file_target *target, const struct chunk *chunks, int count,
                        struct error *e);

enum { MOST_FILES = 4 };
static struct {
    const char *path;
    const void *data;
    size_t size;
} files[MOST_FILES];
static int file_count;
static struct bytes written;

void fuzz_file(const char *path, const void *data, size_t size)
{
    CHECK(file_count < MOST_FILES);
    files[file_count].path = path;
    files[file_count].data = data;
    files[file_count++].size = size;
}

void fuzz_no_files(void)
{
    file_count = 0;
    bytes_free(&written);
}

const struct bytes *fuzz_written(void) { return written.data != NULL ? &written : NULL; }

static int find(const char *path)
{
    int i = file_count - 1;
    while (i >= 0 && strcmp(files[i].path, path) != 0) {
        i--;
    }
    return i;
}

static unsigned char *allocate(size_t size)
{
    void *data = NULL;
    CHECK(posix_memalign(&data, 64, size + 1) == 0);
    ((unsigned char *)data)[size] = 0;
    return data;
}

int __wrap_file_read(struct bytes *out, const char *path, size_t limit, enum error_kind kind,
                     struct error *e)
{
    const int i = find(path);
    *out = (struct bytes){0};
    if (i < 0) {
        errno = ENOENT;
        return error_errno(e, ERROR_IO, path, "cannot open");
    }
    if (files[i].size > limit) {
        return error_set(e, kind, path, "larger than the limit of %zu bytes", limit);
    }
    *out = (struct bytes){allocate(files[i].size), files[i].size};
    if (files[i].size > 0) {
        memcpy(out->data, files[i].data, files[i].size);
    }
    return 0;
}

int __wrap_file_read_ends(struct bytes *out, const char *path, size_t limit, enum error_kind kind,
                          struct error *e)
{
    const int status = __wrap_file_read(out, path, limit, kind, e);
    if (status == 0 && out->size > 2 * FILE_END) {
        memset(out->data + FILE_END, 0, out->size - 2 * FILE_END);
    }
    return status;
}

size_t __wrap_file_peek(const char *path, void *buffer, size_t size)
{
    const int i = find(path);
    const size_t there = i < 0 ? 0 : files[i].size < size ? files[i].size : size;
    if (there > 0) {
        memcpy(buffer, files[i].data, there);
    }
    return there;
}

int __wrap_file_replace(const struct file_target *target, const struct chunk *chunks, int count,
                        struct error *e)
{
    (void)target, (void)e;
    size_t size = 0;
    for (int i = 0; i < count; i++) {
        size += chunks[i].size;
    }
    bytes_free(&written);
    written = (struct bytes){allocate(size), size};
    size = 0;
    for (int i = 0; i < count; i++) {
        if (chunks[i].size > 0) {
            memcpy(written.data + size, chunks[i].data, chunks[i].size);
        }
        size += chunks[i].size;
    }
    return 0;
}
