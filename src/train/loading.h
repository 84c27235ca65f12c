/* loading.h: how the sets of a run, or for a model, are loaded (data/dataset.h). */
#ifndef CNNTRAIN_TRAIN_LOADING_H
#define CNNTRAIN_TRAIN_LOADING_H

#include "train/model.h"
#include "train/settings.h"

/* As a config says: for the training set, or another that goes with it. `training_set`: the
 * training set, when it is loaded: its class names are those of the others too; or NULL. */
struct loading loading_of_settings(const struct data_settings *data,
                                   const struct dataset *training_set, int threads);
/* As the model needs it: with its channels, size, fit and class names. */
struct loading loading_of_model(const struct model *model, int threads);

#endif
