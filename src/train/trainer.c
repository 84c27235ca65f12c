/* trainer.c: epochs, and what is written when. After each epoch, in this order: the log's row, the
 * checkpoint (which knows the log's length) if it is its turn, and the model if this epoch is the
 * best, or with the checkpoint where nobody judges; so whenever the process dies, the newest
 * checkpoint goes on to the same bytes. The disk keeps this order too: the committer waits for it,
 * file by file, while the next epoch is trained. */
#include "train/trainer.h"

#include "base/commit.h"
#include "base/rng.h"
#include "train/checkpoint.h"
#include "train/trainer_files.h"

#include <assert.h>
#include <math.h>
#include <string.h>

int trainer_judges(const struct trainer *t)
{
    return t->validation.count > 0 || t->model.settings.train.early_stopping.monitor;
}

size_t trainer_step_samples(const struct trainer *t)
{
    const struct train_settings *train = &t->model.settings.train;
    return (size_t)train->batch_size * (size_t)train->accumulate;
}

void trainer_shuffle(struct trainer *t)
{
    const uint64_t seed = t->model.settings.seed;
    const uint32_t epoch = (uint32_t)t->position.epoch;
    if (t->balance.count > 0) {
        balance_draw(&t->balance, seed, epoch, t->order);
    } else {
        memcpy(t->order, t->train.index, t->train.count * sizeof *t->order);
    }
    rng_shuffle(t->order, t->epoch_samples, seed, RNG_SHUFFLE, epoch);
}

long long trainer_steps(const struct trainer *t)
{
    const size_t step = trainer_step_samples(t);
    return (long long)((t->epoch_samples + step - 1) / step);
}

struct totals {
    double loss, weight;
    size_t correct;
    struct watcher *watcher;
};

static int add_tile(void *user, const struct evaluated_tile *tile)
{
    struct totals *totals = user;
    for (int lane = 0; lane < tile->live; lane++) {
        totals->loss += (double)tile->loss[lane];
        totals->weight += tile->weight[lane];
    }
    totals->correct += (size_t)tile->correct;
    if (totals->watcher && totals->watcher->validated) {
        totals->watcher->validated(totals->watcher, tile);
    }
    return 0;
}

/* Whether this epoch is the best so far; then its weights are kept. */
static int judge(struct trainer *t, const struct log_row *row)
{
    if (!trainer_judges(t)) {
        return 0;
    }
    const struct judged judged = {row->train_loss, row->val_loss, row->val_accuracy};
    const int best = stopping_update(&t->position.stopping, &t->model.settings.train.early_stopping,
                                     row->epoch, &judged);
    if (best) {
        memcpy(t->best, average_judged(t), t->model.graph.parameters * sizeof *t->best);
    }
    return best;
}

/* A schedule that watches results hears of them. */
static void observe(struct trainer *t, const struct log_row *row)
{
    const struct choice *choice = &t->model.settings.train.schedule;
    const struct schedule_type *type = (const void *)choice->type;
    const struct schedule_result result = {row->train_loss, row->val_loss, row->val_accuracy};
    if (type->observe) {
        type->observe(choice->options, &result, &t->position.schedule);
    }
}

/* An epoch's line is a promise that its files will be there whatever happens: it waits until they
 * are. */
struct promise {
    struct progress *progress;
    struct log_row row;
    int best, due;
};

static int keep_promise(struct promise *promise, struct trainer *t, struct error *e)
{
    TRY(committer_wait(t->committer, e));
    if (promise->due) {
        progress_epoch(promise->progress, &promise->row, promise->best);
    }
    promise->due = 0;
    return 0;
}

/* Validate, log, save. */
static int end_epoch(struct trainer *t, const struct output_dir *dir, struct promise *promise,
                     struct error *e)
{
    struct position *p = &t->position;
    const double n = (double)t->epoch_samples;
    struct log_row row = {.epoch = ++p->epoch,
                          .step = p->step,
                          .lr = update_rate(t, p->step - 1),
                          .train_loss = p->loss_sum / n,
                          .train_accuracy = (double)p->correct / n,
                          .seconds = p->seconds,
                          .images_per_second = p->seconds > 0 ? n / p->seconds : 0};
    average_epoch(t);
    if (t->validation.count > 0) {
        struct totals totals = {.watcher = t->watcher};
        profile_all(t->profile, PROFILE_OTHER);
        t->evaluator.parameters = average_judged(t);
        evaluate(&t->evaluator, &t->validation, add_tile, &totals);
        profile_all(t->profile, PROFILE_VALIDATION);
        TRY(dataset_failed(t->validation.set, e));
        row.has_validation = 1;
        row.val_loss = totals.loss / totals.weight;
        row.val_accuracy = (double)totals.correct / (double)t->validation.count;
        if (!isfinite(row.val_loss)) {
            return error_set(e, ERROR_NUMERIC, "",
                             "the validation loss is not finite after epoch %lld, step %lld; a "
                             "lower learning rate may help",
                             p->epoch, p->step);
        }
    }
    const int best = judge(t, &row);
    observe(t, &row);
    p->batch = 0;
    p->loss_sum = 0;
    p->correct = 0;
    p->seconds = 0;
    TRY(keep_promise(promise, t, e));
    TRY(output_dir_check(dir, e));
    TRY(log_append(&t->log, &row, t->committer, e));
    const int save = p->epoch % t->model.settings.train.checkpoint_every == 0;
    if (save) {
        TRY(checkpoint_write(t, dir, e));
    }
    if (best || (save && (!trainer_keeps_best(t) || p->stopping.best_epoch == 0))) {
        TRY(trainer_write_model(t, dir, e));
    }
    profile_all(t->profile, PROFILE_FILES);
    *promise = (struct promise){promise->progress, row, best, 1};
    return committer_is_idle(t->committer) ? keep_promise(promise, t, e) : 0;
}

/* Why to end before the end. */
struct interruption {
    const volatile int *signal_flag;
    double deadline; /* as progress_now counts */
};

static int is_interrupted(const struct interruption *i)
{
    return *i->signal_flag || progress_now() >= i->deadline;
}

/* The rest of the epoch under way. Returns early when interrupted. */
static int run_epoch(struct trainer *t, struct promise *promise,
                     const struct interruption *interruption, struct error *e)
{
    const size_t step = trainer_step_samples(t), count = t->epoch_samples;
    const double spent = t->position.seconds, start = progress_now();
    trainer_shuffle(t);
    for (size_t first = (size_t)t->position.batch * step;
         first < count && !is_interrupted(interruption); first += step) {
        const size_t n = count - first < step ? count - first : step;
        TRY(trainer_batch(t, first, n, e));
        t->position.seconds = spent + progress_now() - start;
        if (promise->due && committer_is_idle(t->committer)) {
            TRY(keep_promise(promise, t, e));
        }
        progress_batch(promise->progress, t->position.epoch + 1, first + n, count,
                       t->position.seconds, t->position.loss_sum / (double)(first + n));
    }
    return 0;
}

/* Leave the run so that another one can go on with it. */
static int suspend(struct trainer *t, const struct output_dir *dir, struct promise *promise,
                   int signal, struct error *e)
{
    TRY(keep_promise(promise, t, e));
    t->out_of_time = !signal;
    if (t->out_of_time) {
        TRY(trainer_write_model(t, dir, e));
    }
    TRY(checkpoint_write(t, dir, e));
    TRY(trainer_tell_written(t, dir, 1, e));
    TRY(committer_wait(t->committer, e));
    profile_all(t->profile, PROFILE_FILES);
    return 0;
}

int trainer_is_over(const struct trainer *t)
{
    const struct train_settings *train = &t->model.settings.train;
    return t->position.epoch >= train->epochs ||
           stopping_ends(&t->position.stopping, &train->early_stopping);
}

static int run_epochs(struct trainer *t, const struct output_dir *dir, struct promise *promise,
                      const volatile int *signal_flag, struct error *e)
{
    const struct train_settings *train = &t->model.settings.train;
    const double limit = train->max_time > 0 ? (double)train->max_time : INFINITY;
    const struct interruption interruption = {signal_flag, progress_now() + limit};
    struct position *p = &t->position;
    p->finished = 0;
    profile_start(t->profile);
    while (!trainer_is_over(t)) {
        TRY(run_epoch(t, promise, &interruption, e));
        if (p->batch == trainer_steps(t)) {
            TRY(end_epoch(t, dir, promise, e));
            TRY(trainer_is_over(t) ? 0 : trainer_tell_written(t, dir, 0, e));
            profile_all(t->profile, PROFILE_FILES);
        }
        if (!trainer_is_over(t) && is_interrupted(&interruption)) {
            return suspend(t, dir, promise, *signal_flag, e);
        }
    }
    TRY(keep_promise(promise, t, e));
    if (stopping_ends(&p->stopping, &train->early_stopping)) {
        progress_note(promise->progress,
                      "stopped early: no better %s for %lld epochs; the best is epoch %lld",
                      train->early_stopping.monitor, p->stopping.waited, p->stopping.best_epoch);
    }
    TRY(trainer_write_model(t, dir, e));
    p->finished = 1;
    TRY(checkpoint_write(t, dir, e));
    TRY(trainer_tell_written(t, dir, 1, e));
    TRY(committer_wait(t->committer, e));
    profile_all(t->profile, PROFILE_FILES);
    return 0;
}

int trainer_run(struct trainer *t, const struct output_dir *dir, struct progress *progress,
                const volatile int *signal_flag, struct error *e)
{
    struct promise promise = {.progress = progress};

    /* Who asked for one thread gets no second one. */
    t->committer = t->threads > 1 ? committer_open() : NULL;
    const int status = run_epochs(t, dir, &promise, signal_flag, e);

    (void)keep_promise(&promise, t, NULL); /* of the epoch before the one that failed */
    committer_close(t->committer);
    t->committer = NULL;
    /* Who takes the directory away from us removes what we are writing: then it is that which is
     * to be told, not that a file cannot be found. */
    if (status != 0 && e != NULL && e->kind == ERROR_IO) {
        (void)output_dir_check(dir, e);
    }
    return status;
}

int trainer_rehearse(struct trainer *t, double seconds, struct error *e)
{
    enum { WARM_UP = 3 }; /* steps in which threads are made and memory is touched */
    const size_t step = trainer_step_samples(t), count = t->epoch_samples;
    double end = 0;
    assert(!t->train_set.outline);
    trainer_shuffle(t);
    for (long long done = 0; done <= WARM_UP || progress_now() < end; done++) {
        const size_t first = (size_t)(done % trainer_steps(t)) * step;
        if (done == WARM_UP) {
            profile_start(t->profile);
            end = progress_now() + seconds;
        }
        TRY(trainer_batch(t, first, count - first < step ? count - first : step, e));
    }
    profile_all(t->profile, PROFILE_OTHER);
    return 0;
}
