/* settings.c: the root of the option tables, and what no single row can check. */
#include "train/settings.h"

#include "data/fit.h"
#include "train/settings_groups.h"
#include "train/stopping.h"

#include <string.h>

static const char *const PRECISIONS[] = {"fp32", NULL};

static const struct option INITIALIZE_OPTIONS[] = {
    {.key = "from",
     .kind = &OPTION_TEXT,
     .offset = offsetof(struct initialize, from),
     .help = "a safetensors file: a model.bin, or what another program wrote"},
    {.key = "layers",
     .kind = &OPTION_TEXTS,
     .offset = offsetof(struct initialize, layers),
     .fallback = "",
     .help = "only these, and all of each (default: every tensor that has the name and shape)"},
    OPTION_END,
};
static const struct group INITIALIZE = {INITIALIZE_OPTIONS, sizeof(struct initialize), NULL};

#define ROOT(name) .offset = offsetof(struct settings, name)
const struct option SETTINGS_OPTIONS[] = {
    {.key = "name",
     .kind = &OPTION_TEXT,
     ROOT(name),
     .fallback = "",
     .help = "of the run (default: the file's name)"},
    {.key = "seed",
     .kind = &OPTION_SEED,
     ROOT(seed),
     .fallback = "42",
     .help = "the same seed gives the same bytes"},
    {.key = "precision",
     .kind = &OPTION_WORD,
     ROOT(precision),
     .fallback = "fp32",
     .extra = PRECISIONS,
     .help = "of weights and arithmetic"},
    {.key = "data",
     .kind = &OPTION_GROUP,
     ROOT(data),
     .extra = &DATA_GROUP,
     .help = "the data set"},
    {.key = "augment",
     .kind = &OPTION_AUGMENT,
     ROOT(augment),
     .fallback = "",
     .help = "what is done to training images, anew in each epoch (default: nothing)"},
    {.key = "network", .kind = &OPTION_NETWORK, ROOT(network), .help = "the layers, in order"},
    {.key = "train",
     .kind = &OPTION_GROUP,
     ROOT(train),
     .fallback = "{}",
     .extra = &TRAIN_GROUP,
     .help = "how to train"},
    {.key = "initialize",
     .kind = &OPTION_GROUP,
     ROOT(initialize),
     .fallback = "",
     .extra = &INITIALIZE,
     .help = "weights to begin with, for fine-tuning (default: random)"},
    {.key = "output",
     .kind = &OPTION_TEXT,
     ROOT(output),
     .fallback = "",
     .help = "directory of the results (default: runs/<name>)"},
    OPTION_END,
};

const struct yaml *settings_place(const struct settings *settings, const char *one, const char *two,
                                  const char *three)
{
    const char *const keys[] = {one, two, three};
    const struct yaml *place = settings->root;
    for (int i = 0; i < 3 && keys[i]; i++) {
        const struct yaml *next =
            place && place->kind == YAML_MAP ? yaml_get(place, keys[i]) : NULL;
        if (!next) {
            break;
        }
        place = next;
    }
    return place;
}

static int check_classes(const struct settings *s, struct error_list *errors)
{
    const struct texts *classes = &s->data.classes;
    const struct yaml *where = settings_place(s, "data", "classes", NULL);
    if (classes->count == 1) {
        return yaml_error(errors, where, "'classes' needs at least 2 names");
    }
    for (int i = 0; i < classes->count; i++) {
        for (int k = 0; k < i; k++) {
            if (strcmp(classes->values[i], classes->values[k]) == 0) {
                return yaml_error(errors, where, "two classes are called '%s'", classes->values[i]);
            }
        }
        if (strlen(classes->values[i]) > 255) {
            return yaml_error(errors, where, "class name %d is longer than 255 bytes", i);
        }
    }
    return 0;
}

/* What is resized needs a size. */
static int check_input(const struct settings *s, struct error_list *errors)
{
    const struct input_options *input = &s->data.input;
    const struct fit *fit = input->fit != NULL ? fit_find(input->fit) : NULL;
    if (fit != NULL && fit->resizes && (input->height.value == 0 || input->width.value == 0)) {
        return yaml_error(errors, settings_place(s, "data", "input", "fit"),
                          "fit: %s needs 'height' and 'width'", fit->name);
    }
    return 0;
}

int settings_decode(struct settings *settings, const struct yaml *root, const char *default_name,
                    struct arena *arena, struct error_list *errors)
{
    *settings = (struct settings){.root = root};
    if (root->kind != YAML_MAP) {
        return yaml_error(errors, root, "expected a mapping of keys, got %s", yaml_kind_name(root));
    }
    struct decoder decoder = {arena, errors};
    int failed = options_decode(SETTINGS_OPTIONS, settings, root, NULL, root, &decoder);
    settings->root = root;
    if (!settings->name && default_name) {
        settings->name = arena_strndup(arena, default_name, strlen(default_name));
    }
    if (!settings->output && settings->name) {
        struct text path = {0};
        text_append(&path, "runs/%s", settings->name);
        settings->output = path.failed ? NULL : arena_strndup(arena, path.data, path.length);
        text_free(&path);
        if (!settings->output) {
            return error_memory(error_next(errors), 0);
        }
    }
    failed |= check_classes(settings, errors) | check_input(settings, errors);
    failed |= settings_join_loss(settings, arena, errors);
    failed |= settings_check_optim(settings, errors);
    return failed ? -1 : 0;
}

/* Whether the config's `data` has no such key, and none that may be meant for it. */
static int data_lacks(const struct settings *s, const char *key)
{
    const struct yaml *data = yaml_get(s->root, "data");
    for (int i = 0; data && data->kind == YAML_MAP && i < data->count; i++) {
        const struct option *row = DATA_OPTIONS;
        while (row->key && strcmp(row->key, data->keys[i]->text) != 0) {
            row++;
        }
        if (!row->key || strcmp(row->key, key) == 0) {
            return 0;
        }
    }
    return data && (data->kind == YAML_MAP || data->kind == YAML_NULL);
}

int settings_check_training(const struct settings *s, struct error_list *errors)
{
    int failed = 0;
    if (data_lacks(s, "train")) {
        failed = yaml_error(errors, settings_place(s, "data", NULL, NULL),
                            "missing key 'train' in data");
    }
    if (stopping_needs_validation(&s->train.early_stopping) && data_lacks(s, "validation")) {
        const struct yaml *where = settings_place(s, "train", "early_stopping", NULL);
        failed |=
            yaml_error(errors, where,
                       "early_stopping needs data.validation: the test set never chooses anything "
                       "(monitor: train_loss needs none)");
    }
    if (settings_watches_validation(s) && data_lacks(s, "validation")) {
        failed |= yaml_error(errors, s->train.schedule.where,
                             "the schedule needs data.validation: the test set never chooses "
                             "anything (monitor: train_loss needs none)");
    }
    return failed ? -1 : 0;
}

void settings_emit(const struct settings *settings, int with_paths, struct text *out)
{
    struct settings shown = *settings;
    if (!with_paths) {
        shown.output = NULL;
        shown.initialize = (struct initialize){0};
        shown.data.train = shown.data.test = shown.data.validation.source = (struct source){0};
        shown.data.memory = shown.train.memory = 0; /* change no byte of the result */
    }
    options_emit(SETTINGS_OPTIONS, &shown, out, 0);
}
