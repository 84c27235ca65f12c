/* text.c: numbers and words. Numbers are checked against our own grammar first and only then given
 * to the C library, whose own ideas of a number (hexadecimal, "inf", leading blanks) never get a
 * say. */
#include "base/text.h"

#include "base/check.h"

#include <errno.h>
#include <float.h>
#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define NUMBER_BYTES                                                                               \
    400 /* the longest decimal that is looked at: longer ones are nobody's number */

/* Growing strings */

static int reserve(struct text *text, size_t more)
{
    size_t need, capacity = text->capacity > 0 ? text->capacity : 64;

    if (text->failed) {
        return -1;
    }
    if (check_add(text->length, more, &need) != 0 || check_add(need, 1, &need) != 0) {
        text->failed = 1;
        return -1;
    }
    if (need <= text->capacity) {
        return 0;
    }
    while (capacity < need) {
        if (check_multiply(capacity, 2, &capacity) != 0) {
            capacity = need;
        }
    }
    char *data = realloc(text->data, capacity);

    if (data == NULL) {
        text->failed = 1;
        return -1;
    }
    text->data = data;
    text->capacity = capacity;
    return 0;
}

void text_append_bytes(struct text *text, const char *bytes, size_t length)
{
    if (reserve(text, length) != 0) {
        return;
    }
    if (length > 0) {
        memcpy(text->data + text->length, bytes, length);
    }
    text->length += length;
    text->data[text->length] = '\0';
}

void text_append(struct text *text, const char *format, ...)
{
    va_list arguments;

    va_start(arguments, format);
    const int length = vsnprintf(NULL, 0, format, arguments);
    va_end(arguments);
    if (length < 0) {
        text->failed = 1;
    } else if (reserve(text, (size_t)length) == 0) {
        va_start(arguments, format);
        vsnprintf(text->data + text->length, (size_t)length + 1, format, arguments);
        va_end(arguments);
        text->length += (size_t)length;
    }
}

void text_free(struct text *text)
{
    free(text->data);
    *text = (struct text){0};
}

/* Reading numbers */

static size_t count_digits(const char *s, size_t length)
{
    size_t n = 0;

    while (n < length && s[n] >= '0' && s[n] <= '9') {
        n++;
    }
    return n;
}

int text_to_unsigned(const char *s, size_t length, uint64_t *value)
{
    uint64_t result = 0;

    if (length == 0 || count_digits(s, length) != length || (s[0] == '0' && length > 1)) {
        return -1;
    }
    for (size_t i = 0; i < length; i++) {
        if (__builtin_mul_overflow(result, UINT64_C(10), &result) ||
            __builtin_add_overflow(result, (uint64_t)(s[i] - '0'), &result)) {
            return -2;
        }
    }
    *value = result;
    return 0;
}

int text_to_integer(const char *s, size_t length, long long *value)
{
    const int negative = length > 0 && s[0] == '-';
    uint64_t magnitude;
    const int status = text_to_unsigned(s + negative, length - (size_t)negative, &magnitude);

    if (status != 0) {
        return status;
    }
    if (magnitude > (uint64_t)INT64_MAX + (uint64_t)negative) {
        return -2;
    }
    /* -(m - 1) - 1 reaches the smallest integer without overflow. */
    *value = negative && magnitude > 0 ? -(long long)(magnitude - 1) - 1 : (long long)magnitude;
    return 0;
}

/* [-] digits [. digits] [e [+-] digits], or [-] . digits [e ...]. */
static int is_decimal(const char *s, size_t length)
{
    size_t at = length > 0 && s[0] == '-' ? 1 : 0;
    const size_t whole = count_digits(s + at, length - at);

    if (whole > 1 && s[at] == '0') {
        return 0;
    }
    at += whole;
    if (at < length && s[at] == '.') {
        const size_t fraction = count_digits(s + at + 1, length - at - 1);

        if (fraction == 0) {
            return 0;
        }
        at += 1 + fraction;
    } else if (whole == 0) {
        return 0;
    }
    if (at < length && (s[at] == 'e' || s[at] == 'E')) {
        at++;
        if (at < length && (s[at] == '+' || s[at] == '-')) {
            at++;
        }
        const size_t exponent = count_digits(s + at, length - at);

        if (exponent == 0) {
            return 0;
        }
        at += exponent;
    }
    return at == length;
}

int text_to_double(const char *s, size_t length, double *value)
{
    char copy[NUMBER_BYTES + 1];

    if (!is_decimal(s, length)) {
        return -1;
    }
    if (length > NUMBER_BYTES) {
        return -2;
    }
    memcpy(copy, s, length);
    copy[length] = '\0';

    const double result = strtod(copy, NULL);
    const size_t mantissa = strcspn(copy, "eE");

    if (!isfinite(result) || (result == 0 && strcspn(copy, "123456789") < mantissa)) {
        return -2;
    }
    *value = result;
    return 0;
}

/* Writing numbers */

/* From "-d.ddde[+-]xx" (what %e prints) to the form that people write: plain up to 16 places, else
 * "1.5e-8". */
static char *tidy(char *buffer, const char *scientific)
{
    const char *e = strchr(scientific, 'e');
    const int exponent = (int)strtol(e + 1, NULL, 10);
    const char *sign = scientific[0] == '-' ? "-" : "";
    char digits[20];
    char tidied[80]; /* more than it takes: at most 25 bytes */
    int count = 0;

    for (const char *c = scientific; c < e; c++) {
        if (*c >= '0' && *c <= '9') {
            digits[count++] = *c;
        }
    }
    digits[count] = '\0';

    if (exponent < -4 || exponent > 15) {
        snprintf(tidied, sizeof tidied, "%s%c%s%se%d", sign, digits[0], count > 1 ? "." : "",
                 digits + 1, exponent);
    } else if (exponent < 0) {
        snprintf(tidied, sizeof tidied, "%s0.%.*s%s", sign, -exponent - 1, "000", digits);
    } else if (exponent >= count - 1) {
        snprintf(tidied, sizeof tidied, "%s%s%.*s", sign, digits, exponent - count + 1,
                 "000000000000000");
    } else {
        snprintf(tidied, sizeof tidied, "%s%.*s.%s", sign, exponent + 1, digits,
                 digits + exponent + 1);
    }
    memcpy(buffer, tidied, strlen(tidied) + 1);
    return buffer;
}

static char *not_finite(char *buffer, double value)
{
    snprintf(buffer, 32, "%s", isnan(value) ? "nan" : value < 0 ? "-inf" : "inf");
    return buffer;
}

char *text_from_float(char *buffer, float value)
{
    char scientific[40];

    if (!isfinite(value)) {
        return not_finite(buffer, (double)value);
    }
    for (int digits = 0; digits < FLT_DECIMAL_DIG; digits++) {
        snprintf(scientific, sizeof scientific, "%.*e", digits, (double)value);
        if ((float)strtod(scientific, NULL) == value) { /* as a reader of text_to_double does */
            break;
        }
    }
    return tidy(buffer, scientific);
}

char *text_from_double(char *buffer, double value)
{
    char scientific[40];

    if (!isfinite(value)) {
        return not_finite(buffer, value);
    }
    for (int digits = 0; digits < DBL_DECIMAL_DIG; digits++) {
        snprintf(scientific, sizeof scientific, "%.*e", digits, value);
        if (strtod(scientific, NULL) == value) {
            break;
        }
    }
    return tidy(buffer, scientific);
}

char *text_from_count(char *buffer, uint64_t value)
{
    char digits[24];
    const int length = snprintf(digits, sizeof digits, "%llu", (unsigned long long)value);
    char *to = buffer;

    for (int i = 0; i < length; i++) {
        if (i > 0 && (length - i) % 3 == 0) {
            *to++ = ',';
        }
        *to++ = digits[i];
    }
    *to = '\0';
    return buffer;
}

char *text_from_bytes(char *buffer, uint64_t bytes)
{
    static const char *const units[] = {"KiB", "MiB", "GiB", "TiB", "PiB", "EiB"};
    double amount = (double)bytes / 1024;
    size_t unit = 0;

    if (bytes < 1024) {
        snprintf(buffer, 32, "%u %s", (unsigned)bytes, bytes == 1 ? "byte" : "bytes");
        return buffer;
    }
    /* 1023.95 would be printed as "1024.0". */
    while (amount >= 1023.95 && unit + 1 < sizeof units / sizeof units[0]) {
        amount /= 1024;
        unit++;
    }
    snprintf(buffer, 32, "%.*f %s", amount == (double)(int)amount ? 0 : 1, amount, units[unit]);
    return buffer;
}
