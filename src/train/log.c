/* log.c: log.csv. Lines end with "\n" alone: RFC 4180 has CRLF, but what reads this are cut, awk
 * and diff, and every CSV reader takes both. No cell ever needs a quote: all are numbers.
 *
 * The file only grows, by whole rows; a row that could not be written whole is cut off again. */
#include "train/log.h"

#include "base/file.h"
#include "base/retry.h"
#include "base/text.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static const char NAME[] = "log.csv";
static const char HEADER[] =
    "epoch,step,lr,train_loss,train_accuracy,val_loss,val_accuracy,seconds,images_per_second\n";

static int open_log(struct log *log, int dir, const char *dir_path, int flags, struct error *e)
{
    *log = (struct log){.fd = -1};
    snprintf(log->path, sizeof log->path, "%s/%s", dir_path, NAME);
    /* Neither a link's target nor a FIFO's reader gets our rows. */
    log->fd = RETRY(openat(dir, NAME, flags | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC));
    return log->fd >= 0 ? 0 : error_errno(e, ERROR_IO, log->path, "cannot open");
}

void log_start(struct log *log)
{
    *log = (struct log){
        .fd = -1, .bytes = sizeof HEADER - 1, .crc32 = file_crc32(0, HEADER, sizeof HEADER - 1)};
}

int log_create(struct log *log, int dir, const char *dir_path, struct error *e)
{
    const struct chunk header = {HEADER, sizeof HEADER - 1};
    char path[sizeof log->path];
    struct log start;

    log_start(&start);
    *log = (struct log){.fd = -1};
    snprintf(path, sizeof path, "%s/%s", dir_path, NAME);
    const struct file_target target = {dir, NAME, path, NULL};
    TRY(file_replace(&target, &header, 1, e));
    TRY(open_log(log, dir, dir_path, O_WRONLY | O_APPEND, e));
    log->bytes = start.bytes;
    log->crc32 = start.crc32;
    return 0;
}

/* The CRC-32 of the first log->bytes bytes, into log->crc32. */
static int read_crc32(struct log *log, struct error *e)
{
    char buffer[4096];

    for (long long at = 0; at < log->bytes;) {
        const long long rest = log->bytes - at;
        const size_t size = rest < (long long)sizeof buffer ? (size_t)rest : sizeof buffer;
        const ssize_t n = RETRY(pread(log->fd, buffer, size, at));

        if (n <= 0) {
            errno = n == 0 ? EIO : errno;
            return error_errno(e, ERROR_IO, log->path, "cannot read");
        }
        log->crc32 = file_crc32(log->crc32, buffer, (size_t)n);
        at += n;
    }
    return 0;
}

static int check_beginning(struct log *log, long long bytes, uint32_t crc32, struct error *e)
{
    struct stat status;

    if (fstat(log->fd, &status) != 0) {
        return error_errno(e, ERROR_IO, log->path, "cannot read");
    }
    if (!S_ISREG(status.st_mode)) {
        return error_set(e, ERROR_MODEL, log->path, "not a regular file");
    }
    if (bytes < (long long)sizeof HEADER - 1 || status.st_size < bytes) {
        return error_set(e, ERROR_MODEL, log->path,
                         "%lld bytes, the checkpoint knows %lld: not the log of this run",
                         (long long)status.st_size, bytes);
    }
    log->bytes = bytes;
    TRY(read_crc32(log, e));
    if (log->crc32 != crc32) {
        return error_set(e, ERROR_MODEL, log->path,
                         "its first %lld bytes have changed since the checkpoint", bytes);
    }
    return 0;
}

int log_resume(struct log *log, int dir, const char *dir_path, long long bytes, uint32_t crc32,
               struct error *e)
{
    struct log start;

    log_start(&start);
    if (bytes == start.bytes && crc32 == start.crc32) { /* it knows no row: none is lost */
        return log_create(log, dir, dir_path, e);
    }
    TRY(open_log(log, dir, dir_path, O_RDWR | O_APPEND, e));
    if (check_beginning(log, bytes, crc32, e) == 0) {
        if (RETRY(ftruncate(log->fd, bytes)) == 0 && RETRY(fdatasync(log->fd)) == 0) {
            return 0;
        }
        error_errno(e, ERROR_IO, log->path, "cannot write");
    }
    log_close(log);
    return -1;
}

static void format_row(const struct log_row *row, char *line, size_t size)
{
    char lr[32], train_loss[32], train_accuracy[32], val_loss[32] = "", val_accuracy[32] = "";

    if (row->has_validation) {
        text_from_double(val_loss, row->val_loss);
        text_from_double(val_accuracy, row->val_accuracy);
    }
    snprintf(line, size, "%lld,%lld,%s,%s,%s,%s,%s,%.3f,%.0f\n", row->epoch, row->step,
             text_from_float(lr, row->lr), text_from_double(train_loss, row->train_loss),
             text_from_double(train_accuracy, row->train_accuracy), val_loss, val_accuracy,
             row->seconds, row->images_per_second);
}

int log_append(struct log *log, const struct log_row *row, struct committer *committer,
               struct error *e)
{
    char line[1024];

    format_row(row, line, sizeof line);
    const size_t length = strlen(line);

    if (file_write_all(log->fd, line, length, log->path, e) != 0) {
        const int cut = RETRY(ftruncate(log->fd, log->bytes));

        (void)cut; /* should it fail too, a resumed run cuts the log by what its checkpoint knows */
        return -1;
    }
    struct commit commit;
    commit_of_appended(&commit, log->fd, log->path);
    TRY(committer_add(committer, &commit, e));
    log->bytes += (long long)length;
    log->crc32 = file_crc32(log->crc32, line, length);
    return 0;
}

void log_close(struct log *log)
{
    if (log->fd >= 0) {
        close(log->fd);
    }
    log->fd = -1;
}
