/* option_emit.c: options written out as YAML that reads back to the same bytes: config.yaml and the
 * config inside a model. Any YAML reader gets the same values, so a text is quoted whenever one of
 * them could take it for a number, a boolean or a date. */
#include "config/option_internal.h"
#include "config/yaml_internal.h"

#include <string.h>
#include <strings.h>

static int is_plain_character(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' ||
           c == '-' || c == '.' || c == '/';
}

/* Starts like a word or a path, holds nothing else, and is no word that YAML 1.1 takes for itself.
 */
static int is_plain_text(const char *s)
{
    static const char *const reserved[] = {"true", "false", "yes", "no",  "on",
                                           "off",  "y",     "n",   "null"};
    const int path = s[0] == '/' || strncmp(s, "./", 2) == 0 || strncmp(s, "../", 3) == 0;
    const int word = (s[0] | 0x20) >= 'a' && (s[0] | 0x20) <= 'z';

    for (size_t i = 0; i < sizeof reserved / sizeof reserved[0]; i++) {
        if (strcasecmp(s, reserved[i]) == 0) {
            return 0;
        }
    }
    for (const char *c = s; *c != '\0'; c++) {
        if (!is_plain_character(*c)) {
            return 0;
        }
    }
    return path || word;
}

/* The bytes of the first character, which is valid UTF-8. */
static size_t character_width(const char *s)
{
    const unsigned char lead = (unsigned char)s[0];

    return lead < 0x80 ? 1 : lead < 0xE0 ? 2 : lead < 0xF0 ? 3 : 4;
}

static void emit_character(struct text *out, const char *s)
{
    const unsigned code = yaml_refused_character(s);

    if (*s == '"' || *s == '\\') {
        text_append(out, "\\%c", *s);
    } else if (strncmp(s, "${", 2) == 0) {
        text_append(out, "$$");
    } else if (*s == '\t' || *s == '\n' || *s == '\r') {
        text_append(out, "\\%c", *s == '\t' ? 't' : *s == '\n' ? 'n' : 'r');
    } else if (code > 0xFF) {
        text_append(out, "\\u%04X", code);
    } else if (code > 0) {
        text_append(out, "\\x%02X", code);
    } else {
        text_append_bytes(out, s, character_width(s));
    }
}

void option_emit_text(struct text *out, const char *value)
{
    const size_t length = strlen(value);

    if (is_plain_text(value)) {
        text_append_bytes(out, value, length);
        return;
    }
    text_append(out, "\"");
    for (size_t at = 0; at < length;) {
        const size_t valid = at + text_utf8_prefix(value + at, length - at);

        while (at < valid) {
            emit_character(out, value + at);
            at += character_width(value + at);
        }
        if (at < length) {
            text_append(out, "\\uFFFD"); /* for a byte that YAML cannot hold */
            at++;
        }
    }
    text_append(out, "\"");
}

/* Append `key:` and its value; nothing when the kind has nothing to say. */
static int emit_row(const struct option *row, const void *options, struct text *out, int indent)
{
    struct text value = {0};

    row->kind->emit(row, (const unsigned char *)options + row->offset, &value, indent);
    const int said = value.length > 0;

    if (said) {
        text_append(out, "%s:%s", row->key, value.data[0] == '\n' ? "" : " ");
        text_append_bytes(out, value.data, value.length);
    }
    out->failed |= value.failed;
    text_free(&value);
    return said;
}

void options_emit(const struct option *rows, const void *options, struct text *out, int indent)
{
    for (; rows->key != NULL; rows++) {
        struct text line = {0};

        if (emit_row(rows, options, &line, indent)) {
            text_append(out, "%*s", indent, "");
            text_append_bytes(out, line.data, line.length);
            if (line.length > 0 && line.data[line.length - 1] != '\n') {
                text_append(out, "\n");
            }
        }
        out->failed |= line.failed;
        text_free(&line);
    }
}

void options_emit_flow(const struct option *rows, const void *options, struct text *out)
{
    int count = 0;

    text_append(out, "{");
    for (; rows->key != NULL; rows++) {
        struct text pair = {0};

        if (emit_row(rows, options, &pair, -1)) {
            text_append(out, "%s", count++ > 0 ? ", " : "");
            text_append_bytes(out, pair.data, pair.length);
        }
        out->failed |= pair.failed;
        text_free(&pair);
    }
    text_append(out, "}");
}
