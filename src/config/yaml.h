/* yaml.h: a YAML text as a tree in which every node knows where it stands, so that a bad `stride`
 * is reported as lenet5.yaml:17:13 with its source line and a caret.
 *
 * libyaml gives the events; this adds what it lacks: duplicate keys, several documents, directives,
 * tags and empty files are errors, aliases and `<<` merges are expanded, and everything is bounded
 * (256 KiB of text, depth 32, 20,000 nodes after expansion, 4 KiB a scalar), so that a bomb is an
 * error within milliseconds. Aliased nodes are shared, not copied: the tree is read-only. */
#ifndef CNNTRAIN_CONFIG_YAML_H
#define CNNTRAIN_CONFIG_YAML_H

#include "base/arena.h"
#include "base/error.h"
#include "base/file.h"

enum yaml_kind { YAML_NULL, YAML_SCALAR, YAML_LIST, YAML_MAP };

/* A text that nodes point back to: a file, or the value of one --set. */
struct yaml_source {
    const char *name; /* "configs/lenet5.yaml", "--set train.epochs=3" */
    const char *text; /* whole, terminated, UTF-8, without a BOM */
    size_t length;
};

struct yaml {
    enum yaml_kind kind;
    int quoted; /* a scalar that was quoted: never a number or boolean */
    const struct yaml_source *source;
    int line, column, width; /* 1-based, in code points; what to underline */
    const char *text;        /* YAML_SCALAR: terminated */
    size_t length;
    int count;                 /* YAML_LIST: items; YAML_MAP: pairs */
    const struct yaml **items; /* list items, or the map's values */
    const struct yaml **keys;  /* the map's keys (scalars), else NULL */
};

/* Parse `bytes`, which the caller keeps until the arena is freed. `name` is used in messages
 * (copied). On failure the faults are in `errors` and NULL is returned; syntax faults stop at the
 * first. Duplicate keys are all reported. */
const struct yaml *yaml_parse(struct arena *arena, const char *name, const char *text,
                              size_t length, struct error_list *errors);
/* The same for a file. When duplicate keys are all that is wrong, the tree without them is
 * returned, so that its other faults can be found in the same pass: errors->total says that it is
 * not good. */
const struct yaml *yaml_read(struct arena *arena, const char *path, struct error_list *errors);

/* The tree with the value at a dotted path replaced or added (maps by key, lists by index,
 * "network.2.conv.filters"; a missing map on the way is made). `assignment` is "KEY=VALUE" and
 * VALUE is parsed as YAML. The result shares what did not change. NULL on failure. */
const struct yaml *yaml_set(struct arena *arena, const struct yaml *root, const char *assignment,
                            struct error_list *errors);

/* The value of a key in a map, or NULL. */
const struct yaml *yaml_get(const struct yaml *map, const char *key);

/* Report a fault at a node: fills place, source line and caret. Returns -1. `e` from error_next. */
int yaml_error(struct error_list *errors, const struct yaml *where, const char *format, ...)
    __attribute__((format(printf, 3, 4)));
/* The same as one error rather than into a list, of any kind (a data fault found through a config's
 * key). */
int yaml_error_one(struct error *e, enum error_kind kind, const struct yaml *where,
                   const char *format, ...) __attribute__((format(printf, 4, 5)));
/* "a list", "a mapping", "text", "nothing": for messages. */
const char *yaml_kind_name(const struct yaml *node);

#endif
