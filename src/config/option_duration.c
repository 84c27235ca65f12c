/* option_duration.c: the kind of option that holds a span of time: `30m`, `1h30m`. A number without
 * a unit is refused rather than guessed at. */
#include "config/option_internal.h"

#include <string.h>

static const char *hint_of(const struct yaml *value)
{
    double number;

    if (value->kind != YAML_SCALAR) {
        return "";
    }
    if (text_to_double(value->text, value->length, &number) == 0) {
        return "; add a unit: d, h, m or s";
    }
    if (strpbrk(value->text, ".,") != NULL) {
        return "; whole numbers only: 1h30m, not 1.5h";
    }
    if (strchr(value->text, ' ') != NULL) {
        return "; without spaces";
    }
    return "; the units are d, h, m and s, the greater first";
}

static void describe_duration(const struct option *option, struct text *out)
{
    char low[32], high[32];

    text_append(out, "%s to %s", text_from_duration(low, (long long)option->low),
                text_from_duration(high, (long long)option->high));
}

static int decode_duration(const struct option *option, void *field, const struct yaml *value,
                           struct decoder *decoder)
{
    long long seconds = 0;
    const int status =
        value->kind == YAML_SCALAR ? text_to_duration(value->text, value->length, &seconds) : -1;

    if (status == -1) {
        return option_refuse(option, value, decoder, "a time such as 90s, 30m, 2h or 1h30m",
                             hint_of(value));
    }
    if (status == -2 || (double)seconds < option->low || (double)seconds > option->high) {
        char low[32], high[32], range[80];

        snprintf(range, sizeof range, "%s to %s", text_from_duration(low, (long long)option->low),
                 text_from_duration(high, (long long)option->high));
        return option_refuse(option, value, decoder, range, "");
    }
    *(long long *)field = seconds;
    return 0;
}

static void emit_duration(const struct option *option, const void *field, struct text *out,
                          int indent)
{
    const long long seconds = *(const long long *)field;
    char buffer[32];

    (void)option;
    (void)indent;
    if (seconds > 0) { /* absent: no such limit */
        text_append(out, "%s", text_from_duration(buffer, seconds));
    }
}

const struct option_kind OPTION_DURATION = {"duration", decode_duration, emit_duration,
                                            describe_duration};
