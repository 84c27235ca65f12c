/* text_duration.c: spans of time as people write them: 90s, 30m, 2h, 1h30m, 7d. Whole numbers with
 * a unit each, the greater unit first. */
#include "base/text.h"

#include <stdio.h>

static const struct unit {
    char letter;
    long long seconds;
} UNITS[] = {{'d', 86400}, {'h', 3600}, {'m', 60}, {'s', 1}};
enum { UNIT_COUNT = sizeof UNITS / sizeof UNITS[0] };

int text_to_duration(const char *s, size_t length, long long *seconds)
{
    long long sum = 0;
    int unit = 0, overflow = 0;

    if (length == 0) {
        return -1;
    }
    while (length > 0) {
        size_t digits = 0;
        long long number = 0, part;
        while (digits < length && s[digits] >= '0' && s[digits] <= '9') {
            digits++;
        }
        while (unit < UNIT_COUNT && digits < length && UNITS[unit].letter != s[digits]) {
            unit++;
        }
        if (digits == length || unit == UNIT_COUNT) {
            return -1;
        }
        const int status = text_to_integer(s, digits, &number);
        if (status == -1) {
            return -1;
        }
        overflow |= status == -2 || __builtin_mul_overflow(number, UNITS[unit].seconds, &part) ||
                    __builtin_add_overflow(sum, part, &sum);
        unit++;
        s += digits + 1;
        length -= digits + 1;
    }
    *seconds = sum;
    return overflow ? -2 : 0;
}

char *text_from_duration(char *buffer, long long seconds)
{
    int used = 0;

    buffer[0] = '\0';
    for (int unit = 0; unit < UNIT_COUNT; unit++) {
        const long long number = seconds / UNITS[unit].seconds;
        if (number > 0 || (used == 0 && unit == UNIT_COUNT - 1)) {
            used +=
                snprintf(buffer + used, (size_t)(32 - used), "%lld%c", number, UNITS[unit].letter);
        }
        seconds -= number * UNITS[unit].seconds;
    }
    return buffer;
}
