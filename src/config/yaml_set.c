/* yaml_set.c: `--set network.2.conv.filters=32`. The way from the root to the value is copied, the
 * rest of the tree is shared. What the command line adds knows where it came from, so a bad value
 * is reported as
 * "--set network.2.conv.filters=abc:1:1". */
#include "config/yaml_internal.h"

#include "base/text.h"

#include <stdint.h>
#include <stdio.h>
#include <string.h>

/* One assignment on its way into the tree. */
struct assignment {
    struct arena *arena;
    const struct yaml_source *source;
    const char *path;
    const struct yaml *value;
    struct error_list *errors;
};

struct segment {
    const char *text; /* in the path, not terminated */
    size_t length;
    const char *rest; /* NULL at the end */
};

static int refuse(const struct assignment *a, const struct segment *segment, const char *why)
{
    char shown[400];
    const size_t length = (size_t)(segment->text - a->path) + segment->length;

    text_escape(shown, sizeof shown, a->path, length);
    return error_set(error_next(a->errors), ERROR_CONFIG, a->source->name, "'%s' %s", shown, why);
}

static int next_segment(const struct assignment *a, const char *path, struct segment *segment)
{
    const size_t length = strcspn(path, ".");

    *segment = (struct segment){path, length, path[length] == '.' ? path + length + 1 : NULL};
    return length > 0 ? 0 : refuse(a, segment, "has an empty name in its path");
}

static int no_memory(const struct assignment *a)
{
    return error_memory(error_next(a->errors), sizeof(struct yaml));
}

/* A node that no text holds: line 0 keeps a fault from pointing at one. */
static struct yaml *new_node(const struct assignment *a, enum yaml_kind kind)
{
    struct yaml *node = arena_alloc(a->arena, sizeof *node);

    if (node != NULL) {
        *node = (struct yaml){.kind = kind, .source = a->source, .width = 1};
    }
    return node;
}

static struct yaml *new_key(const struct assignment *a, const char *text, size_t length)
{
    struct yaml *key = new_node(a, YAML_SCALAR);

    if (key != NULL) {
        key->length = length;
        key->text = arena_strndup(a->arena, text, length);
    }
    return key != NULL && key->text != NULL ? key : NULL;
}

/* A copy of a list or mapping with room for one pair more. */
static struct yaml *copy_with_room(const struct assignment *a, const struct yaml *node)
{
    struct yaml *copy = arena_alloc(a->arena, sizeof *copy);
    const size_t size = (size_t)node->count * sizeof node->items[0];
    const struct yaml **items = arena_alloc(a->arena, size + sizeof items[0]);
    const struct yaml **keys = arena_alloc(a->arena, size + sizeof keys[0]);

    if (copy == NULL || items == NULL || keys == NULL) {
        return NULL;
    }
    *copy = *node;
    if (node->count > 0) {
        memcpy(items, node->items, size);
    }
    if (node->count > 0 && node->kind == YAML_MAP) {
        memcpy(keys, node->keys, size);
    }
    copy->items = items;
    copy->keys = node->kind == YAML_MAP ? keys : NULL;
    return copy;
}

/* `optimizer: adam` is short for {type: adam}, and `relu` in a list for {relu: }: written out, it
 * can be gone into. The name of the next step tells which of them is meant. */
static struct yaml *spell_out(const struct assignment *a, const struct yaml *scalar,
                              const struct segment *next)
{
    const int is_word =
        !scalar->quoted && ((scalar->text[0] | 0x20) >= 'a' && (scalar->text[0] | 0x20) <= 'z');
    const int same =
        scalar->length == next->length && memcmp(scalar->text, next->text, next->length) == 0;
    struct yaml *map = NULL, *key = NULL, *nothing = NULL;

    if (!is_word) {
        char shown[400], why[512];

        text_escape(shown, sizeof shown, scalar->text, scalar->length);
        snprintf(why, sizeof why, "goes into the plain value '%s'; set {name: value} in its place",
                 shown);
        refuse(a, next, why);
        return NULL;
    }
    const struct yaml **slots = arena_alloc(a->arena, 2 * sizeof slots[0]);

    map = new_node(a, YAML_MAP);
    key = same ? NULL : new_key(a, "type", 4);
    nothing = new_node(a, YAML_NULL);
    if (slots == NULL || map == NULL || nothing == NULL || (!same && key == NULL)) {
        no_memory(a);
        return NULL;
    }
    map->source = scalar->source;
    map->line = scalar->line;
    map->column = scalar->column;
    map->width = scalar->width;
    map->count = 1;
    map->keys = &slots[0];
    map->items = &slots[1];
    map->keys[0] = same ? scalar : key;
    map->items[0] = same ? nothing : scalar;
    return map;
}

/* Where the next step goes: the slot of an existing or new item of `copy`. */
static const struct yaml **find_slot(const struct assignment *a, struct yaml *copy,
                                     const struct segment *segment)
{
    if (copy->kind == YAML_LIST) {
        uint64_t index;

        if (text_to_unsigned(segment->text, segment->length, &index) != 0) {
            refuse(a, segment, "goes into a list: give the number of an item, from 0");
            return NULL;
        }
        if (index >= (uint64_t)copy->count) {
            char why[64];

            snprintf(why, sizeof why, "is not there: the list has %d item%s", copy->count,
                     copy->count == 1 ? "" : "s");
            refuse(a, segment, why);
            return NULL;
        }
        return &copy->items[index];
    }
    for (int i = 0; i < copy->count; i++) {
        if (copy->keys[i]->length == segment->length &&
            memcmp(copy->keys[i]->text, segment->text, segment->length) == 0) {
            return &copy->items[i];
        }
    }
    const struct yaml *key = new_key(a, segment->text, segment->length);

    if (key == NULL) {
        no_memory(a);
        return NULL;
    }
    copy->keys[copy->count] = key;
    return &copy->items[copy->count++];
}

/* A copy of `node` (NULL: a new mapping) in which one step of the path can be replaced. */
static struct yaml *open_node(const struct assignment *a, const struct yaml *node,
                              const struct segment *segment)
{
    if (node == NULL || node->kind == YAML_NULL) {
        node = new_node(a, YAML_MAP);
    } else if (node->kind == YAML_SCALAR) {
        node = spell_out(a, node, segment);
        if (node == NULL) {
            return NULL;
        }
    }
    struct yaml *copy = node != NULL ? copy_with_room(a, node) : NULL;

    if (copy == NULL) {
        no_memory(a);
    }
    return copy;
}

static const struct yaml *assign(const struct assignment *a, const struct yaml *root)
{
    const struct yaml *result = root;
    const struct yaml **slot = &result;
    const char *path = a->path;

    for (int depth = 0; path != NULL; depth++) {
        struct segment segment;

        if (next_segment(a, path, &segment) != 0) {
            return NULL;
        }
        if (depth == YAML_MAX_DEPTH) {
            refuse(a, &segment, "goes too deep");
            return NULL;
        }
        struct yaml *copy = open_node(a, *slot, &segment);

        if (copy == NULL) {
            return NULL;
        }
        *slot = copy;
        slot = find_slot(a, copy, &segment);
        if (slot == NULL) {
            return NULL;
        }
        path = segment.rest;
    }
    *slot = a->value;
    return result;
}

const struct yaml *yaml_set(struct arena *arena, const struct yaml *root, const char *assignment,
                            struct error_list *errors)
{
    static const char option[] = "--set ";
    const size_t length = strlen(assignment);
    const char *equals = strchr(assignment, '=');
    char *name = arena_alloc(arena, sizeof option + length);

    if (name == NULL) {
        error_memory(error_next(errors), length);
        return NULL;
    }
    memcpy(name, option, sizeof option);
    memcpy(name + sizeof option - 1, assignment, length + 1);
    if (equals == NULL) {
        error_set(error_next(errors), ERROR_CONFIG, name, "expected KEY=VALUE");
        return NULL;
    }
    const char *path = arena_strndup(arena, assignment, (size_t)(equals - assignment));
    const char *text = arena_strndup(arena, equals + 1, strlen(equals + 1));

    if (path == NULL || text == NULL) {
        error_memory(error_next(errors), length);
        return NULL;
    }
    const struct yaml *value = yaml_parse(arena, name, text, strlen(text), errors);

    if (value == NULL) {
        return NULL;
    }
    const struct assignment a = {arena, value->source, path, value, errors};

    return assign(&a, root);
}
