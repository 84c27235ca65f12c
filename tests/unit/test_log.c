/* test_log.c: the bytes of log.csv, a resumed log, and logs that are not this run's. */
#include "train/log.h"

#include "base/file.h"

#include "../data_files.h"

#include <fcntl.h>
#include <signal.h>
#include <sys/resource.h>
#include <sys/stat.h>

#define HEADER                                                                                     \
    "epoch,step,lr,train_loss,train_accuracy,val_loss,val_accuracy,seconds,images_per_second\n"

static const struct log_row FIRST = {.epoch = 1,
                                     .step = 938,
                                     .lr = 0.001f,
                                     .train_loss = 0.1,
                                     .train_accuracy = 0.96875,
                                     .has_validation = 1,
                                     .val_loss = 1.0 / 3,
                                     .val_accuracy = 0.98,
                                     .seconds = 0.70049,
                                     .images_per_second = 85714.2};
static const struct log_row SECOND = {.epoch = 2,
                                      .step = 1876,
                                      .lr = 1e-5f,
                                      .train_loss = 2e-9,
                                      .train_accuracy = 1,
                                      .seconds = 12.5,
                                      .images_per_second = 0};
#define FIRST_LINE "1,938,0.001,0.1,0.96875,0.3333333333333333,0.98,0.700,85714\n"

/* The folder of this test group. */
static int directory;

static int open_directory(void **state)
{
    if (folder_make(state) != 0) {
        return -1;
    }
    directory = open(".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    return directory >= 0 ? 0 : -1;
}

static int close_directory(void **state)
{
    close(directory);
    return folder_remove(state);
}

static void expect_content(const char *content)
{
    struct bytes bytes;

    assert_int_equal(file_read(&bytes, "log.csv", 65536, ERROR_IO, NULL), 0);
    assert_string_equal((const char *)bytes.data, content);
    bytes_free(&bytes);
}

static void expect_known(const struct log *log, const char *content)
{
    assert_int_equal(log->bytes, strlen(content));
    assert_int_equal(log->crc32,
                     crc32(0, (const unsigned char *)content, (unsigned)strlen(content)));
}

static void test_rows(void **state)
{
    (void)state;
    struct log log;

    assert_int_equal(log_create(&log, directory, "runs/a", NULL), 0);
    assert_string_equal(log.path, "runs/a/log.csv");
    expect_content(HEADER);
    expect_known(&log, HEADER);
    assert_int_equal(log_append(&log, &FIRST, NULL, NULL), 0);
    expect_content(HEADER FIRST_LINE);
    expect_known(&log, HEADER FIRST_LINE);
    assert_int_equal(log_append(&log, &SECOND, NULL, NULL), 0);
    log_close(&log);
    assert_int_equal(log.fd, -1);
    log_close(&log);

    struct bytes bytes;
    long long epoch, step;
    float lr;
    double loss, accuracy;

    assert_int_equal(file_read(&bytes, "log.csv", 65536, ERROR_IO, NULL), 0);
    const char *line = (const char *)bytes.data + sizeof HEADER FIRST_LINE - 1;

    assert_int_equal(
        sscanf(line, "%lld,%lld,%f,%lf,%lf,,,12.500,0\n", &epoch, &step, &lr, &loss, &accuracy), 5);
    assert_true(epoch == 2 && step == 1876 && lr == 1e-5f && loss == 2e-9 && accuracy == 1);
    assert_non_null(strstr(line, ",,,12.500,0\n"));
    bytes_free(&bytes);
}

static void test_create_replaces(void **state)
{
    (void)state;
    struct log log;
    struct error e;

    write_file("target", "precious", 8);
    unlink("log.csv");
    assert_int_equal(symlink("target", "log.csv"), 0);
    assert_int_equal(log_create(&log, directory, ".", NULL), 0);
    log_close(&log);
    expect_content(HEADER);

    struct bytes bytes;

    assert_int_equal(file_read(&bytes, "target", 65536, ERROR_IO, NULL), 0);
    assert_string_equal((const char *)bytes.data, "precious");
    bytes_free(&bytes);

    unlink("log.csv");
    assert_int_equal(mkdir("log.csv", 0777), 0);
    assert_int_equal(log_create(&log, directory, "runs/b", &e), -1);
    assert_string_equal(e.message, "cannot replace: Is a directory");
    assert_int_equal(e.kind, ERROR_IO);
    assert_string_equal(e.file, "runs/b/log.csv");
    assert_int_equal(log.fd, -1);
    rmdir("log.csv");
}

static void test_resume(void **state)
{
    (void)state;
    struct log log;
    const char known[] = HEADER FIRST_LINE, more[] = HEADER FIRST_LINE "2,1876,half a ro";
    const uint32_t crc = (uint32_t)crc32(0, (const unsigned char *)known, sizeof known - 1);

    write_file("log.csv", more, sizeof more - 1);
    assert_int_equal(log_resume(&log, directory, ".", sizeof known - 1, crc, NULL), 0);
    expect_content(known);
    expect_known(&log, known);
    assert_int_equal(log_append(&log, &FIRST, NULL, NULL), 0);
    expect_content(HEADER FIRST_LINE FIRST_LINE);
    expect_known(&log, HEADER FIRST_LINE FIRST_LINE);
    log_close(&log);
}

/* A run that died between its first checkpoint and its log: whatever is there, it begins anew. */
static void test_resume_without_rows(void **state)
{
    (void)state;
    struct log start, log;

    log_start(&start);
    assert_int_equal(start.fd, -1);
    expect_known(&start, HEADER);
    unlink("log.csv");
    for (int i = 0; i < 3; i++) {
        assert_int_equal(log_resume(&log, directory, ".", start.bytes, start.crc32, NULL), 0);
        expect_content(HEADER);
        expect_known(&log, HEADER);
        assert_int_equal(log_append(&log, &FIRST, NULL, NULL), 0);
        expect_content(HEADER FIRST_LINE);
        log_close(&log);
        if (i == 1) {
            write_file("log.csv", "of another version", 18);
        }
    }
}

static void refuse_resume(long long bytes, uint32_t crc, enum error_kind kind, const char *message)
{
    struct log log;
    struct error e;

    assert_int_equal(log_resume(&log, directory, "runs/c", bytes, crc, &e), -1);
    assert_string_equal(e.message, message);
    assert_string_equal(e.file, "runs/c/log.csv");
    assert_int_equal(e.kind, kind);
    assert_int_equal(log.fd, -1);
}

static void test_resume_refuses(void **state)
{
    (void)state;
    const char text[] = HEADER FIRST_LINE;
    const long long size = sizeof text - 1;

    unlink("log.csv");
    refuse_resume(size, 0, ERROR_IO, "cannot open: No such file or directory");
    write_file("log.csv", text, sizeof text - 1);
    refuse_resume(size, 1, ERROR_MODEL, "its first 148 bytes have changed since the checkpoint");
    refuse_resume(size + 1, 1, ERROR_MODEL,
                  "148 bytes, the checkpoint knows 149: not the log of this run");
    refuse_resume(-5, 0, ERROR_MODEL,
                  "148 bytes, the checkpoint knows -5: not the log of this run");
    refuse_resume(0, 0, ERROR_MODEL, "148 bytes, the checkpoint knows 0: not the log of this run");
    expect_content(text); /* and none of it cut a byte off */
    unlink("log.csv");
    assert_int_equal(mkfifo("log.csv", 0666), 0);
    refuse_resume(size, 0, ERROR_MODEL, "not a regular file");
    unlink("log.csv");
    assert_int_equal(symlink("/dev/null", "log.csv"), 0);
    refuse_resume(size, 0, ERROR_IO, "cannot open: Too many levels of symbolic links");
    unlink("log.csv");
}

/* A row that does not fit leaves the rows before it. */
static void test_full_disk(void **state)
{
    (void)state;
    struct log log;
    struct error e;
    struct rlimit old, small;

    assert_int_equal(log_create(&log, directory, ".", NULL), 0);
    assert_int_equal(log_append(&log, &FIRST, NULL, NULL), 0);
    signal(SIGXFSZ, SIG_IGN);
    assert_int_equal(getrlimit(RLIMIT_FSIZE, &old), 0);
    small = (struct rlimit){(rlim_t)log.bytes + 10, old.rlim_max};
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &small), 0);
    const int status = log_append(&log, &FIRST, NULL, &e);

    assert_int_equal(setrlimit(RLIMIT_FSIZE, &old), 0);
    assert_int_equal(status, -1);
    assert_int_equal(e.kind, ERROR_IO);
    assert_string_equal(e.message, "cannot write: File too large");
    expect_content(HEADER FIRST_LINE);
    expect_known(&log, HEADER FIRST_LINE);
    assert_int_equal(log_append(&log, &FIRST, NULL, NULL), 0);
    expect_content(HEADER FIRST_LINE FIRST_LINE);
    log_close(&log);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_rows),           cmocka_unit_test(test_create_replaces),
        cmocka_unit_test(test_resume),         cmocka_unit_test(test_resume_without_rows),
        cmocka_unit_test(test_resume_refuses), cmocka_unit_test(test_full_disk),
    };

    return cmocka_run_group_tests(tests, open_directory, close_directory);
}
