/* linear.c: a straight line from one share of lr to another (PyTorch's LinearLR):
 *
 *     rate = lr (start_factor + (end_factor - start_factor) t),   t from 0 to 1 over `epochs`
 *
 * The defaults are a decay to 0; PyTorch's, 1/3 to 1 over 5 epochs, are a warmup, for which every
 * schedule has an option here. */
#include "optim/schedule.h"

struct linear_options {
    struct schedule_span span;
    double start_factor, end_factor;
};

#define FIELD(name) .offset = offsetof(struct linear_options, name)
static const struct option OPTIONS[] = {
    {.key = "start_factor",
     .kind = &OPTION_DOUBLE,
     FIELD(start_factor),
     .fallback = "1",
     .low = 0,
     .high = 1,
     .help = "share of lr at the start"},
    {.key = "end_factor",
     .kind = &OPTION_DOUBLE,
     FIELD(end_factor),
     .fallback = "0",
     .low = 0,
     .high = 1,
     .help = "share of lr at the end and after it"},
    SCHEDULE_EPOCHS_ROW("until it gets there (default: train.epochs)"),
    SCHEDULE_WARMUP_ROW,
    OPTION_END,
};

static double linear_rate(const void *options, double lr, const struct schedule_clock *clock,
                          const struct schedule_state *state)
{
    const struct linear_options *o = options;
    const double t = schedule_progress(&o->span, clock);
    (void)state;
    return lr * (o->start_factor + (o->end_factor - o->start_factor) * t);
}

extern const struct schedule_type SCHEDULE_linear;
const struct schedule_type SCHEDULE_linear = {
    .member = {.name = "linear",
               .help = "a straight line, by default to 0",
               .options = OPTIONS,
               .size = sizeof(struct linear_options)},
    .resolve = schedule_span_resolve,
    .rate = linear_rate,
};
