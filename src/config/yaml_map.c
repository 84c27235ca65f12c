/* yaml_map.c: the pairs of a mapping. `<<: *a` and `<<: [*a, *b]` bring in the pairs of other
 * mappings: a mapping's own keys win over merged ones, and earlier merged mappings over later ones
 * (yaml.org, "Merge Key"). A key that stands twice in the text is a fault; libyaml and most readers
 * would let one of them win. */
#include "config/yaml_internal.h"

#include "base/text.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct pair {
    const struct yaml *key, *value;
    const struct pair *same; /* the earlier pair with this key, NULL for the first */
    int merged;              /* came through `<<` */
};

static int is_merge_key(const struct yaml *key)
{
    return !key->quoted && strcmp(key->text, "<<") == 0;
}

/* By key; equal keys in the order of the text. */
static int compare(const void *left, const void *right)
{
    const struct pair *a = *(const struct pair *const *)left,
                      *b = *(const struct pair *const *)right;

    if (a->key->length != b->key->length) {
        return a->key->length < b->key->length ? -1 : 1;
    }
    const int order = memcmp(a->key->text, b->key->text, a->key->length);

    return order != 0 ? order : a < b ? -1 : a > b;
}

/* Set `same` in each pair whose key was there before. Sorting, because ten thousand keys fit into a
 * config. */
static int find_same(struct arena *arena, struct pair *pairs, size_t count)
{
    struct pair **sorted = arena_alloc(arena, count * sizeof sorted[0]);

    if (sorted == NULL) {
        return -1;
    }
    for (size_t i = 0; i < count; i++) {
        sorted[i] = &pairs[i];
    }
    qsort(sorted, count, sizeof sorted[0], compare);
    for (size_t i = 1, first = 0; i < count; i++) {
        const struct yaml *a = sorted[first]->key, *b = sorted[i]->key;

        if (a->length == b->length && memcmp(a->text, b->text, a->length) == 0) {
            sorted[i]->same = sorted[first];
        } else {
            first = i;
        }
    }
    return 0;
}

static void report_duplicate(const struct pair *pair, struct error_list *errors)
{
    const struct yaml *first = pair->same->key;
    const int kept = errors->count;
    struct error *e = error_next(errors);
    char shown[400];

    if (errors->count == kept) {
        return; /* counted is enough: nobody will see it */
    }
    text_escape(shown, sizeof shown, pair->key->text, pair->key->length);
    yaml_error_one(e, ERROR_CONFIG, pair->key, "duplicate key '%s'", shown);
    snprintf(e->note, sizeof e->note, "first defined at %d:%d", first->line, first->column);
}

/* How many pairs the value of a `<<` brings; 0 with a fault when it cannot bring any. */
static size_t count_merged(const struct yaml *value, struct error_list *errors)
{
    const struct yaml *wrong = value->kind == YAML_MAP || value->kind == YAML_LIST ? NULL : value;
    size_t count = value->kind == YAML_MAP ? (size_t)value->count : 0;

    for (int i = 0; value->kind == YAML_LIST && i < value->count; i++) {
        if (value->items[i]->kind != YAML_MAP) {
            wrong = value->items[i];
        } else {
            count += (size_t)value->items[i]->count;
        }
    }
    if (wrong != NULL) {
        yaml_error(errors, wrong, "'<<' takes a mapping or a list of mappings, got %s",
                   yaml_kind_name(wrong));
        return 0;
    }
    return count;
}

static struct pair *add_map(struct pair *pair, const struct yaml *map)
{
    for (int i = 0; i < map->count; i++) {
        *pair++ = (struct pair){.key = map->keys[i], .value = map->items[i], .merged = 1};
    }
    return pair;
}

static struct pair *add_merged(struct pair *pair, const struct yaml *value)
{
    if (value->kind == YAML_MAP) {
        return add_map(pair, value);
    }
    for (int i = 0; i < value->count; i++) {
        pair = add_map(pair, value->items[i]);
    }
    return pair;
}

/* The pairs that stay, in order. */
static int keep(struct arena *arena, struct yaml *map, const struct pair *pairs, size_t count,
                struct error_list *errors)
{
    map->keys = arena_alloc(arena, count * sizeof map->keys[0]);
    map->items = arena_alloc(arena, count * sizeof map->items[0]);
    if (map->keys == NULL || map->items == NULL) {
        return error_memory(error_next(errors), count * sizeof map->items[0]);
    }
    for (const struct pair *pair = pairs; pair < pairs + count; pair++) {
        if (pair->same != NULL && !pair->merged) {
            report_duplicate(pair, errors);
        } else if (pair->same == NULL && !is_merge_key(pair->key)) {
            map->keys[map->count] = pair->key;
            map->items[map->count++] = pair->value;
        }
    }
    return 0;
}

int yaml_finish_map(struct arena *arena, struct yaml *map, const struct yaml_child *children,
                    int pairs, struct error_list *errors)
{
    const struct yaml *merged = NULL;
    size_t own = 0, count = (size_t)pairs;

    for (const struct yaml_child *c = children; c != NULL; c = c->next->next) {
        if (is_merge_key(c->node) && merged == NULL) {
            const size_t more = count_merged(c->next->node, errors);

            merged = more > 0 ? c->next->node : NULL;
            count += more;
        }
    }
    struct pair *list = arena_alloc(arena, count * sizeof list[0]);

    if (list == NULL) {
        return error_memory(error_next(errors), count * sizeof list[0]);
    }
    for (const struct yaml_child *c = children; c != NULL; c = c->next->next) {
        list[own++] = (struct pair){.key = c->node, .value = c->next->node};
    }
    if (merged != NULL) {
        add_merged(list + own, merged);
    }
    if (find_same(arena, list, count) != 0) {
        return error_memory(error_next(errors), count * sizeof list[0]);
    }
    return keep(arena, map, list, count, errors);
}
