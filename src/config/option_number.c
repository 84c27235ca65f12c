/* option_number.c: the kinds of option that hold numbers. The grammar is plain decimal. What
 * YAML 1.1 would take for something else without a word (010 for 8, 1:30 for 90) is refused, with
 * the reason. */
#include "config/option_internal.h"

#include <limits.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

static int bounded(const struct option *option) { return option->low != 0 || option->high != 0; }

static int in_range(const struct option *option, double value)
{
    if (!bounded(option)) {
        return 1;
    }
    const int above = (option->open & 1) != 0 ? value > option->low : value >= option->low;
    const int below = (option->open & 2) != 0 ? value < option->high : value <= option->high;

    return above && below;
}

void option_range(const struct option *option, struct text *out)
{
    const char *least = (option->open & 1) != 0 ? "more than" : "at least";
    const char *most = (option->open & 2) != 0 ? "less than" : "at most";
    char low[32], high[32];

    text_from_double(low, option->low);
    text_from_double(high, option->high);
    if (!bounded(option) || (isinf(option->low) && isinf(option->high))) {
        return;
    }
    if (isinf(option->low)) {
        text_append(out, "%s %s", most, high);
    } else if (isinf(option->high)) {
        text_append(out, "%s %s", least, low);
    } else if (option->open == 0) {
        text_append(out, "%s to %s", low, high);
    } else {
        text_append(out, "%s %s and %s %s", least, low, most, high);
    }
}

static int refuse_range(const struct option *option, const struct yaml *value,
                        struct decoder *decoder)
{
    struct text range = {0};

    option_range(option, &range);
    if (range.data == NULL) {
        text_append(&range, "in the range of its type");
    }
    const int status =
        option_refuse(option, value, decoder, range.data != NULL ? range.data : "in range", "");

    text_free(&range);
    return status;
}

/* Why a text that looks like a number to its author is none to us. */
static const char *form_hint(const struct yaml *value)
{
    if (value->kind != YAML_SCALAR) {
        return "";
    }
    const char *s = value->text + (value->text[0] == '-');
    const int digit = s[0] >= '0' && s[0] <= '9';

    if (value->quoted) {
        return "; remove the quotes";
    }
    if (s[0] == '+') {
        return "; leave out the '+'";
    }
    if (!digit) {
        return "";
    }
    if (s[0] == '0' && strchr("xXoObB", s[1]) != NULL && s[1] != '\0') {
        return "; only decimal numbers are accepted";
    }
    if (strchr(s, '_') != NULL) {
        return "; leave out the '_'";
    }
    if (strchr(s, ':') != NULL) {
        return "; numbers to base 60 are not accepted";
    }
    if (strchr(s, ',') != NULL) {
        return "; decimal comma? use a point";
    }
    if (s[0] == '0' && s[1] >= '0' && s[1] <= '9') {
        return "; a leading zero is not accepted (YAML 1.1 would read it as octal)";
    }
    return s[strlen(s) - 1] == '.' ? "; a digit must follow the point" : "";
}

static int is_plain(const struct yaml *value)
{
    return value->kind == YAML_SCALAR && !value->quoted;
}

/* A whole number within the bounds; `what` is said of anything else. */
static int read_integer(const struct option *option, const struct yaml *value,
                        struct decoder *decoder, const char *what, long long *number)
{
    const int status = is_plain(value) ? text_to_integer(value->text, value->length, number) : -1;

    if (status == -1) {
        return option_refuse(option, value, decoder, what, form_hint(value));
    }
    if (status == -2 || !in_range(option, (double)*number)) {
        return refuse_range(option, value, decoder);
    }
    return 0;
}

static int refuse_form(const struct option *option, const struct yaml *value,
                       struct decoder *decoder)
{
    static const char *const not_finite[] = {".inf", "-.inf", "+.inf", ".nan",     "inf",
                                             "-inf", "+inf",  "nan",   "infinity", "-infinity"};

    for (size_t i = 0; is_plain(value) && i < sizeof not_finite / sizeof not_finite[0]; i++) {
        if (strcasecmp(value->text, not_finite[i]) == 0) {
            return option_refuse(option, value, decoder, "a finite number", "");
        }
    }
    return option_refuse(option, value, decoder, "a number", form_hint(value));
}

/* For what would become 0 or infinity in its field. */
static int refuse_magnitude(const struct option *option, const struct yaml *value,
                            struct decoder *decoder)
{
    const char *e = strpbrk(value->text, "eE");
    const int tiny = e != NULL ? e[1] == '-' : strtod(value->text, NULL) < 1;

    return tiny ? option_refuse(option, value, decoder, "a number", "; it is too small to hold")
                : option_refuse(option, value, decoder, "a finite number",
                                "; it is too large to hold");
}

/* A decimal within the bounds, as a double or rounded to a float. A float is compared with bounds
 * that are floats too: 0.99999999999 is not less than 1 once it is stored. */
static int read_decimal(const struct option *option, const struct yaml *value,
                        struct decoder *decoder, int as_float, double *number)
{
    struct option bounds = *option;
    int status = is_plain(value) ? text_to_double(value->text, value->length, number) : -1;

    if (status == 0 && as_float) {
        const float rounded = (float)*number;

        status = !isfinite(rounded) || (rounded == 0 && *number != 0) ? -2 : 0;
        *number = (double)rounded;
        bounds.low = (double)(float)option->low;
        bounds.high = (double)(float)option->high;
    }
    if (status == -1) {
        return refuse_form(option, value, decoder);
    }
    if (status == -2) {
        return refuse_magnitude(option, value, decoder);
    }
    return in_range(&bounds, *number) ? 0 : refuse_range(option, value, decoder);
}

/* OPTION_INTEGER */

static int decode_integer(const struct option *option, void *field, const struct yaml *value,
                          struct decoder *decoder)
{
    return read_integer(option, value, decoder, "a whole number", field);
}

static void emit_integer(const struct option *option, const void *field, struct text *out,
                         int indent)
{
    (void)option;
    (void)indent;
    text_append(out, "%lld", *(const long long *)field);
}

const struct option_kind OPTION_INTEGER = {"integer", decode_integer, emit_integer, option_range};

/* OPTION_SEED */

static int decode_seed(const struct option *option, void *field, const struct yaml *value,
                       struct decoder *decoder)
{
    uint64_t *seed = field;
    long long negative;
    const int status = is_plain(value) ? text_to_unsigned(value->text, value->length, seed) : -1;

    if (status == -2 || (status == -1 && is_plain(value) &&
                         text_to_integer(value->text, value->length, &negative) != -1)) {
        return option_refuse(option, value, decoder, "0 to 18446744073709551615", "");
    }
    return status == 0 ? 0
                       : option_refuse(option, value, decoder, "a whole number", form_hint(value));
}

static void emit_seed(const struct option *option, const void *field, struct text *out, int indent)
{
    (void)option;
    (void)indent;
    text_append(out, "%llu", (unsigned long long)*(const uint64_t *)field);
}

static void describe_seed(const struct option *option, struct text *out)
{
    (void)option;
    text_append(out, "0 to 2^64-1");
}

const struct option_kind OPTION_SEED = {"integer", decode_seed, emit_seed, describe_seed};

/* OPTION_NUMBER and OPTION_DOUBLE */

static int decode_float(const struct option *option, void *field, const struct yaml *value,
                        struct decoder *decoder)
{
    double number;

    TRY(read_decimal(option, value, decoder, 1, &number));
    *(float *)field = (float)number;
    return 0;
}

static void emit_float(const struct option *option, const void *field, struct text *out, int indent)
{
    char buffer[32];

    (void)option;
    (void)indent;
    text_append(out, "%s", text_from_float(buffer, *(const float *)field));
}

const struct option_kind OPTION_NUMBER = {"number", decode_float, emit_float, option_range};

static int decode_double(const struct option *option, void *field, const struct yaml *value,
                         struct decoder *decoder)
{
    double number;

    TRY(read_decimal(option, value, decoder, 0, &number));
    *(double *)field = number;
    return 0;
}

static void emit_double(const struct option *option, const void *field, struct text *out,
                        int indent)
{
    char buffer[32];

    (void)option;
    (void)indent;
    text_append(out, "%s", text_from_double(buffer, *(const double *)field));
}

const struct option_kind OPTION_DOUBLE = {"number", decode_double, emit_double, option_range};

/* OPTION_PAIR */

static int decode_pair(const struct option *option, void *field, const struct yaml *value,
                       struct decoder *decoder)
{
    static const char what[] = "a whole number or [height, width]";
    const int is_list = value->kind == YAML_LIST;
    long long number[2];
    int status = 0;

    if (is_list && value->count != 2) {
        return yaml_error(decoder->errors, value, "'%s' must be %s, got a list of %d", option->key,
                          what, value->count);
    }
    for (int i = 0; i < 2; i++) {
        const struct yaml *element = is_list ? value->items[i] : value;

        if (i == 0 || is_list) {
            status |= read_integer(option, element, decoder, is_list ? "whole numbers" : what,
                                   &number[i]);
        } else {
            number[1] = number[0];
        }
    }
    if (status != 0) {
        return -1;
    }
    for (int i = 0; i < 2; i++) {
        if (number[i] < INT_MIN || number[i] > INT_MAX) {
            return refuse_range(option, value, decoder);
        }
        ((int *)field)[i] = (int)number[i];
    }
    return 0;
}

static void emit_pair(const struct option *option, const void *field, struct text *out, int indent)
{
    const int *pair = field;

    (void)indent;
    if (pair[0] == 0 && !in_range(option, 0)) {
        return; /* absent: within `repeat`, where what stands for it is found for the copies only */
    }
    if (pair[0] == pair[1]) {
        text_append(out, "%d", pair[0]);
    } else {
        text_append(out, "[%d, %d]", pair[0], pair[1]);
    }
}

const struct option_kind OPTION_PAIR = {"integer or [h, w]", decode_pair, emit_pair, option_range};

/* OPTION_NUMBERS */

static int decode_numbers(const struct option *option, void *field, const struct yaml *value,
                          struct decoder *decoder)
{
    struct numbers *numbers = field;
    int status = 0;

    if (value->kind != YAML_LIST) {
        return option_refuse(option, value, decoder, "a list of numbers", "");
    }
    double *values = option_alloc(decoder, (size_t)value->count * sizeof values[0]);

    if (values == NULL) {
        return -1;
    }
    for (int i = 0; i < value->count; i++) {
        status |= read_decimal(option, value->items[i], decoder, 0, &values[i]);
    }
    if (status != 0) {
        return -1;
    }
    *numbers = (struct numbers){value->count, values};
    return 0;
}

static void emit_numbers(const struct option *option, const void *field, struct text *out,
                         int indent)
{
    const struct numbers *numbers = field;
    char buffer[32];

    (void)option;
    (void)indent;
    if (numbers->values == NULL) {
        return;
    }
    text_append(out, "[");
    for (int i = 0; i < numbers->count; i++) {
        text_append(out, "%s%s", i > 0 ? ", " : "", text_from_double(buffer, numbers->values[i]));
    }
    text_append(out, "]");
}

const struct option_kind OPTION_NUMBERS = {"list of numbers", decode_numbers, emit_numbers,
                                           option_range};
