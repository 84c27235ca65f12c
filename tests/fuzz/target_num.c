/* target_num.c: base/text.c's numbers against the C library's: the same value to the bit, or
 * refused; what our grammar has no word for ("0x1", " 1", "inf") is refused. The input is the text
 * of a number; its bytes, as they stand, are also taken for numbers that are written and read
 * again. */
#include "base/text.h"
#include "fuzz/fuzz.h"

#include <errno.h>
#include <float.h>
#include <locale.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

static size_t digits_at(const char *s) { return strspn(s, "0123456789"); }

/* The grammar of text.h, written down once more. */
static int is_integer(const char *s)
{
    s += *s == '-';
    return digits_at(s) > 0 && s[digits_at(s)] == '\0' && (s[0] != '0' || s[1] == '\0');
}

static int is_decimal(const char *s)
{
    s += *s == '-';
    const size_t whole = digits_at(s);
    if (whole > 1 && s[0] == '0') {
        return 0;
    }
    s += whole;
    if (*s == '.') {
        const size_t more = digits_at(s + 1);
        if (more == 0) {
            return 0;
        }
        s += 1 + more;
    } else if (whole == 0) {
        return 0;
    }
    if (*s == 'e' || *s == 'E') {
        s++;
        s += *s == '+' || *s == '-';
        return digits_at(s) > 0 && s[digits_at(s)] == '\0';
    }
    return *s == '\0';
}

static int same(double a, double b) { return memcmp(&a, &b, sizeof a) == 0; }

static void check_integer(const char *s, size_t length)
{
    long long mine = 0;
    const int status = text_to_integer(s, length, &mine);
    errno = 0;
    const long long theirs = strtoll(s, NULL, 10);
    CHECK(status == (!is_integer(s) ? -1 : errno == ERANGE ? -2 : 0));
    CHECK(status != 0 || mine == theirs);

    uint64_t value = 0;
    const int status2 = text_to_unsigned(s, length, &value);
    errno = 0;
    const unsigned long long other = strtoull(s, NULL, 10);
    CHECK(status2 == (!is_integer(s) || *s == '-' ? -1 : errno == ERANGE ? -2 : 0));
    CHECK(status2 != 0 || value == other);
}

/* A value that underflows to 0 is one that has a digit that is not 0. */
static int is_zero(const char *s)
{
    for (; *s != '\0' && *s != 'e' && *s != 'E'; s++) {
        if (*s >= '1' && *s <= '9') {
            return 0;
        }
    }
    return 1;
}

static void check_double(const char *s, size_t length)
{
    static locale_t plain;
    double mine = 0;
    if (plain == 0) {
        plain = newlocale(LC_ALL_MASK, "C", (locale_t)0);
        CHECK(plain != 0);
    }
    const int status = text_to_double(s, length, &mine);
    const double theirs = strtod_l(s, NULL, plain);
    const int fits = isfinite(theirs) && (theirs != 0 || is_zero(s));
    CHECK(status == (!is_decimal(s) ? -1
                     : fits         ? 0
                                    : -2) ||
          (status != 0 && length >= 400)); /* longer ones are nobody's number */
    CHECK(status != 0 || same(mine, theirs));
}

static void check_duration(const char *s, size_t length)
{
    long long seconds = 0, again = 0;
    if (text_to_duration(s, length, &seconds) == 0) {
        char text[32];
        CHECK(seconds >= 0);
        text_from_duration(text, seconds);
        CHECK(strlen(text) < sizeof text);
        CHECK(text_to_duration(text, strlen(text), &again) == 0 && again == seconds);
    }
}

static void check_written(const uint8_t *data)
{
    char text[32];
    double value, again = 0;
    float single;
    memcpy(&value, data, sizeof value);
    memcpy(&single, data, sizeof single);
    if (isfinite(value)) {
        text_from_double(text, value);
        CHECK(strlen(text) < sizeof text && is_decimal(text));
        CHECK(text_to_double(text, strlen(text), &again) == 0 && same(again, value));
    }
    if (isfinite(single)) {
        text_from_float(text, single);
        CHECK(strlen(text) < sizeof text && is_decimal(text));
        CHECK(text_to_double(text, strlen(text), &again) == 0);
        const float back = (float)again;
        CHECK(memcmp(&back, &single, sizeof back) == 0);
    }
}

int fuzz_one(const uint8_t *data, size_t size)
{
    char text[512];
    if (size >= sizeof text) {
        return 0;
    }
    memcpy(text, data, size);
    text[size] = '\0';
    if (strlen(text) == size) {
        check_integer(text, size);
        check_double(text, size);
        check_duration(text, size);
    } else {
        long long number;
        double real;
        CHECK(text_to_integer(text, size, &number) == -1 &&
              text_to_double(text, size, &real) == -1);
    }
    if (size >= sizeof(double)) {
        check_written(data);
    }
    return 0;
}
