/* settings_groups.h: the tables that settings.c gathers, one file for each part of a config. */
#ifndef CNNTRAIN_TRAIN_SETTINGS_GROUPS_H
#define CNNTRAIN_TRAIN_SETTINGS_GROUPS_H

#include "train/settings.h"

extern const struct option DATA_OPTIONS[];
extern const struct group DATA_GROUP;                 /* struct data_settings */
extern const struct group TRAIN_GROUP;                /* struct train_settings */
extern const struct option_kind OPTION_CLASS_WEIGHTS; /* field: struct class_weights */

/* Hand label_smoothing and class_weights to the loss, if they mean something to it. 0 or -1. */
int settings_join_loss(struct settings *settings, struct arena *arena, struct error_list *errors);

/* What no single row can check of optimizer, schedule and averages; a schedule without a length
 * gets that of the run. 0 or -1. */
int settings_check_optim(const struct settings *settings, struct error_list *errors);
/* Whether the schedule goes by the validation set. */
int settings_watches_validation(const struct settings *settings);

#endif
