/* error.c: filling and printing `struct error`. Everything that reaches a message is made safe
 * here, once: control characters, bad UTF-8 and direction overrides of a hostile file never reach a
 * terminal. */
#include "base/error.h"

#include "base/text.h"

#include <errno.h>
#include <string.h>

static void copy_cut(char *to, size_t size, const char *from)
{
    const size_t length = strnlen(from, size - 1);

    memcpy(to, from, length);
    to[length] = '\0';
}

/* The arguments may point into *e (a caller that wraps a message), so *e is written last. */
__attribute__((format(printf, 5, 0))) static void fill(struct error *e, enum error_kind kind,
                                                       const char *file, long long offset,
                                                       const char *format, va_list arguments)
{
    char raw[sizeof e->message];
    char name[sizeof e->file];

    vsnprintf(raw, sizeof raw, format, arguments);
    text_end_of(name, sizeof name, file != NULL ? file : "");

    *e = (struct error){.kind = kind, .offset = offset};
    copy_cut(e->file, sizeof e->file, name);
    text_sanitize(e->message, sizeof e->message, raw, strlen(raw));
}

int error_set(struct error *e, enum error_kind kind, const char *file, const char *format, ...)
{
    if (e != NULL) {
        va_list arguments;

        va_start(arguments, format);
        fill(e, kind, file, -1, format, arguments);
        va_end(arguments);
    }
    return -1;
}

int error_at_offset(struct error *e, enum error_kind kind, const char *file, long long offset,
                    const char *format, ...)
{
    if (e != NULL) {
        va_list arguments;

        va_start(arguments, format);
        fill(e, kind, file, offset, format, arguments);
        va_end(arguments);
    }
    return -1;
}

int error_errno(struct error *e, enum error_kind kind, const char *file, const char *what)
{
    const int number = errno;

    return error_set(e, number == ENOMEM ? ERROR_LIMIT : kind, file, "%s: %s", what,
                     strerror(number));
}

int error_memory(struct error *e, size_t bytes)
{
    char amount[32];

    return error_set(e, ERROR_LIMIT, NULL, "out of memory: cannot allocate %s",
                     text_from_bytes(amount, bytes));
}

int error_is_memory(const struct error *e)
{
    return e->kind == ERROR_LIMIT && (e->file[0] == '\0' || strstr(e->message, strerror(ENOMEM)));
}

const struct error *error_first(const struct error_list *list)
{
    for (int i = 0; i < list->count; i++) {
        if (error_is_memory(&list->items[i])) {
            return &list->items[i];
        }
    }
    return &list->items[0];
}

static void print_place(FILE *out, const struct error *e, const char *program)
{
    char name[4 * sizeof e->file];

    if (e->file[0] == '\0') {
        fprintf(out, "%s: ", program);
        return;
    }
    text_sanitize(name, sizeof name, e->file, strlen(e->file));
    if (e->line > 0) {
        fprintf(out, "%s:%d:%d: ", name, e->line, e->column);
    } else if (e->offset >= 0) {
        fprintf(out, "%s:@%lld: ", name, e->offset);
    } else {
        fprintf(out, "%s: ", name);
    }
}

static void print_source(FILE *out, const struct error *e, const char *accent, const char *plain)
{
    char line[4 * sizeof e->source];

    text_sanitize(line, sizeof line, e->source, strlen(e->source));
    fprintf(out, "%5d | %s\n", e->line, line);
    fprintf(out, "      | %*s%s^", e->column - 1, "", accent);
    for (int i = 1; i < e->width; i++) {
        fputc('~', out);
    }
    fprintf(out, "%s\n", plain);
}

void error_print(FILE *out, const struct error *e, const char *program, const char *severity,
                 int colour)
{
    const char *bold = colour ? "\033[1m" : "";
    const char *accent = !colour                            ? ""
                         : strcmp(severity, "warning") == 0 ? "\033[1;35m"
                                                            : "\033[1;31m";
    const char *plain = colour ? "\033[0m" : "";

    fputs(bold, out);
    print_place(out, e, program);
    fprintf(out, "%s%s:%s %s\n", accent, severity, plain, e->message);
    if (e->source[0] != '\0' && e->line > 0 && e->column > 0) {
        print_source(out, e, accent, plain);
    }
    if (e->note[0] != '\0') {
        fputs(bold, out);
        print_place(out, e, program);
        fprintf(out, "%snote: %s\n", plain, e->note);
    }
}

struct error *error_next(struct error_list *list)
{
    const int room = (int)(sizeof list->items / sizeof list->items[0]);
    struct error *e = list->count < room ? &list->items[list->count++] : &list->spare;

    list->total++;
    *e = (struct error){.offset = -1};
    return e;
}
