/* cnntrain.c: train the network that a config file describes. Reads as the data's way: config text
 * -> tree -> typed options -> trainer (data, graph, plan) -> epochs -> model.bin, checkpoint.bin,
 * log.csv, config.yaml. */
#include "base/memory.h"
#include "report/training.h"
#include "tools/check_data.h"
#include "tools/check_gradients.h"
#include "tools/cli.h"
#include "tools/doctor.h"
#include "train/checkpoint.h"
#include "train/initialize.h"
#include "train/lint.h"
#include "train/summary.h"
#include "tools/list.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

struct train_options {
    struct cli_common common;
    const char *output, *list, *doctor;
    struct cli_texts set;
    int dry_run, resume, fresh, strict, check_data, gradcheck, profile, progress;
};

#define REHEARSAL_SECONDS 2.0 /* how long --dry-run --profile measures */

static const char *const PROGRESS[] = {"auto", "always", "never", NULL};

#define FIELD(name) .offset = offsetof(struct train_options, name)
static const struct cli_option OPTIONS[] = {
    {.name = "output",
     .letter = 'o',
     .kind = &CLI_TEXT,
     FIELD(output),
     .argument = "DIR",
     .help = "write results there (default: the config's)"},
    {.name = "set",
     .letter = 's',
     .kind = &CLI_TEXTS,
     FIELD(set),
     .argument = "KEY=VALUE",
     .help =
         "change a key of the config, by dotted path:\ntrain.epochs=3, network.2.conv.filters=32"},
    {.name = "dry-run",
     .letter = 'n',
     .kind = &CLI_FLAG,
     FIELD(dry_run),
     .help = "check, plan, print the summary; write nothing\nand read no pixels, which -v does"},
    {.name = "resume",
     .letter = 'r',
     .kind = &CLI_FLAG,
     FIELD(resume),
     .help = "go on from the output's checkpoint"},
    {.name = "fresh", .kind = &CLI_FLAG, FIELD(fresh), .help = "throw an unfinished run away"},
    {.name = "check-data",
     .kind = &CLI_FLAG,
     FIELD(check_data),
     .help = "do not train: count the images of each class,\nfind bad and equal ones, and such as "
             "are in\n"
             "train and in validation or test; exit 4 then"},
    {.name = "profile",
     .kind = &CLI_FLAG,
     FIELD(profile),
     .help = "say at the end where the time went: per layer,\nforward and backward; with --dry-run "
             "of steps\nfor two seconds, which write nothing"},
    {.name = "gradcheck",
     .kind = &CLI_FLAG,
     FIELD(gradcheck),
     .help =
         "do not train: compare the gradients of the\nnetwork with differences; exit 1 when they\n"
         "deviate"},
    {.name = "doctor",
     .kind = &CLI_TEXT,
     FIELD(doctor),
     .argument = "DIR",
     .alone = 1,
     .help = "say what the run in DIR suffers from, by its log,\nconfig, model and data"},
    {.name = "strict", .kind = &CLI_FLAG, FIELD(strict), .help = "take warnings for errors"},
    {.name = "progress",
     .kind = &CLI_CHOICE,
     FIELD(progress),
     .argument = "WHEN",
     .words = PROGRESS,
     .help = "draw a progress bar: auto, always or never"},
    {.name = "list",
     .kind = &CLI_WORD,
     FIELD(list),
     .argument = "WHAT",
     .words = LIST_WORDS,
     .optional = 1,
     .alone = 1,
     .help = "print what a config may hold: all of it, or\n" LIST_HELP},
    {.name = NULL},
};

static const struct cli CLI = {
    .program = "cnntrain",
    .purpose = "Train the network that CONFIG.yaml describes.",
    .arguments = (const char *const[]){"CONFIG.yaml", NULL},
    .survives_pipe = 1,
    .options = OPTIONS,
    .epilogue =
        "Results go to the output directory: model.bin, checkpoint.bin, log.csv, config.yaml,\n"
        "and report.html, a page with curves, mistakes and more, new after each epoch (at\n"
        "most once a second).\n"
        "\n"
        "Exit codes: 0 success, 2 usage, 3 config, 4 data set, 5 model or checkpoint,\n"
        "6 input/output, 7 memory or a limit, 8 loss or weight not finite, 9 output\n"
        "directory in use or holding an unfinished run, 128+n stopped by signal n after\n"
        "a checkpoint was written.\n"
        "\n"
        "Example: cnntrain configs/lenet5.yaml --set train.epochs=3 -o runs/short\n",
};

/* The one mutable global: which signal has come. A second one ends the process at once. */
static volatile int signal_flag;

static void on_signal(int number)
{
    if (signal_flag) {
        _exit(128 + number);
    }
    signal_flag = number;
}

/* A signal that was ignored at the start (nohup) stays ignored. */
static void catch_signals(void)
{
    static const int NUMBERS[] = {SIGINT, SIGTERM, SIGHUP, SIGXCPU};
    for (size_t i = 0; i < sizeof NUMBERS / sizeof *NUMBERS; i++) {
        struct sigaction action;
        if (sigaction(NUMBERS[i], NULL, &action) == 0 && action.sa_handler != SIG_IGN) {
            action.sa_handler = on_signal;
            action.sa_flags = SA_RESTART;
            sigaction(NUMBERS[i], &action, NULL);
        }
    }
}

/* "configs/lenet5.yaml" -> "lenet5": the default name of a run. */
static void stem_of(const char *path, char *stem, size_t size)
{
    const char *base = strrchr(path, '/');
    base = base ? base + 1 : path;
    const char *dot = strrchr(base, '.');
    snprintf(stem, size, "%.*s", (int)(dot && dot != base ? dot - base : (long)strlen(base)), base);
}

/* The config with --set and --output applied, decoded and checked. */
static int read_settings(const struct train_options *options, const char *path, struct arena *arena,
                         struct settings *settings, struct error_list *errors)
{
    char stem[256];
    const struct yaml *root = yaml_read(arena, path, errors);
    for (int i = 0; root && i < options->set.count; i++) {
        const struct yaml *changed = yaml_set(arena, root, options->set.values[i], errors);
        root = changed ? changed : root;
    }
    if (!root) {
        return -1;
    }
    stem_of(path, stem, sizeof stem);
    settings_decode(settings, root, stem, arena, errors);
    settings_check_training(settings, errors);
    if (options->output) {
        settings->output = options->output;
    }
    return errors->total > 0 ? -1 : 0;
}

static void print_summary(const struct trainer *trainer, int verbose, FILE *out)
{
    struct text text = {0};
    summary_append(trainer, &text);
    if (verbose) {
        summary_append_details(trainer, &text);
    }
    fputs(text.data ? text.data : "", out);
    text_free(&text);
}

static void print_profile(const struct trainer *trainer, FILE *out)
{
    struct text text = {0};
    profile_append(trainer->profile, &trainer->model.graph, &trainer->plan, &text);
    fputs(text.data ? text.data : "", out);
    text_free(&text);
}

/* --dry-run --profile: some steps, for nothing but their time. */
static int rehearse(struct trainer *trainer)
{
    struct error e = {.offset = -1};
    if (trainer_rehearse(trainer, REHEARSAL_SECONDS, &e) != 0) {
        return cli_fail(&CLI, &e);
    }
    putchar('\n');
    print_profile(trainer, stdout);
    return 0;
}

/* Begin or go on, as the options say and the directory allows. */
static int begin(struct trainer *trainer, const struct train_options *options,
                 const struct output_dir *dir, struct error *e)
{
    if (options->resume) {
        return trainer_resume(trainer, dir, e);
    }
    enum checkpoint_state state = CHECKPOINT_NONE;
    TRY(options->fresh ? 0 : checkpoint_state(&state, dir, e));
    if (state == CHECKPOINT_UNFINISHED) {
        return error_set(e, ERROR_BUSY, dir->path,
                         "holds an unfinished run: --resume goes on with it, --fresh throws it "
                         "away");
    }
    return trainer_start(trainer, dir, e);
}

/* --verbose: what the summary's guess of the memory has come to. */
static void note_memory(const struct train_options *options, struct progress *progress)
{
    const uint64_t peak = memory_peak();
    char bytes[32];
    if (options->common.verbose && peak > 0) {
        progress_note(progress, "peak memory %s", text_from_bytes(bytes, peak));
    }
}

static int train(const struct train_options *options, struct trainer *trainer)
{
    struct error e = {.offset = -1};
    struct output_dir dir;
    if (output_dir_open(&dir, trainer->model.settings.output, &e) != 0) {
        return cli_fail(&CLI, &e);
    }
    struct training_report report;
    if (training_report_open(&report, trainer, &e) != 0) {
        output_dir_close(&dir);
        return cli_fail(&CLI, &e);
    }
    struct progress progress;
    progress_open(&progress, stderr, options->progress, options->common.quiet,
                  trainer->model.settings.train.epochs);
    if (dir.removed > 0) {
        progress_note(&progress, "removed %d temporary file%s of a run that was killed in %s",
                      dir.removed, dir.removed == 1 ? "" : "s", dir.path);
    }
    catch_signals();
    int failed = begin(trainer, options, &dir, &e);
    if (!failed) {
        if (!options->common.quiet) {
            print_summary(trainer, options->common.verbose, stderr);
        }
        if (trainer->position.finished && trainer_is_over(trainer)) {
            progress_note(&progress, "the run is finished after epoch %lld: nothing to do",
                          trainer->position.epoch);
        } else if (trainer->position.step > 0) {
            progress_note(&progress, "resumed at epoch %lld, step %lld",
                          trainer->position.epoch + 1, trainer->position.step);
        }
        failed = trainer_run(trainer, &dir, &progress, &signal_flag, &e);
    }
    const int stopped = signal_flag && !trainer->position.finished ? signal_flag : 0;
    if (failed) {
        progress_note(&progress, "%s", "");
    } else if (stopped) {
        progress_note(&progress,
                      "stopped by signal %d in epoch %lld, step %lld; the checkpoint is written, "
                      "--resume goes on",
                      stopped, trainer->position.epoch + 1, trainer->position.step);
    } else if (trainer->out_of_time) {
        char time[32];
        progress_note(&progress,
                      "stopped after %s (train.max_time) in epoch %lld, step %lld; model and "
                      "checkpoint are written to %s, --resume goes on",
                      text_from_duration(time, trainer->model.settings.train.max_time),
                      trainer->position.epoch + 1, trainer->position.step, dir.path);
    } else {
        progress_note(&progress, "model written to %s/model.bin", dir.path);
    }
    note_memory(options, &progress);
    training_report_close(&report);
    output_dir_close(&dir);
    if (!failed && trainer->profile) {
        print_profile(trainer, stdout);
    }
    return failed ? cli_fail(&CLI, &e) : stopped ? 128 + stopped : 0;
}

/* Say what is surely not meant; under --strict that ends the run, with the exit code. 0: go on. */
static int warn(const struct train_options *options, const struct trainer *trainer)
{
    static struct error_list warnings; /* too large for a small stack */
    lint(trainer, &warnings);
    if (options->strict && warnings.total > 0) {
        return cli_fail_all(&CLI, &warnings);
    }
    if (!options->common.quiet) {
        cli_warn_all(&CLI, &warnings);
    }
    return 0;
}

/* What the options ask for, with a trainer that is ready. Returns the exit code. */
static int work(const struct train_options *options, struct trainer *trainer)
{
    struct profile profile = {0};
    struct error e = {.offset = -1};
    int code = warn(options, trainer);
    if (code != 0) {
        return code;
    }
    if (options->profile) {
        if (profile_open(&profile, &trainer->model.graph, trainer->kernels, trainer->threads, &e) !=
            0) {
            return cli_fail(&CLI, &e);
        }
        trainer->profile = &profile;
    }
    if (options->dry_run) {
        print_summary(trainer, options->common.verbose, stdout);
        code = options->profile ? rehearse(trainer) : 0;
    } else {
        code = train(options, trainer);
    }
    profile_close(&profile);
    trainer->profile = NULL;
    return code;
}

static int run(const struct train_options *options, const char *path)
{
    static struct error_list errors; /* too large for a small stack */
    static struct trainer trainer = {.log = {.fd = -1}};
    struct arena arena = {0};
    struct settings settings;
    const struct kernels *kernels = cli_kernels(&CLI);
    /* The summary has nothing from the pixels; its details have, and steps for a profile. */
    int (*const prepare)(struct trainer *, const struct settings *, struct arena *,
                         const struct kernels *, int, struct error_list *) =
        options->dry_run && !options->common.verbose && !options->profile ? trainer_outline
                                                                          : trainer_prepare;
    int code;
    if (!kernels) {
        return ERROR_USAGE;
    }
    if (read_settings(options, path, &arena, &settings, &errors) != 0) {
        code = cli_fail_all(&CLI, &errors);
    } else if (options->check_data) {
        code = check_data(&CLI, &settings, cli_threads(&CLI, &options->common));
    } else if (prepare(&trainer, &settings, &arena, kernels, cli_threads(&CLI, &options->common),
                       &errors) != 0 ||
               (!options->resume && initialize(&trainer, &errors) != 0)) {
        code = cli_fail_all(&CLI, &errors);
    } else {
        code = options->gradcheck ? check_gradients(&CLI, &trainer) : work(options, &trainer);
    }
    trainer_free(&trainer);
    arena_free(&arena);
    return code;
}

int main(int argc, char **argv)
{
    struct train_options options = {0};
    struct cli_arguments arguments;
    int code = cli_parse(&CLI, argc, argv, &options, &arguments);
    if (code >= 0) {
        return code;
    }
    if (options.list) {
        list_print(options.list, stdout);
        return cli_finish(&CLI, 0);
    }
    if (options.doctor) {
        return cli_finish(&CLI, doctor(&CLI, options.doctor, cli_threads(&CLI, &options.common)));
    }
    if (options.resume && options.fresh) {
        return cli_usage(&CLI, "--resume and --fresh cannot be combined");
    }
    if (options.check_data && options.gradcheck) {
        return cli_usage(&CLI, "--check-data and --gradcheck cannot be combined");
    }
    if ((options.check_data || options.gradcheck) &&
        (options.dry_run || options.resume || options.fresh || options.profile)) {
        return cli_usage(&CLI, "--%s does not train: --%s cannot be combined with it",
                         options.check_data ? "check-data" : "gradcheck",
                         options.dry_run   ? "dry-run"
                         : options.resume  ? "resume"
                         : options.profile ? "profile"
                                           : "fresh");
    }
    return cli_finish(&CLI, run(&options, arguments.values[0]));
}
