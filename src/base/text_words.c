/* text_words.c: the part of text.h that looks at characters: valid UTF-8, what is safe to show on a
 * terminal, and the nearest word for "did you mean". */
#include "base/text.h"

#include <stdio.h>
#include <string.h>

#define QUOTED_BYTES 80 /* what text_escape shows */
#define WORD_BYTES 64   /* the longest word that text_closest compares */

/* The bytes of the first character, 0 when they are not valid UTF-8 (overlong forms, surrogates and
 * numbers above U+10FFFF included). */
static size_t decode(const unsigned char *s, size_t length, uint32_t *code)
{
    static const struct {
        unsigned char mask, lead;
        uint32_t least;
    } forms[] = {{0x80, 0x00, 0}, {0xE0, 0xC0, 0x80}, {0xF0, 0xE0, 0x800}, {0xF8, 0xF0, 0x10000}};

    for (size_t extra = 0; extra < 4 && extra < length; extra++) {
        if ((s[0] & forms[extra].mask) != forms[extra].lead) {
            continue;
        }
        *code = s[0] & (unsigned char)~forms[extra].mask;
        for (size_t i = 1; i <= extra; i++) {
            if ((s[i] & 0xC0) != 0x80) {
                return 0;
            }
            *code = *code << 6 | (s[i] & 0x3F);
        }
        const int valid =
            *code >= forms[extra].least && *code <= 0x10FFFF && (*code & 0xFFFFF800) != 0xD800;

        return valid ? extra + 1 : 0;
    }
    return 0;
}

size_t text_utf8_prefix(const char *bytes, size_t length)
{
    const unsigned char *s = (const unsigned char *)bytes;
    size_t at = 0;
    uint32_t code;

    while (at < length) {
        const size_t width = decode(s + at, length - at, &code);

        if (width == 0) {
            break;
        }
        at += width;
    }
    return at;
}

/* Controls, line separators, and the marks that reverse the direction of the text around them. */
static int is_unsafe(uint32_t code)
{
    return code < 0x20 || (code >= 0x7F && code < 0xA0) || (code >= 0x2028 && code <= 0x202E) ||
           (code >= 0x2066 && code <= 0x2069) || code == 0xFEFF;
}

char *text_sanitize(char *buffer, size_t size, const char *bytes, size_t length)
{
    const unsigned char *s = (const unsigned char *)bytes;
    size_t used = 0;

    for (size_t at = 0; at < length;) {
        char piece[20];
        uint32_t code;
        const size_t width = decode(s + at, length - at, &code);
        const size_t taken = width > 0 ? width : 1;
        size_t shown = 0;

        if (width > 0 && !is_unsafe(code)) {
            memcpy(piece, s + at, width);
            shown = width;
        } else {
            for (size_t i = 0; i < taken; i++) {
                shown +=
                    (size_t)snprintf(piece + shown, sizeof piece - shown, "\\x%02X", s[at + i]);
            }
        }
        if (used + shown >= size) {
            break;
        }
        memcpy(buffer + used, piece, shown);
        used += shown;
        at += taken;
    }
    if (size > 0) {
        buffer[used] = '\0';
    }
    return buffer;
}

char *text_end_of(char *buffer, size_t size, const char *text)
{
    const size_t length = strlen(text);
    const char *end = text;

    if (length >= size) {
        end = text + length - (size - 1 - 3);
        while (((unsigned char)*end & 0xC0) == 0x80) {
            end++;
        }
    }
    snprintf(buffer, size, "%s%s", end != text ? "..." : "", end);
    return buffer;
}

char *text_escape(char *buffer, size_t size, const char *bytes, size_t length)
{
    static const char dots[] = "...";
    size_t cut = QUOTED_BYTES;

    if (length <= QUOTED_BYTES) {
        return text_sanitize(buffer, size, bytes, length);
    }
    /* Not through the middle of a character. */
    for (int i = 0; i < 3 && ((unsigned char)bytes[cut] & 0xC0) == 0x80; i++) {
        cut--;
    }
    text_sanitize(buffer, size > sizeof dots ? size - strlen(dots) : size, bytes, cut);
    const size_t used = size > 0 ? strlen(buffer) : 0;

    if (used + sizeof dots <= size) {
        memcpy(buffer + used, dots, sizeof dots);
    }
    return buffer;
}

static char lower(char c) { return c >= 'A' && c <= 'Z' ? (char)(c - 'A' + 'a') : c; }

static int least(int a, int b) { return a < b ? a : b; }

/* Insertions, deletions, substitutions and swaps of neighbours that turn a into b; case ignored. */
static int distance(const char *a, size_t a_length, const char *b, size_t b_length)
{
    int rows[3][WORD_BYTES + 1];
    int *before = rows[0], *above = rows[1], *row = rows[2];

    for (size_t j = 0; j <= b_length; j++) {
        above[j] = (int)j;
    }
    for (size_t i = 1; i <= a_length; i++) {
        row[0] = (int)i;
        for (size_t j = 1; j <= b_length; j++) {
            const int differs = lower(a[i - 1]) != lower(b[j - 1]);

            row[j] = least(above[j - 1] + differs, least(above[j], row[j - 1]) + 1);
            if (i > 1 && j > 1 && lower(a[i - 1]) == lower(b[j - 2]) &&
                lower(a[i - 2]) == lower(b[j - 1])) {
                row[j] = least(row[j], before[j - 2] + 1);
            }
        }
        int *const oldest = before;

        before = above;
        above = row;
        row = oldest;
    }
    return above[b_length];
}

const char *text_closest(const char *word, const char *const *words)
{
    const size_t length = strnlen(word, WORD_BYTES + 1);
    const char *nearest = NULL;
    int best = least(2, (int)(length / 2)) + 1;

    if (length > WORD_BYTES) {
        return NULL;
    }
    for (; *words != NULL; words++) {
        const size_t other = strnlen(*words, WORD_BYTES + 1);

        if (other > WORD_BYTES || other > length + 2 || length > other + 2) {
            continue;
        }
        const int d = distance(word, length, *words, other);

        if (d < best) {
            best = d;
            nearest = *words;
        }
    }
    return nearest;
}
