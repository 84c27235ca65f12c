/* training.c: see training.h. Two outcomes take turns: the one that a validation fills, and the one
 * that is shown, which belongs to the weights in model.bin: where the best epoch is kept, those of
 * that epoch. A resumed run has no outcome of a best epoch before its start, and a mean of the
 * weights (swa) has none at all until the end: such weights are evaluated once, for the page. */
#include "report/training.h"

#include "report/json.h"
#include "report/page.h"

#include <string.h>

static const char NAME[] = "report.html";
#define SECONDS_BETWEEN_PAGES 1.0

static int add_tile(struct outcome *outcome, const struct evaluated_tile *tile)
{
    if (tile->first == 0) {
        outcome_clear(outcome);
    }
    for (int lane = 0; lane < tile->live; lane++) {
        outcome_add(outcome, tile->p + lane, LANES, tile->labels[lane], tile->loss[lane],
                    tile->weight[lane]);
    }
    return 0;
}

static void on_validated(struct watcher *watcher, const struct evaluated_tile *tile)
{
    struct training_report *report = (void *)watcher;
    add_tile(&report->now, tile);
}

static int on_tile(void *user, const struct evaluated_tile *tile) { return add_tile(user, tile); }

static int evaluate_model(struct training_report *report, const struct trainer *t,
                          const float *parameters, struct error *e)
{
    struct evaluator evaluator = t->evaluator;
    evaluator.parameters = parameters;
    evaluate(&evaluator, &t->validation, on_tile, &report->model);
    return dataset_failed(t->validation.set, e);
}

/* Make report->model the outcome of the weights that go into model.bin. */
static int follow_model(struct training_report *report, const struct trainer *t, struct error *e)
{
    const int end = t->position.finished;
    long long epoch;
    const float *parameters = trainer_model(t, &epoch);
    if (t->validation.count == 0 || epoch == 0) {
        return 0;
    }
    const int mean = parameters != t->best && parameters != average_judged(t);
    const int fresh = report->now.metrics.count > 0;
    if (fresh && t->position.epoch == epoch && !(mean && end)) {
        const struct outcome model = report->model;
        report->model = report->now;
        report->now = model;
        outcome_clear(&report->now);
    } else if (report->model_epoch != epoch || (mean && end)) {
        TRY(evaluate_model(report, t, parameters, e));
    }
    report->model_epoch = epoch;
    return 0;
}

static json_t *run_json(const struct trainer *t)
{
    const struct train_settings *train = &t->model.settings.train;
    const struct position *p = &t->position;
    const int early = stopping_ends(&p->stopping, &train->early_stopping);
    return json_pack("{s:I, s:I, s:I, s:b, s:b, s:I, s:s?, s:I, s:I, s:I}", "epochs",
                     (json_int_t)train->epochs, "epoch", (json_int_t)p->epoch, "best_epoch",
                     (json_int_t)p->stopping.best_epoch, "finished", p->finished, "stopped_early",
                     early, "patience", (json_int_t)train->early_stopping.patience, "monitor",
                     train->early_stopping.monitor, "train_images", (json_int_t)t->train.count,
                     "validation_images", (json_int_t)t->validation.count, "seed",
                     (json_int_t)t->model.settings.seed);
}

static json_t *read_log(const struct trainer *t, const struct output_dir *dir, double *seconds,
                        struct error *e)
{
    struct bytes csv;
    if (file_read_at(&csv, dir->fd, "log.csv", t->log.path, SIZE_MAX / 2, ERROR_IO, e) != 0) {
        return NULL;
    }
    json_t *log = json_log((const char *)csv.data, seconds);
    bytes_free(&csv);
    return log;
}

static json_t *timing_json(const struct trainer *t, double seconds)
{
    return json_pack("{s:f, s:i, s:s}", "seconds", seconds, "threads", t->threads, "kernels",
                     t->kernels->name);
}

static int on_written(struct watcher *watcher, const struct trainer *t,
                      const struct output_dir *dir, int last, struct error *e)
{
    struct training_report *report = (void *)watcher;
    const struct model *model = &t->model;
    long long epoch;
    double seconds = 0;
    char path[1100];
    if (last && !t->position.finished && !report->behind) {
        return 0; /* suspended within an epoch */
    }
    TRY(follow_model(report, t, e));
    report->behind = !last && progress_now() < report->next_page;
    if (report->behind) {
        return 0;
    }
    report->next_page = progress_now() + SECONDS_BETWEEN_PAGES;
    json_t *log = read_log(t, dir, &seconds, e);
    json_t *filters = log ? json_filters(&model->graph, trainer_model(t, &epoch), e) : NULL;
    json_t *outcome = !filters                  ? NULL
                      : report->model_epoch > 0 ? json_outcome(&report->model, &model->classes, e)
                                                : json_null();
    if (!outcome) {
        json_decref(filters);
        json_decref(log);
        return -1;
    }
    json_t *data = json_pack(
        "{s:s, s:s, s:o, s:o, s:o, s:o, s:o, s:o, s:I, s:s, s:o}", "kind", "training", "version",
        VERSION, "name", json_safe_text(model->settings.name), "run", run_json(t), "log", log,
        "network", json_network(&model->graph), "config", json_config(&model->settings, 1),
        "evaluation", outcome, "evaluation_epoch", (json_int_t)report->model_epoch, "evaluated",
        "the validation images", "filters", filters);
    snprintf(path, sizeof path, "%s/%s", dir->path, NAME);
    const struct file_target target = {dir->fd, NAME, path, t->committer};
    return page_write(&target, data, timing_json(t, seconds), e);
}

int training_report_open(struct training_report *report, struct trainer *t, struct error *e)
{
    const int classes = t->model.classes.count;
    *report = (struct training_report){.watcher = {on_validated, on_written}};
    TRY(outcome_open(&report->now, &t->validation, classes, 1, t->loss->flags, e));
    if (outcome_open(&report->model, &t->validation, classes, 1, t->loss->flags, e) != 0) {
        outcome_close(&report->now);
        return -1;
    }
    t->watcher = &report->watcher;
    return 0;
}

void training_report_close(struct training_report *report)
{
    outcome_close(&report->now);
    outcome_close(&report->model);
}
