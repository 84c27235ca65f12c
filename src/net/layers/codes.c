/* codes.c: codes as bitmaps, and the ten digits. LeCun, Bottou, Bengio, Haffner 1998, section II.B
 * and figure 3: each class has a stylised picture of 7 x 12 pixels, so that characters that are
 * easily taken for each other have codes that are alike. The digits here are drawn after that
 * figure, and not pixel by pixel. */
#include "net/layers/codes.h"

#include <string.h>

enum { DIGITS = 10, PIXELS = 7 * 12, MOST_CODES = 65536 };

static const char *const DIGIT_CODES[DIGITS] = {
    "..###.."
    ".##.##."
    "##...##"
    "##...##"
    "##...##"
    "##...##"
    "##...##"
    "##...##"
    "##...##"
    "##...##"
    ".##.##."
    "..###..",
    "...##.."
    "..###.."
    ".####.."
    "...##.."
    "...##.."
    "...##.."
    "...##.."
    "...##.."
    "...##.."
    "...##.."
    "...##.."
    ".######",
    ".#####."
    "##...##"
    "##...##"
    ".....##"
    "....##."
    "...##.."
    "..##..."
    ".##...."
    "##....."
    "##....."
    "##....."
    "#######",
    ".#####."
    "##...##"
    ".....##"
    ".....##"
    ".....##"
    "..####."
    ".....##"
    ".....##"
    ".....##"
    ".....##"
    "##...##"
    ".#####.",
    "....##."
    "...###."
    "..####."
    ".##.##."
    ".##.##."
    "##..##."
    "##..##."
    "#######"
    "....##."
    "....##."
    "....##."
    "....##.",
    "#######"
    "##....."
    "##....."
    "##....."
    "######."
    "##...##"
    ".....##"
    ".....##"
    ".....##"
    ".....##"
    "##...##"
    ".#####.",
    "..####."
    ".##...."
    "##....."
    "##....."
    "##....."
    "######."
    "##...##"
    "##...##"
    "##...##"
    "##...##"
    "##...##"
    ".#####.",
    "#######"
    ".....##"
    ".....##"
    "....##."
    "....##."
    "...##.."
    "...##.."
    "..##..."
    "..##..."
    ".##...."
    ".##...."
    ".##....",
    ".#####."
    "##...##"
    "##...##"
    "##...##"
    "##...##"
    ".#####."
    "##...##"
    "##...##"
    "##...##"
    "##...##"
    "##...##"
    ".#####.",
    ".#####."
    "##...##"
    "##...##"
    "##...##"
    "##...##"
    "##...##"
    ".######"
    ".....##"
    ".....##"
    ".....##"
    "....##."
    ".####..",
};

static int code_decode(const struct yaml *item, const struct codes *codes, struct decoder *decoder)
{
    if (item->kind != YAML_SCALAR || item->length == 0 ||
        strspn(item->text, "#.") != item->length) {
        return yaml_error(decoder->errors, item,
                          "a code must be a text of # (for +1) and . (for -1), in quotes");
    }
    if (codes->length && item->length != (size_t)codes->length) {
        return yaml_error(decoder->errors, item,
                          "the codes must be equally long: this one has %zu values, the first %d",
                          item->length, codes->length);
    }
    return 0;
}

static int codes_decode(const struct option *option, void *field, const struct yaml *value,
                        struct decoder *decoder)
{
    struct codes *codes = field;
    int failed = 0;
    if (value->kind == YAML_SCALAR && !value->quoted && strcmp(value->text, "digits") == 0) {
        *codes = (struct codes){"digits", DIGITS, PIXELS, DIGIT_CODES};
        return 0;
    }
    if (value->kind != YAML_LIST || value->count == 0 || value->count > MOST_CODES) {
        return yaml_error(decoder->errors, value,
                          "'%s' must be digits, or a list with the code of each unit, %d at most",
                          option->key, MOST_CODES);
    }
    const char **of = arena_alloc(decoder->arena, (size_t)value->count * sizeof *of);
    if (!of) {
        return error_memory(error_next(decoder->errors), (size_t)value->count * sizeof *of);
    }
    *codes = (struct codes){.count = value->count, .of = of};
    for (int i = 0; i < value->count; i++) {
        const struct yaml *item = value->items[i];
        failed |= code_decode(item, codes, decoder);
        codes->length = i == 0 ? (int)item->length : codes->length;
        of[i] = arena_strndup(decoder->arena, item->text, item->length);
        if (!of[i]) {
            return error_memory(error_next(decoder->errors), item->length);
        }
    }
    return failed ? -1 : 0;
}

static void codes_emit(const struct option *option, const void *field, struct text *out, int indent)
{
    const struct codes *codes = field;
    (void)option, (void)indent;
    if (codes->word) {
        text_append(out, "%s", codes->word);
        return;
    }
    for (int i = 0; i < codes->count; i++) {
        text_append(out, "%s\"%s\"", i ? ", " : "[", codes->of[i]);
    }
    text_append(out, "]");
}

static void codes_describe(const struct option *option, struct text *out)
{
    (void)option;
    text_append(out, "digits, or a text of # and . for each unit");
}

const struct option_kind OPTION_CODES = {.name = "word or texts",
                                         .decode = codes_decode,
                                         .emit = codes_emit,
                                         .describe = codes_describe};

void codes_fill(const struct codes *codes, float *w)
{
    for (int o = 0; o < codes->count; o++) {
        for (int i = 0; i < codes->length; i++) {
            w[(size_t)o * codes->length + i] = codes->of[o][i] == '#' ? 1.0f : -1.0f;
        }
    }
}
