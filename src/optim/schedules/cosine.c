/* cosine.c: half a cosine from lr down to min_lr (Loshchilov and Hutter 2016, "SGDR: Stochastic
 * Gradient Descent with Warm Restarts", equation 5; PyTorch's CosineAnnealingLR), and with
 * `restarts` again and again, each cycle restart_factor times as long as the one before
 * (CosineAnnealingWarmRestarts):
 *
 *     rate = min_lr + (lr - min_lr) (1 + cos(pi t)) / 2,   t from 0 to 1 over `epochs` */
#include "base/real.h"
#include "optim/schedule.h"

struct cosine_options {
    struct schedule_span span;
    double min_lr;
    int restarts;
    long long restart_factor;
};

#define FIELD(name) .offset = offsetof(struct cosine_options, name)
static const struct option OPTIONS[] = {
    {.key = "min_lr",
     .kind = &OPTION_DOUBLE,
     FIELD(min_lr),
     .fallback = "0",
     .low = 0,
     .high = 100,
     .help = "the rate at the end"},
    SCHEDULE_EPOCHS_ROW("of the way down, or of the first cycle (default: train.epochs)"),
    {.key = "restarts",
     .kind = &OPTION_BOOLEAN,
     FIELD(restarts),
     .fallback = "false",
     .help = "begin anew at the end; needs `epochs`"},
    {.key = "restart_factor",
     .kind = &OPTION_INTEGER,
     FIELD(restart_factor),
     .fallback = "1",
     .low = 1,
     .high = 1000,
     .help = "how much longer each cycle is than the one before"},
    SCHEDULE_WARMUP_ROW,
    OPTION_END,
};

/* Before `epochs` is resolved. */
static int cosine_check(const struct choice *choice, double lr, struct error_list *errors)
{
    const struct cosine_options *o = choice->options;
    if (o->restarts && o->span.epochs == 0) {
        return yaml_error(errors, choice->where,
                          "'restarts' needs 'epochs', the length of the first cycle");
    }
    if (!o->restarts && o->restart_factor > 1) {
        return yaml_error(errors, choice->where, "'restart_factor' needs 'restarts: true'");
    }
    return schedule_check_least(o->min_lr, lr, choice->where, errors);
}

/* Where in its cycle the step is, 0 to 1. */
static double cycle_progress(const struct cosine_options *o, const struct schedule_clock *clock)
{
    long long length = o->span.epochs * clock->steps, step = clock->step;
    if (o->restart_factor == 1) {
        step %= length;
    }
    while (step >= length) {
        step -= length;
        length *= o->restart_factor;
    }
    return (double)step / (double)length;
}

static double cosine_rate(const void *options, double lr, const struct schedule_clock *clock,
                          const struct schedule_state *state)
{
    const struct cosine_options *o = options;
    const double t = o->restarts ? cycle_progress(o, clock) : schedule_progress(&o->span, clock);
    (void)state;
    return o->min_lr + (lr - o->min_lr) * ((1 + real_cos_pi(t)) / 2);
}

extern const struct schedule_type SCHEDULE_cosine;
const struct schedule_type SCHEDULE_cosine = {
    .member = {.name = "cosine",
               .help = "half a cosine down, again and again with restarts",
               .options = OPTIONS,
               .size = sizeof(struct cosine_options)},
    .resolve = schedule_span_resolve,
    .check = cosine_check,
    .rate = cosine_rate,
};
