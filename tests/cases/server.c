/* server.c: starts a command many times for the price of one.
 *
 * Loaded ahead of a command, it stops it right before main() and waits for requests: each is a
 * directory, the files for standard output and error, arguments and environment. A fork of the
 * stopped process then goes on into main() with them. The loader's and the sanitizers' own
 * beginning, which is nine tenths of what a short run takes, is thus done once. harness.py speaks
 * the other side: a request is a length (uint32) and strings that end in a zero byte. The reply is
 * the exit status as wait4 gives it, the processor time in microseconds, and KiB of memory. */
#include <dlfcn.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#define REQUESTS 198 // descriptors that harness.py gives to the server
#define REPLIES 199
#define MOST_STRINGS 512

typedef int main_function(int argc, char **argv, char **envp);
typedef int start_function(main_function *, int, char **, void (*)(void), void (*)(void),
                           void (*)(void), void *);

static main_function *real_main;
static char *request;

static int read_all(void *to, size_t size)
{
    for (size_t have = 0; have < size;) {
        ssize_t got = read(REQUESTS, (char *)to + have, size - have);
        if (got <= 0) {
            return -1;
        }
        have += (size_t)got;
    }
    return 0;
}

static void redirect(const char *path, int flags, int descriptor)
{
    int file = open(path, flags, 0644);
    if (file < 0 || dup2(file, descriptor) < 0) {
        _exit(126);
    }
    close(file);
}

// Go on into main() as the request says: directory, output, error, seconds, number of arguments,
// they, environment.
static int run(size_t size)
{
    static char *strings[MOST_STRINGS + 1];
    int count = 0;
    for (char *at = request; at < request + size && count < MOST_STRINGS; at += strlen(at) + 1) {
        strings[count++] = at;
    }
    int argc = atoi(strings[4]);
    static char *arguments[MOST_STRINGS + 1]; // with NULL behind the last
    memcpy(arguments, strings + 5, (size_t)argc * sizeof *arguments);
    environ = strings + 5 + argc;
    redirect("/dev/null", O_RDONLY, 0);
    redirect(strings[1], O_WRONLY | O_CREAT | O_TRUNC, 1);
    redirect(strings[2], O_WRONLY | O_CREAT | O_TRUNC, 2);
    close(REQUESTS);
    close(REPLIES);
    if (chdir(strings[0]) != 0) {
        _exit(126);
    }
    alarm((unsigned)atoi(strings[3]));
    return real_main(argc, arguments, environ);
}

static int serve(int argc, char **argv, char **envp)
{
    (void)argc, (void)argv, (void)envp;
    for (uint32_t size; read_all(&size, sizeof size) == 0;) {
        request = realloc(request, size + 1);
        if (request == NULL || read_all(request, size) != 0) {
            return 1;
        }
        request[size] = '\0';
        pid_t child = fork();
        if (child == 0) {
            return run(size);
        }
        int status = 0;
        struct rusage usage = {0};
        if (child < 0 || wait4(child, &status, 0, &usage) != child) {
            return 1;
        }
        int64_t time = (int64_t)(usage.ru_utime.tv_sec + usage.ru_stime.tv_sec) * 1000000 +
                       usage.ru_utime.tv_usec + usage.ru_stime.tv_usec;
        int64_t reply[3] = {status, time, usage.ru_maxrss};
        if (write(REPLIES, reply, sizeof reply) != sizeof reply) {
            return 1;
        }
    }
    return 0;
}

int __libc_start_main(main_function *, int, char **, void (*)(void), void (*)(void), void (*)(void),
                      void *);

// What the C library begins a program with.
int __libc_start_main(main_function *program, int argc, char **argv, void (*init)(void),
                      void (*fini)(void), void (*linker)(void), void *stack)
{
    start_function *start = NULL;
    *(void **)&start = dlsym(RTLD_NEXT, "__libc_start_main");
    real_main = program;
    return start(serve, argc, argv, init, fini, linker, stack);
}
