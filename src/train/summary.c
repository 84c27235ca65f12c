/* summary.c: what --dry-run and the start of a run print. */
#include "train/summary.h"

#include "train/footprint.h"

#include <stdio.h>
#include <string.h>

enum { LEAST_NAME = 12, MOST_NAME = 40, OTHER_COLUMNS = 62 };

/* The layers within a layer stand a little further in. */
static int indent_of(const struct node *node) { return 2 * node->depth; }

static int name_width(const struct graph *graph)
{
    int width = LEAST_NAME;
    for (int i = 0; i < graph->count; i++) {
        const struct node *node = &graph->nodes[i];
        const int length = indent_of(node) + (int)strlen(node->name);
        width = !node->attached && width < length ? length : width;
    }
    return width < MOST_NAME ? width : MOST_NAME;
}

static void append_rule(struct text *out, int width)
{
    for (int i = 0; i < width + OTHER_COLUMNS; i++) {
        text_append(out, "-");
    }
    text_append(out, "\n");
}

static void append_row(struct text *out, int width, const char *name, const char *type,
                       const char *shape, const char *parameters, const char *multiply_adds)
{
    text_append(out, "%-*s %-22s %14s %11s %11s\n", width, name, type, shape, parameters,
                multiply_adds);
}

/* "6x28x28", or of a sequence "32x8": its channels and steps. */
static void show_shape(char *text, size_t size, struct shape s)
{
    if (s.h == 1 && s.w > 1) {
        snprintf(text, size, "%dx%d", s.c, s.w);
    } else {
        snprintf(text, size, "%dx%dx%d", s.c, s.h, s.w);
    }
}

/* A layer and the activation that its options attached to it are one row. */
static void append_layer(struct text *out, int width, const struct graph *graph, int i)
{
    const struct node *node = &graph->nodes[i];
    const struct node *next =
        i + 1 < graph->count && graph->nodes[i + 1].attached ? &graph->nodes[i + 1] : NULL;
    char name[200], type[64], shape[64], count[32], adds[32];
    snprintf(name, sizeof name, "%*s%s", indent_of(node), "", node->name);
    snprintf(type, sizeof type, "%s%s%s", node->type->member.name, next ? " + " : "",
             next ? next->type->member.name : "");
    show_shape(shape, sizeof shape, node->out);
    append_row(
        out, width, name, type, shape, node->count ? text_from_count(count, node->count) : "-",
        node->needs.multiply_adds > 0 ? text_from_count(adds, (uint64_t)node->needs.multiply_adds)
                                      : "-");
}

void summary_append_layers(const struct graph *graph, struct text *out)
{
    const int width = name_width(graph);
    char shape[64], count[32], adds[32];
    append_row(out, width, "layer", "type", "output (c,h,w)", "parameters", "mult-adds");
    append_rule(out, width);
    show_shape(shape, sizeof shape, graph->input);
    append_row(out, width, "input", "", shape, "-", "-");
    for (int i = 0; i < graph->count; i++) {
        if (!graph->nodes[i].attached) {
            append_layer(out, width, graph, i);
        }
    }
    append_rule(out, width);
    append_row(out, width, "total", "", "", text_from_count(count, graph->trained + graph->frozen),
               text_from_count(adds, (uint64_t)graph->multiply_adds));
    if (graph->frozen) {
        text_append(out, "%-*s %11s\n", width + 38, "  trained",
                    text_from_count(count, graph->trained));
        text_append(out, "%-*s %11s\n", width + 38, "  frozen",
                    text_from_count(count, graph->frozen));
    }
}

static void append_memory(const struct trainer *t, struct text *out)
{
    const struct footprint f = footprint_of(t);
    char most[32], images[32];
    if (f.most > 0) {
        text_append(out, "memory about %s at the peak, of which %s are images\n",
                    text_from_bytes(most, f.most), text_from_bytes(images, f.images));
    }
}

void summary_append(const struct trainer *t, struct text *out)
{
    const struct train_settings *train = &t->model.settings.train;
    char count[32];
    summary_append_layers(&t->model.graph, out);
    text_append(out, "\ntrain %s images", text_from_count(count, t->train.count));
    if (t->epoch_samples != t->train.count) {
        text_append(out, " (balanced: %s an epoch)", text_from_count(count, t->epoch_samples));
    }
    if (t->validation.count > 0) {
        text_append(out, ", validate %s", text_from_count(count, t->validation.count));
    }
    text_append(out, ", %s classes", text_from_count(count, (uint64_t)t->model.classes.count));
    if (!dataset_is_held(&t->train_set)) {
        text_append(out, " (%s images in memory, the others decoded as they are needed)",
                    text_from_count(count, t->train_set.held));
    }
    text_append(out, "; %lld epoch%s of %lld steps of %zu", train->epochs,
                train->epochs == 1 ? "" : "s", trainer_steps(t), trainer_step_samples(t));
    if (train->max_time > 0) {
        text_append(out, ", for at most %s", text_from_duration(count, train->max_time));
    }
    if (train->memory > 0) {
        text_append(out, ", in at most %s", text_from_bytes(count, train->memory));
    }
    if (train->checkpoint_every > 1) {
        text_append(out, "; a checkpoint every %lld epochs", train->checkpoint_every);
    }
    text_append(out, "\n");
    text_append(out, "arena %s bytes", text_from_count(count, t->memory_bytes));
    text_append(out, " (%s)", text_from_bytes(count, t->memory_bytes));
    text_append(out, ", %s kernels, %d thread%s\n", t->kernels->name, t->threads,
                t->threads == 1 ? "" : "s");
    append_memory(t, out);
    text_append(out, "%s", t->taken.data ? t->taken.data : "");
}

static void append_set(struct text *out, const char *what, const struct dataset *set)
{
    char count[32];
    text_append(out, "%s %s: %s images of %dx%dx%d, CRC-32 %08x\n", what, set->path,
                text_from_count(count, set->count), set->c, set->h, set->w, set->crc32);
}

void summary_append_details(const struct trainer *t, struct text *out)
{
    const struct input *input = &t->model.input;
    char count[32];
    text_append(out, "seed %llu\n", (unsigned long long)t->model.settings.seed);
    append_set(out, "train", &t->train_set);
    if (t->validation_set.count > 0) {
        append_set(out, "validation", &t->validation_set);
    }
    for (int c = 0; c < input->c; c++) {
        text_append(out, "channel %d: (value * %.6g - %.6g) / %.6g\n", c, input->scale,
                    input->mean[c], input->std[c]);
    }
    const struct numbers *weights = &t->model.settings.train.class_weights.values;
    for (int k = 0; k < weights->count; k++) {
        text_append(out, "%s%s: %.4g%s", k ? ", " : "class weights: ", t->model.classes.values[k],
                    weights->values[k], k + 1 < weights->count ? "" : "\n");
    }
    text_append(out, "a batch is %d tiles in %d shards; a tile takes %s bytes", t->batch_tiles,
                t->shards, text_from_count(count, t->plan.floats * sizeof(float)));
    if (t->plan.cut_count > 0) {
        text_append(out, ", of which each of the batch keeps %s",
                    text_from_count(count, t->plan.kept * sizeof(float)));
    }
    text_append(out, "\n");
}
