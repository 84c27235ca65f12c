/* lint.c: a config that is valid and yet surely not what its author wants. Only what is certain:
 * keys that cannot have the effect they are there for, and the lecture's rules. A layer type has
 * its own rules in its `lint` function. */
#include "train/lint.h"

#include "net/loss.h"
#include "optim/schedule.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void warn_early_stopping(const struct trainer *t, struct error_list *warnings)
{
    const struct settings *s = &t->model.settings;
    const struct early_stopping *o = &s->train.early_stopping;
    int natural;
    if (!o->monitor) {
        return;
    }
    if (o->start_epoch + o->patience >= s->train.epochs) {
        yaml_error(warnings, settings_place(s, "train", "early_stopping", "patience"),
                   "early stopping can never end this run of %lld epoch%s: with patience %lld it "
                   "ends after epoch %lld at the soonest",
                   s->train.epochs, s->train.epochs == 1 ? "" : "s", o->patience,
                   o->start_epoch + o->patience);
    }
    if (stopping_higher(o, &natural) != natural) {
        yaml_error(warnings, settings_place(s, "train", "early_stopping", "mode"),
                   "mode %s takes the epoch with the %s %s for the best one", o->mode,
                   natural ? "least" : "greatest", o->monitor);
    }
}

static void warn_schedule(const struct trainer *t, struct error_list *warnings)
{
    const struct settings *s = &t->model.settings;
    const struct schedule_options *o = s->train.schedule.options;
    if (o && o->warmup > 0 && o->warmup >= (double)s->train.epochs) {
        char warmup[32];
        yaml_error(warnings, settings_place(s, "train", "schedule", "warmup"),
                   "the warmup of %s epochs lasts as long as the run of %lld: the learning rate "
                   "never gets to its own",
                   text_from_double(warmup, o->warmup), s->train.epochs);
    }
}

static void warn_checkpoint(const struct trainer *t, struct error_list *warnings)
{
    const struct settings *s = &t->model.settings;
    if (s->train.checkpoint_every > 1 && s->train.checkpoint_every >= s->train.epochs) {
        yaml_error(warnings, settings_place(s, "train", "checkpoint", "every"),
                   "no checkpoint before the end: every %lld epochs, of %lld",
                   s->train.checkpoint_every, s->train.epochs);
    }
}

static void warn_batch_size(const struct trainer *t, struct error_list *warnings)
{
    const struct settings *s = &t->model.settings;
    if (2 * (size_t)s->train.batch_size > t->epoch_samples) {
        yaml_error(warnings, settings_place(s, "train", "batch_size", NULL),
                   "'batch_size' %lld is more than half of the %zu samples of an epoch, which has "
                   "%s",
                   s->train.batch_size, t->epoch_samples,
                   (size_t)s->train.batch_size < t->epoch_samples
                       ? "2 steps, the second a smaller one"
                       : "one step");
    }
}

static int same_source(const struct source *a, const struct source *b)
{
    const char *one = source_path(a), *other = source_path(b);
    return one && other && strcmp(one, other) == 0;
}

static void warn_sets(const struct trainer *t, struct error_list *warnings)
{
    const struct settings *s = &t->model.settings;
    const struct data_settings *data = &s->data;
    if (same_source(&data->test, &data->train)) {
        yaml_error(warnings, settings_place(s, "data", "test", NULL),
                   "the test set is the training set: it cannot show how the model does on images "
                   "that it has not seen");
    }
    if (same_source(&data->validation.source, &data->test)) {
        yaml_error(warnings, settings_place(s, "data", "validation", NULL),
                   "the validation set is the test set: what chooses the model cannot test it");
    } else if (t->validation_set.count > 0 && t->validation_set.count == t->train_set.count &&
               t->validation_set.crc32 == t->train_set.crc32) {
        yaml_error(warnings, settings_place(s, "data", "validation", NULL),
                   "the validation set is the training set: it cannot show overfitting");
    }
}

/* A class that training never shows cannot be learned. */
static void warn_classes(const struct trainer *t, struct error_list *warnings)
{
    const struct texts *classes = &t->model.classes;
    int missing = 0, first = -1;
    unsigned char *seen = calloc((size_t)classes->count, 1);
    for (size_t i = 0; seen && i < t->train.count; i++) {
        seen[t->train_set.labels[t->train.index[i]]] = 1;
    }
    for (int k = classes->count - 1; seen && k >= 0; k--) {
        missing += !seen[k];
        first = seen[k] ? first : k;
    }
    free(seen); /* without memory there is no warning */
    if (missing > 0) {
        char name[400], others[40] = " has";
        const char *value = classes->values[first];
        text_escape(name, sizeof name, value, strlen(value));
        if (missing > 1) {
            snprintf(others, sizeof others, " and %d more have", missing - 1);
        }
        yaml_error(warnings, settings_place(&t->model.settings, "data", "classes", NULL),
                   "class '%s'%s no image in the training set", name, others);
    }
}

static void warn_balance(const struct trainer *t, struct error_list *warnings)
{
    const struct settings *s = &t->model.settings;
    if (t->balance.count > 0 && s->train.class_weights.balanced) {
        yaml_error(warnings, settings_place(s, "data", "over_sample", NULL),
                   "over_sample draws the classes evenly, and class_weights: balanced makes up for "
                   "them once more");
    }
}

static void warn_layers(const struct trainer *t, struct error_list *warnings)
{
    const struct graph *graph = &t->model.graph;
    for (int i = 0; i < graph->count; i++) {
        if (graph->nodes[i].type->lint) {
            graph->nodes[i].type->lint(&graph->nodes[i], warnings);
        }
    }
    const struct node *last = &graph->nodes[graph->count - 1];
    const char *name = last->type->member.name;
    if ((last->type->flags & LAYER_ACTIVATION) && (t->loss->flags & LOSS_LOGITS)) {
        yaml_error(warnings, last->where,
                   "'%s' is the last layer, but %s has a softmax of its own and wants values that "
                   "no activation has changed",
                   name, t->loss->member.name);
    }
    if (last->type->flags & LAYER_TRAINING_ONLY) {
        yaml_error(warnings, last->where, "'%s' is the last layer: it disturbs the answer itself",
                   name);
    }
}

static void (*const LINTS[])(const struct trainer *, struct error_list *) = {
    warn_sets,           warn_classes,  warn_balance,    warn_layers,   warn_batch_size,
    warn_early_stopping, warn_schedule, warn_checkpoint, lint_schedule,
};

void lint(const struct trainer *trainer, struct error_list *warnings)
{
    for (size_t i = 0; i < sizeof LINTS / sizeof LINTS[0]; i++) {
        LINTS[i](trainer, warnings);
    }
}
