/* explain.c: see explain.h. Finds the network, the layer and the image; the rest is teach/lesson.h.
 */
#include "tools/explain.h"

#include "teach/lesson.h"
#include "teach/lesson_loss.h"
#include "train/initialize.h"
#include "view/specimen.h"

#include <stdlib.h>
#include <string.h>

/* A network with weights, from a config or a model. */
struct subject {
    const struct cli *cli;
    const struct explain_options *options;
    const struct kernels *kernels;
    struct trainer trainer; /* of a config */
    struct model own;       /* of a model */
    const struct model *model;
    float *tile; /* owned */
    int label;   /* of the image; -1: not known */
};

/* ---- the network ---- */

static int prepare(struct subject *s, struct arena *arena, struct error_list *errors)
{
    struct settings settings;
    const struct yaml *root = yaml_read(arena, s->options->config, errors);
    for (int i = 0; root != NULL && i < s->options->set->count; i++) {
        const struct yaml *changed = yaml_set(arena, root, s->options->set->values[i], errors);
        root = changed != NULL ? changed : root;
    }
    if (root == NULL || settings_decode(&settings, root, "explain", arena, errors) != 0 ||
        settings_check_training(&settings, errors) != 0 || errors->total > 0 ||
        trainer_prepare(&s->trainer, &settings, arena, s->kernels, s->options->threads, errors) !=
            0) {
        return -1;
    }
    s->model = &s->trainer.model;
    return initialize(&s->trainer, errors);
}

/* 0, or the exit code. */
static int open_network(struct subject *s)
{
    static struct error_list errors; /* too large for a small stack */
    struct arena arena = {0};
    struct error e = {.offset = -1};
    int code = 0;
    if (s->options->model != NULL) {
        code = model_load(&s->own, s->options->model, &e) != 0 ? cli_fail(s->cli, &e) : 0;
        s->model = &s->own;
    } else if (prepare(s, &arena, &errors) != 0) {
        code = cli_fail_all(s->cli, &errors);
    }
    arena_free(&arena);
    return code;
}

static const float *parameters_of(const struct subject *s)
{
    return s->options->model != NULL ? s->own.parameters : s->trainer.parameters;
}

/* ---- the layer ---- */

static int refuse_type(const struct subject *s)
{
    char types[400], losses[200], shown[400];
    lesson_types(types, sizeof types);
    losses_with(LOSS_LOGITS, losses, sizeof losses);
    return cli_usage(
        s->cli, "--explain must be one of %s, got '%s'; softmax is in the loss: %s", types,
        text_escape(shown, sizeof shown, s->options->type, strlen(s->options->type)), losses);
}

/* The layer whose name is nearest to `name`, or NULL; without memory there is none to suggest. */
static const char *closest_layer(const struct graph *graph, const char *name)
{
    const char **names = calloc((size_t)graph->count + 1, sizeof *names);
    const char *closest = NULL;
    if (names != NULL) {
        for (int i = 0; i < graph->count; i++) {
            names[i] = graph->nodes[i].name;
        }
        closest = text_closest(name, names);
    }
    free(names);
    return closest;
}

/* 0, or the exit code. */
static int find_layer(const struct subject *s, const struct layer_type *type,
                      const struct node **found)
{
    const struct graph *graph = &s->model->graph;
    const char *name = s->options->layer;
    char shown[400];
    for (int i = 0; i < graph->count; i++) {
        const struct node *node = &graph->nodes[i];
        if (name == NULL ? node->type == type : strcmp(node->name, name) == 0) {
            *found = node;
            break;
        }
    }
    if (*found == NULL && name == NULL) {
        return cli_usage(s->cli, "the network has no %s to explain", type->member.name);
    }
    if (*found == NULL) {
        const char *closest = closest_layer(graph, name);
        text_escape(shown, sizeof shown, name, strlen(name));
        return closest != NULL
                   ? cli_usage(s->cli, "the network has no layer '%s'; did you mean '%s'?", shown,
                               closest)
                   : cli_usage(s->cli, "the network has no layer '%s'", shown);
    }
    return (*found)->type == type
               ? 0
               : cli_usage(s->cli, "layer '%s' is of type %s, not %s", (*found)->name,
                           (*found)->type->member.name, type->member.name);
}

/* "y,x" or "x", within the output; 0, or the exit code. */
static int find_spot(const struct subject *s, const struct node *node, struct spot *at)
{
    const struct shape out = node->out;
    const char *text = s->options->at, *comma = text != NULL ? strchr(text, ',') : NULL;
    long long y = 0, x = 0;
    char shown[400];
    *at = (struct spot){.channel = s->options->channel};
    if (at->channel >= out.c) {
        return cli_usage(s->cli, "--channel must be 0 to %d, the output channels of '%s', got '%d'",
                         out.c - 1, node->name, at->channel);
    }
    if (text == NULL) {
        return 0;
    }
    const char *second = comma != NULL ? comma + 1 : text;
    if ((comma != NULL && text_to_integer(text, (size_t)(comma - text), &y) != 0) ||
        text_to_integer(second, strlen(second), &x) != 0 || y < 0 || x < 0 || y >= out.h ||
        x >= out.w) {
        return cli_usage(s->cli,
                         "--at must be a row and a column of the output of '%s', 0,0 to %d,%d, "
                         "got '%s'",
                         node->name, out.h - 1, out.w - 1,
                         text_escape(shown, sizeof shown, text, strlen(text)));
    }
    at->y = (int)y;
    at->x = (int)x;
    return 0;
}

/* ---- the image ---- */

/* Image N of the config's training set. */
static int load_sample(struct subject *s, long long number, float *x, struct error *e)
{
    const struct dataset *set = &s->trainer.train_set;
    if (number < 0 || (unsigned long long)number >= set->count) {
        return error_set(e, ERROR_DATA, set->path, "there are images 0 to %zu, and no %lld",
                         set->count - 1, number);
    }
    input_image(&s->model->input, set, (uint32_t)number, x, s->kernels);
    s->label = set->labels[number];
    return dataset_failed(set, e);
}

/* The image that the options name, [c][h][w]. */
static int load_planes(struct subject *s, struct specimen *specimen, struct error *e)
{
    const char *image = s->options->image != NULL ? s->options->image : "0";
    long long number;
    if (s->options->config == NULL || text_to_integer(image, strlen(image), &number) != 0) {
        const int status =
            specimen_load(specimen, s->model, image, s->kernels, s->options->threads, e);
        s->label = specimen->label;
        return status;
    }
    specimen->x = block_allocate((shape_size(s->model->graph.input) + LANES) * sizeof(float));
    return specimen->x == NULL ? error_memory(e, shape_size(s->model->graph.input) * sizeof(float))
                               : load_sample(s, number, specimen->x, e);
}

/* As a tile with the image in all lanes. */
static int load_image(struct subject *s, struct error *e)
{
    const size_t n = shape_size(s->model->graph.input);
    struct specimen specimen = {0};
    s->tile = block_allocate(n * LANES * sizeof *s->tile);
    int status = s->tile == NULL ? error_memory(e, n * LANES * sizeof *s->tile)
                                 : load_planes(s, &specimen, e);
    for (size_t i = 0; status == 0 && i < n * LANES; i++) {
        s->tile[i] = specimen.x[i / LANES];
    }
    specimen_free(&specimen);
    return status;
}

/* ---- all of it ---- */

static void append_input(const struct subject *s, struct text *out)
{
    const struct input *input = &s->model->input;
    for (int c = 0; c < input->c; c++) {
        if (input->scale != 1 || input->mean[c] != 0 || input->std[c] != 1) {
            text_append(out, "input channel %d is (pixel x %.6g - %.6g) / %.6g\n", c, input->scale,
                        input->mean[c], input->std[c]);
        }
    }
}

static int print(const struct subject *s, int status, struct text *text, struct error *e)
{
    if (status == 0 && text->failed) {
        status = error_memory(e, text->length);
    }
    if (text->data != NULL && !text->failed) {
        fputs(text->data, stdout);
    }
    text_free(text);
    return status != 0 ? cli_fail(s->cli, e) : 0;
}

static int write_lesson(const struct subject *s, const struct node *node, const struct spot *at)
{
    struct text text = {0};
    struct error e = {.offset = -1};
    const struct lesson lesson = {.graph = &s->model->graph,
                                  .parameters = parameters_of(s),
                                  .kernels = s->kernels,
                                  .input = s->tile,
                                  .node = node,
                                  .at = *at,
                                  .greatest = s->options->at == NULL,
                                  .everything = s->options->everything};
    if (node->inputs[0] == NETWORK_INPUT) {
        append_input(s, &text);
    }
    return print(s, lesson_append(&lesson, &text, &e), &text, &e);
}

static int write_loss_lesson(const struct subject *s, const struct loss_type *loss)
{
    struct text text = {0};
    struct error e = {.offset = -1};
    const struct loss_lesson lesson = {.graph = &s->model->graph,
                                       .parameters = parameters_of(s),
                                       .kernels = s->kernels,
                                       .input = s->tile,
                                       .loss = loss,
                                       .classes = &s->model->classes,
                                       .label = s->label,
                                       .everything = s->options->everything};
    return print(s, loss_lesson_append(&lesson, &text, &e), &text, &e);
}

/* Whether the network is trained with this loss; 0, or the exit code. */
static int find_loss(const struct subject *s, const struct loss_type *loss)
{
    const struct loss_type *its = (const void *)s->model->settings.train.loss.type;
    if (s->options->layer != NULL || s->options->at != NULL || s->options->channel > 0) {
        return cli_usage(s->cli, "--layer, --at and --channel are of a layer, and %s is a loss",
                         loss->member.name);
    }
    return its == loss ? 0
                       : cli_usage(s->cli, "the network's loss is %s, not %s", its->member.name,
                                   loss->member.name);
}

/* One of layer type and loss. */
static int explain_subject(struct subject *s, const struct layer_type *type,
                           const struct loss_type *loss)
{
    const struct node *node = NULL;
    struct spot at = {0};
    struct error e = {.offset = -1};
    int code = open_network(s);
    if (code == 0) {
        code = type != NULL ? find_layer(s, type, &node) : find_loss(s, loss);
    }
    if (code == 0 && type != NULL) {
        code = find_spot(s, node, &at);
    }
    if (code == 0 && load_image(s, &e) != 0) {
        code = cli_fail(s->cli, &e);
    }
    return code != 0      ? code
           : type != NULL ? write_lesson(s, node, &at)
                          : write_loss_lesson(s, loss);
}

int explain(const struct cli *cli, const struct explain_options *options)
{
    struct subject s = {.cli = cli,
                        .options = options,
                        .kernels = cli_kernels(cli),
                        .trainer = {.log = {.fd = -1}},
                        .label = -1};
    const struct layer_type *type = (const void *)family_find(&LAYERS, options->type);
    const struct loss_type *loss = (const void *)family_find(&LOSSES, options->type);
    if (s.kernels == NULL) {
        return ERROR_USAGE;
    }
    if (type != NULL ? type->explain == NULL : loss == NULL || !(loss->flags & LOSS_LOGITS)) {
        return refuse_type(&s);
    }
    if (options->model != NULL && options->image == NULL) {
        return cli_usage(cli, "--explain of a model needs --image FILE or --image SET:N");
    }
    const int code = explain_subject(&s, type, loss);
    free(s.tile);
    trainer_free(&s.trainer);
    model_free(&s.own);
    return code;
}
