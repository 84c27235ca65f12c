/* curves.c: log.csv as columns of numbers. The file comes from a user: a line that is none of a log
 * is an error with its place. */
#include "report/curves.h"

#include "base/file.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

enum { MOST_BYTES = 1 << 28, MOST_CELLS = 64 };

static const char *const NAMES[CURVE_COLUMNS] = {"epoch", "train_loss", "val_loss",
                                                 "train_accuracy", "val_accuracy"};

/* Which cell of a line is which column; `cells`: how many there are. */
struct layout {
    int cell[CURVE_COLUMNS], cells;
};

struct reader {
    const char *path, *at;
    int line;
};

static int fault(const struct reader *reader, struct error *e, const char *message)
{
    error_set(e, ERROR_DATA, reader->path, "%s", message);
    e->line = reader->line;
    return -1;
}

/* The end of a cell, and of the line's carriage return, if it has one. */
static size_t cell_length(const char *at) { return strcspn(at, ",\r\n"); }

static const char *next_line(const char *at)
{
    at += strcspn(at, "\n");
    return at + (*at == '\n');
}

static int read_header(struct reader *reader, struct layout *layout, struct error *e)
{
    *layout = (struct layout){.cells = 0};
    for (int c = 0; c < CURVE_COLUMNS; c++) {
        layout->cell[c] = -1;
    }
    for (const char *at = reader->at;; at++) {
        const size_t length = cell_length(at);
        for (int c = 0; c < CURVE_COLUMNS; c++) {
            if (strlen(NAMES[c]) == length && memcmp(NAMES[c], at, length) == 0) {
                layout->cell[c] = layout->cells;
            }
        }
        layout->cells++;
        at += length;
        if (*at != ',') {
            break;
        }
        if (layout->cells == MOST_CELLS) {
            return fault(reader, e, "not a log.csv: too many columns");
        }
    }
    if (layout->cell[CURVE_EPOCH] < 0 || layout->cell[CURVE_TRAIN_LOSS] < 0) {
        return fault(reader, e, "not a log.csv: no columns 'epoch' and 'train_loss'");
    }
    reader->at = next_line(reader->at);
    reader->line++;
    return 0;
}

static int read_row(struct reader *reader, const struct layout *layout, struct curves *curves,
                    struct error *e)
{
    double values[MOST_CELLS];
    int cells = 0;
    for (const char *at = reader->at;; at++) {
        const size_t length = cell_length(at);
        if (cells == layout->cells) {
            return fault(reader, e, "more cells than columns");
        }
        values[cells] = NAN;
        if (length > 0 && text_to_double(at, length, &values[cells]) != 0) {
            return fault(reader, e, "a cell that is no number");
        }
        cells++;
        at += length;
        if (*at != ',') {
            break;
        }
    }
    if (cells < layout->cells) {
        return fault(reader, e, "fewer cells than columns");
    }
    for (int c = 0; c < CURVE_COLUMNS; c++) {
        curves->values[c][curves->epochs] = layout->cell[c] < 0 ? NAN : values[layout->cell[c]];
    }
    if (isnan(curves->values[CURVE_EPOCH][curves->epochs])) {
        return fault(reader, e, "a row without epoch");
    }
    curves->epochs++;
    reader->at = next_line(reader->at);
    reader->line++;
    return 0;
}

static size_t count_lines(const char *text)
{
    size_t lines = 0;
    for (; *text != '\0'; text = next_line(text)) {
        lines++;
    }
    return lines;
}

static int parse(struct curves *curves, const char *path, const char *text, struct error *e)
{
    struct reader reader = {path, text, 1};
    struct layout layout;
    const size_t most = count_lines(text) + 1, bytes = most * CURVE_COLUMNS * sizeof(double);
    TRY(read_header(&reader, &layout, e));
    curves->values[0] = malloc(bytes);
    if (!curves->values[0]) {
        return error_memory(e, bytes);
    }
    for (size_t c = 1; c < CURVE_COLUMNS; c++) {
        curves->values[c] = curves->values[0] + c * most;
    }
    while (*reader.at != '\0') {
        TRY(read_row(&reader, &layout, curves, e));
    }
    return curves->epochs > 0 ? 0 : fault(&reader, e, "no epoch in this log yet");
}

/* "runs/a/log.csv" is called a. */
static void name_run(struct curves *curves, const char *path)
{
    static const char file[] = "/log.csv";
    size_t length = strlen(path);
    if (length > strlen(file) && strcmp(path + length - strlen(file), file) == 0) {
        length -= strlen(file);
    }
    while (length > 1 && path[length - 1] == '/') {
        length--;
    }
    size_t first = length;
    while (first > 0 && path[first - 1] != '/') {
        first--;
    }
    text_sanitize(curves->name, sizeof curves->name, path + first, length - first);
}

int curves_read(struct curves *curves, const char *path, struct error *e)
{
    struct stat status;
    struct bytes bytes;
    char inside[1100];
    *curves = (struct curves){.epochs = 0};
    name_run(curves, path);
    if (stat(path, &status) == 0 && S_ISDIR(status.st_mode)) {
        snprintf(inside, sizeof inside, "%s/log.csv", path);
        path = inside;
    }
    TRY(file_read(&bytes, path, MOST_BYTES, ERROR_DATA, e));
    int failed = memchr(bytes.data, '\0', bytes.size) != NULL;
    if (failed) {
        error_set(e, ERROR_DATA, path, "not a log.csv: it has a zero byte");
    } else {
        failed = parse(curves, path, (const char *)bytes.data, e) != 0;
    }
    bytes_free(&bytes);
    if (failed) {
        curves_free(curves);
    }
    return failed ? -1 : 0;
}

void curves_free(struct curves *curves)
{
    free(curves->values[0]);
    *curves = (struct curves){.epochs = 0};
}
