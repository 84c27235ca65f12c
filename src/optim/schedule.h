/* schedule.h: the family of learning rate schedules: what becomes of the optimizer's lr from step
 * to step. The rate of a step is a pure function of the options, the clock and, for a schedule that
 * watches results (plateau), of its state; all in double with base/real.h, so that it is the same
 * on every machine.
 *
 * Times in options are epochs. Schedules that move within an epoch (cosine, linear, polynomial,
 * one_cycle) go by steps, as PyTorch's do when their step() is called after each batch and their
 * length is epochs * steps; step, multistep, exponential and plateau go by whole epochs.
 *
 * `warmup` (Goyal et al. 2017, section 2.2) multiplies any of them by (k + 1) / (warmup * steps of
 * an epoch) in step k, counted from 0, until that is 1; the schedule's own clock runs meanwhile. */
#ifndef CNNTRAIN_OPTIM_SCHEDULE_H
#define CNNTRAIN_OPTIM_SCHEDULE_H

#include "config/option.h"

struct schedule_clock {
    long long step;  /* of the run, from 0 */
    long long steps; /* of an epoch */
};

/* What an epoch has come to; the last two only with a validation set. */
struct schedule_result {
    double train_loss, val_loss, val_accuracy;
};

/* Of a schedule that watches results; all zero at the start of a run. */
struct schedule_state {
    double best;        /* the watched value at its best */
    long long epochs;   /* watched so far */
    long long waited;   /* since the best, or the last cut */
    long long cooldown; /* epochs in which nothing is counted */
    long long cuts;     /* of the rate, so far */
};

struct schedule_type {
    struct member member;
    int still; /* is there to change nothing */
    /* Fill in what depends on train.epochs. May be NULL. */
    void (*resolve)(void *options, long long epochs);
    /* What no single option row can check, lr being the optimizer's: 0, or -1 with a fault at
     * choice->where. May be NULL. */
    int (*check)(const struct choice *choice, double lr, struct error_list *errors);
    /* The rate of the step under way, without warmup; lr is the optimizer's. */
    double (*rate)(const void *options, double lr, const struct schedule_clock *clock,
                   const struct schedule_state *state);
    /* Whether the momentum moves too; may be NULL: it does not. And the momentum of the step. */
    int (*cycles)(const void *options);
    double (*momentum)(const void *options, const struct schedule_clock *clock);
    /* Told of each epoch's result. NULL: watches nothing. */
    void (*observe)(const void *options, const struct schedule_result *result,
                    struct schedule_state *state);
    /* Whether it watches the validation set; may be NULL: it does not. The options may be faulty.
     */
    int (*needs_validation)(const void *options);
};

/* First field of every schedule's options. */
struct schedule_options {
    double warmup; /* epochs */
};
#define SCHEDULE_WARMUP_ROW                                                                        \
    {                                                                                              \
        .key = "warmup", .kind = &OPTION_DOUBLE, .offset = 0, .fallback = "0", .low = 0,           \
        .high = 1000000, .keyed = 1, .help = "epochs in which the rate grows linearly to its own"  \
    }

/* Of schedules with a length: first fields of their options. */
struct schedule_span {
    struct schedule_options schedule;
    long long epochs; /* 0 until it is resolved */
};
#define SCHEDULE_EPOCHS_ROW(what)                                                                  \
    {                                                                                              \
        .key = "epochs", .kind = &OPTION_INTEGER,                                                  \
        .offset = offsetof(struct schedule_span, epochs), .fallback = "", .low = 1,                \
        .high = 1000000, .help = what                                                              \
    }
/* A least rate of lr or more would leave nothing to do. 0 or -1. */
int schedule_check_least(double min_lr, double lr, const struct yaml *where,
                         struct error_list *errors);
/* schedule_type.resolve of these: train.epochs, where the config names no length. */
void schedule_span_resolve(void *options, long long epochs);
/* How much of the length is over, 0 to 1. */
double schedule_progress(const struct schedule_span *span, const struct schedule_clock *clock);

/* The rate of the step under way, with warmup. */
float schedule_rate(const struct choice *schedule, double lr, const struct schedule_clock *clock,
                    const struct schedule_state *state);

/* And the momentum, -1 where the schedule leaves it alone. */
double schedule_momentum(const struct choice *schedule, const struct schedule_clock *clock);
/* Whether it needs an optimizer that has a momentum (optimizer_type.cycles). */
int schedule_cycles(const struct choice *schedule);

extern const struct family SCHEDULES; /* schedules.def; members are struct schedule_type */

#endif
