/* exponential.c: every epoch the rate falls to gamma of itself (PyTorch's ExponentialLR):
 *
 *     rate = lr gamma^epoch */
#include "base/real.h"
#include "optim/schedule.h"

struct exponential_options {
    struct schedule_options schedule;
    double gamma;
};

static const struct option OPTIONS[] = {
    {.key = "gamma",
     .kind = &OPTION_DOUBLE,
     .offset = offsetof(struct exponential_options, gamma),
     .low = 0,
     .high = 1,
     .open = 3,
     .help = "factor of an epoch"},
    SCHEDULE_WARMUP_ROW,
    OPTION_END,
};

static double exponential_rate(const void *options, double lr, const struct schedule_clock *clock,
                               const struct schedule_state *state)
{
    const struct exponential_options *o = options;
    (void)state;
    return lr * real_power(o->gamma, clock->step / clock->steps);
}

extern const struct schedule_type SCHEDULE_exponential;
const struct schedule_type SCHEDULE_exponential = {
    .member = {.name = "exponential",
               .help = "a factor every epoch",
               .options = OPTIONS,
               .size = sizeof(struct exponential_options)},
    .rate = exponential_rate,
};
