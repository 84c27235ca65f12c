/* measured.c: see measured.h. */
#include "tools/measured.h"

#include "train/loading.h"
#include "train/parts.h"

#include <string.h>

const char *const MEASURED_PARTS[] = {"test", "validation", "train", NULL};

int measured_is_config(const char *path)
{
    const char *dot = strrchr(path, '.');

    return dot != NULL && (strcmp(dot, ".yaml") == 0 || strcmp(dot, ".yml") == 0);
}

void measured_free(struct measured *m)
{
    subset_free(&m->train);
    subset_free(&m->validation);
    dataset_free(&m->sets[0]);
    dataset_free(&m->sets[1]);
}

/* A set by itself. */
static int load_set(struct measured *m, const struct source *source, const struct model *model,
                    int threads, struct error_list *errors)
{
    const struct loading how = loading_of_model(model, threads);

    TRY_ONE(dataset_load(&m->sets[0], source, &how, e));
    TRY_ONE(subset_all(&m->train, &m->sets[0], e));
    m->set = &m->sets[0];
    m->subset = &m->train;
    return 0;
}

/* The part of a config's data that is asked for. */
static int load_part(struct measured *m, int part, const struct settings *settings,
                     const struct model *model, int threads, struct error_list *errors)
{
    const struct parts parts = {&m->sets[0], &m->sets[1], &m->train, &m->validation};
    const struct yaml *data = settings_place(settings, "data", NULL, NULL);

    if (part == PART_TEST) {
        return source_path(&settings->data.test) != NULL
                   ? load_set(m, &settings->data.test, model, threads, errors)
                   : yaml_error(errors, data, "there is no data.test to measure the model on");
    }
    if (source_path(&settings->data.train) == NULL) {
        return yaml_error(errors, data, "there is no data.train to measure the model on");
    }
    TRY(parts_load(&parts, settings, threads, errors));
    m->subset = part == PART_TRAIN ? &m->train : &m->validation;
    m->set = part == PART_VALIDATION && m->sets[1].count > 0 ? &m->sets[1] : &m->sets[0];
    return m->subset->count > 0
               ? 0
               : yaml_error(errors, data, "there is no data.validation to measure the model on");
}

int measured_load(struct measured *m, const char *path, int part, int threads,
                  const struct model *model, struct arena *arena, struct error_list *errors)
{
    struct settings settings;

    if (measured_is_config(path)) {
        const struct yaml *root = yaml_read(arena, path, errors);

        if (root == NULL || settings_decode(&settings, root, "model", arena, errors) != 0 ||
            errors->total > 0) {
            return -1;
        }
        /* images and labels become the model's, whatever the config says of them now */
        settings.data.classes = model->classes;
        settings.data.input = model->settings.data.input;
        TRY(load_part(m, part, &settings, model, threads, errors));
    } else {
        TRY(load_set(m, &(struct source){.images = path}, model, threads, errors));
    }
    TRY_ONE(dataset_check_labels(m->set, model->classes.count, ERROR_MODEL, e));
    TRY_ONE(input_check(&model->input, m->set, ERROR_MODEL, e));
    return 0;
}
