/* stopping.c: early stopping. The gain of an epoch is monitored value - best where greater is
 * better, best - monitored value where less is; more than min_delta makes it the best. */
#include "train/stopping.h"

#include <math.h>
#include <stddef.h>
#include <string.h>

static const struct monitor {
    const char *name;
    size_t offset; /* in struct judged */
    int higher, validation;
} MONITORS[] = {
    {"val_loss", offsetof(struct judged, val_loss), 0, 1},
    {"val_accuracy", offsetof(struct judged, val_accuracy), 1, 1},
    {"train_loss", offsetof(struct judged, train_loss), 0, 0},
};
const char *const STOPPING_MONITORS[] = {"val_loss", "val_accuracy", "train_loss", NULL};
const char *const STOPPING_MODES[] = {"auto", "min", "max", NULL};

/* Without early stopping: the first. */
static const struct monitor *monitor_of(const struct early_stopping *options)
{
    int i = 0;
    while (options->monitor && strcmp(STOPPING_MONITORS[i], options->monitor) != 0) {
        i++;
    }
    return &MONITORS[i];
}

int stopping_needs_validation(const struct early_stopping *options)
{
    return options->monitor && monitor_of(options)->validation;
}

int stopping_higher(const struct early_stopping *options, int *natural)
{
    const int higher = monitor_of(options)->higher;
    if (natural) {
        *natural = higher;
    }
    if (!options->mode || strcmp(options->mode, "auto") == 0) {
        return higher;
    }
    return strcmp(options->mode, "max") == 0;
}

int stopping_update(struct stopping *state, const struct early_stopping *options, long long epoch,
                    const struct judged *judged)
{
    double value;
    if (options->monitor && epoch < options->start_epoch) {
        return 0;
    }
    memcpy(&value, (const char *)judged + monitor_of(options)->offset, sizeof value);
    const double gain = stopping_higher(options, NULL) ? value - state->best : state->best - value;
    if (isfinite(value) && (state->best_epoch == 0 || gain > options->min_delta)) {
        *state = (struct stopping){.best = value, .best_epoch = epoch};
        return 1;
    }
    state->waited++;
    return 0;
}

int stopping_ends(const struct stopping *state, const struct early_stopping *options)
{
    return options->monitor && state->waited >= options->patience;
}
