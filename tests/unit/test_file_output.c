/* test_file_output.c: the output directory: made, locked, cleaned and probed. */
#include "file_check.h"

#include <signal.h>
#include <sys/wait.h>

static void opens_makes_and_locks_a_directory(void **state)
{
    const struct place *place = *state;
    const char *path = in(place, "runs/deep/lenet5");
    struct output_dir first, second;
    struct error e;
    char message[64];

    assert_int_equal(output_dir_open(&first, path, &e), 0);
    assert_string_equal(first.path, path);
    assert_int_equal(output_dir_check(&first, &e), 0);
    assert_int_equal(count_entries(path), 1); /* the lock: the probe is gone */

    assert_int_equal(output_dir_open(&second, path, &e), -1);
    assert_int_equal(e.kind, ERROR_BUSY);
    assert_string_equal(e.file, path);
    snprintf(message, sizeof message, "in use by process %ld", (long)getpid());
    assert_string_equal(e.message, message);
    assert_int_equal(second.fd, -1);
    assert_int_equal(second.lock, -1);
    output_dir_close(&second);

    output_dir_close(&first);
    assert_int_equal(count_entries(path), 0);
    assert_int_equal(output_dir_open(&first, in(place, "runs/deep/lenet5/"), &e), 0);
    output_dir_close(&first);
}

static void says_in_use_without_a_number(void **state)
{
    const struct place *place = *state;
    struct output_dir first, second;
    struct error e;

    assert_int_equal(output_dir_open(&first, in(place, "run"), &e), 0);
    assert_int_equal(ftruncate(first.lock, 0), 0);
    assert_int_equal(output_dir_open(&second, in(place, "run"), &e), -1);
    assert_string_equal(e.message, "in use by another process");
    output_dir_close(&first);
}

static void a_killed_process_gives_the_lock_back(void **state)
{
    const struct place *place = *state;
    const char *path = in(place, "run");
    struct output_dir dir;
    struct error e;
    char expected[64], byte;
    int ready[2], status;

    assert_int_equal(pipe(ready), 0);
    const pid_t child = fork();

    assert_true(child >= 0);
    if (child == 0) {
        if (output_dir_open(&dir, path, NULL) == 0 && write(ready[1], "r", 1) == 1) {
            pause();
        }
        _exit(1);
    }
    assert_int_equal(read(ready[0], &byte, 1), 1);
    assert_int_equal(output_dir_open(&dir, path, &e), -1);
    snprintf(expected, sizeof expected, "in use by process %ld", (long)child);
    assert_string_equal(e.message, expected);
    assert_int_equal(kill(child, SIGKILL), 0);
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_int_equal(output_dir_open(&dir, path, &e), 0);
    output_dir_close(&dir);
    close(ready[0]);
    close(ready[1]);
}

static void removes_stale_temporaries_only(void **state)
{
    static const char *const stale[] = {".model.bin.tmp.12.0", ".x.tmp.1.99", ".a.tmp.b.tmp.3.4"};
    static const char *const kept[] = {"model.bin", ".m.tmp.12.a", ".m.tmp.a.1", ".m.tmp.12.",
                                       ".m.tmp..1", "m.tmp.1.2",   ".m.tmp.1",   ".m.tmp.1.2x"};
    const struct place *place = *state;
    struct output_dir dir;
    struct error e;

    for (size_t i = 0; i < sizeof stale / sizeof stale[0]; i++) {
        put(place, stale[i], "x");
    }
    for (size_t i = 0; i < sizeof kept / sizeof kept[0]; i++) {
        put(place, kept[i], "x");
    }
    assert_int_equal(output_dir_open(&dir, place->path, &e), 0);
    assert_int_equal(dir.removed, 3);
    for (size_t i = 0; i < sizeof stale / sizeof stale[0]; i++) {
        assert_false(exists(place, stale[i]));
    }
    for (size_t i = 0; i < sizeof kept / sizeof kept[0]; i++) {
        assert_true(exists(place, kept[i]));
    }
    output_dir_close(&dir);
}

static void assert_not_opened(const char *path, const char *message)
{
    struct output_dir dir;
    struct error e;

    assert_int_equal(output_dir_open(&dir, path, &e), -1);
    assert_int_equal(e.kind, ERROR_IO);
    assert_string_equal(e.message, message);
    assert_int_equal(dir.fd, -1);
}

static void refuses_what_cannot_be_a_directory(void **state)
{
    const struct place *place = *state;
    char path[1100];

    put(place, "file", "x");
    assert_not_opened("", "cannot create: No such file or directory");
    assert_not_opened(in(place, "file"), "cannot open: Not a directory");
    assert_not_opened(in(place, "file/run"), "cannot create: Not a directory");
    memset(path, 'p', sizeof path);
    path[sizeof path - 1] = '\0';
    assert_not_opened(path, "cannot create: File name too long");
    assert_int_equal(symlinkat("file", place->fd, ".lock"), 0);
    assert_not_opened(place->path, "cannot write: Too many levels of symbolic links");
    assert_content(place, "file", "x");
}

static void the_probe_finds_a_directory_that_cannot_be_written(void **state)
{
    const struct place *place = *state;

    assert_int_equal(mkdirat(place->fd, ".probe", 0700), 0);
    assert_not_opened(place->path, "cannot replace: Is a directory");
    assert_false(exists(place, ".lock"));
}

static void notices_that_its_lock_is_gone(void **state)
{
    const struct place *place = *state;
    struct output_dir first, second;
    struct error e;

    assert_int_equal(output_dir_open(&first, place->path, &e), 0);
    assert_int_equal(unlinkat(place->fd, ".lock", 0), 0);
    assert_int_equal(output_dir_check(&first, &e), -1);
    assert_int_equal(e.kind, ERROR_BUSY);
    assert_int_equal(output_dir_open(&second, place->path, &e), 0);
    assert_int_equal(output_dir_check(&first, &e), -1);
    assert_int_equal(output_dir_check(&second, &e), 0);
    /* The first must not take the second's lock away. */
    output_dir_close(&first);
    assert_int_equal(output_dir_check(&second, &e), 0);
    output_dir_close(&second);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        IN_PLACE(opens_makes_and_locks_a_directory),
        IN_PLACE(says_in_use_without_a_number),
        IN_PLACE(a_killed_process_gives_the_lock_back),
        IN_PLACE(removes_stale_temporaries_only),
        IN_PLACE(refuses_what_cannot_be_a_directory),
        IN_PLACE(the_probe_finds_a_directory_that_cannot_be_written),
        IN_PLACE(notices_that_its_lock_is_gone),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
