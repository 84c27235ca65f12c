/* stopping.c: early stopping. */
#include "train/stopping.h"

#include <math.h>
#include <string.h>

int stopping_update(struct stopping *state, const struct early_stopping *options, long long epoch,
                    double val_loss, double val_accuracy)
{
    const int higher = options->monitor && strcmp(options->monitor, "val_accuracy") == 0;
    const double value = higher ? val_accuracy : val_loss;
    const double gain = higher ? value - state->best : state->best - value;
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
