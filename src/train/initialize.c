/* initialize.c: transfer of weights by name (Yosinski, Clune, Bengio, Lipson 2014, "How
 * transferable are features in deep neural networks?"). */
#include "train/initialize.h"

#include "base/tensor_file.h"

#include <stdio.h>
#include <string.h>

static void append_shape(char *out, size_t size, int rank, const size_t *shape)
{
    size_t used = (size_t)snprintf(out, size, "[");
    for (int d = 0; d < rank && used < size; d++) {
        used += (size_t)snprintf(out + used, size - used, "%s%zu", d ? ", " : "", shape[d]);
    }
    if (used < size) {
        snprintf(out + used, size - used, "]");
    }
}

/* Why the parameter cannot come from the tensor; 0 when it can. */
static int differs(const struct stored_tensor *found, const struct parameter *p, char *why,
                   size_t size)
{
    size_t shape[4];
    int same = found && found->rank == p->rank;
    for (int d = 0; d < p->rank; d++) {
        shape[d] = (size_t)p->dims[d];
        same = same && found->shape[d] == shape[d];
    }
    if (!found) {
        snprintf(why, size, "not in the file");
        return 1;
    }
    if (!same) {
        char there[200], here[100];
        append_shape(there, sizeof there, found->rank, found->shape);
        append_shape(here, sizeof here, p->rank, shape);
        snprintf(why, size, "it is %s in the file, here %s", there, here);
        return 1;
    }
    if (!tensor_type_is_float(found->type)) {
        snprintf(why, size, "it is %s in the file: only F32, F16 and BF16 are taken",
                 tensor_type_name(found->type));
        return 1;
    }
    return 0;
}

struct taking {
    struct trainer *trainer;
    const struct tensor_file *file;
    int taken;
    struct error_list *errors;
};

/* All tensors of a layer. `named`: where the config asks for it, or NULL: what is not there is left
 * as it is. */
static int take_layer(struct taking *taking, const struct node *node, const struct yaml *named)
{
    struct trainer *t = taking->trainer;
    for (int k = 0; k < node->needs.parameter_count; k++) {
        const struct parameter *p = &node->needs.parameters[k];
        char name[256], why[400];
        struct error e = {.offset = -1};
        snprintf(name, sizeof name, "%s.%s", node->name, p->suffix);
        const struct stored_tensor *found = tensor_file_find(taking->file, name);
        if (differs(found, p, why, sizeof why)) {
            if (named) {
                return yaml_error_one(error_next(taking->errors), ERROR_MODEL, named,
                                      "'%s' cannot be taken from %s: %s", name, taking->file->path,
                                      why);
            }
            text_append(&t->taken, "  %-22s as initialised: %s\n", name, why);
        } else if (tensor_values(taking->file, found, t->parameters + p->offset, &e) != 0) {
            *error_next(taking->errors) = e;
            return -1;
        } else {
            text_append(&t->taken, "  %-22s taken\n", name);
            taking->taken++;
        }
    }
    return 0;
}

static const struct node *find_layer(const struct graph *graph, const char *name)
{
    for (int i = 0; i < graph->count; i++) {
        if (strcmp(graph->nodes[i].name, name) == 0) {
            return &graph->nodes[i];
        }
    }
    return NULL;
}

/* Into the list, as the parser does with words that it does not know. */
static int unknown_layer(struct taking *taking, const char *name, const struct yaml *where)
{
    const struct graph *graph = &taking->trainer->model.graph;
    const char **names =
        arena_alloc(&taking->trainer->model.arena, ((size_t)graph->count + 1) * sizeof *names);
    if (!names) {
        return error_memory(error_next(taking->errors), (size_t)graph->count * sizeof *names);
    }
    for (int i = 0; i < graph->count; i++) {
        names[i] = graph->nodes[i].name;
    }
    names[graph->count] = NULL;
    const char *nearest = text_closest(name, names);
    return nearest ? yaml_error(taking->errors, where,
                                "the network has no layer '%s'; did you mean '%s'?", name, nearest)
                   : yaml_error(taking->errors, where, "the network has no layer '%s'", name);
}

static int take_named(struct taking *taking)
{
    const struct settings *s = &taking->trainer->model.settings;
    const struct yaml *list = settings_place(s, "initialize", "layers", NULL);
    int failed = 0;
    for (int i = 0; i < s->initialize.layers.count; i++) {
        const char *name = s->initialize.layers.values[i];
        const struct yaml *where = list->kind == YAML_LIST ? list->items[i] : list;
        const struct node *node = find_layer(&taking->trainer->model.graph, name);
        if (!node) {
            failed |= unknown_layer(taking, name, where);
        } else if (node->needs.parameter_count == 0) {
            failed |= yaml_error(taking->errors, where, "layer '%s' has no weights to take", name);
        } else {
            failed |= take_layer(taking, node, where);
        }
    }
    return failed;
}

static int take(struct taking *taking)
{
    const struct settings *s = &taking->trainer->model.settings;
    const struct graph *graph = &taking->trainer->model.graph;
    if (s->initialize.layers.values && s->initialize.layers.count == 0) {
        return yaml_error(taking->errors, settings_place(s, "initialize", "layers", NULL),
                          "'layers' is empty: nothing would be taken");
    }
    if (s->initialize.layers.values) {
        return take_named(taking);
    }
    for (int i = 0; i < graph->count; i++) {
        TRY(take_layer(taking, &graph->nodes[i], NULL));
    }
    if (taking->taken > 0) {
        return 0;
    }
    return yaml_error_one(
        error_next(taking->errors), ERROR_MODEL, settings_place(s, "initialize", "from", NULL),
        "no tensor of %s has the name and the shape of one of the network's", taking->file->path);
}

int initialize(struct trainer *t, struct error_list *errors)
{
    const char *from = t->model.settings.initialize.from;
    struct tensor_file file;
    struct error e = {.offset = -1};
    if (!from) {
        return 0;
    }
    if (tensor_file_read(&file, from, &e) != 0) {
        *error_next(errors) = e;
        return -1;
    }
    struct taking taking = {.trainer = t, .file = &file, .errors = errors};
    text_append(&t->taken, "\nweights from %s:\n", from);
    const int failed = take(&taking);
    tensor_file_free(&file);
    if (!failed && t->taken.failed) {
        return error_memory(error_next(errors), t->taken.length);
    }
    return failed ? -1 : 0;
}
