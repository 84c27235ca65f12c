/* cnneval.c: measure a model on a labelled set. Reads as the data's way: model.bin -> test set ->
 * evaluator -> metrics -> a report on stdout. Nothing is trained and nothing chosen: the same model
 * and set give the same report. */
#include "report/evaluation.h"
#include "tools/cli.h"
#include "tools/measured.h"
#include "tools/report.h"
#include "train/evaluate.h"
#include "train/model.h"
#include "train/progress.h"

#include <math.h>
#include <string.h>

struct eval_options {
    struct cli_common common;
    int json, top_k, part, tta, profile;
    const char *csv, *report;
    double min_accuracy; /* below 0: not asked for */
};

#define FIELD(name) .offset = offsetof(struct eval_options, name)

static const struct cli_option OPTIONS[] = {
    {.name = "part",
     .kind = &CLI_CHOICE,
     FIELD(part),
     .argument = "PART",
     .words = MEASURED_PARTS,
     .help = "of a config's data: test (the default), or what\ntrain or validation is after limit "
             "and split"},
    {.name = "json", .kind = &CLI_FLAG, FIELD(json), .help = "print the report as JSON"},
    {.name = "csv",
     .kind = &CLI_TEXT,
     FIELD(csv),
     .argument = "FILE",
     .help = "write a row an image: index or path, label,\n"
             "prediction, probability of each class; - prints\nthem instead of the report"},
    {.name = "report",
     .kind = &CLI_TEXT,
     FIELD(report),
     .argument = "DIR",
     .help = "write report.html into DIR: confusion matrix,\ncalibration and mistakes as a page "
             "for a browser"},
    {.name = "top-k",
     .kind = &CLI_INTEGER,
     FIELD(top_k),
     .argument = "N",
     .low = 1,
     .high = 65536,
     .help = "also count how often the right class is among\nthe N most probable ones"},
    {.name = "tta",
     .kind = &CLI_INTEGER,
     FIELD(tta),
     .argument = "N",
     .low = 1,
     .high = 10000,
     .help =
         "average the outputs over the image and N - 1\ndraws of the model's own augmentations"},
    {.name = "profile",
     .kind = &CLI_FLAG,
     FIELD(profile),
     .help = "also say where the time went: per layer, loading\nimages, waiting"},
    {.name = "min-accuracy",
     .kind = &CLI_SHARE,
     FIELD(min_accuracy),
     .argument = "A",
     .help = "exit with 1 when the accuracy is below A, a\nshare (0.985) or percentage (98.5%)"},
    {.name = NULL},
};

static const struct cli CLI = {
    .program = "cnneval",
    .purpose = "Measure MODEL, written by cnntrain, on the labelled images of TESTSET.",
    .arguments = (const char *const[]){"MODEL", "TESTSET", NULL},
    .options = OPTIONS,
    .epilogue = "TESTSET is an IDX images file, plain or gzip (the labels file is found by its\n"
                "name), a folder with t10k-* or test-* IDX files, a folder of class folders with\n"
                "PNG and JPEG images, a list of them (.csv: path,label), or a config: its\n"
                "data.test, or with --part what its training or validation images are.\n"
                "Images become what the model takes, as those it was trained on did.\n"
                "\n"
                "Exit codes: 0 success, 1 accuracy below --min-accuracy, 2 usage, 3 config,\n"
                "4 data set, 5 model, or data that do not fit it, 6 input/output, 7 memory or a\n"
                "limit, 8 an output is not finite.\n"
                "\n"
                "Example: cnneval runs/lenet5/model.bin data/mnist --min-accuracy 98.5%\n",
};

/* Where the results of a tile go. */
struct collector {
    struct outcome *outcome;
    struct rows *rows; /* NULL: no --csv */
    const struct subset *subset;
    size_t bad; /* image with an output that is not finite */
};

static int collect(void *user, const struct evaluated_tile *tile)
{
    struct collector *collector = user;

    for (int lane = 0; lane < tile->live; lane++) {
        const uint32_t index = collector->subset->index[tile->first + (size_t)lane];
        const int label = tile->labels[lane];

        if (!isfinite(tile->loss[lane])) {
            collector->bad = index;
            return -1;
        }
        const int prediction = outcome_add(collector->outcome, tile->p + lane, LANES, label,
                                           tile->loss[lane], tile->weight[lane]);

        if (collector->rows != NULL) {
            char path[2048];

            rows_add(collector->rows,
                     dataset_path(collector->subset->set, index, path, sizeof path), index, label,
                     prediction, tile->p + lane, LANES);
        }
    }
    return 0;
}

static void print_speed(size_t images, double seconds, int threads, const struct kernels *kernels)
{
    char count[32], rate[32];

    fprintf(stderr, "%s images in %.2f s, %s images/s, %d thread%s, %s\n",
            text_from_count(count, images), seconds,
            text_from_count(rate, seconds > 0 ? (uint64_t)((double)images / seconds) : 0), threads,
            threads == 1 ? "" : "s", kernels->name);
}

/* For --tta: what the model was trained with, drawn anew, but without other images mixed in. */
static int augment(const struct eval_options *options, const struct model *model,
                   const struct subset *subset, const struct kernels *kernels,
                   struct augmenter *augmenter, struct evaluator *evaluator, struct error *e)
{
    const struct settings *settings = &model->settings;

    TRY(augmenter_open(augmenter, &settings->augment, &model->input, subset, kernels,
                       settings->seed, e));
    augmenter->unmixed = 1;
    return evaluator_augment(evaluator, augmenter, options->tta, e);
}

/* For --profile, once the evaluator is open. */
static int measure_times(struct evaluator *evaluator, struct profile *profile, struct error *e)
{
    TRY(profile_open(profile, evaluator->graph, evaluator->kernels, evaluator->threads, e));
    evaluator->profile = profile;
    return 0;
}

/* All images through the network, into `outcome` and `rows`; for --profile the table of times. */
static int measure(const struct eval_options *options, struct model *model,
                   const struct subset *subset, const struct kernels *kernels,
                   struct outcome *outcome, struct rows *rows, struct text *times, struct error *e)
{
    const int threads = cli_threads(&CLI, &options->common);
    struct evaluator evaluator = {0};
    struct augmenter augmenter;
    struct profile profile = {0};
    int status = -1;

    if (evaluator_open(&evaluator, &model->graph, &model->input, &model->settings.train.loss,
                       model->parameters, kernels, model->classes.count, threads, &model->arena,
                       e) == 0 &&
        (subset->count > 1 || evaluator_single(&evaluator, &model->arena, e) == 0) &&
        (options->tta <= 1 ||
         augment(options, model, subset, kernels, &augmenter, &evaluator, e) == 0) &&
        (!options->profile || measure_times(&evaluator, &profile, e) == 0)) {
        struct collector collector = {.outcome = outcome, .rows = rows, .subset = subset};
        const double start = progress_now();

        status = evaluate(&evaluator, subset, collect, &collector);
        if (dataset_failed(subset->set, e) != 0) {
            status = -1;
        } else if (status != 0) {
            error_set(e, ERROR_NUMERIC, subset->set->path,
                      "the model's output for image %zu is not finite", collector.bad);
        } else if (options->common.verbose) {
            print_speed(subset->count, progress_now() - start, threads, kernels);
        }
        if (options->profile) {
            profile_append(&profile, &model->graph, &evaluator.plan, times);
        }
    }
    profile_close(&profile);
    evaluator_close(&evaluator);
    return status;
}

static int print_report(const struct eval_options *options, const struct report *report,
                        const struct rows *rows, const struct text *times, struct error *e)
{
    if (rows != NULL) {
        TRY(rows_write(rows, e));
    }
    if (options->json) {
        TRY(report_json(report, stdout, e));
    } else if (rows == NULL || strcmp(rows->path, "-") != 0) {
        report_text(report, stdout);
    }
    if (times->length > 0) {
        printf("\n%s", times->data);
    }
    return cli_flush(e);
}

static int check_accuracy(const struct eval_options *options, const struct metrics *metrics,
                          struct error *e)
{
    char accuracy[32], wanted[32];

    if (metrics_accuracy(metrics) >= options->min_accuracy) {
        return 0;
    }
    return error_set(e, ERROR_CHECK, NULL, "accuracy %s is below --min-accuracy %s",
                     text_from_double(accuracy, metrics_accuracy(metrics)),
                     text_from_double(wanted, options->min_accuracy));
}

/* The page, where one is wanted, and then what goes to stdout. */
static int report_all(const struct eval_options *options, const char *model_path,
                      const struct model *model, const struct outcome *outcome,
                      const struct output_dir *dir, const struct rows *rows,
                      const struct text *times, struct error *e)
{
    const char *set_path = outcome->subset->set->path;
    const struct report report = {model_path, set_path, &model->classes, &outcome->metrics};
    const struct evaluation evaluation = {model_path, set_path, model, outcome, options->tta};

    if (options->report != NULL) {
        TRY(evaluation_write(&evaluation, dir, e));
    }
    TRY(print_report(options, &report, rows, times, e));
    return check_accuracy(options, &outcome->metrics, e);
}

/* Measure and report, once model and set are there. */
static int run(const struct eval_options *options, const char *model_path, struct model *model,
               const struct subset *subset, const struct kernels *kernels, struct error *e)
{
    struct rows rows = {.dir = -1}, *wanted_rows = options->csv != NULL ? &rows : NULL;
    struct output_dir dir = {.fd = -1, .lock = -1};
    struct outcome outcome = {0};
    const struct loss_type *loss = (const void *)model->settings.train.loss.type;
    const unsigned flags = options->report != NULL ? loss->flags : 0;
    struct text times = {0};
    int status = -1;

    if (outcome_open(&outcome, subset, model->classes.count, options->top_k, flags, e) == 0 &&
        (wanted_rows == NULL || rows_open(&rows, options->csv, &model->classes, e) == 0) &&
        (options->report == NULL || evaluation_open(&dir, options->report, e) == 0) &&
        measure(options, model, subset, kernels, &outcome, wanted_rows, &times, e) == 0) {
        status = report_all(options, model_path, model, &outcome, &dir, wanted_rows, &times, e);
    }
    output_dir_close(&dir);
    text_free(&times);
    rows_close(&rows);
    outcome_close(&outcome);
    return status;
}

static int evaluate_model(const struct eval_options *options, const char *model_path,
                          const char *set_path)
{
    static struct error_list errors; /* too large for a small stack */
    struct error e = {.offset = -1};
    struct arena arena = {0};
    struct model model;
    struct measured measured = {0};
    const struct kernels *kernels = cli_kernels(&CLI);
    int code;

    if (kernels == NULL) {
        return ERROR_USAGE;
    }
    if (model_load(&model, model_path, &e) != 0) {
        return cli_fail(&CLI, &e);
    }
    if (options->top_k > model.classes.count) {
        code = cli_usage(&CLI, "--top-k must be 1 to %d, the number of classes, got '%d'",
                         model.classes.count, options->top_k);
    } else if (options->tta > 1 && !augmentations_alone(&model.settings.augment)) {
        error_set(&e, ERROR_MODEL, model_path,
                  "was trained without 'augment': --tta has nothing to draw");
        code = cli_fail(&CLI, &e);
    } else if (measured_load(&measured, set_path, options->part,
                             cli_threads(&CLI, &options->common), &model, &arena, &errors) != 0) {
        code = cli_fail_all(&CLI, &errors);
    } else {
        code = run(options, model_path, &model, measured.subset, kernels, &e) == 0
                   ? 0
                   : cli_fail(&CLI, &e);
    }
    measured_free(&measured);
    model_free(&model);
    arena_free(&arena);
    return code;
}

int main(int argc, char **argv)
{
    struct eval_options options = {.top_k = 1, .tta = 1, .min_accuracy = -1};
    struct cli_arguments arguments;
    const int code = cli_parse(&CLI, argc, argv, &options, &arguments);

    if (code >= 0) {
        return code;
    }
    if (options.json && options.csv != NULL && strcmp(options.csv, "-") == 0) {
        return cli_usage(&CLI, "--json and --csv - cannot be combined: both print on stdout");
    }
    if (options.profile && (options.json || (options.csv && strcmp(options.csv, "-") == 0))) {
        return cli_usage(&CLI, "--profile and --%s cannot be combined: both print on stdout",
                         options.json ? "json" : "csv -");
    }
    if (options.part != PART_TEST && !measured_is_config(arguments.values[1])) {
        return cli_usage(&CLI, "--part %s needs a config as TESTSET", MEASURED_PARTS[options.part]);
    }
    return cli_finish(&CLI, evaluate_model(&options, arguments.values[0], arguments.values[1]));
}
