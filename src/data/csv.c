/* csv.c: a list of images: a line `path,label` each, with or without `path,label` itself as the
 * first. CSV as RFC 4180 has it: fields may stand in double quotes, a quote in them is doubled;
 * lines end with LF or CRLF, and empty ones are skipped. Paths are below the list's own folder.
 * Samples keep the order of the list; classes are the labels, ordered by their bytes. */
#include "base/file.h"
#include "base/text.h"
#include "data/format.h"
#include "data/image_set.h"

#include <stdlib.h>
#include <string.h>

enum { LIST_BYTES_MAX = 1 << 30, FIELD_MAX = 4095 };

struct reader {
    const char *path;
    const char *at, *end;
    const char *line_start;
    long long line;
};

struct field {
    char text[FIELD_MAX + 1];
    size_t length;
    int column;
};

/* Lines and columns count from 1, columns in code points. */
static int column_of(const struct reader *reader, const char *at)
{
    int column = 1;
    for (const char *p = reader->line_start; p < at; p++) {
        column += ((unsigned char)*p & 0xc0) != 0x80;
    }
    return column;
}

static int fault(const struct reader *reader, int column, struct error *e, const char *message)
{
    error_set(e, ERROR_DATA, reader->path, "%s", message);
    if (e != NULL) {
        e->line = (int)reader->line;
        e->column = column;
    }
    return -1;
}

static int put(const struct reader *reader, struct field *field, char c, struct error *e)
{
    if (field->length == FIELD_MAX) {
        return fault(reader, field->column, e, "a field of more than 4095 bytes");
    }
    field->text[field->length++] = c;
    return 0;
}

static int read_quoted(struct reader *reader, struct field *field, struct error *e)
{
    const char *quote = reader->at++;
    for (;; reader->at++) {
        if (reader->at == reader->end || *reader->at == '\n') {
            return fault(reader, column_of(reader, quote), e, "this quote is not closed");
        }
        if (*reader->at == '"') {
            reader->at++;
            if (reader->at == reader->end || *reader->at != '"') {
                return 0;
            }
        }
        TRY(put(reader, field, *reader->at, e));
    }
}

static int at_line_end(const struct reader *reader)
{
    const char *at = reader->at;
    return at == reader->end || *at == '\n' ||
           (*at == '\r' && at + 1 < reader->end && at[1] == '\n');
}

static int read_field(struct reader *reader, struct field *field, struct error *e)
{
    field->length = 0;
    field->column = column_of(reader, reader->at);
    if (reader->at < reader->end && *reader->at == '"') {
        TRY(read_quoted(reader, field, e));
        if (!at_line_end(reader) && *reader->at != ',') {
            return fault(reader, column_of(reader, reader->at), e,
                         "text behind the closing quote: a quote inside is written twice");
        }
    }
    while (!at_line_end(reader) && *reader->at != ',') {
        if (*reader->at == '"' || *reader->at == '\0') {
            return fault(reader, column_of(reader, reader->at), e,
                         *reader->at == '"' ? "a quote inside a field: put the field into quotes"
                                            : "a zero byte: not a text file");
        }
        TRY(put(reader, field, *reader->at++, e));
    }
    field->text[field->length] = '\0';
    return 0;
}

static void next_line(struct reader *reader)
{
    reader->at += reader->at < reader->end && *reader->at == '\r';
    reader->at += reader->at < reader->end;
    reader->line_start = reader->at;
    reader->line++;
}

static int leads_out(const char *path)
{
    if (path[0] == '/') {
        return 1;
    }
    for (const char *part = path; part != NULL; part = strchr(part, '/')) {
        part += *part == '/';
        if (strncmp(part, "..", 2) == 0 && (part[2] == '/' || part[2] == '\0')) {
            return 1;
        }
    }
    return 0;
}

static int check_fields(const struct reader *reader, const struct field *path,
                        const struct field *label, struct error *e)
{
    if (path->length == 0 || label->length == 0) {
        return fault(reader, path->length == 0 ? path->column : label->column, e,
                     path->length == 0 ? "the path is empty" : "the label is empty");
    }
    if (memchr(path->text, 0, path->length) != NULL || memchr(label->text, 0, label->length)) {
        return fault(reader, path->column, e, "a zero byte: not a text file");
    }
    if (leads_out(path->text)) {
        return fault(reader, path->column, e, "this path leads out of the list's folder");
    }
    return 0;
}

/* One line that is not empty: its two fields. */
static int read_line(struct reader *reader, struct field *path, struct field *label,
                     struct error *e)
{
    TRY(read_field(reader, path, e));
    if (at_line_end(reader)) {
        return fault(reader, column_of(reader, reader->at), e,
                     "one field only; a line is path,label");
    }
    reader->at++;
    TRY(read_field(reader, label, e));
    if (!at_line_end(reader)) {
        return fault(reader, column_of(reader, reader->at), e,
                     "more than two fields; a line is path,label");
    }
    return check_fields(reader, path, label, e);
}

/* All lines, into the list and the label of each as text. */
static int read_lines(struct reader *reader, struct image_list *list, struct text *labels,
                      struct error *e)
{
    struct field *fields = malloc(2 * sizeof *fields);
    int status = fields != NULL ? 0 : error_memory(e, 2 * sizeof *fields);
    for (; status == 0 && reader->at < reader->end; next_line(reader)) {
        if (at_line_end(reader)) {
            continue;
        }
        status = read_line(reader, &fields[0], &fields[1], e);
        if (status != 0) {
            break;
        }
        const int heading = list->count == 0 && labels->length == 0 && reader->line == 1 &&
                            strcmp(fields[0].text, "path") == 0 &&
                            strcmp(fields[1].text, "label") == 0;
        if (!heading) {
            status = image_list_add(list, fields[0].text, 0, reader->line, e);
            text_append_bytes(labels, fields[1].text, fields[1].length + 1);
        }
    }
    free(fields);
    if (status == 0 && labels->failed) {
        status = error_memory(e, labels->capacity);
    }
    if (status == 0 && list->count == 0) {
        status = error_set(e, ERROR_DATA, reader->path, "the list names no images");
    }
    return status;
}

struct key {
    const char *text;
    size_t index;
};

static int compare(const void *a, const void *b)
{
    const struct key *one = a, *other = b;
    const int order = strcmp(one->text, other->text);
    return order != 0 ? order : (one->index > other->index) - (one->index < other->index);
}

/* No image is listed twice; of several the first in the list is reported. */
static int check_paths(const struct reader *reader, const struct image_list *list, struct key *keys,
                       struct error *e)
{
    size_t found = SIZE_MAX, before = 0;
    for (size_t i = 0; i < list->count; i++) {
        keys[i] = (struct key){list->paths[i], i};
    }
    qsort(keys, list->count, sizeof *keys, compare);
    for (size_t i = 1; i < list->count; i++) {
        if (strcmp(keys[i - 1].text, keys[i].text) == 0 && keys[i].index < found) {
            found = keys[i].index;
            before = keys[i - 1].index;
        }
    }
    if (found == SIZE_MAX) {
        return 0;
    }
    error_set(e, ERROR_DATA, reader->path, "this image is already in line %lld",
              list->lines[before]);
    if (e != NULL) {
        e->line = (int)list->lines[found];
        e->column = 1;
    }
    return -1;
}

/* Number the labels. */
static int set_labels(struct dataset *set, const struct text *labels, const struct loading *how,
                      struct key *keys, struct error *e)
{
    struct image_list *list = set->list;
    const char *at = labels->data;
    for (size_t i = 0; i < list->count; i++, at += strlen(at) + 1) {
        keys[i] = (struct key){at, i};
    }
    qsort(keys, list->count, sizeof *keys, compare);
    const char **names = malloc(list->count * sizeof *names);
    int32_t *number = malloc(list->count * sizeof *number);
    int status = -1;
    if (names == NULL || number == NULL) {
        error_memory(e, list->count * sizeof *names);
    } else {
        struct texts classes = {0, names};
        for (size_t i = 0; i < list->count; i++) {
            if (i == 0 || strcmp(keys[i - 1].text, keys[i].text) != 0) {
                names[classes.count++] = keys[i].text;
            }
            list->labels[keys[i].index] = classes.count - 1;
        }
        status = image_set_classes(set, &classes, how, NULL, number, e);
        for (size_t i = 0; status == 0 && i < list->count; i++) {
            list->labels[i] = number[list->labels[i]];
        }
    }
    free(names);
    free(number);
    return status;
}

static int read_list(struct dataset *set, const char *path, const struct bytes *file,
                     const struct loading *how, struct error *e)
{
    const char *text = (const char *)file->data;
    const int bom = file->size >= 3 && memcmp(text, "\xef\xbb\xbf", 3) == 0 ? 3 : 0;
    struct reader reader = {path, text + bom, text + file->size, text + bom, 1};
    struct text labels = {0};
    struct key *keys = NULL;
    int status = read_lines(&reader, set->list, &labels, e);
    if (status == 0) {
        keys = malloc(set->list->count * sizeof *keys);
        status = keys != NULL ? 0 : error_memory(e, set->list->count * sizeof *keys);
    }
    if (status == 0) {
        status = check_paths(&reader, set->list, keys, e);
    }
    if (status == 0) {
        status = set_labels(set, &labels, how, keys, e);
    }
    free(keys);
    text_free(&labels);
    return status;
}

static int takes(const struct source *source, const struct loading *how, struct error *e)
{
    (void)how;
    (void)e;
    const size_t length = source->images != NULL ? strlen(source->images) : 0;
    return source->csv != NULL || (source->folder == NULL && source->labels == NULL && length > 4 &&
                                   strcmp(source->images + length - 4, ".csv") == 0);
}

static int load(struct dataset *set, const struct source *source, const struct loading *how,
                struct error *e)
{
    const char *path = source_path(source), *slash = strrchr(path, '/');
    char folder[1024];
    struct bytes file;
    set->list = calloc(1, sizeof *set->list);
    if (set->list == NULL) {
        return error_memory(e, sizeof *set->list);
    }
    snprintf(set->path, sizeof set->path, "%s", path);
    snprintf(folder, sizeof folder, "%.*s", slash == NULL ? 1 : (int)(slash - path + 1),
             slash == NULL ? "." : path);
    set->list->dir = -1;
    TRY(file_read(&file, path, LIST_BYTES_MAX, ERROR_DATA, e));
    int status = image_list_open(set->list, folder, e);
    if (status == 0) {
        snprintf(set->list->listed_in, sizeof set->list->listed_in, "%s", path);
        status = read_list(set, path, &file, how, e);
    }
    bytes_free(&file);
    return status != 0 ? -1 : image_set_load(set, how, e);
}

const struct format FORMAT_CSV = {
    .member = {.name = "csv", .help = "a list of PNG and JPEG images, a line path,label each"},
    .takes = takes,
    .load = load,
};
