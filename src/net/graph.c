/* graph.c: from the list in the config to nodes with names, shapes and parameters. */
#include "net/builder.h"
#include "net/fold.h"

#include <stdio.h>
#include <string.h>

enum { MOST_DIMENSION = 65536 };
static const double MOST_ELEMENTS = 2147483647.0;

static const struct layer_type *type_of(const struct choice *choice)
{
    return (const struct layer_type *)(const void *)choice->type;
}

/* ---- names ---- */

/* A name may stand in a file and in a dotted path. */
static int name_is_good(const char *name)
{
    return strlen(name) <= 64 &&
           strspn(name, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-") ==
               strlen(name);
}

static void stop(struct builder *b) { b->failed = b->stopped = 1; }

static char *copy_name(struct builder *b, const char *name)
{
    char *copy = arena_strndup(b->arena, name, strlen(name));
    if (!copy) {
        error_memory(error_next(b->errors), strlen(name));
        stop(b);
    }
    return copy;
}

/* Give a layer of a list its name: the user's, or its type and number. */
static void name_layer(struct builder *b, const struct choice *layer)
{
    struct layer_options *options = layer->options;
    const struct layer_type *type = type_of(layer);
    if (b->named_count == MOST_LAYERS) {
        yaml_error(b->errors, layer->where, "more than %d layers", MOST_LAYERS);
        stop(b);
        return;
    }
    if (!options->name) {
        int number = 1;
        for (int i = 0; i < b->named_count; i++) {
            number += b->named[i].type == type;
        }
        char name[96];
        snprintf(name, sizeof name, "%s%d", type->member.name, number);
        options->name = copy_name(b, name);
        if (!options->name) {
            return;
        }
    }
    if (!name_is_good(options->name)) {
        b->failed = 1;
        yaml_error(b->errors, layer->where,
                   "layer name '%s': only letters, digits, '_' and '-', at most 64", options->name);
    }
    for (int i = 0; i < b->named_count; i++) {
        if (strcmp(b->named[i].name, options->name) == 0) {
            b->failed = 1;
            yaml_error(b->errors, layer->where, "two layers are called '%s'%s", options->name,
                       b->copies ? ": a layer that is repeated cannot have a name" : "");
            break;
        }
    }
    b->named[b->named_count++] = (struct named){type, options->name};
}

/* ---- shapes and parameters of a node ---- */

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

/* The sizes of a node's parameters, and which of them are fixed. */
static int count_parameters(struct graph *graph, struct node *node, struct error_list *errors)
{
    const struct layer_options *options = node->options;
    const int frozen = options->freeze;
    if (frozen && options->regularize.given) {
        return yaml_error(errors, node->where,
                          "%s '%s' is frozen: its 'regularize' would do nothing",
                          node->type->member.name, node->name);
    }
    for (int k = 0; k < node->needs.parameter_count; k++) {
        struct parameter *p = &node->needs.parameters[k];
        double size = 1;
        for (int d = 0; d < p->rank; d++) {
            size *= p->dims[d];
        }
        if (size + (double)graph->parameters > MOST_ELEMENTS) {
            char before[64] = "";
            if (graph->values > 0) {
                snprintf(before, sizeof before, ", besides the %zu before it", graph->values);
            }
            return yaml_error(errors, node->where,
                              "%s '%s' needs %.0f parameters%s; a network may have %.0f",
                              node->type->member.name, node->name, size, before, MOST_ELEMENTS);
        }
        p->size = (size_t)size;
        graph->parameters += graph_padded(p->size);
        graph->values += p->size;
        if (!p->fixed) {
            p->fixed = frozen;
            node->trained |= !frozen;
            node->count += p->used ? p->used : p->size;
        }
    }
    *(node->trained ? &graph->trained : &graph->frozen) += node->count;
    return 0;
}

static int shape_node(struct graph *graph, struct node *node, struct error_list *errors)
{
    TRY(node->type->shape(node, errors));
    TRY(check_limits(node, errors));
    if (node->type->need) {
        node->type->need(node, &node->needs);
    }
    graph->multiply_adds += node->needs.multiply_adds;
    if (node->type->coupling && !((const struct layer_options *)node->options)->freeze) {
        node->couples = 1;
        graph->sums = graph->sums > node->needs.sums ? graph->sums : node->needs.sums;
    }
    graph->prepares |= node->type->prepare && node->needs.shared > 0;
    if (node->couples || node->type->prepare) {
        node->shared = graph->shared;
        graph->shared += graph_padded(node->needs.shared);
    }
    return count_parameters(graph, node, errors);
}

/* ---- nodes ---- */

struct shape builder_shape(const struct builder *b, int node)
{
    return node == NETWORK_INPUT ? b->graph->input : b->graph->nodes[node].out;
}

/* Room for one node more. */
static int grow(struct builder *b)
{
    struct graph *graph = b->graph;
    if (graph->count < b->room) {
        return 0;
    }
    const int room = b->room ? 2 * b->room : 32;
    struct node *nodes = arena_alloc(b->arena, (size_t)room * sizeof *nodes);
    if (!nodes) {
        error_memory(error_next(b->errors), (size_t)room * sizeof *nodes);
        stop(b);
        return -1;
    }
    if (graph->count) {
        memcpy(nodes, graph->nodes, (size_t)graph->count * sizeof *nodes);
    }
    graph->nodes = nodes;
    b->room = room;
    return 0;
}

/* What a node reads: numbers, and shapes as far as they are known. */
static int join_inputs(struct builder *b, struct node *node, const int *inputs, int count)
{
    int *own = arena_alloc(b->arena, (size_t)count * sizeof *own);
    struct shape *ins = arena_alloc(b->arena, (size_t)count * sizeof *ins);
    if (!own || !ins) {
        error_memory(error_next(b->errors), (size_t)count * sizeof *ins);
        stop(b);
        return -1;
    }
    for (int k = 0; k < count; k++) {
        own[k] = inputs[k];
        ins[k] = builder_shape(b, inputs[k]);
    }
    node->input_count = count;
    node->inputs = own;
    node->ins = ins;
    node->in = ins[0];
    b->graph->edges += count;
    return 0;
}

int builder_node(struct builder *b, const struct choice *layer, const char *owner,
                 const int *inputs, int count)
{
    struct graph *graph = b->graph;
    if (b->stopped || grow(b) != 0) {
        return inputs[0];
    }
    struct node *node = &graph->nodes[graph->count];
    *node = (struct node){.type = type_of(layer),
                          .options = layer->options,
                          .name = ((const struct layer_options *)layer->options)->name,
                          .where = layer->where,
                          .depth = b->depth,
                          .index = graph->count};
    if (owner) {
        char name[160];
        snprintf(name, sizeof name, "%s.%s", owner, node->type->member.name);
        node->name = copy_name(b, name);
    }
    if (!node->name || join_inputs(b, node, inputs, count) != 0) {
        return inputs[0];
    }
    if (!b->shapeless && shape_node(graph, node, b->errors) != 0) {
        b->failed = b->shapeless = 1;
    }
    return graph->count++;
}

/* The activation that an option asks for, as the next node. */
static int attach_activation(struct builder *b, int owner, const struct choice *choice)
{
    const struct node *node = &b->graph->nodes[owner];
    struct choice activation = *choice;
    activation.where = node->where;
    if (((const struct layer_options *)choice->options)->name) {
        b->failed = 1;
        yaml_error(b->errors, choice->where ? choice->where : node->where,
                   "an activation that belongs to '%s' has no name of its own", node->name);
    }
    const int attached = builder_node(b, &activation, node->name, &owner, 1);
    b->graph->nodes[attached].attached = attached != owner;
    return attached;
}

/* A layer's options, or, within a repeated block, a copy of them. */
static void *own_options(struct builder *b, const struct choice *layer)
{
    if (!b->copies) {
        return layer->options;
    }
    void *copy = arena_alloc(b->arena, layer->type->size);
    if (!copy) {
        error_memory(error_next(b->errors), layer->type->size);
        stop(b);
        return NULL;
    }
    return memcpy(copy, layer->options, layer->type->size);
}

static int add_layer(struct builder *b, const struct choice *listed, int input)
{
    const struct layer_type *type = type_of(listed);
    struct choice layer = *listed;
    layer.options = own_options(b, listed);
    if (layer.options && type->forward) {
        name_layer(b, &layer);
    }
    if (b->stopped) {
        return input;
    }
    if (type->expand) {
        return type->expand(b, &layer, input);
    }
    const int node = builder_node(b, &layer, NULL, &input, 1);
    const struct choice *activation = choice_at(layer.options, type->activation);
    return activation && activation->type && !b->stopped ? attach_activation(b, node, activation)
                                                         : node;
}

int builder_list(struct builder *b, const struct network *list, int input)
{
    b->depth++;
    for (int i = 0; i < list->count && !b->stopped; i++) {
        input = add_layer(b, &list->layers[i], input);
    }
    b->depth--;
    return input;
}

/* ---- the whole ---- */

int graph_build(struct graph *graph, const struct network *network, struct shape input,
                struct arena *arena, struct error_list *errors)
{
    *graph = (struct graph){.input = input};
    struct builder b = {.graph = graph, .arena = arena, .errors = errors, .depth = -1};
    b.named = arena_alloc(arena, MOST_LAYERS * sizeof *b.named);
    if (!b.named) {
        return error_memory(error_next(errors), MOST_LAYERS * sizeof *b.named);
    }
    if (is_over_limits(input)) {
        return yaml_error(errors, network->where,
                          "the input %dx%dx%d is over the limit of %d a dimension, %.0f in all",
                          input.c, input.h, input.w, MOST_DIMENSION, MOST_ELEMENTS);
    }
    builder_list(&b, network, NETWORK_INPUT);
    int *next = b.failed ? NULL : arena_alloc(arena, (size_t)graph->count * sizeof *next);
    if (!next) {
        return b.failed ? -1 : error_memory(error_next(errors), (size_t)graph->count);
    }
    if (graph->trained == 0) {
        return yaml_error(errors, network->where, "the network has nothing to train%s",
                          graph->frozen ? ": all of its weights are frozen" : "");
    }
    graph_place_parameters(graph);
    graph_choose_initializers(graph, next);
    graph_find_folds(graph, next);
    return 0;
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
                init->fill(parameters + p->offset, p, seed, tensor);
                if (node->type->mask) {
                    node->type->mask(node, parameters + p->offset);
                }
            } else {
                for (size_t e = 0; e < p->size; e++) {
                    parameters[p->offset + e] = p->start;
                }
                if (k == 0 && node->type->begin) {
                    node->type->begin(node, parameters + p->offset);
                }
            }
        }
    }
}

size_t graph_scratch(const struct graph *graph)
{
    size_t most = 0;
    for (int i = 0; i < graph->count; i++) {
        const size_t need = graph->nodes[i].needs.scratch;
        most = most > need ? most : need;
    }
    return most;
}
