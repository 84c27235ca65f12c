/* log_read.h: log.csv, read back. */
#ifndef CNNTRAIN_TRAIN_LOG_READ_H
#define CNNTRAIN_TRAIN_LOG_READ_H

#include "train/log.h"

struct log_rows {
    struct log_row *rows; /* owned; in their order */
    int count;
};
/* All whole rows; columns are found by their names, others are left alone. ERROR_IO, ERROR_DATA
 * with line and column, ERROR_LIMIT. To be freed in either case. */
int log_read(struct log_rows *rows, const char *path, struct error *e);
void log_rows_free(struct log_rows *rows);

#endif
