/* yaml.c: the entrances to a YAML text and the faults that point into it. The work is done by
 * yaml_scan.c (bytes), yaml_build.c (tree) and yaml_set.c (--set). */
#include "config/yaml.h"

#include "base/text.h"
#include "config/yaml_internal.h"

#include <stdarg.h>
#include <string.h>

const struct yaml_source *yaml_source_new(struct arena *arena, const char *name, const char *text,
                                          size_t length)
{
    static const char mark[] = "\xEF\xBB\xBF";
    struct yaml_source *source = arena_alloc(arena, sizeof *source);
    const char *copy = arena_strndup(arena, name, strlen(name));

    if (source == NULL || copy == NULL) {
        return NULL;
    }
    const size_t skipped = length >= 3 && memcmp(text, mark, 3) == 0 ? 3 : 0;

    *source =
        (struct yaml_source){.name = copy, .text = text + skipped, .length = length - skipped};
    return source;
}

/* As far as it can be read: there may be faults although there is a tree. */
static const struct yaml *parse(struct arena *arena, const char *name, const char *text,
                                size_t length, struct error_list *errors)
{
    const struct yaml_source *source = yaml_source_new(arena, name, text, length);

    if (source == NULL) {
        error_memory(error_next(errors), sizeof *source);
        return NULL;
    }
    if (yaml_scan(source, errors) != 0) {
        return NULL;
    }
    return yaml_build(arena, source, errors);
}

const struct yaml *yaml_parse(struct arena *arena, const char *name, const char *text,
                              size_t length, struct error_list *errors)
{
    const long long faults = errors->total;
    const struct yaml *root = parse(arena, name, text, length, errors);

    return errors->total == faults ? root : NULL;
}

const struct yaml *yaml_read(struct arena *arena, const char *path, struct error_list *errors)
{
    struct bytes bytes;
    struct error fault;
    unsigned char start[16];

    if (file_read(&bytes, path, YAML_MAX_BYTES, ERROR_CONFIG, &fault) != 0) {
        /* A model is mostly too large for a config; that it is a model says more. */
        const char *foreign = fault.kind == ERROR_CONFIG
                                  ? yaml_foreign_file(start, file_peek(path, start, sizeof start))
                                  : NULL;

        if (foreign != NULL) {
            error_set(&fault, ERROR_CONFIG, path, "this is %s, not a config", foreign);
        }
        *error_next(errors) = fault;
        return NULL;
    }
    const char *text = arena_strndup(arena, (const char *)bytes.data, bytes.size);
    const size_t length = bytes.size;

    bytes_free(&bytes);
    if (text == NULL) {
        error_memory(error_next(errors), length);
        return NULL;
    }
    const struct yaml *root = parse(arena, path, text, length, errors);

    if (root != NULL && root->kind == YAML_NULL) {
        yaml_error(errors, root, "the config is empty: expected a mapping of keys");
        return NULL;
    }
    if (root != NULL && root->kind != YAML_MAP) {
        yaml_error(errors, root, "expected a mapping of keys, got %s", yaml_kind_name(root));
        return NULL;
    }
    return root;
}

const struct yaml *yaml_get(const struct yaml *map, const char *key)
{
    for (int i = 0; map != NULL && map->kind == YAML_MAP && i < map->count; i++) {
        if (strcmp(map->keys[i]->text, key) == 0) {
            return map->items[i];
        }
    }
    return NULL;
}

const char *yaml_kind_name(const struct yaml *node)
{
    static const char *const names[] = {[YAML_NULL] = "nothing",
                                        [YAML_SCALAR] = "text",
                                        [YAML_LIST] = "a list",
                                        [YAML_MAP] = "a mapping"};

    return node == NULL ? names[YAML_NULL] : names[node->kind];
}

/* The line that holds the fault, one column a character: what cannot be shown becomes a '?'. It
 * stays out when it is so long that the fault lies behind the cut. */
static void show_source(struct error *e, const struct yaml *where)
{
    const struct yaml_source *source = where->source;
    const size_t start = yaml_find(source, where->line, 1);
    const char *line = source->text + start;
    size_t length = 0, used = 0;
    int columns = 0;

    while (start + length < source->length && line[length] != '\n' && line[length] != '\r') {
        length++;
    }
    for (size_t at = 0; at < length; columns++) {
        char shown[8] = "?";
        size_t width = 1;

        if (line[at] == '\t') {
            shown[0] = ' ';
        } else {
            const int several = (unsigned char)line[at] >= 0xC0;

            while (several && width < 4 && at + width < length &&
                   ((unsigned char)line[at + width] & 0xC0) == 0x80) {
                width++;
            }
            char safe[20];

            text_sanitize(safe, sizeof safe, line + at, width);
            if (strlen(safe) == width) {
                memcpy(shown, safe, width + 1);
            }
        }
        if (used + strlen(shown) >= sizeof e->source) {
            break;
        }
        memcpy(e->source + used, shown, strlen(shown) + 1);
        used += strlen(shown);
        at += width;
    }
    if (where->column > columns + 1) {
        e->source[0] = '\0';
    }
    const int room = columns - where->column + 1;

    e->width = where->width < room ? where->width : room;
    e->width = e->width > 0 ? e->width : 1;
}

__attribute__((format(printf, 4, 0))) static void fill(struct error *e, enum error_kind kind,
                                                       const struct yaml *where, const char *format,
                                                       va_list arguments)
{
    char message[sizeof e->message];

    vsnprintf(message, sizeof message, format, arguments);
    error_set(e, kind, where != NULL ? where->source->name : NULL, "%s", message);
    if (where != NULL && where->line > 0) {
        e->line = where->line;
        e->column = where->column;
        show_source(e, where);
    }
}

int yaml_error(struct error_list *errors, const struct yaml *where, const char *format, ...)
{
    const int kept = errors->count;
    struct error *e = error_next(errors);

    /* A text with ten thousand faults has the first ones shown and the rest only counted. */
    if (errors->count > kept) {
        va_list arguments;

        va_start(arguments, format);
        fill(e, ERROR_CONFIG, where, format, arguments);
        va_end(arguments);
    }
    return -1;
}

int yaml_error_one(struct error *e, enum error_kind kind, const struct yaml *where,
                   const char *format, ...)
{
    if (e != NULL) {
        va_list arguments;

        va_start(arguments, format);
        fill(e, kind, where, format, arguments);
        va_end(arguments);
    }
    return -1;
}
