/* option_check.h: for the tests of the option files: a table with every kind of row, decoded from a
 * text. */
#ifndef CNNTRAIN_TESTS_OPTION_CHECK_H
#define CNNTRAIN_TESTS_OPTION_CHECK_H

#include "config/option.h"
#include "yaml_check.h"

#include <math.h>
#include <stdlib.h>

struct adam {
    float lr, beta;
};
static const struct option adam_rows[] = {
    {"lr", &OPTION_NUMBER, offsetof(struct adam, lr), "0.001", 0, 100, 1, NULL, "learning rate"},
    {"beta", &OPTION_NUMBER, offsetof(struct adam, beta), "0.9", 0, 1, 2, NULL, "decay"},
    OPTION_END,
};
struct conv {
    long long filters;
    int kernel[2];
};
static const struct option conv_rows[] = {
    {"filters", &OPTION_INTEGER, offsetof(struct conv, filters), NULL, 1, 65536, 0, NULL,
     "output channels"},
    {"kernel", &OPTION_PAIR, offsetof(struct conv, kernel), "3", 1, 100, 0, NULL,
     "size of the window"},
    OPTION_END,
};
static const struct member adam = {"adam", "adaptive moments", adam_rows, sizeof(struct adam)};
static const struct member conv = {"conv", "convolution", conv_rows, sizeof(struct conv)};
static const struct member relu = {"relu", "max(0, x)", NULL, 0};
static const struct member *const members[] = {&adam, &conv, &relu, NULL};
static const struct family family = {"optimizer", "optimizers", members};

struct inner {
    long long width;
    const char *label;
};
static const struct option inner_rows[] = {
    {"width", &OPTION_INTEGER, offsetof(struct inner, width), "7", 1, 9, 0, NULL, "width"},
    {"label", &OPTION_TEXT, offsetof(struct inner, label), "", 0, 0, 0, NULL, "label"},
    OPTION_END,
};
static const struct group inner_group = {inner_rows, sizeof(struct inner), NULL};
static const char *const fits[] = {"pad", "stretch", "crop", NULL};

struct all {
    long long count, any;
    uint64_t seed;
    float rate;
    double share, above, below;
    int flag, pair[2];
    const char *name, *fit;
    struct numbers numbers;
    struct texts texts;
    struct choice choice;
    struct inner inner;
};
static const struct option all_rows[] = {
    {"count", &OPTION_INTEGER, offsetof(struct all, count), "8", 1, 65536, 0, NULL, "a count"},
    {"any", &OPTION_INTEGER, offsetof(struct all, any), "", 0, 0, 0, NULL, "any whole number"},
    {"seed", &OPTION_SEED, offsetof(struct all, seed), "0", 0, 0, 0, NULL, "a seed"},
    {"rate", &OPTION_NUMBER, offsetof(struct all, rate), "0.5", 0, 1, 2, NULL, "a rate"},
    {"share", &OPTION_DOUBLE, offsetof(struct all, share), "0.1", 0, 1, 3, NULL, "a share"},
    {"above", &OPTION_DOUBLE, offsetof(struct all, above), "1", 0, INFINITY, 1, NULL, "positive"},
    {"below", &OPTION_DOUBLE, offsetof(struct all, below), "-1", -INFINITY, 0, 0, NULL,
     "not positive"},
    {"flag", &OPTION_BOOLEAN, offsetof(struct all, flag), "true", 0, 0, 0, NULL, "a flag"},
    {"pair", &OPTION_PAIR, offsetof(struct all, pair), "[5, 3]", 1, 100, 0, NULL, "a pair"},
    {"name", &OPTION_TEXT, offsetof(struct all, name), "", 0, 0, 0, NULL, "a name"},
    {"fit", &OPTION_WORD, offsetof(struct all, fit), "pad", 0, 0, 0, fits, "a word"},
    {"numbers", &OPTION_NUMBERS, offsetof(struct all, numbers), "", 0, 10, 0, NULL, "numbers"},
    {"texts", &OPTION_TEXTS, offsetof(struct all, texts), "", 0, 0, 0, NULL, "texts"},
    {"choice", &OPTION_FAMILY, offsetof(struct all, choice), "adam", 0, 0, 0, &family, "a choice"},
    {"inner", &OPTION_GROUP, offsetof(struct all, inner), "{}", 0, 0, 0, &inner_group, "a group"},
    OPTION_END,
};

static struct all all;

static inline int decode_rows(const struct option *rows, void *options, const char *text)
{
    read_text(text);
    assert_non_null(parse.root);
    return options_decode(rows, options, parse.root, "test", NULL,
                          &(struct decoder){&parse.arena, &parse.errors});
}

static inline void assert_decoded(const char *text)
{
    memset(&all, 0, sizeof all);
    if (decode_rows(all_rows, &all, text) != 0) {
        fail_msg("%s: %s", text, parse.errors.items[0].message);
    }
    assert_int_equal(parse.errors.total, 0);
}

/* One fault, in line 1. */
static inline void assert_bad(const char *text, int column, const char *message)
{
    memset(&all, 0, sizeof all);
    assert_int_equal(decode_rows(all_rows, &all, text), -1);
    const struct error *e = &parse.errors.items[0];

    assert_int_equal(parse.errors.total, 1);
    assert_int_equal(e->kind, ERROR_CONFIG);
    if (strcmp(e->message, message) != 0) {
        fail_msg("%s: expected \"%s\", got \"%s\"", text, message, e->message);
    }
    if (e->line != 1 || e->column != column) {
        fail_msg("%s: expected in column %d, found at %d:%d", text, column, e->line, e->column);
    }
}

#endif
