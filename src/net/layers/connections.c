/* connections.c: a convolution whose filters each see some of the input maps only. LeCun, Bottou,
 * Bengio, Haffner 1998, section II.B and table I: C3 of LeNet-5, 6 maps to 16, has 60 of 96
 * connections, which breaks the symmetry of the filters and has 1,516 parameters. */
#include "net/layers/connections.h"

#include <string.h>

/* Table I, a column a filter. */
static const struct connection LENET5[] = {
    {3, (const int[]){0, 1, 2}},    {3, (const int[]){1, 2, 3}},
    {3, (const int[]){2, 3, 4}},    {3, (const int[]){3, 4, 5}},
    {3, (const int[]){0, 4, 5}},    {3, (const int[]){0, 1, 5}},
    {4, (const int[]){0, 1, 2, 3}}, {4, (const int[]){1, 2, 3, 4}},
    {4, (const int[]){2, 3, 4, 5}}, {4, (const int[]){0, 3, 4, 5}},
    {4, (const int[]){0, 1, 4, 5}}, {4, (const int[]){0, 1, 2, 5}},
    {4, (const int[]){0, 1, 3, 4}}, {4, (const int[]){1, 2, 4, 5}},
    {4, (const int[]){0, 2, 3, 5}}, {6, (const int[]){0, 1, 2, 3, 4, 5}},
};
enum { LENET5_FILTERS = 16, LENET5_LINKS = 60, MOST_MAPS = 65536 };

/* The maps of one filter. */
static int filter_decode(const struct yaml *value, struct connection *filter,
                         struct decoder *decoder)
{
    int *maps = NULL;
    if (value->kind != YAML_LIST || value->count == 0) {
        return yaml_error(decoder->errors, value,
                          "each filter needs a list of the input maps that it sees, from 0");
    }
    maps = arena_alloc(decoder->arena, (size_t)value->count * sizeof *maps);
    if (!maps) {
        return error_memory(error_next(decoder->errors), (size_t)value->count * sizeof *maps);
    }
    for (int i = 0; i < value->count; i++) {
        const struct yaml *item = value->items[i];
        long long map;
        if (item->kind != YAML_SCALAR || item->quoted ||
            text_to_integer(item->text, item->length, &map) != 0 || map < 0 || map >= MOST_MAPS) {
            return yaml_error(decoder->errors, item,
                              "an input map must be a whole number from 0 to %d", MOST_MAPS - 1);
        }
        maps[i] = (int)map;
        if (i > 0 && maps[i] <= maps[i - 1]) {
            return yaml_error(decoder->errors, item,
                              "a filter's input maps must ascend: %d comes behind %d", maps[i],
                              maps[i - 1]);
        }
    }
    *filter = (struct connection){value->count, maps};
    return 0;
}

static int connections_decode(const struct option *option, void *field, const struct yaml *value,
                              struct decoder *decoder)
{
    struct connections *c = field;
    int failed = 0;
    if (value->kind == YAML_SCALAR && !value->quoted && strcmp(value->text, "lenet5") == 0) {
        *c = (struct connections){"lenet5", LENET5_FILTERS, LENET5_LINKS, LENET5};
        return 0;
    }
    if (value->kind != YAML_LIST || value->count == 0) {
        return yaml_error(decoder->errors, value,
                          "'%s' must be lenet5, or a list with the input maps of each filter",
                          option->key);
    }
    struct connection *of = arena_alloc(decoder->arena, (size_t)value->count * sizeof *of);
    if (!of) {
        return error_memory(error_next(decoder->errors), (size_t)value->count * sizeof *of);
    }
    *c = (struct connections){NULL, value->count, 0, of};
    for (int i = 0; i < value->count; i++) {
        failed |= filter_decode(value->items[i], &of[i], decoder);
        c->links += of[i].count;
    }
    return failed ? -1 : 0;
}

static void connections_emit(const struct option *option, const void *field, struct text *out,
                             int indent)
{
    const struct connections *c = field;
    (void)option, (void)indent;
    if (c->word) {
        text_append(out, "%s", c->word);
    } else if (c->filters) {
        for (int f = 0; f < c->filters; f++) {
            for (int i = 0; i < c->of[f].count; i++) {
                text_append(out, "%s%d", i ? ", " : f ? "], [" : "[[", c->of[f].maps[i]);
            }
        }
        text_append(out, "]]");
    }
}

static void connections_describe(const struct option *option, struct text *out)
{
    (void)option;
    text_append(out, "lenet5, or input maps of each filter");
}

const struct option_kind OPTION_CONNECTIONS = {.name = "word or lists",
                                               .decode = connections_decode,
                                               .emit = connections_emit,
                                               .describe = connections_describe};

int connections_check(const struct connections *c, const struct node *node, int filters, int maps,
                      struct error_list *errors)
{
    if (c->filters && c->filters != filters) {
        return yaml_error(errors, node->where, "%s '%s': connections of %d filters, but it has %d",
                          node->type->member.name, node->name, c->filters, filters);
    }
    for (int f = 0; f < c->filters; f++) {
        const int last = c->of[f].maps[c->of[f].count - 1];
        if (last >= maps) {
            return yaml_error(errors, node->where,
                              "%s '%s': its filter %d is connected to input map %d, but there are "
                              "%d maps, from 0",
                              node->type->member.name, node->name, f, last, maps);
        }
    }
    return 0;
}

void connections_mask(const struct connections *c, int maps, size_t taps, float *w)
{
    for (int f = 0; f < c->filters; f++) {
        const struct connection *filter = &c->of[f];
        for (int map = 0, next = 0; map < maps; map++) {
            if (next < filter->count && filter->maps[next] == map) {
                next++;
            } else {
                memset(w + ((size_t)f * (size_t)maps + (size_t)map) * taps, 0, taps * sizeof *w);
            }
        }
    }
}
