/* log.h: log.csv, one row an epoch (RFC 4180; the columns are fixed by the spec, more only at the
 * end). The log of a resumed run is cut back to what its checkpoint knew, so that it equals, but
 * for the two timing columns, the log of a run that was never stopped. */
#ifndef CNNTRAIN_TRAIN_LOG_H
#define CNNTRAIN_TRAIN_LOG_H

#include "base/commit.h"

#include <stdint.h>

struct log_row {
    long long epoch, step;
    float lr;
    double train_loss, train_accuracy;
    int has_validation;
    double val_loss, val_accuracy; /* empty cells without a validation set */
    double seconds, images_per_second;
};

struct log {
    int fd;
    char path[1024];
    long long bytes; /* written so far */
    uint32_t crc32;  /* of them */
};
/* What a log without rows has, before there is a file of it: the checkpoint of a run's beginning is
 * written first. */
void log_start(struct log *log);
/* A new log with its header line, in the open directory `dir`, instead of any that is there.
 * ERROR_IO. */
int log_create(struct log *log, int dir, const char *dir_path, struct error *e);
/* The log of a run to go on with: it must hold at least `bytes` bytes whose CRC-32 is `crc32` (else
 * ERROR_MODEL); what follows them is cut off. One without rows is created: the run may have died
 * before it was. */
int log_resume(struct log *log, int dir, const char *dir_path, long long bytes, uint32_t crc32,
               struct error *e);
/* Append a row and make it durable (fdatasync), or have the committer do that (NULL: none). Numbers
 * are written so that they read back exactly; the time to milliseconds, the rate to whole images.
 * After a failure the log ends with its last whole row. */
int log_append(struct log *log, const struct log_row *row, struct committer *committer,
               struct error *e);
void log_close(struct log *log);

#endif
