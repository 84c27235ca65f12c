/* option.c: a mapping of the config against the rows of a table. Every fault is reported and none
 * stops the reading of the next row, so that one pass shows them all. */
#include "config/option_internal.h"

#include <assert.h>
#include <stdio.h>
#include <string.h>

#define MAX_ROWS 64 /* of one table: the bits of the set of keys seen */

void *option_alloc(struct decoder *decoder, size_t size)
{
    void *memory = arena_alloc(decoder->arena, size);

    if (memory == NULL) {
        error_memory(error_next(decoder->errors), size);
    }
    return memory;
}

/* Messages */

int option_refuse(const struct option *option, const struct yaml *value, struct decoder *decoder,
                  const char *what, const char *hint)
{
    char shown[OPTION_SHOWN];
    double number;

    if (value->kind == YAML_NULL) {
        return yaml_error(decoder->errors, value, "'%s' is empty: it must be %s", option->key,
                          what);
    }
    if (value->kind != YAML_SCALAR) {
        return yaml_error(decoder->errors, value, "'%s' must be %s, got %s%s", option->key, what,
                          yaml_kind_name(value), hint);
    }
    text_escape(shown, sizeof shown, value->text, value->length);
    if (value->quoted) {
        return yaml_error(decoder->errors, value, "'%s' must be %s, got the text \"%s\"%s",
                          option->key, what, shown, hint);
    }
    const char *quote = text_to_double(value->text, value->length, &number) == 0 ? "" : "'";

    return yaml_error(decoder->errors, value, "'%s' must be %s, got %s%s%s%s", option->key, what,
                      quote, shown, quote, hint);
}

void option_join(char *buffer, size_t size, const char *const *words, const char *last)
{
    size_t used = 0;

    buffer[0] = '\0';
    for (int i = 0; words[i] != NULL; i++) {
        const char *between = i == 0 ? "" : words[i + 1] == NULL && last != NULL ? last : ", ";
        const size_t need = strlen(between) + strlen(words[i]);

        if (used + need + sizeof ", ..." > size) {
            memcpy(buffer + used, ", ...", sizeof ", ...");
            return;
        }
        used += (size_t)snprintf(buffer + used, size - used, "%s%s", between, words[i]);
    }
}

int option_unknown(const char *noun, const char *plural, const struct yaml *name,
                   const char *const *known, struct decoder *decoder)
{
    const char *nearest = text_closest(name->text, known);
    char shown[OPTION_SHOWN], all[400];

    text_escape(shown, sizeof shown, name->text, name->length);
    if (nearest != NULL) {
        return yaml_error(decoder->errors, name, "unknown %s '%s'; did you mean '%s'?", noun, shown,
                          nearest);
    }
    option_join(all, sizeof all, known, NULL);
    return yaml_error(decoder->errors, name, "unknown %s '%s'; known %s: %s", noun, shown, plural,
                      all);
}

/* `in conv`, or nothing at the top. */
static const char *within(const char *noun)
{
    return noun != NULL && noun[0] != '\0' ? " in " : "";
}

static void report_unknown_key(const struct yaml *key, const struct yaml *value, const char *noun,
                               const char *nearest, const char *const *known,
                               struct decoder *decoder)
{
    char shown[OPTION_SHOWN], hint[400], all[300];

    text_escape(shown, sizeof shown, key->text, key->length);
    if (nearest != NULL) {
        snprintf(hint, sizeof hint, "; did you mean '%s'?", nearest);
    } else if (value->kind == YAML_NULL && strspn(key->text, "0123456789") == key->length) {
        snprintf(hint, sizeof hint, "; a decimal comma? write a point");
    } else if (known[0] == NULL) {
        snprintf(hint, sizeof hint, "; there are none");
    } else {
        option_join(all, sizeof all, known, NULL);
        snprintf(hint, sizeof hint, "; known keys: %s", all);
    }
    yaml_error(decoder->errors, key, "unknown key '%s'%s%s%s", shown, within(noun),
               noun != NULL ? noun : "", hint);
}

/* Decoding */

static int count_rows(const struct option *rows)
{
    int n = 0;

    while (rows[n].key != NULL) {
        n++;
    }
    assert(n <= MAX_ROWS);
    return n;
}

static int find_row(const struct option *rows, const char *key)
{
    for (int i = 0; rows[i].key != NULL; i++) {
        if (strcmp(rows[i].key, key) == 0) {
            return i;
        }
    }
    return -1;
}

static void *field_of(const struct option *option, void *options)
{
    return (unsigned char *)options + option->offset;
}

/* A default is a text like any other and goes the same way; its source has no name. */
static int decode_default(const struct option *option, void *options, struct decoder *decoder)
{
    if (option->fallback[0] == '\0') {
        return 0;
    }
    const struct yaml *value =
        yaml_parse(decoder->arena, "", option->fallback, strlen(option->fallback), decoder->errors);

    return value != NULL ? option->kind->decode(option, field_of(option, options), value, decoder)
                         : -1;
}

/* The rows that the mapping has; their set is in *seen, with those that a misspelt key stands for.
 */
static int decode_pairs(const struct option *rows, void *options, const struct yaml *map,
                        const char *noun, uint64_t *seen, struct decoder *decoder)
{
    const char *known[MAX_ROWS + 1] = {NULL};
    int status = 0;

    for (int i = 0; rows[i].key != NULL; i++) {
        known[i] = rows[i].key;
    }
    for (int i = 0; i < map->count; i++) {
        const struct yaml *key = map->keys[i];
        int row = find_row(rows, key->text);

        if (row >= 0) {
            status |= rows[row].kind->decode(&rows[row], field_of(&rows[row], options),
                                             map->items[i], decoder);
        } else {
            const char *nearest = text_closest(key->text, known);

            report_unknown_key(key, map->items[i], noun, nearest, known, decoder);
            row = nearest != NULL ? find_row(rows, nearest) : -1;
            status = -1;
        }
        if (row >= 0) {
            *seen |= UINT64_C(1) << row;
        }
    }
    return status != 0 ? -1 : 0;
}

int options_decode(const struct option *rows, void *options, const struct yaml *value,
                   const char *noun, const struct yaml *parent, struct decoder *decoder)
{
    const struct yaml *where = value != NULL && value->kind != YAML_NULL ? value : parent;
    const int count = count_rows(rows);
    uint64_t seen = 0;
    int status = 0;

    if (where == NULL) {
        where = value;
    }
    if (value != NULL && value->kind != YAML_MAP && value->kind != YAML_NULL) {
        return yaml_error(decoder->errors, value, "expected a mapping%s%s, got %s", within(noun),
                          noun != NULL ? noun : "", yaml_kind_name(value));
    }
    if (value != NULL && value->kind == YAML_MAP) {
        status |= decode_pairs(rows, options, value, noun, &seen, decoder);
    }
    for (int i = 0; i < count; i++) {
        if ((seen & UINT64_C(1) << i) != 0) {
            continue;
        }
        if (rows[i].fallback == NULL) {
            status |= yaml_error(decoder->errors, where, "missing key '%s'%s%s", rows[i].key,
                                 within(noun), noun != NULL ? noun : "");
        } else {
            status |= decode_default(&rows[i], options, decoder);
        }
    }
    return status != 0 ? -1 : 0;
}
