/* file_beneath.c: opening files that others have named, never outside a given directory. Linux can
 * do that by itself (openat2, since 5.6); elsewhere each part of the path is opened by itself, and
 * symbolic links are refused altogether. */
#include "base/file.h"

#include "base/retry.h"

#include <fcntl.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#ifdef SYS_openat2
#include <linux/openat2.h>

static int open_at_once(int dir, const char *name, int flags)
{
    const struct open_how how = {.flags = (unsigned)(flags | O_CLOEXEC),
                                 .resolve = RESOLVE_BENEATH | RESOLVE_NO_MAGICLINKS};
    return (int)RETRY(syscall(SYS_openat2, dir, name, &how, sizeof how));
}
#else
static int open_at_once(int dir, const char *name, int flags)
{
    (void)dir;
    (void)name;
    (void)flags;
    errno = ENOSYS;
    return -1;
}
#endif

static int open_by_parts(int dir, const char *name, int flags)
{
    int at = dir;
    if (name[0] == '/') {
        errno = EXDEV;
        return -1;
    }
    for (;;) {
        char part[256];
        const size_t length = strcspn(name, "/");
        if (length >= sizeof part) {
            errno = ENAMETOOLONG;
            break;
        }
        memcpy(part, name, length);
        part[length] = '\0';
        name += length + strspn(name + length, "/");
        if (strcmp(part, "..") == 0) {
            errno = EXDEV;
            break;
        }
        const int how = name[0] == '\0' ? flags : O_RDONLY | O_DIRECTORY;
        const int next = RETRY(openat(at, part, how | O_NOFOLLOW | O_CLOEXEC));
        const int number = errno;
        if (at != dir) {
            close(at);
        }
        errno = number;
        if (next < 0 || name[0] == '\0') {
            return next;
        }
        at = next;
    }
    if (at != dir) {
        const int number = errno;
        close(at);
        errno = number;
    }
    return -1;
}

int file_open_beneath(int dir, const char *name, int flags)
{
    const int fd = open_at_once(dir, name, flags);
    /* Containers may forbid calls that they do not know. */
    if (fd < 0 && (errno == ENOSYS || errno == EPERM)) {
        return open_by_parts(dir, name, flags);
    }
    return fd;
}
