/* model.c: model.bin, out and in. */
#include "train/model.h"

#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

int model_tensor_count(const struct graph *graph)
{
    int count = 0;
    for (int i = 0; i < graph->count; i++) {
        count += graph->nodes[i].needs.parameter_count;
    }
    return count;
}

/* The entry of one parameter: named, shaped, without data. */
static int describe(const struct node *node, int k, const char *prefix, struct arena *arena,
                    struct tensor_entry *entry)
{
    const struct parameter *p = &node->needs.parameters[k];
    char name[256];
    const int length = snprintf(name, sizeof name, "%s%s.%s", prefix, node->name, p->suffix);
    *entry = (struct tensor_entry){
        .name = arena_strndup(arena, name, (size_t)length), .rank = p->rank, .size = p->size};
    for (int d = 0; d < p->rank; d++) {
        entry->shape[d] = (size_t)p->dims[d];
    }
    return entry->name ? 0 : -1;
}

int model_tensors(const struct graph *graph, const float *flat, const char *prefix,
                  struct arena *arena, struct tensor_entry **entries)
{
    int count = 0;
    *entries = arena_alloc(arena, (size_t)model_tensor_count(graph) * sizeof **entries);
    if (!*entries) {
        return -1;
    }
    for (int i = 0; i < graph->count; i++) {
        const struct node *node = &graph->nodes[i];
        for (int k = 0; k < node->needs.parameter_count; k++) {
            TRY(describe(node, k, prefix, arena, &(*entries)[count]));
            (*entries)[count++].data = flat ? flat + node->needs.parameters[k].offset : NULL;
        }
    }
    return count;
}

static int same_shape(const struct tensor_entry *a, const struct tensor_entry *b)
{
    return a->rank == b->rank &&
           memcmp(a->shape, b->shape, (size_t)a->rank * sizeof a->shape[0]) == 0;
}

void model_print_shape(char *out, size_t size, int rank, const size_t *shape)
{
    size_t used = (size_t)snprintf(out, size, "[");
    for (int d = 0; d < rank && used < size; d++) {
        used += (size_t)snprintf(out + used, size - used, "%s%zu", d ? ", " : "", shape[d]);
    }
    if (used < size) {
        snprintf(out + used, size - used, "]");
    }
}

int model_read_tensors(const struct graph *graph, const struct safetensors *file,
                       const char *prefix, float *flat, struct error *e)
{
    struct arena arena = {0};
    int status = -1;
    for (int i = 0; i < graph->count; i++) {
        const struct node *node = &graph->nodes[i];
        for (int k = 0; k < node->needs.parameter_count; k++) {
            struct tensor_entry wanted;
            if (describe(node, k, prefix, &arena, &wanted) != 0) {
                error_memory(e, 256);
                goto end;
            }
            const struct tensor_entry *found = safetensors_tensor(file, wanted.name);
            if (!found) {
                error_set(e, ERROR_MODEL, file->path, "tensor '%s' is missing", wanted.name);
                goto end;
            }
            if (!same_shape(found, &wanted)) {
                char is[160], should[160];
                model_print_shape(is, sizeof is, found->rank, found->shape);
                model_print_shape(should, sizeof should, wanted.rank, wanted.shape);
                error_at_offset(e, ERROR_MODEL, file->path, found->offset,
                                "tensor '%s' is %s, its config needs %s", wanted.name, is, should);
                goto end;
            }
            memcpy(flat + node->needs.parameters[k].offset, found->data,
                   found->size * sizeof *flat);
        }
    }
    status = 0;
end:
    arena_free(&arena);
    return status;
}

/* ---- metadata ---- */

static char *classes_to_json(const struct texts *classes)
{
    json_t *list = json_array();
    for (int i = 0; list && i < classes->count; i++) {
        if (json_array_append_new(list, json_string(classes->values[i])) != 0) {
            json_decref(list);
            return NULL;
        }
    }
    char *text = list ? json_dumps(list, JSON_COMPACT | JSON_ENSURE_ASCII) : NULL;
    json_decref(list);
    return text;
}

static int classes_from_json(struct texts *classes, const char *text, struct arena *arena,
                             const char *path, struct error *e)
{
    json_t *list = json_loads(text, 0, NULL);
    int status = -1;
    const size_t count = json_array_size(list);
    int good = json_is_array(list) && count >= 2 && count <= 65536;
    for (size_t i = 0; good && i < count; i++) {
        const char *name = json_string_value(json_array_get(list, i));
        good = name && strlen(name) <= 255;
    }
    const char **values = good ? arena_alloc(arena, count * sizeof *values) : NULL;
    for (size_t i = 0; values && i < count; i++) {
        const char *name = json_string_value(json_array_get(list, i));
        values[i] = arena_strndup(arena, name, strlen(name));
        values = values[i] ? values : NULL;
    }
    if (values) {
        *classes = (struct texts){(int)count, values};
        status = 0;
    } else if (good) {
        error_memory(e, count * sizeof *values);
    } else {
        error_set(e, ERROR_MODEL, path, "metadata 'classes' is not a list of at least 2 names");
    }
    json_decref(list);
    return status;
}

static void input_to_text(const struct input *input, struct text *out)
{
    char number[32];
    text_append(out, "%d %d %d %s", input->c, input->h, input->w,
                text_from_double(number, input->scale));
    for (int k = 0; k < input->c; k++) {
        text_append(out, " %s", text_from_double(number, input->mean[k]));
        text_append(out, " %s", text_from_double(number, input->std[k]));
    }
}

/* The next word of *text as a number; 0 or -1. */
static int next_number(const char **text, double *value)
{
    const size_t length = strcspn(*text, " ");
    const int status = text_to_double(*text, length, value);
    *text += length + strspn(*text + length, " ");
    return status;
}

/* The next word as a whole number in 1..most. */
static int next_size(const char **text, int most, int *value)
{
    double number;
    TRY(next_number(text, &number));
    if (!(number >= 1 && number <= most) || number != (int)number) {
        return -1;
    }
    *value = (int)number;
    return 0;
}

static int input_from_text(struct input *input, const char *text)
{
    TRY(next_size(&text, 4, &input->c));
    TRY(next_size(&text, 65536, &input->h));
    TRY(next_size(&text, 65536, &input->w));
    TRY(next_number(&text, &input->scale));
    for (int k = 0; k < input->c; k++) {
        if (next_number(&text, &input->mean[k]) || next_number(&text, &input->std[k]) ||
            !(input->std[k] > 0)) {
            return -1;
        }
    }
    return *text ? -1 : 0;
}

int model_write(const struct model *model, const struct file_target *target, struct error *e)
{
    struct arena arena = {0};
    struct text config = {0}, input = {0};
    char epoch[32], step[32];
    int status = -1;
    struct tensor_entry *tensors;
    char *classes = classes_to_json(&model->classes), *training = facts_to_json(&model->facts);
    const int count = model_tensors(&model->graph, model->parameters, "", &arena, &tensors);
    settings_emit(&model->settings, 0, &config);
    input_to_text(&model->input, &input);
    if (!classes || !training || count < 0 || config.failed || input.failed) {
        error_memory(e, config.length);
        goto end;
    }
    snprintf(epoch, sizeof epoch, "%lld", model->epoch);
    snprintf(step, sizeof step, "%lld", model->step);
    const struct metadata_entry metadata[] = {
        {"classes", classes},  {"cnntrain.format", "1"}, {"config", config.data}, {"epoch", epoch},
        {"input", input.data}, {"step", step},           {"training", training}};
    const int entries = (int)(sizeof metadata / sizeof *metadata) - !model->facts.known;
    status = safetensors_write(target, metadata, entries, tensors, count, e);
end:
    free(classes);
    free(training);
    text_free(&config);
    text_free(&input);
    arena_free(&arena);
    return status;
}

int model_settings(struct model *model, const struct safetensors *file, struct error_list *errors)
{
    const char *config = safetensors_metadata(file, "config");
    struct text name = {0};
    text_append(&name, "%s!config", file->path);
    char *copy = arena_strndup(&model->arena, config, strlen(config));
    if (name.failed || !copy) {
        text_free(&name);
        return error_memory(error_next(errors), strlen(config));
    }
    const struct yaml *root = yaml_parse(&model->arena, name.data, copy, strlen(copy), errors);
    text_free(&name);
    return root ? settings_decode(&model->settings, root, NULL, &model->arena, errors) : -1;
}

/* The config inside, decoded like a file, and its network; their faults become the model's. */
static int load_config(struct model *model, const struct safetensors *file,
                       struct error_list *errors)
{
    const int before = errors->count;
    if (model_settings(model, file, errors) == 0 &&
        graph_build(&model->graph, &model->settings.network,
                    (struct shape){model->input.c, model->input.h, model->input.w}, &model->arena,
                    errors) == 0 &&
        graph_check_classes(&model->graph, model->classes.count, errors) == 0 &&
        settings_weigh_classes(&model->settings, NULL, model->classes.count, &model->arena,
                               errors) == 0) {
        return 0;
    }
    for (int i = before; i < errors->count; i++) {
        struct error *e = &errors->items[i];
        e->kind = error_is_memory(e) ? e->kind : ERROR_MODEL;
    }
    return -1;
}

static int load_parameters(struct model *model, const struct safetensors *file, struct error *e)
{
    const size_t bytes = model->graph.parameters * sizeof(float);
    if (model_tensor_count(&model->graph) != file->tensor_count) {
        return error_set(e, ERROR_MODEL, file->path, "%d tensors, its config needs %d",
                         file->tensor_count, model_tensor_count(&model->graph));
    }
    size_t elements = 0;
    for (int i = 0; i < file->tensor_count; i++) {
        elements += file->tensors[i].size;
    }
    if (elements != model->graph.values) { /* before memory is taken for them */
        return error_set(e, ERROR_MODEL, file->path,
                         "its tensors have %zu values, its config needs %zu", elements,
                         model->graph.values);
    }
    model->parameters = block_allocate(bytes);
    if (!model->parameters) {
        return error_memory(e, bytes);
    }
    memset(model->parameters, 0, bytes);
    return model_read_tensors(&model->graph, file, "", model->parameters, e);
}

static int counter(const struct safetensors *file, const char *key, long long *value)
{
    const char *text = safetensors_metadata(file, key);
    return text && text_to_integer(text, strlen(text), value) == 0 && *value >= 0 ? 0 : -1;
}

int model_describe(struct model *model, const struct safetensors *file, struct error_list *errors)
{
    const char *config = safetensors_metadata(file, "config"),
               *classes = safetensors_metadata(file, "classes");
    const char *input = safetensors_metadata(file, "input");
    const char *kind = safetensors_metadata(file, "kind"),
               *training = safetensors_metadata(file, "training");
    const char *path = file->path;
    *model = (struct model){0};
    if (kind && strcmp(kind, "checkpoint") == 0) {
        return error_set(error_next(errors), ERROR_MODEL, path,
                         "is a checkpoint; the model is the model.bin beside it");
    }
    if (!config || !classes || !input) {
        return error_set(error_next(errors), ERROR_MODEL, path, "metadata '%s' is missing",
                         !config    ? "config"
                         : !classes ? "classes"
                                    : "input");
    }
    struct error wrong = {.offset = -1};
    if (classes_from_json(&model->classes, classes, &model->arena, path, &wrong) != 0) {
        *error_next(errors) = wrong;
        return -1;
    }
    if (input_from_text(&model->input, input) != 0) {
        return error_set(error_next(errors), ERROR_MODEL, path,
                         "metadata 'input' is not a shape and its normalisation");
    }
    if (counter(file, "epoch", &model->epoch) != 0 || counter(file, "step", &model->step) != 0) {
        return error_set(error_next(errors), ERROR_MODEL, path,
                         "metadata 'epoch' and 'step' must be whole numbers");
    }
    if (training && facts_from_json(&model->facts, training) != 0) {
        return error_set(error_next(errors), ERROR_MODEL, path,
                         "metadata 'training' is not what cnntrain writes there");
    }
    return load_config(model, file, errors);
}

int model_load(struct model *model, const char *path, struct error *e)
{
    struct safetensors file;
    struct error_list *errors = calloc(1, sizeof *errors); /* too large for a small stack */
    int status = -1;
    *model = (struct model){0};
    if (!errors) {
        return error_memory(e, sizeof *errors);
    }
    if (safetensors_read(&file, path, "cnntrain.format", e) != 0) {
        free(errors);
        return -1;
    }
    if (model_describe(model, &file, errors) != 0) {
        *e = *error_first(errors);
    } else {
        status = load_parameters(model, &file, e);
    }
    safetensors_free(&file);
    free(errors);
    if (status != 0) {
        model_free(model);
    }
    return status;
}

void model_free(struct model *model)
{
    free(model->parameters);
    arena_free(&model->arena);
    *model = (struct model){0};
}
