/* json_log.c: log.csv as columns. What it holds was written by train/log.c; more columns at the end
 * come along by themselves. An empty cell, or what is no number, is null. */
#include "report/json.h"

#include "base/text.h"

#include <string.h>

enum { MOST_ROWS = 2000, MOST_COLUMNS = 32 };

struct column {
    char name[64];
    json_t *values;
    int timing;
};

static size_t cell_length(const char *at) { return strcspn(at, ",\n"); }

static int read_header(const char *csv, struct column *columns)
{
    int count = 0;
    for (const char *at = csv; count < MOST_COLUMNS; at++) {
        const size_t length = cell_length(at);
        struct column *column = &columns[count++];
        snprintf(column->name, sizeof column->name, "%.*s", (int)(length < 63 ? length : 63), at);
        column->values = json_array();
        column->timing =
            strcmp(column->name, "seconds") == 0 || strcmp(column->name, "images_per_second") == 0;
        at += length;
        if (*at != ',') {
            break;
        }
    }
    return count;
}

/* A line's cells; with `take` they go into the columns. Returns the end of the line. */
static const char *read_row(const char *at, struct column *columns, int count, int take,
                            double *seconds)
{
    for (int i = 0;; i++, at++) {
        const size_t length = cell_length(at);
        double value = 0;
        const int known = text_to_double(at, length, &value) == 0;
        if (i < count && strcmp(columns[i].name, "seconds") == 0) {
            *seconds += value;
        }
        if (i < count && take && !columns[i].timing) {
            json_array_append_new(columns[i].values, known ? json_real(value) : json_null());
        }
        at += length;
        if (*at != ',') {
            return at;
        }
    }
}

static size_t count_lines(const char *text)
{
    size_t lines = 0;
    for (; *text != '\0'; text++) {
        lines += *text == '\n';
    }
    return lines;
}

json_t *json_log(const char *csv, double *seconds)
{
    struct column columns[MOST_COLUMNS] = {0};
    const size_t lines = count_lines(csv), rows = lines > 0 ? lines - 1 : 0;
    const size_t step = rows > MOST_ROWS ? (rows + MOST_ROWS - 1) / MOST_ROWS : 1;
    const int count = read_header(csv, columns);
    const char *at = csv + strcspn(csv, "\n");
    *seconds = 0;
    for (size_t row = 1; row <= rows; row++) {
        at = read_row(at + 1, columns, count, row % step == 0 || row == rows, seconds);
    }
    json_t *log = json_object();
    for (int i = 0; i < count; i++) {
        if (columns[i].timing) {
            json_decref(columns[i].values);
        } else {
            json_object_set_new(log, columns[i].name, columns[i].values);
        }
    }
    return log;
}
