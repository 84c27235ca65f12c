/* settings_groups.h: the tables that settings.c gathers, one file for each part of a config. */
#ifndef CNNTRAIN_TRAIN_SETTINGS_GROUPS_H
#define CNNTRAIN_TRAIN_SETTINGS_GROUPS_H

#include "train/settings.h"

extern const struct option DATA_OPTIONS[];
extern const struct group DATA_GROUP;  /* struct data_settings */
extern const struct group TRAIN_GROUP; /* struct train_settings */

#endif
