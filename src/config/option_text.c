/* option_text.c: the kinds of option that hold words: booleans, one word of several, texts. In a
 * text, ${VAR} and ${VAR:-default} take the environment as a shell would; $${ stands for ${. */
#include "config/option_internal.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

#define TEXT_BYTES 4096 /* the longest text after expansion */

/* OPTION_BOOLEAN */

static const char *boolean_hint(const struct yaml *value)
{
    static const struct {
        const char *text, *hint;
    } hints[] = {
        {"true", "; write true"}, {"yes", "; write true"},  {"on", "; write true"},
        {"y", "; write true"},    {"1", "; write true"},    {"false", "; write false"},
        {"no", "; write false"},  {"off", "; write false"}, {"n", "; write false"},
        {"0", "; write false"},
    };

    if (value->kind != YAML_SCALAR) {
        return "";
    }
    if (value->quoted) {
        return "; remove the quotes";
    }
    for (size_t i = 0; i < sizeof hints / sizeof hints[0]; i++) {
        if (strcasecmp(value->text, hints[i].text) == 0) {
            return hints[i].hint;
        }
    }
    return "";
}

static int decode_boolean(const struct option *option, void *field, const struct yaml *value,
                          struct decoder *decoder)
{
    const int plain = value->kind == YAML_SCALAR && !value->quoted;
    const int is_true = plain && strcmp(value->text, "true") == 0;

    if (!is_true && !(plain && strcmp(value->text, "false") == 0)) {
        return option_refuse(option, value, decoder, "true or false", boolean_hint(value));
    }
    *(int *)field = is_true;
    return 0;
}

static void emit_boolean(const struct option *option, const void *field, struct text *out,
                         int indent)
{
    (void)option;
    (void)indent;
    text_append(out, "%s", *(const int *)field ? "true" : "false");
}

static void describe_boolean(const struct option *option, struct text *out)
{
    (void)option;
    text_append(out, "true | false");
}

const struct option_kind OPTION_BOOLEAN = {"boolean", decode_boolean, emit_boolean,
                                           describe_boolean};

/* OPTION_WORD */

static int decode_word(const struct option *option, void *field, const struct yaml *value,
                       struct decoder *decoder)
{
    const char *const *words = option->extra;
    char what[400];

    if (value->kind != YAML_SCALAR) {
        option_join(what, sizeof what, words, " or ");
        return option_refuse(option, value, decoder, what, "");
    }
    for (int i = 0; words[i] != NULL; i++) {
        if (strcmp(value->text, words[i]) == 0) {
            *(const char **)field = words[i];
            return 0;
        }
    }
    return option_unknown(option->key, "values", value, words, decoder);
}

static void emit_text(const struct option *option, const void *field, struct text *out, int indent)
{
    const char *text = *(const char *const *)field;

    (void)option;
    (void)indent;
    if (text != NULL) {
        option_emit_text(out, text);
    }
}

static void describe_word(const struct option *option, struct text *out)
{
    const char *const *words = option->extra;

    for (int i = 0; words[i] != NULL; i++) {
        text_append(out, "%s%s", i > 0 ? " | " : "", words[i]);
    }
}

const struct option_kind OPTION_WORD = {"word", decode_word, emit_text, describe_word};

/* OPTION_TEXT */

static int is_name(const char *s, size_t length)
{
    for (size_t i = 0; i < length; i++) {
        const int letter =
            (s[i] >= 'A' && s[i] <= 'Z') || (s[i] >= 'a' && s[i] <= 'z') || s[i] == '_';

        if (!letter && !(i > 0 && s[i] >= '0' && s[i] <= '9')) {
            return 0;
        }
    }
    return length > 0;
}

/* Append what the inside of ${...} stands for. */
static int expand_variable(const struct option *option, const struct yaml *value,
                           const char *inside, size_t length, struct text *out,
                           struct decoder *decoder)
{
    const char *fallback = memmem(inside, length, ":-", 2);
    const size_t name_length = fallback != NULL ? (size_t)(fallback - inside) : length;
    char shown[OPTION_SHOWN];

    text_escape(shown, sizeof shown, inside, name_length);
    if (!is_name(inside, name_length)) {
        return yaml_error(decoder->errors, value, "'%s' has '${%s}', which names no variable",
                          option->key, shown);
    }
    char *name = arena_strndup(decoder->arena, inside, name_length);

    if (name == NULL) {
        return error_memory(error_next(decoder->errors), name_length);
    }
    const char *found = getenv(name);

    if (fallback != NULL && (found == NULL || found[0] == '\0')) {
        text_append_bytes(out, fallback + 2, length - name_length - 2);
        return 0;
    }
    if (found == NULL) {
        return yaml_error(decoder->errors, value,
                          "'%s' needs the environment variable '%s', which is not set", option->key,
                          shown);
    }
    if (text_utf8_prefix(found, strlen(found)) != strlen(found)) {
        return yaml_error(decoder->errors, value,
                          "'%s' needs the environment variable '%s', which is not UTF-8",
                          option->key, shown);
    }
    text_append_bytes(out, found, strlen(found));
    return 0;
}

static int expand(const struct option *option, const struct yaml *value, struct text *out,
                  struct decoder *decoder)
{
    const char *s = value->text;

    while (*s != '\0') {
        const size_t plain = strcspn(s, "$");

        text_append_bytes(out, s, plain);
        s += plain;
        const char *close = strchr(s, '}');

        if (strncmp(s, "$${", 3) == 0) {
            text_append(out, "${");
            s += 3;
        } else if (strncmp(s, "${", 2) != 0) {
            const size_t dollar = *s == '$';

            text_append_bytes(out, s, dollar);
            s += dollar;
        } else if (close == NULL) {
            return yaml_error(decoder->errors, value, "'%s' has '${' without '}'", option->key);
        } else {
            TRY(expand_variable(option, value, s + 2, (size_t)(close - s) - 2, out, decoder));
            s = close + 1;
        }
    }
    return 0;
}

static int read_text(const struct option *option, const char **field, const struct yaml *value,
                     struct decoder *decoder)
{
    struct text text = {0};
    int status = 0;

    if (value->kind != YAML_SCALAR) {
        return option_refuse(option, value, decoder, "text", "");
    }
    status = expand(option, value, &text, decoder);
    if (status == 0 && text.failed) {
        status = error_memory(error_next(decoder->errors), TEXT_BYTES);
    } else if (status == 0 && text.length == 0) {
        status = yaml_error(decoder->errors, value, "'%s' is empty", option->key);
    } else if (status == 0 && text.length > TEXT_BYTES) {
        status = yaml_error(decoder->errors, value, "'%s' is longer than %d bytes", option->key,
                            TEXT_BYTES);
    } else if (status == 0) {
        *field = arena_strndup(decoder->arena, text.data, text.length);
        status = *field != NULL ? 0 : error_memory(error_next(decoder->errors), text.length);
    }
    text_free(&text);
    return status;
}

static int decode_text(const struct option *option, void *field, const struct yaml *value,
                       struct decoder *decoder)
{
    return read_text(option, field, value, decoder);
}

const struct option_kind OPTION_TEXT = {"text", decode_text, emit_text, NULL};

/* OPTION_TEXTS */

static int decode_texts(const struct option *option, void *field, const struct yaml *value,
                        struct decoder *decoder)
{
    struct texts *texts = field;
    int status = 0;

    if (value->kind != YAML_LIST) {
        return option_refuse(option, value, decoder, "a list of texts", "");
    }
    const char **values = option_alloc(decoder, (size_t)value->count * sizeof values[0]);

    if (values == NULL) {
        return -1;
    }
    for (int i = 0; i < value->count; i++) {
        const struct yaml *item = value->items[i];

        status |= item->kind == YAML_SCALAR && item->length == 0
                      ? yaml_error(decoder->errors, item, "an item of '%s' is empty", option->key)
                      : read_text(option, &values[i], item, decoder);
    }
    if (status != 0) {
        return -1;
    }
    *texts = (struct texts){value->count, values};
    return 0;
}

static void emit_texts(const struct option *option, const void *field, struct text *out, int indent)
{
    const struct texts *texts = field;

    (void)option;
    (void)indent;
    if (texts->values == NULL) {
        return;
    }
    text_append(out, "[");
    for (int i = 0; i < texts->count; i++) {
        text_append(out, "%s", i > 0 ? ", " : "");
        option_emit_text(out, texts->values[i]);
    }
    text_append(out, "]");
}

const struct option_kind OPTION_TEXTS = {"list of texts", decode_texts, emit_texts, NULL};
