/* yaml_scan.c: a look at the bytes before libyaml sees them. libyaml reports a NUL, a control
 * character or bad UTF-8 without a line, takes seconds over 45,000 %TAG lines, and reads UTF-16;
 * here all of these are refused at once, with their place. After this the text is UTF-8 with lines
 * that end in \n, \r\n or \r and nothing else. */
#include "config/yaml_internal.h"

#include "base/text.h"

#include <string.h>

const char *yaml_foreign_file(const unsigned char *bytes, size_t size)
{
    static const struct {
        const char *bytes;
        size_t size;
        const char *name;
    } magics[] = {
        {"\x89PNG\r\n\x1a\n", 8, "a PNG image"},
        {"\xFF\xD8\xFF", 3, "a JPEG image"},
        {"\x1F\x8B", 2, "a gzip file"},
        {"PK\x03\x04", 4, "a zip file"},
        {"\x7F"
         "ELF",
         4, "a program"},
    };

    for (size_t i = 0; i < sizeof magics / sizeof magics[0]; i++) {
        if (size >= magics[i].size && memcmp(bytes, magics[i].bytes, magics[i].size) == 0) {
            return magics[i].name;
        }
    }
    /* safetensors: eight bytes of header length, less than 2^40, then JSON. */
    if (size >= 9 && bytes[5] == 0 && bytes[6] == 0 && bytes[7] == 0 && bytes[8] == '{') {
        return "a model file";
    }
    return NULL;
}

static int refuse_file(const struct yaml_source *source, struct error_list *errors)
{
    const unsigned char *bytes = (const unsigned char *)source->text;
    const char *foreign = yaml_foreign_file(bytes, source->length);
    const struct yaml start = {.source = source, .line = 1, .column = 1, .width = 1};

    if (source->length > YAML_MAX_BYTES) {
        error_set(error_next(errors), ERROR_CONFIG, source->name, "larger than %zu KiB",
                  YAML_MAX_BYTES >> 10);
        return -1;
    }
    if (foreign != NULL) {
        error_set(error_next(errors), ERROR_CONFIG, source->name, "this is %s, not a config",
                  foreign);
        return -1;
    }
    if (source->length >= 2 &&
        ((bytes[0] == 0xFF && bytes[1] == 0xFE) || (bytes[0] == 0xFE && bytes[1] == 0xFF))) {
        return yaml_error(errors, &start, "UTF-16 is not accepted; save the file as UTF-8");
    }
    return 0;
}

/* One character on. \r\n is one line end. */
static void step(const struct yaml_source *source, struct yaml_cursor *cursor)
{
    const char *text = source->text;
    const char c = text[cursor->at++];

    if (c == '\r' && cursor->at < source->length && text[cursor->at] == '\n') {
        cursor->at++;
    }
    if (c == '\n' || c == '\r') {
        cursor->line++;
        cursor->column = 1;
        return;
    }
    while (cursor->at < source->length && ((unsigned char)text[cursor->at] & 0xC0) == 0x80) {
        cursor->at++;
    }
    cursor->column++;
}

void yaml_advance(const struct yaml_source *source, struct yaml_cursor *cursor, int line,
                  int column)
{
    while (cursor->at < source->length &&
           (cursor->line < line || (cursor->line == line && cursor->column < column))) {
        step(source, cursor);
    }
}

size_t yaml_find(const struct yaml_source *source, int line, int column)
{
    struct yaml_cursor cursor = {0, 1, 1};

    yaml_advance(source, &cursor, line, column);
    return cursor.at;
}

struct yaml yaml_place(const struct yaml_source *source, size_t at)
{
    struct yaml_cursor cursor = {0, 1, 1};

    while (cursor.at < at) {
        step(source, &cursor);
    }
    return (struct yaml){
        .source = source, .line = cursor.line, .column = cursor.column, .width = 1};
}

unsigned yaml_refused_character(const char *bytes)
{
    const unsigned char *s = (const unsigned char *)bytes;

    if ((s[0] < 0x20 && s[0] != '\t' && s[0] != '\n' && s[0] != '\r') || s[0] == 0x7F) {
        return s[0];
    }
    if (s[0] == 0xC2 && s[1] < 0xA0) {
        return s[1];
    }
    if (s[0] < 0xE0 || s[0] >= 0xF0) {
        return 0;
    }
    const unsigned code = (s[0] & 0x0Fu) << 12 | (s[1] & 0x3Fu) << 6 | (s[2] & 0x3Fu);

    return code == 0x2028 || code == 0x2029 || code == 0xFEFF || code >= 0xFFFE ? code : 0;
}

static int refuse_characters(const struct yaml_source *source, struct error_list *errors)
{
    const unsigned char *bytes = (const unsigned char *)source->text;
    const size_t valid = text_utf8_prefix(source->text, source->length);

    for (size_t at = 0; at < valid; at++) {
        const unsigned code = yaml_refused_character(source->text + at);

        if (bytes[at] == 0) {
            const struct yaml where = yaml_place(source, at);

            return yaml_error(errors, &where, "NUL byte: this is not a text file");
        }
        if (code != 0) {
            const struct yaml where = yaml_place(source, at);

            return code < 0x80 ? yaml_error(errors, &where, "control character 0x%02X", code)
                               : yaml_error(errors, &where, "control character U+%04X", code);
        }
    }
    if (valid < source->length) {
        const struct yaml where = yaml_place(source, valid);

        return yaml_error(errors, &where, "invalid UTF-8: byte 0x%02X", bytes[valid]);
    }
    return 0;
}

size_t yaml_skip_blank(const struct yaml_source *source, size_t at)
{
    int comment = 0;

    for (; at < source->length; at++) {
        const char c = source->text[at];

        if (c == '\n' || c == '\r') {
            comment = 0;
        } else if (c == '#') {
            comment = 1;
        } else if (c != ' ' && c != '\t' && !comment) {
            break;
        }
    }
    return at;
}

/* A directive can only stand before the first content. (libyaml takes a '%' further down for one
 * too, but stops at the first.) */
static int refuse_directives(const struct yaml_source *source, struct error_list *errors)
{
    const char *const text = source->text;
    const size_t at = yaml_skip_blank(source, 0);

    if (at < source->length && text[at] == '%' &&
        (at == 0 || text[at - 1] == '\n' || text[at - 1] == '\r')) {
        const struct yaml where = yaml_place(source, at);

        return yaml_error(errors, &where, "directives are not supported");
    }
    return 0;
}

int yaml_scan(const struct yaml_source *source, struct error_list *errors)
{
    TRY(refuse_file(source, errors));
    TRY(refuse_characters(source, errors));
    return refuse_directives(source, errors);
}
