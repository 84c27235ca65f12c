/* stopping.h: which epoch is the best so far, and when to give up (early stopping with patience;
 * Prechelt 1998, "Early stopping - but when?"). Without early stopping in the config but with a
 * validation set, the best epoch is that of the least val_loss. */
#ifndef CNNTRAIN_TRAIN_STOPPING_H
#define CNNTRAIN_TRAIN_STOPPING_H

#include "train/settings.h"

struct stopping {
    double best;          /* the monitored value at its best */
    long long best_epoch; /* 0: none yet */
    long long waited;     /* epochs since */
};

/* Tell an epoch's result (epochs count from 1). Returns 1 when it is the best so far: better by
 * more than min_delta. A value that is not finite is never better. */
int stopping_update(struct stopping *state, const struct early_stopping *options, long long epoch,
                    double val_loss, double val_accuracy);
/* Whether patience has run out. Never without early stopping. */
int stopping_ends(const struct stopping *state, const struct early_stopping *options);

#endif
