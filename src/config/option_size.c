/* option_size.c: the kind of option that holds a number of bytes: 1048576, 512KiB, 2GiB. */
#include "config/option_internal.h"

#include "base/check.h"

#include <inttypes.h>
#include <string.h>

static const struct {
    const char *name;
    uint64_t bytes;
} UNITS[] = {
    {"TiB", (uint64_t)1 << 40}, {"GiB", 1 << 30}, {"MiB", 1 << 20}, {"KiB", 1 << 10}, {"", 1}};
enum { UNIT_COUNT = sizeof UNITS / sizeof *UNITS };

static int decode_size(const struct option *option, void *field, const struct yaml *value,
                       struct decoder *decoder)
{
    uint64_t number = 0;
    size_t bytes = 0;
    if (value->kind == YAML_SCALAR && !value->quoted) {
        const size_t digits = strspn(value->text, "0123456789");
        for (int i = 0; i < UNIT_COUNT; i++) {
            if (strcmp(value->text + digits, UNITS[i].name) == 0 &&
                text_to_unsigned(value->text, digits, &number) == 0 && number > 0 &&
                check_multiply(number, UNITS[i].bytes, &bytes) == 0) {
                *(uint64_t *)field = bytes;
                return 0;
            }
        }
    }
    return option_refuse(option, value, decoder,
                         "a number of bytes: a whole number, alone or with KiB, MiB, GiB or TiB",
                         "");
}

static void emit_size(const struct option *option, const void *field, struct text *out, int indent)
{
    (void)option;
    (void)indent;
    const uint64_t bytes = *(const uint64_t *)field;
    for (int i = 0; bytes > 0 && i < UNIT_COUNT; i++) {
        if (bytes % UNITS[i].bytes == 0) {
            text_append(out, "%" PRIu64 "%s", bytes / UNITS[i].bytes, UNITS[i].name);
            return;
        }
    }
}

static void describe_size(const struct option *option, struct text *out)
{
    (void)option;
    text_append(out, "a whole number, alone or with KiB, MiB, GiB, TiB");
}

const struct option_kind OPTION_SIZE = {"bytes", decode_size, emit_size, describe_size};
