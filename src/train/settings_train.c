/* settings_train.c: the option tables of `train`. */
#include "train/settings_groups.h"

#include "net/loss.h"
#include "optim/optimizer.h"

static const char *const MONITORS[] = {"val_loss", "val_accuracy", NULL};

#define STOP(name) .offset = offsetof(struct early_stopping, name)
static const struct option EARLY_STOPPING_OPTIONS[] = {
    {.key = "monitor",
     .kind = &OPTION_WORD,
     STOP(monitor),
     .fallback = "val_loss",
     .extra = MONITORS,
     .help = "what must improve"},
    {.key = "patience",
     .kind = &OPTION_INTEGER,
     STOP(patience),
     .fallback = "5",
     .low = 1,
     .high = 1000000,
     .help = "epochs without improvement before the end"},
    {.key = "min_delta",
     .kind = &OPTION_DOUBLE,
     STOP(min_delta),
     .fallback = "0",
     .low = 0,
     .high = 1000000,
     .help = "an improvement is more than this"},
    {.key = "restore_best",
     .kind = &OPTION_BOOLEAN,
     STOP(restore_best),
     .fallback = "true",
     .help = "the model is the best epoch's, not the last's"},
    OPTION_END,
};
static const struct group EARLY_STOPPING = {EARLY_STOPPING_OPTIONS, sizeof(struct early_stopping),
                                            NULL};

#define TRAIN(name) .offset = offsetof(struct train_settings, name)
static const struct option TRAIN_OPTIONS[] = {
    {.key = "loss",
     .kind = &OPTION_FAMILY,
     TRAIN(loss),
     .fallback = "cross_entropy",
     .extra = &LOSSES,
     .help = "what is minimised"},
    {.key = "epochs",
     .kind = &OPTION_INTEGER,
     TRAIN(epochs),
     .fallback = "20",
     .low = 0,
     .high = 1000000,
     .help = "passes over the training set; 0 writes the initial model"},
    {.key = "batch_size",
     .kind = &OPTION_INTEGER,
     TRAIN(batch_size),
     .fallback = "64",
     .low = 1,
     .high = 65536,
     .help = "samples a step"},
    {.key = "optimizer",
     .kind = &OPTION_FAMILY,
     TRAIN(optimizer),
     .fallback = "adam",
     .extra = &OPTIMIZERS,
     .help = "how weights follow gradients"},
    {.key = "early_stopping",
     .kind = &OPTION_GROUP,
     TRAIN(early_stopping),
     .fallback = "",
     .extra = &EARLY_STOPPING,
     .help = "end when the validation set says so (default: off)"},
    OPTION_END,
};
const struct group TRAIN_GROUP = {TRAIN_OPTIONS, sizeof(struct train_settings), NULL};
