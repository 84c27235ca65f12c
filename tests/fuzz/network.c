/* network.c: see network.h. */
#include "fuzz/network.h"

#include "net/loss.h"
#include "optim/optimizer.h"
#include "train/settings.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { DEEPEST = 2, MOST_ITEMS = 6 };

static void add_layers(struct dice *dice, struct text *out, int depth);
static void add_options(struct dice *dice, const struct option *rows, struct text *out, int depth);

static const char *member_name(struct dice *dice, const struct family *family)
{
    unsigned count = 0;
    while (family->members[count] != NULL) {
        count++;
    }
    return family->members[dice_below(dice, count)]->name;
}

static void add_integer(struct dice *dice, const struct option *row, struct text *out)
{
    const unsigned how = dice_below(dice, 32);
    const double bounded = row->low == 0 && row->high == 0 ? 8 : row->high;
    const long long low = (long long)row->low;
    if (how == 0) {
        text_append(out, "%lld", (long long)dice_byte(dice) - 128);
    } else if (how == 1) {
        text_append(out, "%.0f", bounded);
    } else {
        text_append(out, "%lld", low + dice_below(dice, how < 24 ? 4 : 16));
    }
}

static void add_real(struct dice *dice, const struct option *row, struct text *out)
{
    static const double VALUES[] = {0.5, 0.1, 1, 0.001, 0, 0.9, 2, 1e-5, 1e30, -1};
    const unsigned how = dice_below(dice, 12);
    char number[32];
    const double value = how < 10 ? VALUES[how] : how == 10 ? row->low : row->high;
    text_append(out, "%s", isfinite(value) ? text_from_double(number, value) : "3");
}

static void add_word(struct dice *dice, const struct option *row, struct text *out)
{
    const char *const *words = row->extra;
    unsigned count = 0;
    while (words[count] != NULL) {
        count++;
    }
    text_append(out, "%s", words[dice_below(dice, count)]);
}

static void add_member(struct dice *dice, const struct family *family, struct text *out)
{
    unsigned count = 0;
    while (family->members[count] != NULL) {
        count++;
    }
    const struct member *member = family->members[dice_below(dice, count)];
    if (member->options != NULL && dice_below(dice, 2) == 1) {
        text_append(out, "{type: %s", member->name);
        for (const struct option *row = member->options; row->key != NULL; row++) {
            if ((row->kind == &OPTION_NUMBER || row->kind == &OPTION_DOUBLE) &&
                dice_below(dice, 2) == 1) {
                text_append(out, ", %s: ", row->key);
                add_real(dice, row, out);
            }
        }
        text_append(out, "}");
    } else {
        text_append(out, "%s", member->name);
    }
}

/* Kinds that some layers have of their own: paddings, shapes, orders. */
static void add_other(struct dice *dice, struct text *out)
{
    static const char *const VALUES[] = {"same", "valid",     "1",         "0",
                                         "2",    "[1, 0]",    "[2, 3, 3]", "[1, 8]",
                                         "wide", "[2, 0, 1]", "{}",        "[[0], [1]]"};
    text_append(out, "%s", VALUES[dice_below(dice, sizeof VALUES / sizeof *VALUES)]);
}

static void add_value(struct dice *dice, const struct option *row, struct text *out, int depth)
{
    if (row->kind == &OPTION_INTEGER || row->kind == &OPTION_SEED) {
        add_integer(dice, row, out);
    } else if (row->kind == &OPTION_NUMBER || row->kind == &OPTION_DOUBLE) {
        add_real(dice, row, out);
    } else if (row->kind == &OPTION_BOOLEAN) {
        text_append(out, "%s", dice_below(dice, 2) ? "true" : "false");
    } else if (row->kind == &OPTION_WORD) {
        add_word(dice, row, out);
    } else if (row->kind == &OPTION_FAMILY) {
        add_member(dice, row->extra, out);
    } else if (row->kind == &OPTION_TEXT) {
        text_append(out, "t%u", dice_below(dice, 50));
    } else if (row->kind == &OPTION_GROUP) {
        text_append(out, "{");
        add_options(dice, ((const struct group *)row->extra)->options, out, depth);
        text_append(out, "}");
    } else if (row->kind == &OPTION_PAIR && dice_below(dice, 2) == 1) {
        text_append(out, "[");
        add_integer(dice, row, out);
        text_append(out, ", ");
        add_integer(dice, row, out);
        text_append(out, "]");
    } else if (row->kind == &OPTION_PAIR) {
        add_integer(dice, row, out);
    } else if (row->kind == &OPTION_NETWORK) {
        add_layers(dice, out, depth + 1);
    } else if (row->kind == &OPTION_BRANCHES) {
        text_append(out, "[");
        add_layers(dice, out, depth + 1);
        text_append(out, ", ");
        add_layers(dice, out, depth + 1);
        text_append(out, "]");
    } else {
        add_other(dice, out);
    }
}

static void add_options(struct dice *dice, const struct option *rows, struct text *out, int depth)
{
    const char *comma = "";
    for (const struct option *row = rows; row != NULL && row->key != NULL; row++) {
        if (row->fallback == NULL || dice_below(dice, 4) == 1) {
            text_append(out, "%s%s: ", comma, row->key);
            add_value(dice, row, out, depth);
            comma = ", ";
        }
    }
}

static const struct member *find_layer(const char *name) { return family_find(&LAYERS, name); }

static void add_layer(struct dice *dice, struct text *out, int depth)
{
    const struct member *layer = find_layer(member_name(dice, &LAYERS));
    for (const struct option *row = layer->options; row != NULL && row->key != NULL; row++) {
        if (depth >= DEEPEST && (row->kind == &OPTION_NETWORK || row->kind == &OPTION_BRANCHES)) {
            layer = find_layer("relu");
            break;
        }
    }
    text_append(out, "%s: {", layer->name);
    add_options(dice, layer->options, out, depth);
    text_append(out, "}");
}

static void add_layers(struct dice *dice, struct text *out, int depth)
{
    const unsigned count = dice_below(dice, MOST_ITEMS - 2 * (unsigned)depth);
    text_append(out, "[");
    for (unsigned i = 0; i < count; i++) {
        text_append(out, i > 0 ? ", " : "");
        add_layer(dice, out, depth);
    }
    text_append(out, "]");
}

void network_config(struct dice *dice, struct shape input, int classes, struct text *out)
{
    text_append(out,
                "seed: %u\n"
                "data: {input: {height: %d, width: %d, channels: %d}}\n"
                "train: {loss: %s, optimizer: %s}\n"
                "network:\n",
                dice_byte(dice), input.h, input.w, input.c, member_name(dice, &LOSSES),
                member_name(dice, &OPTIMIZERS));
    const unsigned count = dice_below(dice, MOST_ITEMS);
    for (unsigned i = 0; i < count; i++) {
        text_append(out, "  - ");
        add_layer(dice, out, 0);
        text_append(out, "\n");
    }
    text_append(out, dice_below(dice, 8) == 1 ? "  - relu\n" : "  - dense: %d\n", classes);
}

/* ---- a model of it ---- */

static int build(struct model *model, const struct text *config, struct error_list *errors)
{
    const char *copy = arena_strndup(&model->arena, config->data, config->length);
    CHECK(copy != NULL);
    const struct yaml *root = yaml_parse(&model->arena, "made.yaml", copy, config->length, errors);
    CHECK(root != NULL);
    TRY(settings_decode(&model->settings, root, "made", &model->arena, errors));
    TRY(graph_build(&model->graph, &model->settings.network,
                    (struct shape){model->input.c, model->input.h, model->input.w}, &model->arena,
                    errors));
    TRY(graph_check_classes(&model->graph, model->classes.count, errors));
    return settings_weigh_classes(&model->settings, NULL, model->classes.count, &model->arena,
                                  errors);
}

static void choose_input(struct model *model, struct dice *dice)
{
    struct input *input = &model->input;
    input->c = 1 + (int)dice_below(dice, 4);
    input->h = 1 + (int)dice_below(dice, 9);
    input->w = 1 + (int)dice_below(dice, 9);
    input->scale = dice_below(dice, 2) ? 1.0 / 255 : 1;
    for (int k = 0; k < input->c; k++) {
        input->mean[k] = dice_byte(dice) / 256.0;
        input->std[k] = (1 + dice_byte(dice)) / 256.0;
    }
    model->epoch = dice_byte(dice);
    model->step = dice_byte(dice) * 1000LL;
}

static void choose_classes(struct model *model, struct dice *dice)
{
    static const char *const NAMES[] = {"0", "a b", "\xc3\xa4", "\"", "\\", "cat"};
    const int count = 2 + (int)dice_below(dice, 4);
    const char **values = arena_alloc(&model->arena, (size_t)count * sizeof *values);
    CHECK(values != NULL);
    for (int i = 0; i < count; i++) {
        values[i] = NAMES[((unsigned)i + dice_byte(dice)) % (sizeof NAMES / sizeof *NAMES)];
    }
    model->classes = (struct texts){count, values};
}

/* As they begin, some of them changed; those between the tensors stay 0. */
static void choose_parameters(struct model *model, struct dice *dice)
{
    const struct graph *graph = &model->graph;
    const size_t bytes = graph->parameters * sizeof(float);
    model->parameters = block_allocate(bytes > 0 ? bytes : 64);
    CHECK(model->parameters != NULL);
    memset(model->parameters, 0, bytes);
    graph_initialize(graph, model->settings.seed, model->parameters);
    for (int i = 0; i < graph->count; i++) {
        const struct needs *needs = &graph->nodes[i].needs;
        for (int k = 0; k < needs->parameter_count && dice->at < dice->size; k++) {
            const struct parameter *p = &needs->parameters[k];
            model->parameters[p->offset + dice_below(dice, 256) % p->size] =
                (float)((int)dice_byte(dice) - 128) / 16;
        }
    }
}

int network_make(struct model *model, struct dice *dice, size_t parameters, double work)
{
    static struct error_list errors;
    struct text config = {0};
    *model = (struct model){0};
    errors.count = 0, errors.total = 0;
    choose_input(model, dice);
    choose_classes(model, dice);
    network_config(dice, (struct shape){model->input.c, model->input.h, model->input.w},
                   model->classes.count, &config);
    CHECK(!config.failed);
    const int status = build(model, &config, &errors);
    CHECK((status != 0) == (errors.total > 0));
    fuzz_check_errors(&errors, KIND(ERROR_CONFIG) | KIND(ERROR_LIMIT));
    text_free(&config);
    if (status != 0 || model->graph.parameters > parameters || model->graph.multiply_adds > work) {
        model_free(model);
        return -1;
    }
    choose_parameters(model, dice);
    return 0;
}
