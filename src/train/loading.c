/* loading.c: see loading.h. */
#include "train/loading.h"

#include "data/fit.h"
#include "data/idx_file.h"

struct loading loading_of_settings(const struct data_settings *data,
                                   const struct dataset *training_set, int threads)
{
    const struct fit *fit = fit_find(data->input.fit);
    struct loading how = {
        .c = (int)data->input.channels.value,
        .h = fit->resizes ? (int)data->input.height.value : 0,
        .w = fit->resizes ? (int)data->input.width.value : 0,
        .fit = fit,
        .memory = data->memory != 0 ? data->memory : idx_memory_limit(),
        .threads = threads,
    };
    if (data->classes.count > 0) {
        how.classes = &data->classes;
        how.owner = "data.classes";
    } else if (training_set != NULL && training_set->names.count > 0) {
        how.classes = &training_set->names;
        how.owner = "the training set's";
    }
    if (training_set != NULL) { /* which has taken its part */
        const uint64_t taken =
            training_set->list != NULL ? training_set->held * dataset_values(training_set) : 0;
        how.memory = how.memory > taken ? how.memory - taken : 1;
    }
    return how;
}

struct loading loading_of_model(const struct model *model, int threads)
{
    return (struct loading){
        .c = model->input.c,
        .h = model->input.h,
        .w = model->input.w,
        .fit = fit_find(model->settings.data.input.fit),
        .classes = &model->classes,
        .kind = ERROR_MODEL,
        .owner = "the model's",
        .threads = threads,
    };
}
