/* memory.c: memory as Linux tells of it in /proc/self/status, else by getrusage. The latter will
 * do for most, but begins with what the process was before it became this program: started from a
 * large one it says what that had. A process in a control group, as in a container, has what the
 * group may have: who takes more is killed. */
#include "base/memory.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#define STATUS "/proc/self/status"

/* The whole of a small file of the system's, cut to `size`; 0 when there is none. */
static size_t read_text(const char *path, char *text, size_t size)
{
    size_t length = 0;
    const int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0) {
        return 0;
    }
    for (ssize_t got = 1; got > 0 && length < size - 1; length += (size_t)(got > 0 ? got : 0)) {
        got = read(fd, text + length, size - 1 - length);
    }
    close(fd);
    text[length] = '\0';
    return length;
}

/* The number of KiB behind `name` ("\nVmRSS:") in a file of /proc, in bytes; 0 when there is none.
 */
static uint64_t number_of(const char *path, const char *name)
{
    char text[4096];
    const char *at = read_text(path, text, sizeof text) > 0 ? strstr(text, name) : NULL;
    return at ? (uint64_t)strtoull(at + strlen(name), NULL, 10) << 10 : 0;
}

uint64_t memory_resident(void) { return number_of(STATUS, "\nVmRSS:"); }

uint64_t memory_peak(void)
{
    const uint64_t peak = number_of(STATUS, "\nVmHWM:");
    struct rusage usage;
    if (peak > 0 || getrusage(RUSAGE_SELF, &usage) != 0) {
        return peak;
    }
#ifdef __APPLE__
    return (uint64_t)usage.ru_maxrss;
#else
    return (uint64_t)usage.ru_maxrss << 10;
#endif
}

/* What the second version of control groups calls things, and the first. */
struct group_files {
    const char *folder, *limit, *usage, *cache;
};
static const struct group_files GROUP_FILES[] = {
    {"", "memory.max", "memory.current", "inactive_file "},
    {"/memory", "memory.limit_in_bytes", "memory.usage_in_bytes", "total_inactive_file "}};

/* The number in `name` of a group's folder, or behind `key` in it; `otherwise` when there is none
 * ("max" is none either). */
static uint64_t group_number(const char *folder, const char *name, const char *key,
                             uint64_t otherwise)
{
    char path[1100], text[4096];
    if (snprintf(path, sizeof path, "%s/%s", folder, name) >= (int)sizeof path ||
        read_text(path, text, sizeof text) == 0) {
        return otherwise;
    }
    const char *at = key == NULL ? text : strstr(text, key);
    at = at != NULL && key != NULL ? at + strlen(key) : at;
    return at != NULL && *at >= '0' && *at <= '9' ? (uint64_t)strtoull(at, NULL, 10) : otherwise;
}

/* The least of a group and all that it is in, up to where they are mounted. A container may see no
 * more than its own group, there, and a name of it that leads nowhere. */
static void look_up(char *folder, size_t mounted, const struct group_files *files,
                    struct memory_groups *least)
{
    for (;;) {
        const uint64_t limit = group_number(folder, files->limit, NULL, UINT64_MAX);
        if (limit != UINT64_MAX) {
            const uint64_t usage = group_number(folder, files->usage, NULL, 0),
                           cache = group_number(folder, "memory.stat", files->cache, 0),
                           taken = usage > cache ? usage - cache : 0,
                           room = limit > taken ? limit - taken : 0;
            least->limit = limit < least->limit ? limit : least->limit;
            least->room = room < least->room ? room : least->room;
        }
        char *slash = strrchr(folder, '/');
        if (slash == NULL || slash < folder + mounted) {
            return;
        }
        *slash = '\0';
    }
}

struct memory_groups memory_in_groups(const char *groups, const char *mounted)
{
    struct memory_groups least = {UINT64_MAX, UINT64_MAX};
    char text[4096], folder[1024];
    if (read_text(groups, text, sizeof text) == 0) {
        return least;
    }
    /* "0::/a/group" of the second version; "4:memory:/a/group" of the first */
    for (char *line = text, *next; *line != '\0'; line = next) {
        next = line + strcspn(line, "\n");
        next += *next == '\n' ? (*next = '\0', 1) : 0;
        const char *kind = strchr(line, ':'), *name = kind != NULL ? strchr(kind + 1, ':') : NULL;
        if (name == NULL) {
            continue;
        }
        const size_t length = (size_t)(name - kind - 1);
        const int first = length == 6 && memcmp(kind + 1, "memory", 6) == 0;
        const struct group_files *files = &GROUP_FILES[first];
        if ((first || length == 0) && snprintf(folder, sizeof folder, "%s%s%s", mounted,
                                               files->folder, name + 1) < (int)sizeof folder) {
            look_up(folder, strlen(mounted) + strlen(files->folder), files, &least);
        }
    }
    return least;
}

static struct memory_groups own_groups(void)
{
    return memory_in_groups("/proc/self/cgroup", "/sys/fs/cgroup");
}

static uint64_t physical(void)
{
    const long pages = sysconf(_SC_PHYS_PAGES), page = sysconf(_SC_PAGESIZE);
    return pages > 0 && page > 0 ? (uint64_t)pages * (uint64_t)page : 0;
}

/* The less of what the machine has (0: not known) and what the groups allow (UINT64_MAX: all). */
static uint64_t at_most(uint64_t has, uint64_t allowed)
{
    return has == 0 && allowed < UINT64_MAX ? allowed : has < allowed ? has : allowed;
}

uint64_t memory_available(void)
{
    const uint64_t available = number_of("/proc/meminfo", "\nMemAvailable:");
    return at_most(available > 0 ? available : physical(), own_groups().room);
}

uint64_t memory_total(void) { return at_most(physical(), own_groups().limit); }
