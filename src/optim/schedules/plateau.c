/* plateau.c: the rate is cut when a result gets no better (PyTorch's ReduceLROnPlateau):
 *
 *     rate = max(lr factor^cuts, min_lr)
 *
 * Better is: by more than `threshold` times the best (threshold_mode rel) or by more than
 * `threshold` itself (abs). A cut comes in the epoch after which more than `patience` epochs in a
 * row were no better; during `cooldown` epochs after it nothing is counted. */
#include "base/real.h"
#include "optim/schedule.h"

#include <string.h>

struct plateau_options {
    struct schedule_options schedule;
    const char *monitor, *threshold_mode;
    double factor, threshold, min_lr;
    long long patience, cooldown;
};

static const char *const MONITORS[] = {"val_loss", "val_accuracy", "train_loss", NULL};
static const char *const MODES[] = {"rel", "abs", NULL};

#define FIELD(name) .offset = offsetof(struct plateau_options, name)
static const struct option OPTIONS[] = {
    {.key = "monitor",
     .kind = &OPTION_WORD,
     FIELD(monitor),
     .fallback = "val_loss",
     .extra = MONITORS,
     .help = "what must get better; train_loss needs no validation set"},
    {.key = "factor",
     .kind = &OPTION_DOUBLE,
     FIELD(factor),
     .fallback = "0.1",
     .low = 0,
     .high = 1,
     .open = 3,
     .help = "of a cut"},
    {.key = "patience",
     .kind = &OPTION_INTEGER,
     FIELD(patience),
     .fallback = "10",
     .low = 0,
     .high = 1000000,
     .help = "epochs that may be no better without a cut"},
    {.key = "threshold",
     .kind = &OPTION_DOUBLE,
     FIELD(threshold),
     .fallback = "0.0001",
     .low = 0,
     .high = 1000000,
     .help = "better is by more than this"},
    {.key = "threshold_mode",
     .kind = &OPTION_WORD,
     FIELD(threshold_mode),
     .fallback = "rel",
     .extra = MODES,
     .help = "the threshold is a share of the best value, or a value"},
    {.key = "cooldown",
     .kind = &OPTION_INTEGER,
     FIELD(cooldown),
     .fallback = "0",
     .low = 0,
     .high = 1000000,
     .help = "epochs after a cut that are not counted"},
    {.key = "min_lr",
     .kind = &OPTION_DOUBLE,
     FIELD(min_lr),
     .fallback = "0",
     .low = 0,
     .high = 100,
     .help = "the rate never falls below"},
    SCHEDULE_WARMUP_ROW,
    OPTION_END,
};

static int plateau_check(const struct choice *choice, double lr, struct error_list *errors)
{
    const struct plateau_options *o = choice->options;
    return schedule_check_least(o->min_lr, lr, choice->where, errors);
}

static int plateau_needs_validation(const void *options)
{
    const struct plateau_options *o = options;
    return o->monitor && strcmp(o->monitor, "train_loss") != 0;
}

static double plateau_rate(const void *options, double lr, const struct schedule_clock *clock,
                           const struct schedule_state *state)
{
    const struct plateau_options *o = options;
    const double rate = lr * real_power(o->factor, state->cuts);
    (void)clock;
    return rate > o->min_lr ? rate : o->min_lr;
}

/* Whether a value, to be made small, is better than the best so far. */
static int is_better(const struct plateau_options *o, double value, double best)
{
    const double share = strcmp(o->threshold_mode, "rel") == 0 ? best : 1;
    return value < best - o->threshold * (share < 0 ? -share : share);
}

static void plateau_observe(const void *options, const struct schedule_result *result,
                            struct schedule_state *state)
{
    const struct plateau_options *o = options;
    const double value = strcmp(o->monitor, "val_accuracy") == 0 ? -result->val_accuracy
                         : plateau_needs_validation(o)           ? result->val_loss
                                                                 : result->train_loss;
    if (state->epochs++ == 0 || is_better(o, value, state->best)) {
        state->best = value;
        state->waited = 0;
    } else {
        state->waited++;
    }
    if (state->cooldown > 0) {
        state->cooldown--;
        state->waited = 0;
    }
    if (state->waited > o->patience) {
        state->cuts++;
        state->cooldown = o->cooldown;
        state->waited = 0;
    }
}

extern const struct schedule_type SCHEDULE_plateau;
const struct schedule_type SCHEDULE_plateau = {
    .member = {.name = "plateau",
               .help = "cut when a result gets no better",
               .options = OPTIONS,
               .size = sizeof(struct plateau_options)},
    .check = plateau_check,
    .rate = plateau_rate,
    .observe = plateau_observe,
    .needs_validation = plateau_needs_validation,
};
