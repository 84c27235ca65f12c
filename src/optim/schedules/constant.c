/* constant.c: the rate stays what the optimizer's lr says. */
#include "optim/schedule.h"

static const struct option OPTIONS[] = {
    SCHEDULE_WARMUP_ROW,
    OPTION_END,
};

static double constant_rate(const void *options, double lr, const struct schedule_clock *clock,
                            const struct schedule_state *state)
{
    (void)options;
    (void)clock;
    (void)state;
    return lr;
}

extern const struct schedule_type SCHEDULE_constant;
const struct schedule_type SCHEDULE_constant = {
    .member = {.name = "constant",
               .help = "always lr",
               .options = OPTIONS,
               .size = sizeof(struct schedule_options)},
    .still = 1,
    .rate = constant_rate,
};
