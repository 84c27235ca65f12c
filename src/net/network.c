/* network.c: the `network` list of a config, and the lists inside its layers: decoded and written
 * out. A list inside a layer is written in flow style, on the layer's line. */
#include "net/graph.h"

#include <string.h>

static int list_is_good(const struct option *option, const struct yaml *value,
                        struct decoder *decoder)
{
    if (value->kind != YAML_LIST) {
        return yaml_error(decoder->errors, value, "'%s' must be a list of layers, got %s",
                          option->key, yaml_kind_name(value));
    }
    if (value->count > MOST_LAYERS) {
        return yaml_error(decoder->errors, value->items[MOST_LAYERS], "more than %d layers",
                          MOST_LAYERS);
    }
    return 0;
}

static int layers_decode(const struct option *option, struct network *network,
                         const struct yaml *value, struct decoder *decoder)
{
    TRY(list_is_good(option, value, decoder));
    const size_t bytes = (size_t)value->count * sizeof *network->layers;
    network->where = value;
    network->layers = arena_alloc(decoder->arena, bytes);
    if (!network->layers) {
        return error_memory(error_next(decoder->errors), bytes);
    }
    int failed = 0;
    for (int i = 0; i < value->count; i++) {
        failed |= item_decode(&LAYERS, &network->layers[i], value->items[i], decoder);
    }
    network->count = value->count;
    return failed ? -1 : 0;
}

static int network_decode(const struct option *option, void *field, const struct yaml *value,
                          struct decoder *decoder)
{
    if (value->kind == YAML_LIST && value->count == 0) {
        return yaml_error(decoder->errors, value, "'%s' needs at least one layer", option->key);
    }
    return layers_decode(option, field, value, decoder);
}

static void emit_flow(const struct network *network, struct text *out)
{
    text_append(out, "[");
    for (int i = 0; i < network->count; i++) {
        const struct choice *layer = &network->layers[i];
        text_append(out, "%s%s: ", i ? ", " : "", layer->type->name);
        options_emit_flow(layer->type->options, layer->options, out);
    }
    text_append(out, "]");
}

static void network_emit(const struct option *option, const void *field, struct text *out,
                         int indent)
{
    const struct network *network = field;
    (void)option;
    if (indent == -1) {
        emit_flow(network, out);
        return;
    }
    for (int i = 0; i < network->count; i++) {
        const struct choice *layer = &network->layers[i];
        text_append(out, "\n%*s- %s: ", indent + 2, "", layer->type->name);
        options_emit_flow(layer->type->options, layer->options, out);
    }
}

const struct option_kind OPTION_NETWORK = {
    .name = "list of layers", .decode = network_decode, .emit = network_emit};

static int branches_decode(const struct option *option, void *field, const struct yaml *value,
                           struct decoder *decoder)
{
    struct branches *branches = field;
    if (value->kind != YAML_LIST) {
        return yaml_error(decoder->errors, value, "'%s' must be a list of lists of layers, got %s",
                          option->key, yaml_kind_name(value));
    }
    if (value->count < 2 || value->count > MOST_BRANCHES) {
        return yaml_error(decoder->errors, value, "'%s' must be 2 to %d lists of layers, got %d",
                          option->key, MOST_BRANCHES, value->count);
    }
    const size_t bytes = (size_t)value->count * sizeof *branches->lists;
    branches->lists = arena_alloc(decoder->arena, bytes);
    if (!branches->lists) {
        return error_memory(error_next(decoder->errors), bytes);
    }
    int failed = 0;
    for (int i = 0; i < value->count; i++) {
        failed |= layers_decode(option, &branches->lists[i], value->items[i], decoder);
    }
    branches->count = value->count;
    return failed ? -1 : 0;
}

static void branches_emit(const struct option *option, const void *field, struct text *out,
                          int indent)
{
    const struct branches *branches = field;
    (void)option, (void)indent;
    text_append(out, "[");
    for (int i = 0; i < branches->count; i++) {
        text_append(out, "%s", i ? ", " : "");
        emit_flow(&branches->lists[i], out);
    }
    text_append(out, "]");
}

const struct option_kind OPTION_BRANCHES = {
    .name = "lists of layers", .decode = branches_decode, .emit = branches_emit};
