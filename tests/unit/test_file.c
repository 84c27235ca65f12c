/* test_file.c: whole files in and out, and every way in which that fails. */
#include "file_check.h"

#include <signal.h>
#include <sys/resource.h>

/* Reading */

static void reads_a_whole_file(void **state)
{
    const struct place *place = *state;
    struct bytes bytes;
    struct error e;

    put(place, "a", "hello");
    assert_int_equal(file_read(&bytes, in(place, "a"), 5, ERROR_CONFIG, &e), 0);
    assert_int_equal(bytes.size, 5);
    assert_string_equal((const char *)bytes.data, "hello");
    assert_int_equal((uintptr_t)bytes.data % 64, 0);
    bytes_free(&bytes);
    assert_null(bytes.data);

    assert_int_equal(file_read_at(&bytes, place->fd, "a", "shown", 5, ERROR_CONFIG, &e), 0);
    bytes_free(&bytes);

    put(place, "empty", "");
    assert_int_equal(file_read(&bytes, in(place, "empty"), 0, ERROR_CONFIG, &e), 0);
    assert_int_equal(bytes.size, 0);
    assert_int_equal(bytes.data[0], 0);
    bytes_free(&bytes);
}

static void assert_unreadable(const char *path, size_t limit, enum error_kind kind,
                              const char *message)
{
    struct bytes bytes;
    struct error e;

    assert_int_equal(file_read(&bytes, path, limit, ERROR_MODEL, &e), -1);
    assert_int_equal(e.kind, kind);
    assert_string_equal(e.file, path);
    assert_string_equal(e.message, message);
    assert_null(bytes.data);
}

static void refuses_what_it_cannot_read_whole(void **state)
{
    const struct place *place = *state;

    put(place, "six", "123456");
    assert_int_equal(mkfifo(in(place, "fifo"), 0600), 0);
    assert_unreadable(in(place, "none"), 10, ERROR_IO, "cannot open: No such file or directory");
    assert_unreadable("", 10, ERROR_IO, "cannot open: No such file or directory");
    assert_unreadable(in(place, "six"), 5, ERROR_MODEL, "larger than 5 bytes");
    assert_unreadable(place->path, 1 << 20, ERROR_IO, "is a directory");
    assert_unreadable("/dev/null", 10, ERROR_IO, "not a regular file");
    /* Would block for ever if it were opened to wait. */
    assert_unreadable(in(place, "fifo"), 10, ERROR_IO, "not a regular file");
    /* The kernel says 0 bytes and gives more: as a file that grows. */
    assert_unreadable("/proc/self/status", 10, ERROR_MODEL, "the file changed while it was read");
}

static void assert_ends(const struct place *place, size_t size)
{
    struct bytes whole, ends;
    struct error e;
    char *text = malloc(size + 1);

    memset(text, 'm', size);
    text[size] = 0;
    for (size_t i = 0; i < size; i += 1000) {
        text[i] = (char)('a' + i / 1000 % 26);
    }
    put(place, "large", text);
    free(text);
    assert_int_equal(file_read(&whole, in(place, "large"), size, ERROR_DATA, &e), 0);
    assert_int_equal(file_read_ends(&ends, in(place, "large"), size, ERROR_DATA, &e), 0);
    assert_int_equal(ends.size, size);
    assert_memory_equal(ends.data, whole.data, size < FILE_END ? size : FILE_END);
    const size_t end = size < FILE_END ? 0 : size - FILE_END;
    assert_memory_equal(ends.data + end, whole.data + end, size - end + 1);
    for (size_t i = FILE_END; i < end; i++) {
        assert_int_equal(ends.data[i], 0);
    }
    bytes_free(&whole);
    bytes_free(&ends);
}

static void reads_the_ends_of_a_large_file(void **state)
{
    const struct place *place = *state;
    struct bytes bytes;
    struct error e;

    assert_ends(place, 10);
    assert_ends(place, 2 * FILE_END - 1);
    assert_ends(place, 2 * FILE_END);
    assert_ends(place, 2 * FILE_END + 1);
    assert_ends(place, 3 * FILE_END + 12345);
    assert_int_equal(file_read_ends(&bytes, in(place, "large"), 3 * FILE_END, ERROR_DATA, &e), -1);
    assert_string_equal(e.message, "larger than 768 KiB");
    assert_null(bytes.data);
}

static void peeks_at_the_start(void **state)
{
    const struct place *place = *state;
    char start[4];

    put(place, "a", "abcdef");
    put(place, "b", "ab");
    assert_int_equal(file_peek(in(place, "a"), start, sizeof start), 4);
    assert_memory_equal(start, "abcd", 4);
    assert_int_equal(file_peek(in(place, "b"), start, sizeof start), 2);
    assert_int_equal(file_peek(in(place, "none"), start, sizeof start), 0);
    assert_int_equal(file_peek(place->path, start, sizeof start), 0);
}

/* Writing */

static int replace(const struct place *place, const char *name, const char *text, struct error *e)
{
    const struct chunk chunks[] = {{text, strlen(text)}, {NULL, 0}, {"!", 1}};

    return file_replace(&(struct file_target){place->fd, name, "shown", NULL}, chunks, 3, e);
}

static void replaces_a_file(void **state)
{
    const struct place *place = *state;
    struct error e;

    assert_int_equal(replace(place, "m", "new", &e), 0);
    assert_content(place, "m", "new!");
    assert_int_equal(replace(place, "m", "newer", &e), 0);
    assert_content(place, "m", "newer!");
    assert_int_equal(
        file_replace(&(struct file_target){place->fd, "m", "shown", NULL}, NULL, 0, &e), 0);
    assert_content(place, "m", "");
    assert_int_equal(count_entries(place->path), 1);
}

static void writes_more_than_one_piece(void **state)
{
    const struct place *place = *state;
    const size_t size = ((size_t)5 << 19) + 3;
    unsigned char *data = malloc(size);
    struct bytes bytes;
    struct error e;

    assert_non_null(data);
    for (size_t i = 0; i < size; i++) {
        data[i] = (unsigned char)(i * 31 >> 3);
    }
    assert_int_equal(file_replace(&(struct file_target){place->fd, "m", "m", NULL},
                                  &(struct chunk){data, size}, 1, &e),
                     0);
    assert_int_equal(file_read(&bytes, in(place, "m"), size, ERROR_MODEL, &e), 0);
    assert_int_equal(bytes.size, size);
    assert_memory_equal(bytes.data, data, size);
    bytes_free(&bytes);
    free(data);
}

static void replaces_a_link_not_its_target(void **state)
{
    const struct place *place = *state;
    struct stat status;
    struct error e;

    put(place, "target", "precious");
    assert_int_equal(symlinkat("target", place->fd, "m"), 0);
    assert_int_equal(replace(place, "m", "new", &e), 0);
    assert_content(place, "target", "precious");
    assert_content(place, "m", "new!");
    assert_int_equal(lstat(in(place, "m"), &status), 0);
    assert_true(S_ISREG(status.st_mode));
}

static void does_not_follow_a_planted_temporary(void **state)
{
    const struct place *place = *state;
    char name[64];
    struct error e;

    put(place, "target", "precious");
    snprintf(name, sizeof name, ".m.tmp.%ld.0", (long)getpid());
    assert_int_equal(symlinkat("target", place->fd, name), 0);
    assert_int_equal(replace(place, "m", "new", &e), 0);
    assert_content(place, "target", "precious");
    assert_content(place, "m", "new!");
}

static void a_failed_write_leaves_the_old_file(void **state)
{
    const struct place *place = *state;
    struct rlimit before, small;
    struct error e;
    char *large = calloc(1, 10000);

    assert_non_null(large);
    assert_int_equal(replace(place, "m", "old", &e), 0);
    signal(SIGXFSZ, SIG_IGN);
    assert_int_equal(getrlimit(RLIMIT_FSIZE, &before), 0);
    small = before;
    small.rlim_cur = 4096;
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &small), 0);
    const int status = file_replace(&(struct file_target){place->fd, "m", "run/m", NULL},
                                    &(struct chunk){large, 10000}, 1, &e);

    assert_int_equal(setrlimit(RLIMIT_FSIZE, &before), 0);
    free(large);
    assert_int_equal(status, -1);
    assert_int_equal(e.kind, ERROR_IO);
    assert_string_equal(e.file, "run/m");
    assert_string_equal(e.message, "cannot write: File too large (needed 10000 bytes)");
    assert_content(place, "m", "old!");
    assert_int_equal(count_entries(place->path), 1);
}

static void a_failed_rename_leaves_nothing_behind(void **state)
{
    const struct place *place = *state;
    struct error e;

    assert_int_equal(mkdirat(place->fd, "m", 0700), 0);
    assert_int_equal(replace(place, "m", "new", &e), -1);
    assert_string_equal(e.message, "cannot replace: Is a directory");
    assert_int_equal(count_entries(place->path), 1);
}

static void refuses_names_and_sizes_that_cannot_be(void **state)
{
    const struct place *place = *state;
    const struct chunk impossible[] = {{"", SIZE_MAX}, {"", 2}};
    char name[260];
    struct error e;

    memset(name, 'n', sizeof name);
    name[sizeof name - 1] = '\0';
    assert_int_equal(replace(place, name, "new", &e), -1);
    assert_string_equal(e.message, "cannot write: File name too long");
    assert_int_equal(
        file_replace(&(struct file_target){place->fd, "m", "m", NULL}, impossible, 2, &e), -1);
    assert_string_equal(e.message, "cannot write: File too large");
    assert_int_equal(
        file_replace(&(struct file_target){place->fd, "m", "m", NULL}, impossible, 1, &e), -1);
    assert_non_null(strstr(e.message, "cannot write: File too large"));
    assert_int_equal(count_entries(place->path), 0);
}

static void says_when_the_directory_is_gone(void **state)
{
    const struct place *place = *state;
    const int fd =
        mkdirat(place->fd, "d", 0700) == 0 ? openat(place->fd, "d", O_RDONLY | O_DIRECTORY) : -1;
    struct error e;

    assert_true(fd >= 0);
    assert_int_equal(unlinkat(place->fd, "d", AT_REMOVEDIR), 0);
    assert_int_equal(file_replace(&(struct file_target){fd, "m", "d/m", NULL}, NULL, 0, &e), -1);
    assert_string_equal(e.message, "cannot write: No such file or directory");
    close(fd);
}

static void a_file_without_access_is_given_it(void **state)
{
    const struct place *place = *state;
    struct stat status;
    struct error e;
    const mode_t before = umask(0777);
    const int result = replace(place, "m", "new", &e);

    umask(before);
    assert_int_equal(result, 0);
    assert_int_equal(stat(in(place, "m"), &status), 0);
    assert_int_equal(status.st_mode & 0777, 0600);
}

static void write_all_reports_what_failed(void **state)
{
    struct error e;
    const int full = open("/dev/full", O_WRONLY);

    (void)state;
    assert_true(full >= 0);
    assert_int_equal(file_write_all(full, "abc", 3, "log.csv", &e), -1);
    assert_string_equal(e.file, "log.csv");
    assert_string_equal(e.message, "cannot write: No space left on device");
    assert_int_equal(file_write_all(full, "", 0, "log.csv", &e), 0);
    close(full);
    assert_int_equal(file_write_all(-1, "abc", 3, "log.csv", &e), -1);
    assert_string_equal(e.message, "cannot write: Bad file descriptor");
}

static void crc_is_that_of_zlib_and_png(void **state)
{
    const char *text = "123456789";

    (void)state;
    assert_int_equal(file_crc32(0, text, 9), 0xCBF43926);
    assert_int_equal(file_crc32(file_crc32(0, text, 4), text + 4, 5), 0xCBF43926);
    assert_int_equal(file_crc32(0xCBF43926, NULL, 0), 0xCBF43926);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        IN_PLACE(reads_a_whole_file),
        IN_PLACE(refuses_what_it_cannot_read_whole),
        IN_PLACE(reads_the_ends_of_a_large_file),
        IN_PLACE(peeks_at_the_start),
        IN_PLACE(replaces_a_file),
        IN_PLACE(writes_more_than_one_piece),
        IN_PLACE(replaces_a_link_not_its_target),
        IN_PLACE(does_not_follow_a_planted_temporary),
        IN_PLACE(a_failed_write_leaves_the_old_file),
        IN_PLACE(a_failed_rename_leaves_nothing_behind),
        IN_PLACE(refuses_names_and_sizes_that_cannot_be),
        IN_PLACE(says_when_the_directory_is_gone),
        IN_PLACE(a_file_without_access_is_given_it),
        IN_PLACE(write_all_reports_what_failed),
        IN_PLACE(crc_is_that_of_zlib_and_png),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
