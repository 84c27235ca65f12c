/* damage.c: what a program that saves carelessly would do, preloaded (LD_PRELOAD) into one that
 * does not, to see that the tests of kills and power loss notice it. DAMAGE says which:
 *
 *   in-place        a file that is to be replaced is written in place: emptied and written under
 * its own name, instead of beside it and renamed no-file-sync    fsync of files does nothing
 *   no-log-sync     fdatasync does nothing
 *   no-dir-sync     fsync of directories does nothing */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

static int damage_is(const char *what)
{
    const char *chosen = getenv("DAMAGE");
    return chosen != NULL && strcmp(chosen, what) == 0;
}

/* ".NAME.tmp.PID.N" -> "NAME" */
static int final_name(const char *name, char *out, size_t size)
{
    const char *mark = name[0] == '.' ? strstr(name, ".tmp.") : NULL;
    if (mark == NULL || !damage_is("in-place")) {
        return 0;
    }
    snprintf(out, size, "%.*s", (int)(mark - name - 1), name + 1);
    return 1;
}

static int open_file(int dir, const char *name, int flags, mode_t mode)
{
    char own[256];
    if ((flags & O_CREAT) && final_name(name, own, sizeof own)) {
        return (int)syscall(SYS_openat, dir, own, (flags & ~O_EXCL) | O_TRUNC, mode);
    }
    return (int)syscall(SYS_openat, dir, name, flags, mode);
}

int openat(int dir, const char *name, int flags, ...)
{
    va_list arguments;
    va_start(arguments, flags);
    const mode_t mode = flags & O_CREAT ? va_arg(arguments, mode_t) : 0;
    va_end(arguments);
    return open_file(dir, name, flags, mode);
}

int openat64(int dir, const char *name, int flags, ...)
{
    va_list arguments;
    va_start(arguments, flags);
    const mode_t mode = flags & O_CREAT ? va_arg(arguments, mode_t) : 0;
    va_end(arguments);
    return open_file(dir, name, flags, mode);
}

int renameat(int from_dir, const char *from, int to_dir, const char *to)
{
    char own[256];
    return final_name(from, own, sizeof own)
               ? 0
               : (int)syscall(SYS_renameat, from_dir, from, to_dir, to);
}

/* In place the old bytes are gone when the file is opened; reserved space would only be zeros. */
int posix_fallocate(int fd, off_t offset, off_t size)
{
    if (damage_is("in-place")) {
        return 0;
    }
    return syscall(SYS_fallocate, fd, 0, offset, size) == 0 ? 0 : errno;
}

int fsync(int fd)
{
    struct stat status;
    if (fstat(fd, &status) == 0 && ((S_ISREG(status.st_mode) && damage_is("no-file-sync")) ||
                                    (S_ISDIR(status.st_mode) && damage_is("no-dir-sync")))) {
        return 0;
    }
    return (int)syscall(SYS_fsync, fd);
}

int fdatasync(int fd) { return damage_is("no-log-sync") ? 0 : (int)syscall(SYS_fdatasync, fd); }
