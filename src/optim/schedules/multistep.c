/* multistep.c: at each milestone, an epoch counted from 0, the rate falls to gamma of itself
 * (PyTorch's MultiStepLR):
 *
 *     rate = lr gamma^(milestones that the epoch has reached) */
#include "base/real.h"
#include "optim/schedule.h"

struct multistep_options {
    struct schedule_options schedule;
    struct numbers milestones;
    double gamma;
};

#define FIELD(name) .offset = offsetof(struct multistep_options, name)
static const struct option OPTIONS[] = {
    {.key = "milestones",
     .kind = &OPTION_NUMBERS,
     FIELD(milestones),
     .low = 1,
     .high = 1000000,
     .help = "epochs after which the rate is cut: [30, 60, 80]"},
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

static int multistep_check(const struct choice *choice, double lr, struct error_list *errors)
{
    const struct multistep_options *o = choice->options;
    (void)lr;
    if (o->milestones.values && o->milestones.count == 0) {
        return yaml_error(errors, choice->where, "'milestones' needs at least one epoch");
    }
    for (int i = 0; i < o->milestones.count; i++) {
        const double at = o->milestones.values[i];
        if (at != (double)(long long)at) {
            return yaml_error(errors, choice->where, "'milestones' must be whole numbers, got %g",
                              at);
        }
        if (i > 0 && at <= o->milestones.values[i - 1]) {
            return yaml_error(errors, choice->where, "'milestones' must grow, got %g after %g", at,
                              o->milestones.values[i - 1]);
        }
    }
    return 0;
}

static double multistep_rate(const void *options, double lr, const struct schedule_clock *clock,
                             const struct schedule_state *state)
{
    const struct multistep_options *o = options;
    int reached = 0;
    (void)state;
    while (reached < o->milestones.count &&
           o->milestones.values[reached] <= (double)(clock->step / clock->steps)) {
        reached++;
    }
    return lr * real_power(o->gamma, reached);
}

extern const struct schedule_type SCHEDULE_multistep;
const struct schedule_type SCHEDULE_multistep = {
    .member = {.name = "multistep",
               .help = "cut at given epochs",
               .options = OPTIONS,
               .size = sizeof(struct multistep_options)},
    .check = multistep_check,
    .rate = multistep_rate,
};
