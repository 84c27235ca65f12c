/* log_read.c: see log_read.h. Only what log.c writes: numbers without quotes. */
#include "train/log_read.h"

#include "base/file.h"
#include "base/text.h"

#include <stdlib.h>
#include <string.h>

enum { MOST_COLUMNS = 64, MOST_BYTES = 64 << 20 };

/* Where a column goes; those that may be empty are empty together. */
struct column {
    const char *name;
    size_t offset;
    int kind; /* 0: double, 1: long long, 2: float */
    int optional;
};
#define COLUMN(name, kind, optional)                                                               \
    {                                                                                              \
#name, offsetof(struct log_row, name), kind, optional                                      \
    }
static const struct column COLUMNS[] = {
    COLUMN(epoch, 1, 0),      COLUMN(step, 1, 0),         COLUMN(lr, 2, 0),
    COLUMN(train_loss, 0, 0), COLUMN(val_loss, 0, 1),     COLUMN(train_accuracy, 0, 0),
    COLUMN(seconds, 0, 0),    COLUMN(val_accuracy, 0, 1), COLUMN(images_per_second, 0, 0),
};
enum { KNOWN = sizeof COLUMNS / sizeof *COLUMNS };

struct reader {
    const char *path;
    const char *line, *end; /* the line under way, without its end */
    int number;
    const struct column *columns[MOST_COLUMNS]; /* NULL: not one of ours */
    int count;
};

static int fault(const struct reader *r, const char *at, struct error *e, const char *message)
{
    error_set(e, ERROR_DATA, r->path, "%s", message);
    if (e) {
        e->line = r->number;
        e->column = (int)(at - r->line) + 1;
    }
    return -1;
}

/* The length of the cell at `at`. */
static size_t cell(const struct reader *r, const char *at)
{
    const char *comma = memchr(at, ',', (size_t)(r->end - at));
    return (size_t)((comma ? comma : r->end) - at);
}

/* The next line that has an end; 0 when there is none. */
static int next_line(struct reader *r, const char **at, const char *last)
{
    const char *end = memchr(*at, '\n', (size_t)(last - *at));
    if (!end) {
        return 0;
    }
    r->line = *at;
    r->end = end > *at && end[-1] == '\r' ? end - 1 : end;
    r->number++;
    *at = end + 1;
    return 1;
}

static int read_header(struct reader *r, struct error *e)
{
    int found = 0;
    for (const char *at = r->line;;) {
        const size_t length = cell(r, at);
        if (r->count == MOST_COLUMNS) {
            return fault(r, at, e, "too many columns");
        }
        for (int k = 0; k < KNOWN; k++) {
            if (strlen(COLUMNS[k].name) == length && memcmp(COLUMNS[k].name, at, length) == 0) {
                r->columns[r->count] = &COLUMNS[k];
                found++;
            }
        }
        r->count++;
        at += length;
        if (at == r->end) {
            break;
        }
        at++;
    }
    return found == KNOWN ? 0 : fault(r, r->line, e, "not the header of a cnntrain log");
}

static int read_cell(const struct reader *r, const struct column *column, const char *at,
                     size_t length, struct log_row *row, struct error *e)
{
    void *field = (char *)row + column->offset;
    double value;
    if (length == 0 && column->optional) {
        row->has_validation = 0;
        return 0;
    }
    if (column->kind == 1) {
        return text_to_integer(at, length, field) == 0 ? 0 : fault(r, at, e, "not a whole number");
    }
    if (text_to_double(at, length, &value) != 0) {
        return fault(r, at, e, "not a number");
    }
    if (column->kind == 2) {
        *(float *)field = (float)value;
    } else {
        *(double *)field = value;
    }
    return 0;
}

static int read_row(const struct reader *r, struct log_row *row, struct error *e)
{
    const char *at = r->line;
    *row = (struct log_row){.has_validation = 1};
    for (int k = 0; k < r->count; k++) {
        const size_t length = cell(r, at);
        if (r->columns[k]) {
            TRY(read_cell(r, r->columns[k], at, length, row, e));
        }
        at += length;
        if ((at == r->end) != (k + 1 == r->count)) {
            return fault(r, at, e, "not as many cells as columns");
        }
        at++;
    }
    return 0;
}

static int count_lines(const char *at, const char *last)
{
    int count = 0;
    for (; at < last; at++) {
        count += *at == '\n';
    }
    return count;
}

int log_read(struct log_rows *rows, const char *path, struct error *e)
{
    struct bytes bytes;
    struct reader r = {.path = path};
    *rows = (struct log_rows){0};
    TRY(file_read(&bytes, path, MOST_BYTES, ERROR_DATA, e));
    const char *at = (const char *)bytes.data, *last = at + bytes.size;
    rows->rows = malloc(((size_t)count_lines(at, last) + 1) * sizeof *rows->rows);
    int status = rows->rows ? 0 : error_memory(e, bytes.size);
    if (status == 0 && !next_line(&r, &at, last)) {
        r.line = at;
        r.number = 1;
        status = fault(&r, at, e, "not the header of a cnntrain log");
    } else if (status == 0) {
        status = read_header(&r, e);
    }
    while (status == 0 && next_line(&r, &at, last)) {
        status = read_row(&r, &rows->rows[rows->count], e);
        rows->count += status == 0;
    }
    bytes_free(&bytes);
    return status;
}

void log_rows_free(struct log_rows *rows)
{
    free(rows->rows);
    *rows = (struct log_rows){0};
}
