/* step.c: every step_size epochs the rate falls to gamma of itself (PyTorch's StepLR):
 *
 *     rate = lr gamma^floor(epoch / step_size) */
#include "base/real.h"
#include "optim/schedule.h"

struct step_options {
    struct schedule_options schedule;
    long long step_size;
    double gamma;
};

#define FIELD(name) .offset = offsetof(struct step_options, name)
static const struct option OPTIONS[] = {
    {.key = "step_size",
     .kind = &OPTION_INTEGER,
     FIELD(step_size),
     .low = 1,
     .high = 1000000,
     .help = "epochs between two cuts"},
    {.key = "gamma",
     .kind = &OPTION_DOUBLE,
     FIELD(gamma),
     .fallback = "0.1",
     .low = 0,
     .high = 1,
     .open = 3,
     .help = "factor of a cut"},
    SCHEDULE_WARMUP_ROW,
    OPTION_END,
};

static double step_rate(const void *options, double lr, const struct schedule_clock *clock,
                        const struct schedule_state *state)
{
    const struct step_options *o = options;
    (void)state;
    return lr * real_power(o->gamma, clock->step / clock->steps / o->step_size);
}

extern const struct schedule_type SCHEDULE_step;
const struct schedule_type SCHEDULE_step = {
    .member = {.name = "step",
               .help = "cut every so many epochs",
               .options = OPTIONS,
               .size = sizeof(struct step_options)},
    .rate = step_rate,
};
