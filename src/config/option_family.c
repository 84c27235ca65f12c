/* option_family.c: the choice of a member of a family by its name, with the member's own options,
 * and groups of rows inside rows. */
#include "config/option_internal.h"

#include <stdio.h>
#include <string.h>
#include <strings.h>

static const struct option NO_ROWS[] = {OPTION_END};

static const struct option *rows_of(const struct member *member)
{
    return member->options != NULL ? member->options : NO_ROWS;
}

const struct member *family_find(const struct family *family, const char *name)
{
    for (const struct member *const *member = family->members; *member != NULL; member++) {
        if (strcmp((*member)->name, name) == 0) {
            return *member;
        }
    }
    return NULL;
}

const char *const *family_names(const struct family *family, struct arena *arena)
{
    size_t count = 0;

    while (family->members[count] != NULL) {
        count++;
    }
    const char **names = arena_alloc(arena, (count + 1) * sizeof names[0]);

    for (size_t i = 0; names != NULL && i < count; i++) {
        names[i] = family->members[i]->name;
    }
    return names;
}

static int report_unknown_member(const struct family *family, const struct yaml *name,
                                 struct decoder *decoder)
{
    for (const struct foreign *f = family->foreign; f != NULL && f->name != NULL; f++) {
        if (strcasecmp(f->name, name->text) == 0) {
            return yaml_error(decoder->errors, name, "unknown %s '%s'; %s", family->noun,
                              name->text, f->advice);
        }
    }
    const char *const *names = family_names(family, decoder->arena);

    return names != NULL ? option_unknown(family->noun, family->plural, name, names, decoder)
                         : error_memory(error_next(decoder->errors), sizeof *names);
}

/* {key: value}, standing where the value stands. */
static const struct yaml *pair_of(const char *key, const struct yaml *value,
                                  struct decoder *decoder)
{
    struct yaml *map = option_alloc(decoder, sizeof *map);
    struct yaml *name = option_alloc(decoder, sizeof *name);
    const struct yaml **slots = option_alloc(decoder, 2 * sizeof slots[0]);

    if (map == NULL || name == NULL || slots == NULL) {
        return NULL;
    }
    *name = *value;
    name->kind = YAML_SCALAR;
    name->text = key;
    name->length = strlen(key);
    slots[0] = name;
    slots[1] = value;
    *map = *value;
    map->kind = YAML_MAP;
    map->count = 1;
    map->keys = &slots[0];
    map->items = &slots[1];
    return map;
}

static const char *article(const char *noun)
{
    return strchr("aeiou", noun[0]) != NULL ? "an" : "a";
}

int member_decode(const struct family *family, struct choice *choice, const struct yaml *name,
                  const struct yaml *value, struct decoder *decoder)
{
    if (name->kind != YAML_SCALAR || strchr("-.0123456789", name->text[0]) != NULL) {
        return yaml_error(
            decoder->errors, name, "expected %s %s name, got %s", article(family->noun),
            family->noun,
            name->kind == YAML_SCALAR && name->text[0] != '\0' ? "a number" : yaml_kind_name(name));
    }
    const struct member *type = family_find(family, name->text);

    if (type == NULL) {
        return report_unknown_member(family, name, decoder);
    }
    const struct option *rows = rows_of(type);

    if (value != NULL && value->kind != YAML_MAP && value->kind != YAML_NULL) {
        if (rows[0].key == NULL || rows[0].keyed) {
            return yaml_error(decoder->errors, value, "'%s' takes no value", type->name);
        }
        value = pair_of(rows[0].key, value, decoder);
        if (value == NULL) {
            return -1;
        }
    }
    void *options = type->size > 0 ? option_alloc(decoder, type->size) : NULL;

    if (type->size > 0 && options == NULL) {
        return -1;
    }
    *choice = (struct choice){
        .type = type, .options = options, .where = name->source->name[0] != '\0' ? name : NULL};
    return options_decode(rows, options, value, type->name, name, decoder);
}

int item_decode(const struct family *family, struct choice *choice, const struct yaml *item,
                struct decoder *decoder)
{
    switch (item->kind) {
    case YAML_NULL:
        return yaml_error(decoder->errors, item, "empty %s", family->noun);
    case YAML_MAP:
        if (item->count == 1) {
            return member_decode(family, choice, item->keys[0], item->items[0], decoder);
        }
        return yaml_error(decoder->errors, item->count > 1 ? item->keys[1] : item,
                          "one %s per item, got %d", family->noun, item->count);
    default:
        return member_decode(family, choice, item, NULL, decoder);
    }
}

/* OPTION_FAMILY */

/* The mapping without its `type`. */
static const struct yaml *without_type(const struct yaml *map, struct decoder *decoder)
{
    struct yaml *rest = option_alloc(decoder, sizeof *rest);
    const struct yaml **slots = option_alloc(decoder, 2 * (size_t)map->count * sizeof slots[0]);

    if (rest == NULL || slots == NULL) {
        return NULL;
    }
    *rest = *map;
    rest->count = 0;
    rest->keys = slots;
    rest->items = slots + map->count;
    for (int i = 0; i < map->count; i++) {
        if (strcmp(map->keys[i]->text, "type") != 0) {
            rest->keys[rest->count] = map->keys[i];
            rest->items[rest->count++] = map->items[i];
        }
    }
    return rest;
}

static int decode_family(const struct option *option, void *field, const struct yaml *value,
                         struct decoder *decoder)
{
    const struct family *family = option->extra;
    const struct yaml *type = yaml_get(value, "type");
    char what[160];

    if (value->kind == YAML_SCALAR) {
        return member_decode(family, field, value, NULL, decoder);
    }
    if (value->kind == YAML_MAP && type != NULL) {
        const struct yaml *rest = without_type(value, decoder);

        return rest != NULL ? member_decode(family, field, type, rest, decoder) : -1;
    }
    if (value->kind == YAML_MAP && value->count == 1 &&
        family_find(family, value->keys[0]->text) != NULL) {
        return yaml_error(decoder->errors, value->keys[0],
                          "missing key 'type' in %s: write {type: %s, ...}", option->key,
                          value->keys[0]->text);
    }
    if (value->kind == YAML_MAP) {
        return yaml_error(decoder->errors, value, "missing key 'type' in %s", option->key);
    }
    snprintf(what, sizeof what, "%s %s name or {type: name, ...}", article(family->noun),
             family->noun);
    return option_refuse(option, value, decoder, what, "");
}

static void emit_family(const struct option *option, const void *field, struct text *out,
                        int indent)
{
    const struct choice *choice = field;
    struct text rest = {0};

    (void)option;
    (void)indent;
    if (choice->type == NULL) {
        return;
    }
    options_emit_flow(rows_of(choice->type), choice->options, &rest);
    if (rest.length > strlen("{}")) {
        text_append(out, "{type: ");
        option_emit_text(out, choice->type->name);
        text_append(out, ", ");
        text_append_bytes(out, rest.data + 1, rest.length - 1);
    } else {
        option_emit_text(out, choice->type->name);
    }
    out->failed |= rest.failed;
    text_free(&rest);
}

static void describe_family(const struct option *option, struct text *out)
{
    const struct family *family = option->extra;

    for (int i = 0; family->members[i] != NULL; i++) {
        text_append(out, "%s%s", i > 0 ? " | " : "", family->members[i]->name);
    }
}

const struct option_kind OPTION_FAMILY = {"choice", decode_family, emit_family, describe_family};

/* OPTION_GROUP */

static int decode_group(const struct option *option, void *field, const struct yaml *value,
                        struct decoder *decoder)
{
    const struct group *group = option->extra;

    if (options_decode(group->options, field, value,
                       group->noun != NULL ? group->noun : option->key, NULL, decoder) != 0) {
        return -1;
    }
    return group->check != NULL ? group->check(field, value, decoder->errors) : 0;
}

/* A group that may be left out, and was: its struct is still as it began, all zero. */
static int is_absent(const struct option *option, const void *field)
{
    const struct group *group = option->extra;
    const unsigned char *bytes = field;

    for (size_t i = 0; i < group->size; i++) {
        if (bytes[i] != 0) {
            return 0;
        }
    }
    return option->fallback != NULL && option->fallback[0] == '\0';
}

static void emit_group(const struct option *option, const void *field, struct text *out, int indent)
{
    const struct group *group = option->extra;

    if (is_absent(option, field)) {
        return;
    }
    if (indent < 0) {
        options_emit_flow(group->options, field, out);
        return;
    }
    struct text block = {0};

    options_emit(group->options, field, &block, indent + 2);
    if (block.length > 0) {
        text_append_bytes(out, "\n", 1);
        text_append_bytes(out, block.data, block.length);
    } else {
        text_append(out, "{}");
    }
    out->failed |= block.failed;
    text_free(&block);
}

const struct option_kind OPTION_GROUP = {"mapping", decode_group, emit_group, NULL};
