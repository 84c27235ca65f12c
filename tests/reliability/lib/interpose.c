/* interpose.c: what stands between a command and the C library in the tests of faults. Preloaded
 * (LD_PRELOAD) into the program as it is shipped; the environment says what it does:
 *
 *   FAULTS_SERVER=IN,OUT  do not run main once, but once for each line read from descriptor IN, in
 *                         a process forked off just before main (so that thousands of runs cost as
 *                         many forks and no start-up); a line of answer to OUT. See serve().
 *   FAULTS_CLOCK=1        time stands still: two runs write the same bytes, times included
 *   FAULTS_CLOCK=back     the same, but that the clock of the wall goes back whenever it is asked
 *   FAULTS_KEEP=DIR       every file that is renamed into place is also copied to DIR/NAME.NUMBER
 *   FAULTS_BYTE=1         read and write, pread and pwrite move one byte at a time
 *   FAULTS_CALL=NAME:N    the N-th fsync, fdatasync or renameat of the process fails with EIO,
 *                         whichever thread makes it (strace counts those of each)
 *
 * Allocations are counted and failed by who calls: all of the program and of its libraries
 * (libyaml, jansson, zlib, libjpeg; the C library too, for strdup, opendir and the like), but not
 * those of libgomp and of the dynamic loader, which end the process themselves when they get no
 * memory ("libgomp: Out of memory"): what a program cannot survive it cannot be asked to. */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <link.h>
#include <malloc.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

extern void *__libc_malloc(size_t);
extern void *__libc_calloc(size_t, size_t);
extern void *__libc_realloc(void *, size_t);
extern void *__libc_memalign(size_t, size_t);
extern void __libc_free(void *);

/* ---- whose call it is ---- */

enum owner { OWNER_PROGRAM, OWNER_LIBC, OWNER_EXEMPT };
struct range {
    uintptr_t begin, end;
    enum owner owner;
};
static struct range ranges[16];
static int range_count;

static int add_ranges(struct dl_phdr_info *info, size_t size, void *user)
{
    const char *name = info->dlpi_name;
    const enum owner owner = strstr(name, "libgomp") || strstr(name, "ld-linux") ? OWNER_EXEMPT
                             : strstr(name, "libc.so")                           ? OWNER_LIBC
                                                                                 : OWNER_PROGRAM;
    (void)size;
    (void)user;
    for (int i = 0; owner != OWNER_PROGRAM && i < info->dlpi_phnum; i++) {
        const ElfW(Phdr) *segment = &info->dlpi_phdr[i];
        if (segment->p_type == PT_LOAD && (segment->p_flags & PF_X) && range_count < 16) {
            const uintptr_t begin = info->dlpi_addr + segment->p_vaddr;
            ranges[range_count++] = (struct range){begin, begin + segment->p_memsz, owner};
        }
    }
    return 0;
}

static enum owner owner_of(const void *caller)
{
    for (int i = 0; i < range_count; i++) {
        if ((uintptr_t)caller >= ranges[i].begin && (uintptr_t)caller < ranges[i].end) {
            return ranges[i].owner;
        }
    }
    return OWNER_PROGRAM;
}

/* ---- what fails, and what is in use ---- */

/* Between the run and the process that forked it. */
struct shared {
    long allocations, failed;
    int returned; /* main has */
    long live, live_libc, descriptors;
};
static struct shared *shared;
static int counting;
static long fail_at; /* the number of the allocation, from 1; 0: none */
static int for_ever;
static atomic_flag lock = ATOMIC_FLAG_INIT;

/* The blocks in use: open addressing, a freed entry keeps the mark 1. */
enum { SLOTS = 1 << 17 };
static struct {
    uintptr_t block;
    enum owner owner;
} slots[SLOTS];

static void acquire(void)
{
    while (atomic_flag_test_and_set_explicit(&lock, memory_order_acquire)) {
    }
}

static void release(void) { atomic_flag_clear_explicit(&lock, memory_order_release); }

static size_t slot_of(uintptr_t block) { return (block >> 4) * 0x9E3779B97F4A7C15u >> 47; }

static void *track(void *block, enum owner owner)
{
    if (block && counting && owner != OWNER_EXEMPT) {
        acquire();
        size_t at = slot_of((uintptr_t)block);
        while (slots[at].block > 1) {
            at = (at + 1) % SLOTS;
        }
        slots[at].block = (uintptr_t)block;
        slots[at].owner = owner;
        release();
    }
    return block;
}

static void forget(void *block)
{
    if (block && counting) {
        acquire();
        for (size_t at = slot_of((uintptr_t)block); slots[at].block; at = (at + 1) % SLOTS) {
            if (slots[at].block == (uintptr_t)block) {
                slots[at].block = 1;
                break;
            }
        }
        release();
    }
}

/* Whether this allocation is to fail. */
static int fails(enum owner owner)
{
    if (!counting || owner == OWNER_EXEMPT) {
        return 0;
    }
    const long number = __atomic_add_fetch(&shared->allocations, 1, __ATOMIC_RELAXED);
    if (fail_at == 0 || number < fail_at || (number > fail_at && !for_ever)) {
        return 0;
    }
    __atomic_add_fetch(&shared->failed, 1, __ATOMIC_RELAXED);
    errno = ENOMEM;
    return 1;
}

#define OWNER owner_of(__builtin_return_address(0))

void *malloc(size_t size)
{
    const enum owner owner = OWNER;
    return fails(owner) ? NULL : track(__libc_malloc(size), owner);
}

void *calloc(size_t count, size_t size)
{
    const enum owner owner = OWNER;
    return fails(owner) ? NULL : track(__libc_calloc(count, size), owner);
}

void *realloc(void *block, size_t size)
{
    const enum owner owner = OWNER;
    if (fails(owner)) {
        return NULL;
    }
    forget(block);
    return track(__libc_realloc(block, size), owner);
}

void *aligned_alloc(size_t alignment, size_t size)
{
    const enum owner owner = OWNER;
    return fails(owner) ? NULL : track(__libc_memalign(alignment, size), owner);
}

void *memalign(size_t alignment, size_t size)
{
    const enum owner owner = OWNER;
    return fails(owner) ? NULL : track(__libc_memalign(alignment, size), owner);
}

int posix_memalign(void **block, size_t alignment, size_t size)
{
    const enum owner owner = OWNER;
    if (fails(owner)) {
        return ENOMEM;
    }
    *block = track(__libc_memalign(alignment, size), owner);
    return *block ? 0 : ENOMEM;
}

void free(void *block)
{
    const int number = errno;
    forget(block);
    __libc_free(block);
    errno = number;
}

/* glibc's own calls of mmap (malloc, thread stacks) do not pass here. */
void *mmap(void *address, size_t length, int protection, int flags, int fd, off_t offset)
{
    if (fails(OWNER)) {
        return MAP_FAILED;
    }
    return (void *)syscall(SYS_mmap, address, length, protection, flags, fd, offset);
}

/* ---- the clock, the files ---- */

static int is_set(const char *name)
{
    const char *value = getenv(name);
    return value && *value && strcmp(value, "0") != 0;
}

static int stands_still, by_byte;

/* Seconds, by the clock of the wall; it is only asked where time stands still or goes back. */
static time_t wall(void)
{
    static time_t back = 1000000000;
    const char *how = getenv("FAULTS_CLOCK");
    struct timespec now;
    if (!stands_still) {
        syscall(SYS_clock_gettime, CLOCK_REALTIME, &now);
        return now.tv_sec;
    }
    return how && strcmp(how, "back") == 0 ? back -= 3600 : back;
}

int clock_gettime(clockid_t clock, struct timespec *now)
{
    if (!stands_still) {
        return (int)syscall(SYS_clock_gettime, clock, now);
    }
    *now = (struct timespec){.tv_sec = clock == CLOCK_REALTIME ? wall() : 1000000};
    return 0;
}

int gettimeofday(struct timeval *now, void *zone)
{
    (void)zone;
    *now = (struct timeval){.tv_sec = wall()};
    return 0;
}

time_t time(time_t *now)
{
    const time_t seconds = wall();
    if (now) {
        *now = seconds;
    }
    return seconds;
}

ssize_t read(int fd, void *to, size_t size)
{
    return syscall(SYS_read, fd, to, by_byte && size > 1 ? 1 : size);
}

ssize_t write(int fd, const void *from, size_t size)
{
    return syscall(SYS_write, fd, from, by_byte && size > 1 ? 1 : size);
}

ssize_t pread(int fd, void *to, size_t size, off_t at)
{
    return syscall(SYS_pread64, fd, to, by_byte && size > 1 ? 1 : size, at);
}

ssize_t pwrite(int fd, const void *from, size_t size, off_t at)
{
    return syscall(SYS_pwrite64, fd, from, by_byte && size > 1 ? 1 : size, at);
}

static int copy(int from, int to)
{
    char piece[4096];
    ssize_t size;
    while ((size = syscall(SYS_read, from, piece, sizeof piece)) > 0) {
        if (syscall(SYS_write, to, piece, size) != size) {
            return -1;
        }
    }
    return size < 0 ? -1 : 0;
}

static void keep(int dir, const char *name)
{
    static int number;
    const char *where = getenv("FAULTS_KEEP");
    char path[4096];
    if (where) {
        snprintf(path, sizeof path, "%s/%s.%03d", where, name, number++);
        const int from = openat(dir, name, O_RDONLY),
                  to = open(path, O_WRONLY | O_CREAT | O_EXCL, 0666);
        if (from < 0 || to < 0 || copy(from, to) != 0) {
            perror(path);
        }
        close(from);
        close(to);
    }
}

/* Whether this is the call that fails. */
static int call_fails(const char *name)
{
    static atomic_long made;
    const char *chosen = getenv("FAULTS_CALL");
    const size_t length = strlen(name);
    if (!chosen || strncmp(chosen, name, length) != 0 || chosen[length] != ':' ||
        ++made != atol(chosen + length + 1)) {
        return 0;
    }
    errno = EIO;
    return 1;
}

int fsync(int fd) { return call_fails("fsync") ? -1 : (int)syscall(SYS_fsync, fd); }

int fdatasync(int fd) { return call_fails("fdatasync") ? -1 : (int)syscall(SYS_fdatasync, fd); }

int renameat(int from, const char *old, int to, const char *new)
{
    if (call_fails("renameat")) {
        return -1;
    }
    const int status = (int)syscall(SYS_renameat, from, old, to, new);
    if (status == 0) {
        keep(to, new);
    }
    return status;
}

/* ---- runs ---- */

static int (*real_main)(int, char **, char **);

static long count_descriptors(void)
{
    long count = 0;
    for (int fd = 3; fd < 64; fd++) {
        count += fcntl(fd, F_GETFD) != -1;
    }
    return count;
}

static void count_live(void)
{
    counting = 0;
    for (size_t at = 0; at < SLOTS; at++) {
        shared->live += slots[at].block > 1 && slots[at].owner == OWNER_PROGRAM;
        shared->live_libc += slots[at].block > 1 && slots[at].owner == OWNER_LIBC;
    }
}

static int redirect(const char *directory, const char *extension, int fd)
{
    char path[4096];
    snprintf(path, sizeof path, "%s.%s", directory, extension);
    const int file = open(path, O_WRONLY | O_CREAT | O_TRUNC, 0666);
    return file >= 0 && dup2(file, fd) == fd && close(file) == 0 ? 0 : -1;
}

/* One run in `directory`; what it prints goes to files beside that. */
static int run(const char *directory, int argc, char **argv, char **environment)
{
    if (chdir(directory) != 0 || redirect(directory, "out", 1) != 0 ||
        redirect(directory, "err", 2) != 0) {
        return 125;
    }
    const long before = count_descriptors();
    /* What goes round and round dies of SIGPROF. Not by the clock: others use this machine too. */
    setitimer(ITIMER_PROF, &(struct itimerval){.it_value = {.tv_sec = 20}}, NULL);
    counting = 1;
    const int code = real_main(argc, argv, environment);
    count_live();
    shared->descriptors = count_descriptors() - before;
    shared->returned = 1;
    return code;
}

/* Lines "K once|ever DIRECTORY": run there with allocation K, or all from K on, failing (0: none).
 * Answers "STATUS RETURNED ALLOCATIONS FAILED LIVE LIVE-OF-LIBC DESCRIPTORS", STATUS as wait's. */
static int serve(int in, int out, int argc, char **argv, char **environment)
{
    FILE *lines = fdopen(in, "r");
    char how[8], directory[4000];
    while (fscanf(lines, "%ld %7s %3999s", &fail_at, how, directory) == 3) {
        int status = 0;
        for_ever = strcmp(how, "ever") == 0;
        memset(shared, 0, sizeof *shared);
        const pid_t child = fork();
        if (child == 0) {
            close(out);
            exit(run(directory, argc, argv, environment));
        }
        if (child < 0 || waitpid(child, &status, 0) != child) {
            return 125;
        }
        dprintf(out, "%d %d %ld %ld %ld %ld %ld\n", status, shared->returned, shared->allocations,
                shared->failed, shared->live, shared->live_libc, shared->descriptors);
    }
    return 0;
}

static int main_between(int argc, char **argv, char **environment)
{
    const char *server = getenv("FAULTS_SERVER");
    int in, out;
    dl_iterate_phdr(add_ranges, NULL);
    stands_still = is_set("FAULTS_CLOCK");
    by_byte = is_set("FAULTS_BYTE");
    shared = (void *)syscall(SYS_mmap, NULL, sizeof *shared, PROT_READ | PROT_WRITE,
                             MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    if (!server || sscanf(server, "%d,%d", &in, &out) != 2) {
        return real_main(argc, argv, environment);
    }
    return serve(in, out, argc, argv, environment);
}

int __libc_start_main(int (*main)(int, char **, char **), int argc, char **argv, void (*init)(void),
                      void (*fini)(void), void (*rtld_fini)(void), void *stack_end)
{
    int (*start)(int (*)(int, char **, char **), int, char **, void (*)(void), void (*)(void),
                 void (*)(void), void *);
    *(void **)&start = dlsym(RTLD_NEXT, "__libc_start_main");
    real_main = main;
    return start(main_between, argc, argv, init, fini, rtld_fini, stack_end);
}
