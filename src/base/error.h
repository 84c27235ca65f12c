/* error.h: how a fault travels. Whatever touches input, files or memory returns 0 or -1 and fills
 * the caller's `struct error`; nothing here allocates, and only src/tools prints or exits.
 *
 * A fault has a place: line and column for text, a byte offset for binary files, or neither. The
 * values of `enum error_kind` are the exit codes of the commands (spec: "Exit codes"). */
#ifndef CNNTRAIN_BASE_ERROR_H
#define CNNTRAIN_BASE_ERROR_H

#include <stdarg.h>
#include <stdio.h>

enum error_kind {
    ERROR_NONE = 0,
    ERROR_CHECK = 1,    /* a check the user asked for was not met */
    ERROR_USAGE = 2,    /* command line */
    ERROR_CONFIG = 3,   /* the YAML file, or --set */
    ERROR_DATA = 4,     /* data set */
    ERROR_MODEL = 5,    /* model or checkpoint */
    ERROR_IO = 6,       /* cannot open, read or write */
    ERROR_LIMIT = 7,    /* memory, or a limit of ours */
    ERROR_NUMERIC = 8,  /* the loss or a weight is not finite */
    ERROR_BUSY = 9,     /* output directory in use, or holds an unfinished run */
    ERROR_INTERNAL = 70 /* always a bug of ours */
};

struct error {
    enum error_kind kind;
    char file[1024];   /* as the user named it; "" when there is no file */
    int line, column;  /* 1-based, in code points; 0 = no such place */
    int width;         /* code points to underline, at least 1 when `source` is set */
    long long offset;  /* byte offset, or -1 */
    char message[512]; /* one line, no control characters */
    char source[256];  /* the source line, cut; "" when there is none */
    char note[256];    /* a second sentence ("first defined at 3:1"), or "" */
};

/* Fill *e and return -1, so that `return error_set(...)` reads well. The formats are printf's;
 * control characters in the result are escaped as \xNN. `e` may be NULL: then only -1 is returned.
 */
int error_set(struct error *e, enum error_kind kind, const char *file, const char *format, ...)
    __attribute__((format(printf, 4, 5)));
int error_at_offset(struct error *e, enum error_kind kind, const char *file, long long offset,
                    const char *format, ...) __attribute__((format(printf, 5, 6)));
/* "cannot open: No such file or directory"; takes errno. Without memory (ENOMEM) it is ERROR_LIMIT,
 * whatever was being done. */
int error_errno(struct error *e, enum error_kind kind, const char *file, const char *what);
/* Out of memory for `bytes`; ERROR_LIMIT. */
int error_memory(struct error *e, size_t bytes);
/* Whether it says that there is no memory, which is no fault of any file. */
int error_is_memory(const struct error *e);

/* Print as compilers do:
 *   FILE:LINE:COL: error: MESSAGE        FILE:@OFFSET: error: MESSAGE        FILE: error: MESSAGE
 * then the source line with a caret, then the note. `program` stands in when there is no file.
 * `severity` is "error" or "warning"; colour is used when `colour` is not 0. */
void error_print(FILE *out, const struct error *e, const char *program, const char *severity,
                 int colour);

/* All the faults of one pass: the first 20 are kept, all are counted. */
struct error_list {
    struct error items[20];
    int count;          /* kept */
    long long total;    /* seen */
    struct error spare; /* where the rest go */
};
/* The one to tell when only one can be: that there is no memory, if that is among them, for what
 * else is there may have come of it; otherwise the first. */
const struct error *error_first(const struct error_list *list);
/* The next free slot, zeroed with offset -1. Never NULL. */
struct error *error_next(struct error_list *list);

/* Forward a failure. */
#define TRY(expression)                                                                            \
    do {                                                                                           \
        if ((expression) != 0) {                                                                   \
            return -1;                                                                             \
        }                                                                                          \
    } while (0)

/* The same for what fills a single `e`: into the `errors` of the function, as one of them. */
#define TRY_ONE(expression)                                                                        \
    do {                                                                                           \
        struct error one_ = {.offset = -1};                                                        \
        struct error *e = &one_;                                                                   \
        if ((expression) != 0) {                                                                   \
            *error_next(errors) = one_;                                                            \
            return -1;                                                                             \
        }                                                                                          \
    } while (0)

#endif
