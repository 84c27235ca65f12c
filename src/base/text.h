/* text.h: numbers and words of the files that people write. Locale never matters (nobody calls
 * setlocale); no function here trusts its input. */
#ifndef CNNTRAIN_BASE_TEXT_H
#define CNNTRAIN_BASE_TEXT_H

#include <stddef.h>
#include <stdint.h>

/* A growing string. {0} is empty. After a failed allocation `failed` is set and the rest is
 * dropped, so a writer checks once, at the end. */
struct text {
    char *data; /* terminated; NULL while empty */
    size_t length, capacity;
    int failed;
};
void text_append(struct text *text, const char *format, ...) __attribute__((format(printf, 2, 3)));
void text_append_bytes(struct text *text, const char *bytes, size_t length);
void text_free(struct text *text);

/* Strict decimal: [-]digits without leading zeros, nothing around. 0 on success, -1 on bad form, -2
 * when it does not fit. */
int text_to_integer(const char *s, size_t length, long long *value);
int text_to_unsigned(const char *s, size_t length, uint64_t *value);
/* [-] digits [. digits] [e [+-] digits]; ".5" is taken; "1.", "0x1", "1_0", "inf", "nan" are not; a
 * value that is not finite or underflows to 0 is -2. */
int text_to_double(const char *s, size_t length, double *value);

/* "90s", "30m", "1h30m", "7d": whole numbers with a unit each, the greater unit first. -1 on bad
 * form, -2 when it does not fit. */
int text_to_duration(const char *s, size_t length, long long *seconds);
/* The same form from at least 0 seconds, "1h30m"; `buffer` holds at least 32 bytes; returned. */
char *text_from_duration(char *buffer, long long seconds);

/* The shortest decimal that reads back as the same float or double; always with text_to_double's
 * grammar. `buffer` holds at least 32 bytes; returned. */
char *text_from_float(char *buffer, float value);
char *text_from_double(char *buffer, double value);
/* "61,706": a count with thousands separators; `buffer` holds at least 32 bytes; returned. */
char *text_from_count(char *buffer, uint64_t value);
/* "3.2 MiB"; `buffer` holds at least 32 bytes; returned. */
char *text_from_bytes(char *buffer, uint64_t bytes);

/* `length` bytes made safe to show: control bytes and bad UTF-8 as \xNN, cut with "..." at 80 bytes
 * of input. `buffer` of `size` bytes is always terminated; returned. */
char *text_escape(char *buffer, size_t size, const char *bytes, size_t length);
/* The same without a cut, for whole lines: as much as fits, ending at a whole character. Direction
 * overrides and the line separators of Unicode count as control characters. */
char *text_sanitize(char *buffer, size_t size, const char *bytes, size_t length);
/* `text`; of one that does not fit the end, from a whole character, behind "...": of a long path
 * the name. `buffer` of `size` bytes, at least 8, is always terminated; returned. */
char *text_end_of(char *buffer, size_t size, const char *text);
/* The word of `words` (NULL-terminated) nearest to `word`: edit distance at most 2 and at most half
 * its length, case ignored first. NULL when none is near. */
const char *text_closest(const char *word, const char *const *words);
/* Length of the valid UTF-8 prefix of `bytes`; equals `length` when all of it is valid. */
size_t text_utf8_prefix(const char *bytes, size_t length);

#endif
