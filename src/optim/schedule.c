/* schedule.c: what schedules share: warmup, and the length of those that have one. */
#include "optim/schedule.h"

void schedule_span_resolve(void *options, long long epochs)
{
    struct schedule_span *span = options;
    if (span->epochs == 0) {
        span->epochs = epochs > 0 ? epochs : 1;
    }
}

double schedule_progress(const struct schedule_span *span, const struct schedule_clock *clock)
{
    const long long steps = span->epochs * clock->steps;
    return clock->step < steps ? (double)clock->step / (double)steps : 1;
}

int schedule_check_least(double min_lr, double lr, const struct yaml *where,
                         struct error_list *errors)
{
    if (min_lr < lr || lr == 0) { /* 0: the optimizer's options are faulty themselves */
        return 0;
    }
    return yaml_error(errors, where, "'min_lr' must be less than the optimizer's lr, %g, got %g",
                      lr, min_lr);
}

float schedule_rate(const struct choice *schedule, double lr, const struct schedule_clock *clock,
                    const struct schedule_state *state)
{
    const struct schedule_type *type = (const void *)schedule->type;
    const struct schedule_options *options = schedule->options;
    const double rate = type->rate(options, lr, clock, state);
    const double steps = options->warmup * (double)clock->steps, done = (double)(clock->step + 1);
    return (float)(done < steps ? rate * (done / steps) : rate);
}

int schedule_cycles(const struct choice *schedule)
{
    const struct schedule_type *type = (const void *)schedule->type;
    return type && type->cycles && type->cycles(schedule->options);
}

double schedule_momentum(const struct choice *schedule, const struct schedule_clock *clock)
{
    const struct schedule_type *type = (const void *)schedule->type;
    return schedule_cycles(schedule) ? type->momentum(schedule->options, clock) : -1;
}
