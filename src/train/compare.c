/* compare.c: two resolved configs, walked side by side. A few keys may differ: those that change
 * when a run ends or is saved, not where it goes on the way. */
#include "train/compare.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* What may differ, and whether it may only have grown: a run that waited longer than a smaller
 * patience allows would be another run. */
static const struct exception {
    const char *path;
    int may_only_grow;
} EXCEPTIONS[] = {
    {"train.epochs", 0},
    {"train.max_time", 0},
    {"train.checkpoint.every", 0},
    {"train.early_stopping.patience", 1},
};

static int may_differ(const char *path, const struct yaml *now, const struct yaml *then)
{
    for (size_t i = 0; i < sizeof EXCEPTIONS / sizeof EXCEPTIONS[0]; i++) {
        long long before, after;
        if (strcmp(path, EXCEPTIONS[i].path) != 0) {
            continue;
        }
        return !EXCEPTIONS[i].may_only_grow ||
               (now && then && text_to_integer(now->text, now->length, &after) == 0 &&
                text_to_integer(then->text, then->length, &before) == 0 && after >= before);
    }
    return 0;
}

enum { NAMED = 4 }; /* paths that a message has room for */

/* The first difference, and how many there are. */
struct difference {
    int count;
    char path[256];           /* dotted */
    char then[160];           /* the value in the checkpoint */
    const struct yaml *where; /* the nearest node in the user's file */
    struct text others;       /* "'seed', 'train.loss.type'": those behind the first, up to NAMED */
};

static void show(char *out, size_t size, const struct yaml *node)
{
    if (node && node->kind == YAML_SCALAR) {
        text_escape(out, size, node->text, node->length);
    } else if (node && node->kind == YAML_LIST) {
        snprintf(out, size, "a list of %d", node->count);
    } else {
        snprintf(out, size, "%s", node ? yaml_kind_name(node) : "absent");
    }
}

/* Go down one step in the user's file, where there is something to go down to. */
static const struct yaml *follow(const struct yaml *users, const char *key, int index)
{
    const struct yaml *next = NULL;
    if (users && users->kind == YAML_MAP && key) {
        next = yaml_get(users, key);
    } else if (users && users->kind == YAML_LIST && !key && index < users->count) {
        next = users->items[index];
    }
    return next ? next : users;
}

static void differ(const struct yaml *now, const struct yaml *then, const struct yaml *users,
                   const char *path, struct difference *d);

static void differ_at(const struct yaml *now, const struct yaml *then, const struct yaml *users,
                      const char *path, const char *key, int index, struct difference *d)
{
    char below[256];
    if (key) {
        snprintf(below, sizeof below, "%s%s%s", path, *path ? "." : "", key);
    } else {
        snprintf(below, sizeof below, "%s.%d", path, index);
    }
    differ(now, then, follow(users, key, index), below, d);
}

static void note(const struct yaml *then, const struct yaml *users, const char *path,
                 struct difference *d)
{
    if (d->count == 0) {
        snprintf(d->path, sizeof d->path, "%s", path);
        show(d->then, sizeof d->then, then);
        d->where = users;
    } else if (d->count < NAMED) {
        text_append(&d->others, "%s'%.80s'", d->count > 1 ? ", " : "", path);
    }
    d->count++;
}

/* Both trees were written by the same emitter: same order, same forms; depth is the option tables'.
 */
static void differ(const struct yaml *now, const struct yaml *then, const struct yaml *users,
                   const char *path, struct difference *d)
{
    if (may_differ(path, now, then)) {
        return;
    }
    if (now && then && now->kind == YAML_MAP && then->kind == YAML_MAP) {
        for (int i = 0; i < now->count; i++) {
            const char *key = now->keys[i]->text;
            const int before = d->count;
            differ_at(now->items[i], yaml_get(then, key), users, path, key, 0, d);
            if (d->count > before && strcmp(key, "type") == 0) {
                return; /* another member of a family: it has other options */
            }
        }
        for (int i = 0; i < then->count; i++) {
            const char *key = then->keys[i]->text;
            if (!yaml_get(now, key)) {
                differ_at(NULL, then->items[i], users, path, key, 0, d);
            }
        }
    } else if (now && then && now->kind == YAML_LIST && then->kind == YAML_LIST &&
               now->count == then->count) {
        for (int i = 0; i < now->count; i++) {
            differ_at(now->items[i], then->items[i], users, path, NULL, i, d);
        }
    } else if (!now || !then || now->kind != then->kind || now->kind == YAML_LIST ||
               (now->kind != YAML_NULL && strcmp(now->text, then->text) != 0)) {
        note(then, users, path, d);
    }
}

static int report(const struct difference *d, struct error *e)
{
    char more[32] = "";
    if (d->count > NAMED) {
        snprintf(more, sizeof more, " and %d more", d->count - NAMED);
    }
    return yaml_error_one(e, ERROR_MODEL, d->where,
                          "'%s' differs from the checkpoint's (%s)%s%s%s; a resumed run must have "
                          "the config that began it",
                          d->path, d->then, d->count > 1 ? ", and so do " : "",
                          d->others.data ? d->others.data : "", more);
}

int compare_settings(const struct settings *settings, const char *config, const char *path,
                     struct error *e)
{
    struct arena arena = {0};
    struct error_list *errors = calloc(1, sizeof *errors); /* too large for a small stack */
    struct text text = {0};
    struct difference difference = {0};
    int status = -1;
    if (!errors) {
        return error_memory(e, sizeof *errors);
    }
    settings_emit(settings, 0, &text);
    const struct yaml *now =
        text.failed ? NULL : yaml_parse(&arena, "config", text.data, text.length, errors);
    const struct yaml *then = yaml_parse(&arena, path, config, strlen(config), errors);
    if (text.failed) {
        error_memory(e, text.length);
    } else if (error_is_memory(error_first(errors))) {
        *e = *error_first(errors);
    } else if (!now || !then) {
        error_set(e, ERROR_MODEL, path, "the config inside cannot be read: %s",
                  errors->items[0].message);
    } else {
        differ(now, then, settings->root, "", &difference);
        status = difference.count > 0 ? report(&difference, e) : 0;
        text_free(&difference.others);
    }
    text_free(&text);
    arena_free(&arena);
    free(errors);
    return status;
}
