/* one_cycle.c: one cycle up and down (Smith and Topin 2017, "Super-Convergence"; PyTorch's
 * OneCycleLR, whose max_lr is here the optimizer's lr):
 *
 *     lr / div_factor  up to  lr  down to  lr / div_factor / final_div_factor
 *
 * the way up is pct_start of all steps; with three_phase the way down is first as long as the way
 * up and ends where that began, and what is left goes down from there. The ends of the phases are
 * PyTorch's: pct_start * steps - 1, 2 * pct_start * steps - 2, steps - 1. With cycle_momentum the
 * momentum (beta1) goes the other way. */
#include "base/real.h"
#include "optim/schedule.h"

#include <string.h>

struct one_cycle_options {
    struct schedule_span span;
    double pct_start, div_factor, final_div_factor;
    const char *anneal_strategy;
    int three_phase;
    struct numbers cycle_momentum; /* least and greatest; none: leave it alone */
};

static const char *const STRATEGIES[] = {"cos", "linear", NULL};

#define FIELD(name) .offset = offsetof(struct one_cycle_options, name)
static const struct option OPTIONS[] = {
    {.key = "pct_start",
     .kind = &OPTION_DOUBLE,
     FIELD(pct_start),
     .fallback = "0.3",
     .low = 0,
     .high = 1,
     .open = 3,
     .help = "share of the steps in which the rate grows"},
    {.key = "anneal_strategy",
     .kind = &OPTION_WORD,
     FIELD(anneal_strategy),
     .fallback = "cos",
     .extra = STRATEGIES,
     .help = "the form of the ways"},
    {.key = "div_factor",
     .kind = &OPTION_DOUBLE,
     FIELD(div_factor),
     .fallback = "25",
     .low = 1,
     .high = 1e9,
     .help = "lr is this times the first rate"},
    {.key = "final_div_factor",
     .kind = &OPTION_DOUBLE,
     FIELD(final_div_factor),
     .fallback = "10000",
     .low = 1,
     .high = 1e9,
     .help = "the first rate is this times the last"},
    {.key = "three_phase",
     .kind = &OPTION_BOOLEAN,
     FIELD(three_phase),
     .fallback = "false",
     .help = "come down as slowly as up, then go on to the last rate"},
    {.key = "cycle_momentum",
     .kind = &OPTION_NUMBERS,
     FIELD(cycle_momentum),
     .fallback = "",
     .low = 0,
     .high = 1,
     .open = 2,
     .help = "[least, greatest] momentum or beta1, against the rate: [0.85, 0.95]"},
    SCHEDULE_EPOCHS_ROW("of the cycle (default: train.epochs)"),
    SCHEDULE_WARMUP_ROW,
    OPTION_END,
};

static int one_cycle_check(const struct choice *choice, double lr, struct error_list *errors)
{
    const struct one_cycle_options *o = choice->options;
    const struct numbers *momentum = &o->cycle_momentum;
    (void)lr;
    if (o->three_phase && o->pct_start > 0.5) {
        return yaml_error(errors, choice->where,
                          "'three_phase' needs a 'pct_start' of at most 0.5: it goes up and down");
    }
    if (momentum->values && (momentum->count != 2 || momentum->values[0] > momentum->values[1])) {
        return yaml_error(errors, choice->where,
                          "'cycle_momentum' must be [least, greatest], got %d value%s",
                          momentum->count, momentum->count == 1 ? "" : "s");
    }
    return 0;
}

static int one_cycle_cycles(const void *options)
{
    const struct one_cycle_options *o = options;
    return o->cycle_momentum.count > 0;
}

/* From `low` up to `high`, down and on to `end`. */
static double one_cycle(const struct one_cycle_options *o, const struct schedule_clock *clock,
                        double low, double high, double end)
{
    const double steps = (double)(o->span.epochs * clock->steps), up = o->pct_start * steps;
    const struct {
        double at, value;
    } ends[] = {
        {0, low}, {up - 1, high}, {2 * up - 2, o->three_phase ? low : high}, {steps - 1, end}};
    const int skipped = o->three_phase ? 0 : 2; /* that end is none */
    const double step = (double)clock->step;
    int from = 0, to = 1;
    while (to < 3 && step > ends[to].at) {
        from = to;
        to += to + 1 == skipped ? 2 : 1;
    }
    const double length = ends[to].at - ends[from].at;
    double t = length > 0 ? (step - ends[from].at) / length : 1;
    t = t < 1 ? t : 1;
    if (strcmp(o->anneal_strategy, "linear") == 0) {
        return ends[from].value + (ends[to].value - ends[from].value) * t;
    }
    return ends[to].value + (ends[from].value - ends[to].value) * ((1 + real_cos_pi(t)) / 2);
}

static double one_cycle_rate(const void *options, double lr, const struct schedule_clock *clock,
                             const struct schedule_state *state)
{
    const struct one_cycle_options *o = options;
    const double low = lr / o->div_factor;
    (void)state;
    return one_cycle(o, clock, low, lr, low / o->final_div_factor);
}

static double one_cycle_momentum(const void *options, const struct schedule_clock *clock)
{
    const struct one_cycle_options *o = options;
    const double *range = o->cycle_momentum.values;
    return one_cycle(o, clock, range[1], range[0], range[1]);
}

extern const struct schedule_type SCHEDULE_one_cycle;
const struct schedule_type SCHEDULE_one_cycle = {
    .member = {.name = "one_cycle",
               .help = "up to lr and down to almost nothing",
               .options = OPTIONS,
               .size = sizeof(struct one_cycle_options)},
    .resolve = schedule_span_resolve,
    .check = one_cycle_check,
    .rate = one_cycle_rate,
    .cycles = one_cycle_cycles,
    .momentum = one_cycle_momentum,
};
