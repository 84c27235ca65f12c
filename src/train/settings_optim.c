/* settings_optim.c: what no single row can check of what stands between gradients and weights. */
#include "train/settings_groups.h"

#include "optim/optimizer.h"
#include "optim/schedule.h"

static int check_optimizer(const struct settings *s, struct error_list *errors)
{
    const struct choice *choice = &s->train.optimizer;
    const struct optimizer_type *type = (const void *)choice->type;
    return type && type->check ? type->check(choice, errors) : 0;
}

/* And fill in its length. */
static int check_schedule(const struct settings *s, struct error_list *errors)
{
    const struct choice *choice = &s->train.schedule;
    const struct schedule_type *type = (const void *)choice->type;
    const struct optimizer_type *optimizer = (const void *)s->train.optimizer.type;
    const struct optimizer_options *options = s->train.optimizer.options;
    if (type && type->check && type->check(choice, options ? options->lr : 0, errors) != 0) {
        return -1;
    }
    if (optimizer && !optimizer->cycles && schedule_cycles(choice)) {
        return yaml_error(errors, choice->where,
                          "'cycle_momentum' needs an optimizer of the sgd or adam kind; "
                          "'%s' has no momentum that can be moved",
                          optimizer->member.name);
    }
    if (type && type->resolve) {
        type->resolve(choice->options, s->train.epochs);
    }
    return 0;
}

/* There is one model, so one way to choose it. */
static int check_average(const struct settings *s, struct error_list *errors)
{
    const struct train_settings *train = &s->train;
    const struct yaml *where = settings_place(s, "train", "swa", NULL);
    if (train->swa_start > 0 && train->ema > 0) {
        return yaml_error(errors, where, "'swa' and 'ema' are two averages: choose one");
    }
    if (train->lookahead.every > 0 && (train->ema > 0 || train->swa_start > 0)) {
        return yaml_error(errors, settings_place(s, "train", "lookahead", NULL),
                          "'lookahead' makes the model of its slow weights, '%s' of another "
                          "average: choose one",
                          train->ema > 0 ? "ema" : "swa");
    }
    if (train->swa_start > 0 && train->early_stopping.monitor &&
        train->early_stopping.restore_best) {
        return yaml_error(errors, where,
                          "'swa' makes the model of the mean, early_stopping of the best epoch: "
                          "give it restore_best: false");
    }
    if (train->swa_start > 0 && train->epochs > 0 && train->swa_start > train->epochs) {
        return yaml_error(errors, settings_place(s, "train", "swa", "start"),
                          "swa's 'start' %lld is after the last epoch, %lld", train->swa_start,
                          train->epochs);
    }
    return 0;
}

int settings_check_optim(const struct settings *s, struct error_list *errors)
{
    int failed = check_optimizer(s, errors);
    failed |= check_schedule(s, errors);
    return failed | check_average(s, errors);
}

int settings_watches_validation(const struct settings *s)
{
    const struct choice *schedule = &s->train.schedule;
    const struct schedule_type *type = (const void *)schedule->type;
    return type && type->needs_validation && type->needs_validation(schedule->options);
}
