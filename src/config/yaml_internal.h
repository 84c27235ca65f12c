/* yaml_internal.h: what the yaml files share among themselves. */
#ifndef CNNTRAIN_CONFIG_YAML_INTERNAL_H
#define CNNTRAIN_CONFIG_YAML_INTERNAL_H

#include "config/yaml.h"

#define YAML_MAX_BYTES ((size_t)256 << 10) /* a text */
#define YAML_MAX_DEPTH 32                  /* lists and mappings inside each other */
#define YAML_MAX_NODES 20000 /* keys and values, every use of an alias with all that it names */
#define YAML_MAX_SCALAR ((size_t)4096) /* bytes */

/* Refuse, with a place and a plain word, what libyaml would report without a place or only after
 * seconds: bytes that are not text, another sort of file, directives. 0 or -1. */
int yaml_scan(const struct yaml_source *source, struct error_list *errors);

/* The tree of a text that yaml_scan has passed; NULL with faults in `errors`. Duplicate keys and
 * bad merges are reported and left out, and the tree is returned. A text without a document is
 * YAML_NULL. */
const struct yaml *yaml_build(struct arena *arena, const struct yaml_source *source,
                              struct error_list *errors);

/* The code of the character at `bytes` (valid UTF-8) when it has no business in a config, else 0:
 * controls, and Unicode's own line ends, on which editors and libyaml would not agree about line
 * numbers. */
unsigned yaml_refused_character(const char *bytes);

/* A name for the sort of file that starts with these bytes ("a PNG image"), or NULL: it may be
 * text. */
const char *yaml_foreign_file(const unsigned char *bytes, size_t size);

struct yaml_child {
    struct yaml_child *next;
    const struct yaml *node;
};
/* Give a mapping its pairs, read as keys and values in turn: merges done, duplicate keys reported
 * and left out. -1 when there is no memory. */
int yaml_finish_map(struct arena *arena, struct yaml *map, const struct yaml_child *children,
                    int pairs, struct error_list *errors);

enum { YAML_ANCHOR_BUCKETS = 256 };
struct yaml_anchor {
    struct yaml_anchor *next; /* the newer first: a name may be given again */
    const char *name;
    const struct yaml *node; /* NULL while it is being read */
    int nodes, height;       /* of the tree that it names */
};
struct yaml_anchors {
    struct yaml_anchor *buckets[YAML_ANCHOR_BUCKETS];
};
/* NULL without memory. */
struct yaml_anchor *yaml_anchor_add(struct arena *arena, struct yaml_anchors *anchors,
                                    const char *name);
/* The last one of that name, or NULL. */
const struct yaml_anchor *yaml_anchor_find(const struct yaml_anchors *anchors, const char *name);

struct yaml_parser_s; /* libyaml's yaml_parser_t */
/* Report what libyaml stopped at, in our words. -1. */
int yaml_syntax_error(const struct yaml_source *source, const struct yaml_parser_s *parser,
                      struct error_list *errors);

struct yaml_cursor {
    size_t at; /* a byte of the text, and where it stands; {0, 1, 1} at the start */
    int line, column;
};
/* Forward to a line and column, or to the end of the text. */
void yaml_advance(const struct yaml_source *source, struct yaml_cursor *cursor, int line,
                  int column);
/* The byte at a line and column (the end of the text when it is shorter). */
size_t yaml_find(const struct yaml_source *source, int line, int column);
/* Where the byte at `at` stands. */
struct yaml yaml_place(const struct yaml_source *source, size_t at);
/* The first byte from `at` on that is neither a blank, a line end nor in a comment; the length when
 * there is none. */
size_t yaml_skip_blank(const struct yaml_source *source, size_t at);

/* A source in the arena, with its own copy of the name, a byte order mark skipped; NULL without
 * memory. */
const struct yaml_source *yaml_source_new(struct arena *arena, const char *name, const char *text,
                                          size_t length);

#endif
