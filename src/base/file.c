/* file.c: whole files in.
 *
 * A read takes the size from fstat, reads exactly that much and looks again: a file that another
 * program is still writing is refused rather than half used. It is read, not mapped: a mapped file
 * can change after it was checked. */
#include "base/file.h"

#include "base/check.h"
#include "base/retry.h"
#include "base/text.h"

#include <errno.h>
#include <fcntl.h>
#include <libdeflate.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>
#include <zlib.h>

#define ALIGNMENT 64
#define HUGE_PAGE ((size_t)1 << 21)
#define READ_BYTES ((size_t)1 << 30) /* Linux moves at most 2 GiB at a time */

void bytes_free(struct bytes *bytes)
{
    free(bytes->data);
    *bytes = (struct bytes){0};
}

/* Without O_NONBLOCK opening a FIFO would wait for a writer. */
static int open_to_read(int dir, const char *name)
{
    return RETRY(openat(dir, name, O_RDONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC));
}

/* Up to `size` bytes, fewer only at the end of the file; -1 with errno. */
static ssize_t read_full(int fd, unsigned char *data, size_t size)
{
    size_t done = 0;

    while (done < size) {
        const size_t piece = size - done < READ_BYTES ? size - done : READ_BYTES;
        const ssize_t n = RETRY(read(fd, data + done, piece));

        if (n < 0) {
            return -1;
        }
        if (n == 0) {
            break;
        }
        done += (size_t)n;
    }
    return (ssize_t)done;
}

static int check_regular(const struct stat *status, const char *path, size_t limit,
                         enum error_kind kind, struct error *e)
{
    char most[32];

    if (S_ISDIR(status->st_mode)) {
        return error_set(e, ERROR_IO, path, "is a directory");
    }
    if (!S_ISREG(status->st_mode)) {
        return error_set(e, ERROR_IO, path, "not a regular file");
    }
    if (status->st_size < 0 || (unsigned long long)status->st_size > limit) {
        return error_set(e, kind, path, "larger than %s", text_from_bytes(most, limit));
    }
    return 0;
}

static int changed(const struct stat *before, const struct stat *after)
{
    return before->st_size != after->st_size || before->st_mtim.tv_sec != after->st_mtim.tv_sec ||
           before->st_mtim.tv_nsec != after->st_mtim.tv_nsec;
}

static void *allocate(size_t size)
{
    void *memory;
    const int large = size >= HUGE_PAGE;

    if (posix_memalign(&memory, large ? HUGE_PAGE : ALIGNMENT, size) != 0) {
        return NULL;
    }
    if (large) {
        madvise(memory, size, MADV_HUGEPAGE); /* a wish: fewer page faults */
    }
    return memory;
}

enum extent { WHOLE, ENDS };

/* `size` is one more than the file has: the end is where nothing is left to read. -1 with errno. */
static ssize_t read_extent(int fd, unsigned char *data, size_t size, enum extent extent)
{
    if (extent == WHOLE || size <= 2 * FILE_END) {
        return read_full(fd, data, size);
    }
    const size_t end = size - 1 - FILE_END;
    ssize_t n = read_full(fd, data, FILE_END);

    if (n != (ssize_t)FILE_END) {
        return n;
    }
    if (lseek(fd, (off_t)end, SEEK_SET) < 0) {
        return -1;
    }
    n = read_full(fd, data + end, FILE_END + 1);
    return n < 0 ? n : (ssize_t)end + n;
}

/* The bytes go to `room`, or with NULL to a block of their own. */
static int read_open(struct bytes *out, int fd, const char *path, size_t limit,
                     enum error_kind kind, enum extent extent, struct room *room, struct error *e)
{
    struct stat before, after;
    size_t size;

    if (fstat(fd, &before) != 0) {
        return error_errno(e, ERROR_IO, path, "cannot read");
    }
    TRY(check_regular(&before, path, limit, kind, e));
    /* One byte more than the file should have: for the terminator, and to see whether it has grown.
     */
    if (check_add((size_t)before.st_size, 1, &size) != 0) {
        return error_memory(e, SIZE_MAX);
    }
    out->data = room != NULL     ? room_take(room, size)
                : extent == ENDS ? calloc(size, 1)
                                 : allocate(size);
    if (out->data == NULL) {
        return error_memory(e, size);
    }
    out->size = (size_t)before.st_size;

    const ssize_t n = read_extent(fd, out->data, size, extent);

    if (n < 0 || fstat(fd, &after) != 0) {
        return error_errno(e, ERROR_IO, path, "cannot read");
    }
    if ((size_t)n != out->size || changed(&before, &after)) {
        return error_set(e, kind, path, "the file changed while it was read");
    }
    out->data[out->size] = 0;
    return 0;
}

static int read_path(struct bytes *out, int dir, const char *name, const char *path, size_t limit,
                     enum error_kind kind, enum extent extent, struct error *e)
{
    *out = (struct bytes){0};
    const int fd = open_to_read(dir, name);

    if (fd < 0) {
        return error_errno(e, ERROR_IO, path, "cannot open");
    }
    const int status = read_open(out, fd, path, limit, kind, extent, NULL, e);

    close(fd);
    if (status != 0) {
        bytes_free(out);
    }
    return status;
}

int file_read_at(struct bytes *out, int dir, const char *name, const char *path, size_t limit,
                 enum error_kind kind, struct error *e)
{
    return read_path(out, dir, name, path, limit, kind, WHOLE, e);
}

int file_read(struct bytes *out, const char *path, size_t limit, enum error_kind kind,
              struct error *e)
{
    return read_path(out, AT_FDCWD, path, path, limit, kind, WHOLE, e);
}

int file_read_ends(struct bytes *out, const char *path, size_t limit, enum error_kind kind,
                   struct error *e)
{
    return read_path(out, AT_FDCWD, path, path, limit, kind, ENDS, e);
}

int file_read_beneath(struct bytes *out, int dir, const char *name, const char *path, size_t limit,
                      enum error_kind kind, struct room *room, struct error *e)
{
    *out = (struct bytes){0};
    const int fd = file_open_beneath(dir, name, O_RDONLY | O_NONBLOCK | O_NOCTTY);

    if (fd < 0 && errno == EXDEV) {
        return error_set(e, kind, path, "leads out of the data set, by '..' or a symbolic link");
    }
    if (fd < 0) {
        return error_errno(e, kind, path, "cannot open");
    }
    const int status = read_open(out, fd, path, limit, kind, WHOLE, room, e);

    close(fd);
    if (status != 0) {
        *out = (struct bytes){0};
        if (e != NULL && e->kind == ERROR_IO) {
            e->kind = kind;
        }
    }
    return status;
}

size_t file_peek(const char *path, void *buffer, size_t size)
{
    struct stat status;
    const int fd = open_to_read(AT_FDCWD, path);
    ssize_t n = 0;

    if (fd < 0) {
        return 0;
    }
    if (fstat(fd, &status) == 0 && S_ISREG(status.st_mode)) {
        n = read_full(fd, buffer, size);
    }
    close(fd);
    return n > 0 ? (size_t)n : 0;
}

int file_is_folder(const char *path, struct error *e)
{
    struct stat status;

    if (stat(path, &status) != 0) {
        return errno == ENOENT || errno == ENAMETOOLONG
                   ? 0
                   : error_errno(e, ERROR_IO, path, "cannot open");
    }
    return S_ISDIR(status.st_mode);
}

uint32_t file_crc32(uint32_t crc, const void *data, size_t size)
{
    return size > 0 ? libdeflate_crc32(crc, data, size) : crc;
}

uint32_t file_crc32_combine(uint32_t first, uint32_t second, size_t size)
{
    return (uint32_t)crc32_combine(first, second, (z_off_t)size);
}
