/* meddle.c: somebody who works on the files while a command reads them; for races.py. Preloaded
 * (LD_PRELOAD) into the command; the environment says what happens:
 *
 *   MEDDLE_FILE=END     to the file whose path ends so,
 *   MEDDLE_READ=N       just before the N-th read() of it, or
 *   MEDDLE_LIST=END     when the listing of the directory whose path ends so is over,
 *   MEDDLE_ACT=WHAT     truncate: it loses its second half; grow: it gets a byte more; touch: one
 * byte changes; unlink: it is gone; eio: the read fails with EIO MEDDLE_SHUFFLE=SEED every
 * directory is listed in an order of this number
 */
#define _GNU_SOURCE
#include <dirent.h>
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static const char *setting(const char *name) { return getenv(name) ? getenv(name) : ""; }

/* 1: the call that led here must fail. */
static int act(const char *path)
{
    const char *what = setting("MEDDLE_ACT");
    struct stat status;
    if (strcmp(what, "eio") == 0) {
        return 1;
    }
    if (strcmp(what, "unlink") == 0) {
        if (unlink(path) != 0) {
            abort();
        }
        return 0;
    }
    const int fd = open(path, O_RDWR);
    if (fd < 0 || fstat(fd, &status) != 0) {
        abort();
    }
    const off_t at = strcmp(what, "grow") == 0 ? status.st_size : status.st_size / 2;
    if (strcmp(what, "truncate") == 0 ? ftruncate(fd, at) != 0 : pwrite(fd, "\0", 1, at) != 1) {
        abort();
    }
    close(fd);
    return 0;
}

/* Whether the path of a descriptor, which goes to `path`, ends so. */
static int is_path_of(int fd, const char *end, char *path)
{
    char link[64], own[PATH_MAX];
    path = path ? path : own;
    snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
    const ssize_t length = readlink(link, path, PATH_MAX - 1), wanted = (ssize_t)strlen(end);
    path[length > 0 ? length : 0] = '\0';
    return length >= wanted && strcmp(path + length - wanted, end) == 0;
}

ssize_t read(int fd, void *data, size_t size)
{
    static ssize_t (*next)(int, void *, size_t);
    static int count;
    char path[PATH_MAX];
    const char *number = setting("MEDDLE_READ");
    if (next == NULL) {
        next = (ssize_t(*)(int, void *, size_t))dlsym(RTLD_NEXT, "read");
    }
    if (*number && is_path_of(fd, setting("MEDDLE_FILE"), path) &&
        ++count == (int)strtol(number, NULL, 10) && act(path)) {
        errno = EIO;
        return -1;
    }
    return next(fd, data, size);
}

/* All that is left of a listing, in another order. */
static struct shuffled {
    DIR *stream;
    struct dirent *entries;
    size_t count, at;
} lists[64];

static struct dirent *(*next_entry)(DIR *);

static void gather(struct shuffled *list, DIR *stream)
{
    unsigned long long random = strtoull(setting("MEDDLE_SHUFFLE"), NULL, 10) * 2 + 1;
    struct dirent *entry;
    *list = (struct shuffled){.stream = stream};
    while ((entry = next_entry(stream)) != NULL) {
        list->entries = realloc(list->entries, (list->count + 1) * sizeof *entry);
        list->entries[list->count++] = *entry;
    }
    for (size_t i = list->count; i > 1; i--) {
        random = random * 6364136223846793005ULL + 1442695040888963407ULL;
        const size_t k = (size_t)(random >> 33) % i;
        const struct dirent kept = list->entries[i - 1];
        list->entries[i - 1] = list->entries[k];
        list->entries[k] = kept;
    }
}

struct dirent *readdir(DIR *stream)
{
    static int listed;
    if (next_entry == NULL) {
        next_entry = (struct dirent * (*)(DIR *)) dlsym(RTLD_NEXT, "readdir");
    }
    if (*setting("MEDDLE_SHUFFLE")) {
        struct shuffled *free_one = NULL;
        for (size_t i = 0; i < sizeof lists / sizeof *lists; i++) {
            if (lists[i].stream == stream) {
                free_one = &lists[i];
                break;
            }
            free_one = free_one == NULL && lists[i].stream == NULL ? &lists[i] : free_one;
        }
        if (free_one == NULL) {
            abort();
        }
        if (free_one->stream != stream) {
            gather(free_one, stream);
        }
        if (free_one->at < free_one->count) {
            return &free_one->entries[free_one->at++];
        }
        free(free_one->entries);
        *free_one = (struct shuffled){0};
        errno = 0;
        return NULL;
    }
    struct dirent *entry = next_entry(stream);
    const int number = errno;
    if (entry == NULL && *setting("MEDDLE_LIST") && !listed &&
        is_path_of(dirfd(stream), setting("MEDDLE_LIST"), NULL)) {
        listed = 1;
        act(setting("MEDDLE_FILE"));
    }
    errno = number;
    return entry;
}
