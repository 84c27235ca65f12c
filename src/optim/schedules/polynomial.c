/* polynomial.c: the rate falls to 0 as a power of what is left (PyTorch's PolynomialLR):
 *
 *     rate = lr (1 - t)^power,   t from 0 to 1 over `epochs` */
#include "base/real.h"
#include "optim/schedule.h"

struct polynomial_options {
    struct schedule_span span;
    double power;
};

static const struct option OPTIONS[] = {
    {.key = "power",
     .kind = &OPTION_DOUBLE,
     .offset = offsetof(struct polynomial_options, power),
     .fallback = "1",
     .low = 0,
     .high = 100,
     .open = 1,
     .help = "1 is a straight line"},
    SCHEDULE_EPOCHS_ROW("until it is 0 (default: train.epochs)"),
    SCHEDULE_WARMUP_ROW,
    OPTION_END,
};

static double polynomial_rate(const void *options, double lr, const struct schedule_clock *clock,
                              const struct schedule_state *state)
{
    const struct polynomial_options *o = options;
    (void)state;
    return lr * real_pow(1 - schedule_progress(&o->span, clock), o->power);
}

extern const struct schedule_type SCHEDULE_polynomial;
const struct schedule_type SCHEDULE_polynomial = {
    .member = {.name = "polynomial",
               .help = "to 0 as a power of what is left",
               .options = OPTIONS,
               .size = sizeof(struct polynomial_options)},
    .resolve = schedule_span_resolve,
    .rate = polynomial_rate,
};
