/* graph.c: from the list in the config to layers with names, shapes and parameters. */
#include "net/graph.h"

#include <stdio.h>
#include <string.h>

enum { MOST_LAYERS = 1024, MOST_DIMENSION = 65536 };
static const double MOST_ELEMENTS = 2147483647.0;

static int network_decode(const struct option *option, void *field, const struct yaml *value,
                          struct decoder *decoder)
{
    struct network *network = field;
    (void)option;
    if (value->kind != YAML_LIST) {
        return yaml_error(decoder->errors, value, "'network' must be a list of layers, got %s",
                          yaml_kind_name(value));
    }
    if (value->count == 0) {
        return yaml_error(decoder->errors, value, "'network' needs at least one layer");
    }
    if (value->count > MOST_LAYERS) {
        return yaml_error(decoder->errors, value->items[MOST_LAYERS], "more than %d layers",
                          MOST_LAYERS);
    }
    network->where = value;
    network->layers = arena_alloc(decoder->arena, (size_t)value->count * sizeof *network->layers);
    if (!network->layers) {
        return error_memory(error_next(decoder->errors),
                            (size_t)value->count * sizeof *network->layers);
    }
    int failed = 0;
    for (int i = 0; i < value->count; i++) {
        failed |= item_decode(&LAYERS, &network->layers[i], value->items[i], decoder);
    }
    network->count = value->count;
    return failed ? -1 : 0;
}

static void network_emit(const struct option *option, const void *field, struct text *out,
                         int indent)
{
    const struct network *network = field;
    (void)option;
    for (int i = 0; i < network->count; i++) {
        const struct choice *layer = &network->layers[i];
        text_append(out, "\n%*s- %s: ", indent + 2, "", layer->type->name);
        options_emit_flow(layer->type->options, layer->options, out);
    }
}

const struct option_kind OPTION_NETWORK = {
    .name = "list of layers", .decode = network_decode, .emit = network_emit};

static const struct layer_type *type_of(const struct choice *choice)
{
    return (const struct layer_type *)(const void *)choice->type;
}

/* A name may stand in a file and in a dotted path. */
static int name_is_good(const char *name)
{
    return strlen(name) <= 64 &&
           strspn(name, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-") ==
               strlen(name);
}

/* Give a layer its name: the user's, or its type and number. */
static int name_node(struct graph *graph, struct node *node, struct arena *arena,
                     struct error_list *errors)
{
    struct layer_options *options = node->options;
    if (!options->name) {
        int number = 1;
        for (int i = 0; i < node->index; i++) {
            number += graph->nodes[i].type == node->type && !graph->nodes[i].attached;
        }
        char name[96];
        snprintf(name, sizeof name, "%s%d", node->type->member.name, number);
        options->name = arena_strndup(arena, name, strlen(name));
        if (!options->name) {
            return error_memory(error_next(errors), sizeof name);
        }
    }
    node->name = options->name;
    if (!name_is_good(node->name)) {
        return yaml_error(errors, node->where,
                          "layer name '%s': only letters, digits, '_' and '-', at most 64",
                          node->name);
    }
    for (int i = 0; i < node->index; i++) {
        if (strcmp(graph->nodes[i].name, node->name) == 0) {
            return yaml_error(errors, node->where, "two layers are called '%s'", node->name);
        }
    }
    return 0;
}

/* The activation that an option asks for, as the next node. */
static int attach_activation(struct graph *graph, const struct node *owner,
                             const struct choice *choice, struct arena *arena,
                             struct error_list *errors)
{
    struct node *node = &graph->nodes[graph->count];
    *node = (struct node){.type = type_of(choice),
                          .options = choice->options,
                          .where = owner->where,
                          .attached = 1,
                          .index = graph->count};
    char name[160];
    snprintf(name, sizeof name, "%s.%s", owner->name, node->type->member.name);
    node->name = arena_strndup(arena, name, strlen(name));
    if (!node->name) {
        return error_memory(error_next(errors), sizeof name);
    }
    graph->count++;
    if (((const struct layer_options *)node->options)->name) {
        return yaml_error(errors, choice->where ? choice->where : owner->where,
                          "an activation that belongs to '%s' has no name of its own", owner->name);
    }
    return 0;
}

static int is_over_limits(struct shape s)
{
    return s.c > MOST_DIMENSION || s.h > MOST_DIMENSION || s.w > MOST_DIMENSION ||
           (double)s.c * s.h * s.w > MOST_ELEMENTS;
}

static int check_limits(const struct node *node, struct error_list *errors)
{
    const struct shape s = node->out;
    if (is_over_limits(s)) {
        return yaml_error(
            errors, node->where,
            "%s '%s': its output %dx%dx%d is over the limit of %d a dimension, %.0f in all",
            node->type->member.name, node->name, s.c, s.h, s.w, MOST_DIMENSION, MOST_ELEMENTS);
    }
    return 0;
}

static size_t padded(size_t floats) { return (floats + LANES - 1) / LANES * LANES; }

/* The sizes of a layer's parameters, and which of them are fixed. */
static int count_parameters(struct graph *graph, struct node *node, struct error_list *errors)
{
    const int frozen = ((const struct layer_options *)node->options)->freeze;
    for (int k = 0; k < node->needs.parameter_count; k++) {
        struct parameter *p = &node->needs.parameters[k];
        double size = 1;
        for (int d = 0; d < p->rank; d++) {
            size *= p->dims[d];
        }
        if (size + (double)graph->parameters > MOST_ELEMENTS) {
            return yaml_error(errors, node->where,
                              "%s '%s' needs %.0f parameters; a network may have %.0f",
                              node->type->member.name, node->name, size, MOST_ELEMENTS);
        }
        p->size = (size_t)size;
        graph->parameters += padded(p->size);
        graph->values += p->size;
        if (!p->fixed) {
            p->fixed = frozen;
            node->trained |= !frozen;
            node->count += p->size;
        }
    }
    *(node->trained ? &graph->trained : &graph->frozen) += node->count;
    return 0;
}

/* Number the parameters into the flat vector: those that move, then the fixed ones. */
static void place_parameters(struct graph *graph)
{
    size_t at = 0;
    for (int fixed = 0; fixed < 2; fixed++) {
        for (int i = 0; i < graph->count; i++) {
            struct needs *needs = &graph->nodes[i].needs;
            for (int k = 0; k < needs->parameter_count; k++) {
                if (needs->parameters[k].fixed == fixed) {
                    needs->parameters[k].offset = at;
                    at += padded(needs->parameters[k].size);
                }
            }
        }
        graph->moved = fixed ? graph->moved : at;
    }
}

static int shape_node(struct graph *graph, struct node *node, struct error_list *errors)
{
    node->in = node->index == 0 ? graph->input : graph->nodes[node->index - 1].out;
    TRY(node->type->shape(node, errors));
    TRY(check_limits(node, errors));
    if (node->type->need) {
        node->type->need(node, &node->needs);
    }
    graph->multiply_adds += node->needs.multiply_adds;
    return count_parameters(graph, node, errors);
}

/* Weights without an `init` start as the next activation likes, else as xavier. */
static void choose_initializers(struct graph *graph)
{
    for (int i = 0; i < graph->count; i++) {
        struct node *node = &graph->nodes[i];
        struct choice *init = node_choice(node, node->type->init);
        if (!init || init->type) {
            continue;
        }
        init->type = &INITIALIZER_xavier.member;
        for (int k = i + 1; k < graph->count && !graph->nodes[k].type->init; k++) {
            if (graph->nodes[k].type->suits) {
                init->type = &graph->nodes[k].type->suits->member;
                break;
            }
        }
    }
}

int graph_build(struct graph *graph, const struct network *network, struct shape input,
                struct arena *arena, struct error_list *errors)
{
    *graph = (struct graph){.input = input};
    graph->nodes = arena_alloc(arena, (size_t)network->count * 2 * sizeof *graph->nodes);
    if (!graph->nodes) {
        return error_memory(error_next(errors), (size_t)network->count * 2 * sizeof *graph->nodes);
    }
    if (is_over_limits(input)) {
        return yaml_error(errors, network->where,
                          "the input %dx%dx%d is over the limit of %d a dimension, %.0f in all",
                          input.c, input.h, input.w, MOST_DIMENSION, MOST_ELEMENTS);
    }
    int failed = 0;
    for (int i = 0; i < network->count; i++) {
        const struct choice *layer = &network->layers[i];
        struct node *node = &graph->nodes[graph->count];
        *node = (struct node){.type = type_of(layer),
                              .options = layer->options,
                              .where = layer->where,
                              .index = graph->count};
        failed |= name_node(graph, node, arena, errors);
        graph->count++;
        const struct choice *activation = node_choice(node, node->type->activation);
        if (activation && activation->type) {
            failed |= attach_activation(graph, node, activation, arena, errors);
        }
    }
    for (int i = 0; i < graph->count && !failed; i++) {
        failed = shape_node(graph, &graph->nodes[i], errors);
    }
    if (!failed && graph->trained == 0) {
        failed = yaml_error(errors, network->where, "the network has nothing to train%s",
                            graph->frozen ? ": all of its weights are frozen" : "");
    }
    place_parameters(graph);
    choose_initializers(graph);
    return failed ? -1 : 0;
}

int graph_check_classes(const struct graph *graph, int classes, struct error_list *errors)
{
    const struct node *last = &graph->nodes[graph->count - 1];
    if (shape_size(last->out) == (size_t)classes) {
        return 0;
    }
    return yaml_error(
        errors, last->where,
        "the network ends in %s '%s' with output %dx%dx%d, %zu values, but there are %d classes",
        last->type->member.name, last->name, last->out.c, last->out.h, last->out.w,
        shape_size(last->out), classes);
}

void graph_initialize(const struct graph *graph, uint64_t seed, float *parameters)
{
    memset(parameters, 0, graph->parameters * sizeof *parameters);
    uint32_t tensor = 0;
    for (int i = 0; i < graph->count; i++) {
        const struct node *node = &graph->nodes[i];
        for (int k = 0; k < node->needs.parameter_count; k++, tensor++) {
            const struct parameter *p = &node->needs.parameters[k];
            if (p->fan_in > 0) {
                const struct initializer *init =
                    (const void *)node_choice(node, node->type->init)->type;
                init->fill(parameters + p->offset, p->size, p->fan_in, p->fan_out, seed, tensor);
            } else {
                for (size_t e = 0; e < p->size; e++) {
                    parameters[p->offset + e] = p->start;
                }
            }
        }
    }
}
