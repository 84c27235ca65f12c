/* memory.c: memory as Linux tells of it in /proc/self/status, else by getrusage. The latter will
 * do for most, but begins with what the process was before it became this program: started from a
 * large one it says what that had. */
#include "base/memory.h"

#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#define STATUS "/proc/self/status"

/* The number of KiB behind `name` ("\nVmRSS:") in a file of /proc, in bytes; 0 when there is none.
 */
static uint64_t number_of(const char *path, const char *name)
{
    char text[4096];
    size_t length = 0;
    const int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0) {
        return 0;
    }
    for (ssize_t got = 1; got > 0 && length < sizeof text - 1;
         length += (size_t)(got > 0 ? got : 0)) {
        got = read(fd, text + length, sizeof text - 1 - length);
    }
    close(fd);
    text[length] = '\0';
    const char *at = strstr(text, name);
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

uint64_t memory_available(void)
{
    const uint64_t available = number_of("/proc/meminfo", "\nMemAvailable:");
    const long pages = sysconf(_SC_PHYS_PAGES), page = sysconf(_SC_PAGESIZE);
    if (available > 0 || pages <= 0 || page <= 0) {
        return available;
    }
    return (uint64_t)pages * (uint64_t)page;
}
