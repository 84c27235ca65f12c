/* lint_schedule.c: a learning rate that does not do what its schedule is there for, found by asking
 * the schedule for the rates of the whole run, as they are when no result ever gets better. */
#include "train/lint.h"

enum { MOST_EPOCHS = 10000 }; /* to look at */

void lint_schedule(const struct trainer *t, struct error_list *warnings)
{
    const struct settings *s = &t->model.settings;
    const struct choice *choice = &s->train.schedule;
    const struct schedule_type *type = (const void *)choice->type;
    const struct schedule_options *options = choice->options;
    const struct optimizer_options *optimizer = s->train.optimizer.options;
    const long long epochs = s->train.epochs < MOST_EPOCHS ? s->train.epochs : MOST_EPOCHS;
    struct schedule_clock clock = {0, trainer_steps(t)};
    struct schedule_state state = {0};
    int moves = 0;
    for (long long epoch = 0; epoch < epochs; epoch++) {
        clock.step = epoch * clock.steps;
        const double first = type->rate(choice->options, optimizer->lr, &clock, &state);
        clock.step += clock.steps - 1;
        const double last = type->rate(choice->options, optimizer->lr, &clock, &state);
        moves |= first != optimizer->lr || last != optimizer->lr;
        if (first == 0 && last == 0) {
            yaml_error(warnings, settings_place(s, "train", "schedule", "epochs"),
                       "the rate is 0 from epoch %lld on: the schedule is over, and nothing is "
                       "learned any more",
                       epoch + 1);
            return;
        }
        if (type->observe) {
            type->observe(choice->options, &(struct schedule_result){0}, &state);
        }
    }
    if (epochs > 0 && !moves && options->warmup == 0 && !type->still) {
        yaml_error(warnings, settings_place(s, "train", "schedule", NULL),
                   "the schedule never changes the rate in %lld epoch%s", epochs,
                   epochs == 1 ? "" : "s");
    }
}
