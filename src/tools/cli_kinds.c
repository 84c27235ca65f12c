/* cli_kinds.c: how the values of options are read. Strict: a value is what it says to the last
 * character, or the message tells what it must be. */
#include "tools/cli.h"

#include "base/text.h"

#include <string.h>

static int read_flag(const struct cli_option *option, void *field, const char *value,
                     struct error *e)
{
    (void)option;
    (void)value;
    (void)e;
    *(int *)field = 1;
    return 0;
}

static int read_text(const struct cli_option *option, void *field, const char *value,
                     struct error *e)
{
    if (value[0] == '\0' && !option->optional) {
        return error_set(e, ERROR_USAGE, NULL, "must not be empty");
    }
    *(const char **)field = value;
    return 0;
}

static int read_texts(const struct cli_option *option, void *field, const char *value,
                      struct error *e)
{
    struct cli_texts *texts = field;

    if (texts->count == CLI_MOST_TEXTS) {
        return error_set(e, ERROR_USAGE, NULL, "must not be given more than %d times",
                         CLI_MOST_TEXTS);
    }
    TRY(read_text(option, &texts->values[texts->count], value, e));
    texts->count++;
    return 0;
}

static int read_integer(const struct cli_option *option, void *field, const char *value,
                        struct error *e)
{
    long long number;

    if (text_to_integer(value, strlen(value), &number) != 0 || number < option->low ||
        number > option->high) {
        return error_set(e, ERROR_USAGE, NULL, "must be %d to %d", option->low, option->high);
    }
    *(int *)field = (int)number;
    return 0;
}

static int read_share(const struct cli_option *option, void *field, const char *value,
                      struct error *e)
{
    (void)option;
    char text[64];
    size_t length = strlen(value);
    double number;

    /* "98.1%" is read as 98.1e-2: dividing would miss 0.981 by a bit, and an accuracy of just that
     * would fail. */
    if (length > 0 && value[length - 1] == '%' && strpbrk(value, "eE") == NULL) {
        snprintf(text, sizeof text, "%.*se-2", (int)length - 1, value);
        value = text;
        length = strlen(text);
    }
    if (text_to_double(value, length, &number) != 0 || number < 0 || number > 1) {
        return error_set(e, ERROR_USAGE, NULL, "must be 0 to 1, or 0%% to 100%%");
    }
    *(double *)field = number;
    return 0;
}

/* The index of `value` in the option's words. */
static int find_word(const struct cli_option *option, const char *value, struct error *e)
{
    char words[256] = "";
    size_t used = 0;

    for (int i = 0; option->words[i] != NULL; i++) {
        if (strcmp(option->words[i], value) == 0) {
            return i;
        }
        if (used < sizeof words) {
            used += (size_t)snprintf(words + used, sizeof words - used, "%s%s", i > 0 ? " | " : "",
                                     option->words[i]);
        }
    }
    return error_set(e, ERROR_USAGE, NULL, "must be %s", words);
}

static int read_word(const struct cli_option *option, void *field, const char *value,
                     struct error *e)
{
    if (value[0] == '\0' && option->optional) {
        *(const char **)field = "";
        return 0;
    }
    const int index = find_word(option, value, e);

    if (index < 0) {
        return -1;
    }
    *(const char **)field = option->words[index];
    return 0;
}

static int read_choice(const struct cli_option *option, void *field, const char *value,
                       struct error *e)
{
    const int index = find_word(option, value, e);

    if (index < 0) {
        return -1;
    }
    *(int *)field = index;
    return 0;
}

const struct cli_kind CLI_FLAG = {.read = read_flag};
const struct cli_kind CLI_TEXT = {.takes_value = 1, .read = read_text};
const struct cli_kind CLI_TEXTS = {.takes_value = 1, .repeatable = 1, .read = read_texts};
const struct cli_kind CLI_INTEGER = {.takes_value = 1, .read = read_integer};
const struct cli_kind CLI_SHARE = {.takes_value = 1, .read = read_share};
const struct cli_kind CLI_WORD = {.takes_value = 1, .read = read_word};
const struct cli_kind CLI_CHOICE = {.takes_value = 1, .read = read_choice};
