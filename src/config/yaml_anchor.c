/* yaml_anchor.c: the names that `&name` gives to nodes, in a hash table: ten thousand aliases to
 * ten thousand anchors fit into a config. */
#include "config/yaml_internal.h"

#include <stdint.h>
#include <string.h>

/* FNV-1a */
static size_t bucket(const char *name)
{
    uint32_t hash = 2166136261u;

    for (; *name != '\0'; name++) {
        hash = (hash ^ (unsigned char)*name) * 16777619u;
    }
    return hash % YAML_ANCHOR_BUCKETS;
}

struct yaml_anchor *yaml_anchor_add(struct arena *arena, struct yaml_anchors *anchors,
                                    const char *name)
{
    struct yaml_anchor **list = &anchors->buckets[bucket(name)];
    struct yaml_anchor *anchor = arena_alloc(arena, sizeof *anchor);
    const char *copy = arena_strndup(arena, name, strlen(name));

    if (anchor == NULL || copy == NULL) {
        return NULL;
    }
    anchor->name = copy;
    anchor->next = *list;
    *list = anchor;
    return anchor;
}

const struct yaml_anchor *yaml_anchor_find(const struct yaml_anchors *anchors, const char *name)
{
    const struct yaml_anchor *anchor = anchors->buckets[bucket(name)];

    while (anchor != NULL && strcmp(anchor->name, name) != 0) {
        anchor = anchor->next;
    }
    return anchor;
}
