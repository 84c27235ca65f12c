/* file_replace.c: whole files out. A replacement goes through a temporary file in the same
 * directory: create .NAME.tmp.PID.N (new, no symbolic link) -> reserve the space -> write and then
 * what base/commit.h does: fsync -> close -> rename -> fsync of the directory. Up to the rename
 * every failure leaves the old file as it was. */
#include "base/file.h"

#include "base/check.h"
#include "base/commit.h"
#include "base/retry.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define WRITE_BYTES ((size_t)1 << 20)
#define TEMPORARY_NAMES 100 /* tried before giving up */

int file_write_all(int fd, const void *data, size_t size, const char *path, struct error *e)
{
    const unsigned char *at = data;

    while (size > 0) {
        const ssize_t n = RETRY(write(fd, at, size < WRITE_BYTES ? size : WRITE_BYTES));

        if (n <= 0) {
            errno = n == 0 ? EIO : errno;
            return error_errno(e, ERROR_IO, path, "cannot write");
        }
        at += n;
        size -= (size_t)n;
        if (size > 0) { /* the disk begins while the next piece is copied; not to be relied on */
            (void)sync_file_range(fd, 0, 0, SYNC_FILE_RANGE_WRITE);
        }
    }
    return 0;
}

/* A new file next to the target. */
static int open_temporary(struct commit *commit, const struct file_target *target, struct error *e)
{
    *commit = (struct commit){.dir = target->dir};
    snprintf(commit->path, sizeof commit->path, "%s", target->path);
    for (int n = 0; n < TEMPORARY_NAMES; n++) {
        if (snprintf(commit->temporary, COMMIT_NAME, ".%s.tmp.%ld.%d", target->name, (long)getpid(),
                     n) >= COMMIT_NAME) {
            errno = ENAMETOOLONG;
            break;
        }
        commit->fd = RETRY(openat(target->dir, commit->temporary,
                                  O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0666));
        if (commit->fd >= 0) {
            snprintf(commit->name, COMMIT_NAME, "%s", target->name);
            return 0;
        }
        if (errno != EEXIST) {
            break;
        }
    }
    return error_errno(e, ERROR_IO, target->path, "cannot write");
}

/* Under a umask that takes our own access away, what we write could not be read again. */
static int keep_access(int fd)
{
    struct stat status;

    if (fstat(fd, &status) != 0) {
        return -1;
    }
    const mode_t own = S_IRUSR | S_IWUSR;

    return (status.st_mode & own) == own ? 0 : fchmod(fd, (status.st_mode & 0777) | own);
}

/* A full disk is found out here, before a byte is written. */
static int reserve_space(int fd, size_t size)
{
    int status = 0;

    if (size == 0) {
        return 0;
    }
    if (size > INT64_MAX) {
        errno = EFBIG;
        return -1;
    }
    do {
        status = posix_fallocate(fd, 0, (off_t)size);
    } while (status == EINTR);
    if (status == 0 || status == EOPNOTSUPP || status == EINVAL) {
        return 0;
    }
    errno = status;
    return -1;
}

static int write_chunks(int fd, const struct chunk *chunks, int count, size_t total,
                        const char *path, struct error *e)
{
    if (keep_access(fd) != 0) {
        return error_errno(e, ERROR_IO, path, "cannot write");
    }
    if (reserve_space(fd, total) != 0) {
        const int number = errno;

        return error_set(e, ERROR_IO, path, "cannot write: %s (needed %zu bytes)", strerror(number),
                         total);
    }
    for (int i = 0; i < count; i++) {
        TRY(file_write_all(fd, chunks[i].data, chunks[i].size, path, e));
    }
    return 0;
}

int file_replace(const struct file_target *target, const struct chunk *chunks, int count,
                 struct error *e)
{
    struct commit commit;
    size_t total = 0;

    for (int i = 0; i < count; i++) {
        if (check_add(total, chunks[i].size, &total) != 0) {
            errno = EFBIG;
            return error_errno(e, ERROR_IO, target->path, "cannot write");
        }
    }
    TRY(open_temporary(&commit, target, e));
    if (write_chunks(commit.fd, chunks, count, total, target->path, e) != 0) {
        commit_discard(&commit);
        return -1;
    }
    return committer_add(target->committer, &commit, e);
}

int file_open_folder(const char *path, const char **name, struct error *e)
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
