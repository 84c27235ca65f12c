/* file_beneath.c: opening files that others have named, never outside a given directory. Linux can
 * do that by itself (openat2, since 5.6); elsewhere each part of the path is opened by itself, what
 * a symbolic link says is put in its place, and ".." goes back to the folder that we came from. */
#include "base/file.h"

#include "base/retry.h"

#include <fcntl.h>
#include <limits.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#ifdef O_PATH
#define O_SEARCHED (O_PATH | O_DIRECTORY) /* only to go through: it need not be readable */
#else
#define O_SEARCHED (O_RDONLY | O_DIRECTORY)
#endif

enum { MOST_DEPTH = 64, MOST_LINKS = 40, GO_ON = -2 };

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

/* Where a walk along a path is, and what of the path is still to come. */
struct walk {
    int folders[MOST_DEPTH]; /* each opened from the one before; the first is the caller's */
    int depth, links;
    const char *rest; /* within path */
    char path[PATH_MAX];
};

static int fail(int number)
{
    errno = number;
    return -1;
}

/* `part`, which could not be opened as it is: when it is a link, what it says stands in its place,
 * before `behind`. 0; or -1 with errno, which stays as it is for what is no link. */
static int follow(struct walk *walk, const char *part, const char *behind)
{
    char target[PATH_MAX];
    const int number = errno;
    const ssize_t length =
        RETRY(readlinkat(walk->folders[walk->depth - 1], part, target, sizeof target));
    if (length < 0) {
        return fail(number);
    }
    if (++walk->links > MOST_LINKS) {
        return fail(ELOOP);
    }
    const size_t left = strlen(behind) + 1;
    if ((size_t)length + left > sizeof target) {
        return fail(ENAMETOOLONG);
    }
    memcpy(target + length, behind, left);
    memcpy(walk->path, target, (size_t)length + left);
    walk->rest = walk->path;
    return 0;
}

/* One part of the path: GO_ON when there is more, else the descriptor of the last one, or -1. */
static int take_part(struct walk *walk, int flags)
{
    char part[NAME_MAX + 1];
    const size_t length = strcspn(walk->rest, "/");
    const char *behind = walk->rest + length, *next = behind + strspn(behind, "/");
    if (length > NAME_MAX) {
        return fail(ENAMETOOLONG);
    }
    memcpy(part, walk->rest, length);
    part[length] = '\0';
    if (behind == walk->rest && next != behind) {
        return fail(EXDEV); /* from the root */
    }
    if (strcmp(part, "..") == 0) {
        if (walk->depth == 1) {
            return fail(EXDEV);
        }
        close(walk->folders[--walk->depth]);
        memcpy(part, ".", 2);
    }
    if (strcmp(part, ".") != 0 || *next == '\0') {
        const int how = *next == '\0' ? flags | (next != behind ? O_DIRECTORY : 0) : O_SEARCHED;
        const int fd =
            RETRY(openat(walk->folders[walk->depth - 1], part, how | O_NOFOLLOW | O_CLOEXEC));
        if (fd < 0) {
            /* a link is ELOOP, or ENOTDIR where only a folder will do */
            return (errno == ELOOP || errno == ENOTDIR) && follow(walk, part, behind) == 0 ? GO_ON
                                                                                           : -1;
        }
        if (*next == '\0') {
            return fd;
        }
        if (walk->depth == MOST_DEPTH) {
            close(fd);
            return fail(ENAMETOOLONG);
        }
        walk->folders[walk->depth++] = fd;
    }
    walk->rest = next;
    return GO_ON;
}

static int open_by_parts(int dir, const char *name, int flags)
{
    struct walk walk = {.folders = {dir}, .depth = 1};
    int fd = GO_ON;
    if (strlen(name) >= sizeof walk.path) {
        return fail(ENAMETOOLONG);
    }
    memcpy(walk.path, name, strlen(name) + 1);
    walk.rest = walk.path;
    while (fd == GO_ON) {
        fd = take_part(&walk, flags);
    }
    const int number = errno;
    while (walk.depth > 1) {
        close(walk.folders[--walk.depth]);
    }
    errno = number;
    return fd;
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
