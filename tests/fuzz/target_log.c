/* target_log.c: log.csv: log_read.c, which plots it, and log.c, which resumes it.
 *
 *   how (1 byte), bytes the checkpoint knows (2, little-endian), the file
 *
 * What is read is what log.c writes of it, to the bit. A resumed log keeps exactly the bytes that
 * the checkpoint knows, and only if their checksum is the checkpoint's. The file is a real one
 * here, on a file system in memory. */
#include "base/text.h"
#include "fuzz/fuzz.h"
#include "train/log_read.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static int folder = -1;
static char folder_path[64];

static void remove_folder(void)
{
    unlinkat(folder, "log.csv", 0);
    rmdir(folder_path);
}

int LLVMFuzzerInitialize(int *argc, char ***argv)
{
    (void)argc, (void)argv;
    for (int i = 0; i < 2 && folder < 0; i++) {
        snprintf(folder_path, sizeof folder_path, "%s/fuzz.XXXXXX", i == 0 ? "/dev/shm" : "/tmp");
        if (mkdtemp(folder_path) != NULL) {
            folder = open(folder_path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
        }
    }
    CHECK(folder >= 0 && atexit(remove_folder) == 0);
    return 0;
}

static void read_log(const uint8_t *data, size_t size)
{
    struct log_rows rows;
    struct error e = {.offset = -1};
    fuzz_no_files();
    fuzz_file("log.csv", data, size);
    if (log_read(&rows, "log.csv", &e) == 0) {
        for (int i = 0; i < rows.count; i++) {
            const struct log_row *row = &rows.rows[i];
            char text[32];
            double again;
            CHECK(text_to_double(text_from_double(text, row->train_loss),
                                 strlen(text_from_double(text, row->train_loss)), &again) == 0);
            CHECK(again == row->train_loss);
        }
    } else {
        fuzz_check_error(&e, KIND(ERROR_DATA), size);
    }
    log_rows_free(&rows);
}

static int put_file(const uint8_t *data, size_t size)
{
    const int fd = openat(folder, "log.csv", O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0666);
    CHECK(fd >= 0 && write(fd, data, size) == (ssize_t)size);
    return close(fd);
}

static void check_file(const uint8_t *data, size_t size, size_t wanted)
{
    char bytes[1 << 13];
    const int fd = openat(folder, "log.csv", O_RDONLY | O_CLOEXEC);
    CHECK(fd >= 0);
    const ssize_t n = read(fd, bytes, sizeof bytes);
    CHECK(n == (ssize_t)wanted && wanted <= size && memcmp(bytes, data, wanted) == 0);
    CHECK(close(fd) == 0);
}

static void resume(const uint8_t *data, size_t size, unsigned how, size_t known)
{
    struct log log = {.fd = -1};
    struct error e = {.offset = -1};
    const uint32_t crc32 = how & 1 && known <= size ? file_crc32(0, data, known) : how;
    CHECK(put_file(data, size) == 0);
    if (log_resume(&log, folder, folder_path, (long long)known, crc32, &e) == 0) {
        CHECK(known <= size && crc32 == file_crc32(0, data, known));
        CHECK(log.bytes == (long long)known && log.crc32 == crc32);
        check_file(data, size, known);
        log_close(&log);
    } else {
        fuzz_check_error(&e, KIND(ERROR_MODEL), size);
        check_file(data, size, size);
    }
    CHECK(log.fd == -1);
}

int fuzz_one(const uint8_t *data, size_t size)
{
    if (size < 3 || size > 1 << 13) {
        return 0;
    }
    const size_t known = (size_t)data[1] | (size_t)data[2] << 8;
    read_log(data + 3, size - 3);
    if (data[0] & 2) {
        resume(data + 3, size - 3, data[0], known);
    }
    return 0;
}
