/* option.h: option tables. One row per key says what it is called, where it goes, what it may be
 * and what it means; the same rows serve the parser, --list, the written-out config.yaml and the
 * docs. Nothing else in the program knows a key.
 *
 * A family is a set of types that a config chooses from by name (layers, losses, optimizers...):
 * each member has rows of its own. In a config, `adam`, `{type: adam, lr: 0.1}`, or in the network
 * list `conv: {filters: 6}`. */
#ifndef CNNTRAIN_CONFIG_OPTION_H
#define CNNTRAIN_CONFIG_OPTION_H

#include "base/text.h"
#include "config/yaml.h"

#include <stddef.h>

struct option;

/* Where decoding puts what it makes, and what it finds wrong. */
struct decoder {
    struct arena *arena;
    struct error_list *errors;
};

/* How one sort of value is read, written and described. The kinds below are enough for numbers and
 * words; a floor above may define its own (data sources, the network list). */
struct option_kind {
    const char *name; /* for --list: "integer" */
    /* Read `value` (never NULL) into *field; 0, or -1 with faults reported at the value. */
    int (*decode)(const struct option *option, void *field, const struct yaml *value,
                  struct decoder *decoder);
    /* Append the value as flow-style YAML that decode reads back to the same field, or nothing when
     * the key is to be left out. A kind that writes blocks may do so, beginning with a line end:
     * `indent` is the column of the key, or -1 where only flow style will do. */
    void (*emit)(const struct option *option, const void *field, struct text *out, int indent);
    /* Append the range for --list ("1 to 65536", "same | valid | ..."); may be NULL. */
    void (*describe)(const struct option *option, struct text *out);
};

struct option {
    const char *key;
    const struct option_kind *kind;
    size_t offset;        /* of the field in the options struct */
    const char *fallback; /* the default as YAML text; NULL: the key is required; "": absent leaves
                             the field zero */
    double low, high;     /* inclusive bounds for numbers, may be infinite; both 0: none */
    int open;             /* 1: low itself is excluded; 2: high itself is excluded; 3: both */
    const void *extra;    /* the kind's own: the choices, the family... */
    const char *help;     /* one line */
    int keyed;            /* only by its key: never what the bare value of its type is for */
};
#define OPTION_END                                                                                 \
    {                                                                                              \
        .key = NULL                                                                                \
    }

/* `fallback` for OPTION_GROUP is "{}" where the group may be left out: its rows then take their
 * defaults. In a text, "$${" stands for "${".
 *
 * kind           field               extra
 * OPTION_INTEGER long long           -             whole number within [low, high]
 * OPTION_SEED    uint64_t            -             0 .. 2^64-1
 * OPTION_SIZE    uint64_t            -             a number of bytes, 1 at least: 512MiB
 * OPTION_NUMBER  float               -             decimal, finite
 * OPTION_DOUBLE  double              -
 * OPTION_DURATION long long          -             seconds, as 90s, 30m, 1h30m; 0 is "absent"
 * OPTION_BOOLEAN int                 -             true | false
 * OPTION_TEXT    const char *        -             a string, ${VAR} and ${VAR:-default} expanded;
 * not empty OPTION_WORD    const char *        char *[]      one of a NULL-terminated list of
 * words; the field points into it OPTION_PAIR    int[2]              -             one number, or
 * [height, width] OPTION_NUMBERS struct numbers      -             a list of decimals OPTION_TEXTS
 * struct texts        -             a list of strings OPTION_FAMILY  struct choice       struct
 * family a member and its options: `adam` or {type: adam, ...} OPTION_GROUP   a struct struct group
 * nested rows: a mapping
 */
extern const struct option_kind OPTION_INTEGER, OPTION_SEED, OPTION_SIZE, OPTION_NUMBER,
    OPTION_DOUBLE, OPTION_BOOLEAN, OPTION_TEXT, OPTION_WORD, OPTION_PAIR, OPTION_NUMBERS,
    OPTION_TEXTS, OPTION_FAMILY, OPTION_GROUP, OPTION_DURATION;

struct numbers {
    int count;
    const double *values;
};
struct texts {
    int count;
    const char *const *values;
};

/* First field of every type row of a family. */
struct member {
    const char *name, *help;
    const struct option *options; /* NULL-key terminated; NULL when there are none */
    size_t size;                  /* of the options struct */
};
/* What other programs call a member, or do with one, and what to write here. */
struct foreign {
    const char *name, *advice; /* "convolutional", "write 'conv'" */
};
struct family {
    const char *noun, *plural;           /* "layer", "layers" */
    const struct member *const *members; /* NULL-terminated, in the order of the .def list */
    const struct foreign *foreign;       /* NULL-name terminated, case ignored; NULL: none */
};
struct choice {
    const struct member *type; /* NULL: the key was absent and its default is "" */
    void *options;             /* of type->size bytes, NULL when that is 0 */
    const struct yaml *where;  /* for later faults; NULL when it is a default */
};
struct group {
    const struct option *options;
    size_t size;
    const char *noun; /* for "unknown key 'x' in train"; NULL: the key itself */
    /* What no single row can check, told the struct once its rows are read without fault: 0, or -1
     * with a fault reported. May be NULL. */
    int (*check)(void *options, const struct yaml *value, struct error_list *errors);
};

/* Read a mapping by rows into `options`: unknown keys (with a suggestion), missing ones, bad
 * values; all of them are reported, defaults fill the rest of the zeroed struct. `value` may be
 * NULL or YAML_NULL: all defaults. `noun` is for messages ("" at the top); `parent` is where a
 * missing key is reported when there is no value. 0 or -1. */
int options_decode(const struct option *rows, void *options, const struct yaml *value,
                   const char *noun, const struct yaml *parent, struct decoder *decoder);
/* Read one member by name. `value`: a mapping of its rows, or a bare value for its first row, or
 * NULL. `name` is the node of the name (for "unknown layer 'conf'; did you mean 'conv'?"). 0 or -1.
 */
int member_decode(const struct family *family, struct choice *choice, const struct yaml *name,
                  const struct yaml *value, struct decoder *decoder);
/* Read an item of a list of members, as in `network`: `relu`, or a mapping of one pair, `conv:
 * {filters: 6}`. 0 or -1. */
int item_decode(const struct family *family, struct choice *choice, const struct yaml *item,
                struct decoder *decoder);
const struct member *family_find(const struct family *family, const char *name);

/* Append `key: value` lines for every row, `indent` spaces before each: block style, defaults
 * written out. */
void options_emit(const struct option *rows, const void *options, struct text *out, int indent);
/* Append `{key: value, ...}` on one line; nothing between the braces when there are no rows. */
void options_emit_flow(const struct option *rows, const void *options, struct text *out);
/* Append a text as YAML, quoted when it must be, "${" as "$${": OPTION_TEXT reads it back. */
void option_emit_text(struct text *out, const char *value);

/* Append the help of rows or of a family: key, type, default, range, help; one option a line,
 * aligned. */
void options_list(const struct option *rows, struct text *out, int indent);
void family_list(const struct family *family, struct text *out);

#endif
