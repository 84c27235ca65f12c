/* parts.c: first the limit, then the split: a share or a fold is one of what is left. */
#include "train/parts.h"

#include "train/loading.h"

#include <stdio.h>

/* `data.limit`: the rest of the set is as if it were not there. */
static int limit_data(struct subset *train, const struct settings *settings,
                      struct error_list *errors)
{
    const long long limit = settings->data.limit;
    if (limit == 0) {
        return 0;
    }
    if ((size_t)limit > train->count) {
        return yaml_error(errors, settings_place(settings, "data", "limit", NULL),
                          "'limit' %lld is more than the training set, which has %zu images", limit,
                          train->count);
    }
    TRY_ONE(subset_limit(train, (size_t)limit, settings->seed, e));
    return 0;
}

int parts_split(struct subset *train, struct subset *validation, const struct settings *settings,
                struct error_list *errors)
{
    const struct validation *v = &settings->data.validation;
    TRY(limit_data(train, settings, errors));
    if (v->share > 0) {
        TRY_ONE(subset_split(train, validation, v->share, settings->seed, e));
    } else if (v->folds > 0) {
        TRY_ONE(subset_fold(train, validation, (int)v->folds, (int)v->fold, settings->seed, e));
    }
    return 0;
}

/* Load a set; of a file that is not there the fault says where the config names it. */
static int load(struct dataset *set, const struct source *source, const struct loading *how,
                const struct settings *settings, const char *key, struct error_list *errors)
{
    struct error e = {.offset = -1};
    if (dataset_load(set, source, how, &e) == 0) {
        return 0;
    }
    const struct yaml *where = settings_place(settings, "data", key, NULL);
    if (e.kind == ERROR_IO && where && where->source->name[0] != '\0') {
        snprintf(e.note, sizeof e.note, "it is data.%s at %.200s:%d:%d", key, where->source->name,
                 where->line, where->column);
    }
    *error_next(errors) = e;
    return -1;
}

int parts_load(const struct parts *parts, const struct settings *settings, int threads,
               struct error_list *errors)
{
    const struct data_settings *data = &settings->data;
    struct loading how = loading_of_settings(data, NULL, threads);
    how.outline = parts->outline;
    how.training = 1;
    TRY(load(parts->train_set, &data->train, &how, settings, "train", errors));
    TRY_ONE(subset_all(parts->train, parts->train_set, e));
    if (source_path(&data->validation.source)) {
        how = loading_of_settings(data, parts->train_set, threads);
        how.outline = parts->outline;
        TRY(load(parts->validation_set, &data->validation.source, &how, settings, "validation",
                 errors));
        TRY_ONE(subset_all(parts->validation, parts->validation_set, e));
    }
    return parts_split(parts->train, parts->validation, settings, errors);
}
