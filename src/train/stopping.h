/* stopping.h: which epoch is the best so far, and when to give up (early stopping with patience;
 * Prechelt 1998, "Early stopping - but when?"). Without early stopping in the config but with a
 * validation set, the best epoch is that of the least val_loss. */
#ifndef CNNTRAIN_TRAIN_STOPPING_H
#define CNNTRAIN_TRAIN_STOPPING_H

#include "train/settings.h"

/* What an epoch can be judged by, as in its row of the log. */
struct judged {
    double train_loss, val_loss, val_accuracy; /* the last two only with a validation set */
};

struct stopping {
    double best;          /* the monitored value at its best */
    long long best_epoch; /* 0: none yet */
    long long waited;     /* epochs since */
};

/* The words of early_stopping.monitor and .mode, NULL-terminated. */
extern const char *const STOPPING_MONITORS[], *const STOPPING_MODES[];
/* Whether it watches the validation set. */
int stopping_needs_validation(const struct early_stopping *options);
/* Whether greater is better: the mode's word, or under `auto` the monitor's own sense, which
 * *natural gets in any case (NULL: not wanted). */
int stopping_higher(const struct early_stopping *options, int *natural);

/* Tell an epoch's result (epochs count from 1). Returns 1 when it is the best so far: better by
 * more than min_delta. A value that is not finite is never better; epochs before start_epoch are
 * neither better nor counted. */
int stopping_update(struct stopping *state, const struct early_stopping *options, long long epoch,
                    const struct judged *judged);
/* Whether patience has run out. Never without early stopping. */
int stopping_ends(const struct stopping *state, const struct early_stopping *options);

#endif
