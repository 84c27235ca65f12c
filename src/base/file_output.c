/* file_output.c: the output directory of a run. It belongs to one process at a time: flock on
 * .lock, which the kernel gives back even after kill -9. Whoever holds the lock may remove what a
 * killed predecessor left behind, and tries at once whether the directory can be written at all:
 * better now than after an epoch. */
#include "base/file.h"
#include "base/retry.h"

#include <dirent.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

static const char LOCK[] = ".lock";
static const char PROBE[] = ".probe";

/* Make the new entry `path` of its parent directory outlast a loss of power. Not where the parent
 * may not be read, nor on file systems that cannot sync a directory and say EINVAL. */
static int sync_parent(const char *path)
{
    char parent[sizeof((struct output_dir *)0)->path];
    const char *slash = strrchr(path, '/');
    const size_t length = slash != NULL ? (size_t)(slash - path) : 0;

    memcpy(parent, path, length);
    parent[length] = '\0';
    const int fd = RETRY(open(length > 0      ? parent
                              : slash != NULL ? "/"
                                              : ".",
                              O_RDONLY | O_DIRECTORY | O_CLOEXEC));

    if (fd < 0) {
        return errno == EACCES ? 0 : -1;
    }
    const int failed = RETRY(fsync(fd)) != 0 && errno != EINVAL;
    const int number = errno;

    close(fd);
    errno = number;
    return failed ? -1 : 0;
}

/* Under a umask that takes our own access away, nothing could be made in it. */
static int make_directory(const char *path)
{
    struct stat status;

    if (RETRY(mkdir(path, 0777)) != 0) {
        return -1;
    }
    return stat(path, &status) == 0 && (status.st_mode & S_IRWXU) != S_IRWXU
               ? chmod(path, (status.st_mode & 07777) | S_IRWXU)
               : 0;
}

/* `path` and its parents. What is there already is looked at by whoever opens it. */
static int make_directories(char *path)
{
    for (char *slash = strchr(path + 1, '/');; slash = strchr(slash + 1, '/')) {
        if (slash != NULL) {
            *slash = '\0';
        }
        int status = make_directory(path);

        if (status == 0) {
            status = sync_parent(path);
        }
        if (slash != NULL) {
            *slash = '/';
        }
        if (status != 0 && errno != EEXIST) {
            return -1;
        }
        if (slash == NULL) {
            return 0;
        }
    }
}

static int open_directory(struct output_dir *dir, const char *path, struct error *e)
{
    const size_t length = strlen(path);

    if (length == 0 || length >= sizeof dir->path) {
        errno = length == 0 ? ENOENT : ENAMETOOLONG;
        return error_errno(e, ERROR_IO, path, "cannot create");
    }
    memcpy(dir->path, path, length + 1);
    if (make_directories(dir->path) != 0) {
        return error_errno(e, ERROR_IO, path, "cannot create");
    }
    dir->fd = RETRY(open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC));
    return dir->fd >= 0 ? 0 : error_errno(e, ERROR_IO, path, "cannot open");
}

/* Does .lock still name the file that we hold? A run that ends takes it away. -1 with errno when
 * that cannot be told. */
static int is_current(const struct output_dir *dir)
{
    struct stat held, named;

    if (fstat(dir->lock, &held) != 0) {
        return -1;
    }
    if (fstatat(dir->fd, LOCK, &named, AT_SYMLINK_NOFOLLOW) != 0) {
        return errno == ENOENT ? 0 : -1;
    }
    return held.st_ino == named.st_ino && held.st_dev == named.st_dev;
}

static int report_busy(const struct output_dir *dir, struct error *e)
{
    char text[32] = "";
    const ssize_t n = RETRY(pread(dir->lock, text, sizeof text - 1, 0));
    const long pid = n > 0 ? strtol(text, NULL, 10) : 0;

    if (pid > 0) {
        return error_set(e, ERROR_BUSY, dir->path, "in use by process %ld", pid);
    }
    return error_set(e, ERROR_BUSY, dir->path, "in use by another process");
}

static int lock_directory(struct output_dir *dir, struct error *e)
{
    char pid[32];

    for (;;) {
        dir->lock = RETRY(
            openat(dir->fd, LOCK, O_RDWR | O_CREAT | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC, 0666));
        if (dir->lock < 0) {
            return error_errno(e, ERROR_IO, dir->path, "cannot write");
        }
        if (RETRY(flock(dir->lock, LOCK_EX | LOCK_NB)) != 0) {
            return errno == EWOULDBLOCK ? report_busy(dir, e)
                                        : error_errno(e, ERROR_IO, dir->path, "cannot lock");
        }
        const int current = is_current(dir);

        if (current < 0) {
            return error_errno(e, ERROR_IO, dir->path, "cannot lock");
        }
        if (current) {
            break;
        }
        /* The run before us ended between our open and our lock: what we hold has no name any more.
         */
        close(dir->lock);
    }
    const int length = snprintf(pid, sizeof pid, "%ld\n", (long)getpid());

    int status = 0;

    if (RETRY(ftruncate(dir->lock, 0)) != 0) {
        status = error_errno(e, ERROR_IO, dir->path, "cannot write");
    } else {
        status = file_write_all(dir->lock, pid, (size_t)length, dir->path, e);
    }
    if (status != 0) {
        RETRY(unlinkat(dir->fd, LOCK, 0)); /* ours, and nobody is told of it */
    }
    return status;
}

static size_t before_digits(const char *s, size_t end)
{
    while (end > 0 && s[end - 1] >= '0' && s[end - 1] <= '9') {
        end--;
    }
    return end;
}

/* .NAME.tmp.PID.N, as file_replace makes them; read from the end, for NAME may be anything. */
static int is_temporary(const char *name)
{
    static const char mark[] = ".tmp.";
    const size_t length = strlen(name);
    const size_t n = before_digits(name, length);

    if (name[0] != '.' || n == length || n == 0 || name[n - 1] != '.') {
        return 0;
    }
    const size_t pid = before_digits(name, n - 1);
    const size_t mark_length = strlen(mark);

    return pid < n - 1 && pid > mark_length + 1 &&
           memcmp(name + pid - mark_length, mark, mark_length) == 0;
}

static int remove_stale(struct output_dir *dir, struct error *e)
{
    const int fd = RETRY(openat(dir->fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC));
    DIR *list = fd >= 0 ? fdopendir(fd) : NULL;

    if (list == NULL) {
        error_errno(e, ERROR_IO, dir->path, "cannot list");
        if (fd >= 0) {
            close(fd);
        }
        return -1;
    }
    for (const struct dirent *entry = readdir(list); entry != NULL; entry = readdir(list)) {
        if (is_temporary(entry->d_name) && RETRY(unlinkat(dir->fd, entry->d_name, 0)) == 0) {
            dir->removed++;
        }
    }
    closedir(list);
    return 0;
}

static int probe(const struct output_dir *dir, struct error *e)
{
    const struct file_target target = {dir->fd, PROBE, dir->path, NULL};
    const struct chunk chunk = {PROBE, sizeof PROBE};

    if (file_replace(&target, &chunk, 1, e) != 0) {
        RETRY(unlinkat(dir->fd, PROBE, 0)); /* it may be there and not be durable */
        return -1;
    }
    if (RETRY(unlinkat(dir->fd, PROBE, 0)) != 0) {
        return error_errno(e, ERROR_IO, dir->path, "cannot remove a file");
    }
    return 0;
}

static void close_both(struct output_dir *dir)
{
    if (dir->lock >= 0) {
        close(dir->lock);
    }
    if (dir->fd >= 0) {
        close(dir->fd);
    }
    dir->fd = dir->lock = -1;
}

int output_dir_open(struct output_dir *dir, const char *path, struct error *e)
{
    *dir = (struct output_dir){.fd = -1, .lock = -1};
    if (open_directory(dir, path, e) != 0 || lock_directory(dir, e) != 0) {
        close_both(dir);
        return -1;
    }
    if (remove_stale(dir, e) != 0 || probe(dir, e) != 0) {
        output_dir_close(dir);
        return -1;
    }
    return 0;
}

int output_dir_check(const struct output_dir *dir, struct error *e)
{
    const int current = is_current(dir);

    if (current < 0) {
        return error_errno(e, ERROR_IO, dir->path, "cannot read the lock");
    }
    if (current) {
        return 0;
    }
    struct stat status;

    if (fstat(dir->fd, &status) == 0 && status.st_nlink == 0) {
        return error_set(e, ERROR_IO, dir->path, "has been removed");
    }
    return error_set(e, ERROR_BUSY, dir->path,
                     "the lock file is gone: another process may use the directory");
}

void output_dir_close(struct output_dir *dir)
{
    if (dir->fd >= 0 && dir->lock >= 0 && is_current(dir) > 0) {
        RETRY(unlinkat(dir->fd, LOCK, 0));
    }
    close_both(dir);
}
