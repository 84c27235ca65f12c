/* cnnpredict.c: classify images. Reads as the data's way: model.bin -> image files, some hundred at
 * a time, decoded in parallel into a set as the model's training images were -> evaluator -> a line
 * each, in the order in which they were named. An image that cannot be read is reported in its
 * place, and the others go on. */
#include "tools/cli.h"
#include "view/pictures.h"
#include "train/evaluate.h"
#include "train/loading.h"
#include "train/model.h"
#include "train/progress.h"

#include "base/text.h"

#include <jansson.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { ROUND_BYTES = 32 << 20, ROUND_LEAST = 16, ROUND_MOST = 512 };

struct predict_options {
    struct cli_common common;
    int json, top_k;
};

#define FIELD(name) .offset = offsetof(struct predict_options, name)
static const struct cli_option OPTIONS[] = {
    {.name = "json",
     .kind = &CLI_FLAG,
     FIELD(json),
     .help = "print a JSON object a line: path, class,\nprobability; with --top-k also top"},
    {.name = "top-k",
     .kind = &CLI_INTEGER,
     FIELD(top_k),
     .argument = "N",
     .low = 1,
     .high = 65536,
     .help = "print the N most probable classes of each image"},
    {.name = NULL},
};

static const struct cli CLI = {
    .program = "cnnpredict",
    .purpose = "Classify images with MODEL, written by cnntrain.",
    .arguments = (const char *const[]){"MODEL", "IMAGE", NULL},
    .many = 1,
    .options = OPTIONS,
    .epilogue =
        "IMAGE is a PNG or JPEG file, a folder with such files at any depth, or - for one\n"
        "on the standard input. Prints a line an image: path, class, probability, with\n"
        "tabs between them. Images become what the model takes, as those it was trained on\n"
        "did.\n"
        "\n"
        "Exit codes: 0 success, 2 usage, 4 an image that cannot be read, 5 model, 6\n"
        "input/output, 7 memory or a limit, 8 an output is not finite.\n"
        "\n"
        "Example: cnnpredict runs/cats/model.bin photos --top-k 3\n",
};

struct best {
    int label;
    float p;
};

/* A round of images: as many as are decoded and classified together. */
struct round {
    const struct model *model;
    const char *const *paths;
    size_t count, room;
    struct target target;
    struct error *faults; /* [room]; kind ERROR_NONE: read */
    struct dataset set;   /* of those that were read */
    struct subset subset;
    struct best *best; /* [room][top_k], for them */
    int top_k, bad;    /* bad: an output is not finite */
};

static void round_close(struct round *round)
{
    free(round->faults);
    free(round->best);
    free(round->set.bytes);
    free(round->set.labels);
    free(round->subset.index);
}

static int round_open(struct round *round, const struct model *model, int top_k, int threads,
                      struct error *e)
{
    const struct loading how = loading_of_model(model, threads);

    *round = (struct round){.model = model, .top_k = top_k};
    round->target = (struct target){how.c, how.h, how.w, how.fit};
    round->set = (struct dataset){.c = how.c, .h = how.h, .w = how.w, .threads = threads};
    round->subset.set = &round->set;
    if (how.c != 1 && how.c != 3) {
        return error_set(e, ERROR_MODEL, NULL, "the model takes %d channels: no image has them",
                         how.c);
    }
    const size_t size = dataset_values(&round->set), fits = ROUND_BYTES / size;

    round->room = fits < ROUND_LEAST ? ROUND_LEAST : fits > ROUND_MOST ? ROUND_MOST : fits;
    round->faults = malloc(round->room * sizeof *round->faults);
    round->best = malloc(round->room * (size_t)top_k * sizeof *round->best);
    round->set.bytes = malloc(round->room * size);
    round->set.labels = calloc(round->room, sizeof *round->set.labels);
    round->subset.index = malloc(round->room * sizeof *round->subset.index);
    if (round->faults == NULL || round->best == NULL || round->set.bytes == NULL ||
        round->set.labels == NULL || round->subset.index == NULL) {
        return error_memory(e, round->room * size);
    }
    for (size_t i = 0; i < round->room; i++) {
        round->subset.index[i] = (uint32_t)i;
    }
    return 0;
}

/* Decode the images; the set has then those that could be. -1 without memory: that is no fault of
 * an image. */
static int load(struct round *round, int threads, struct error *e)
{
    const size_t size = dataset_values(&round->set);
    size_t kept = 0;
    const int team = round->count < (size_t)threads ? (int)round->count : threads;

#pragma omp parallel for schedule(dynamic, 1) num_threads(team)
    for (size_t i = 0; i < round->count; i++) {
        round->faults[i] = (struct error){.offset = -1};
        picture_load(round->paths[i], &round->target, round->set.bytes + i * size,
                     &round->faults[i]);
    }
    for (size_t i = 0; i < round->count; i++) {
        if (error_is_memory(&round->faults[i])) {
            *e = round->faults[i];
            return -1;
        }
        if (round->faults[i].kind == ERROR_NONE) {
            memmove(round->set.bytes + kept++ * size, round->set.bytes + i * size, size);
        }
    }
    round->set.count = round->subset.count = kept;
    return 0;
}

/* The greatest outputs, greatest first; of equal ones the lower class first. */
static int collect(void *user, const struct evaluated_tile *tile)
{
    struct round *round = user;

    for (int lane = 0; lane < tile->live; lane++) {
        struct best *best = round->best + (tile->first + (size_t)lane) * (size_t)round->top_k;
        int found = 0;

        for (int k = 0; k < round->model->classes.count; k++) {
            const float p = tile->p[k * LANES + lane];
            int at = found;

            if (!isfinite(p)) {
                round->bad = 1;
                return -1;
            }
            while (at > 0 && best[at - 1].p < p) {
                at--;
            }
            if (at < round->top_k) {
                found += found < round->top_k;
                memmove(&best[at + 1], &best[at], (size_t)(found - 1 - at) * sizeof *best);
                best[at] = (struct best){k, p};
            }
        }
    }
    return 0;
}

static void print_line(const struct round *round, const char *path, const struct best *best)
{
    char safe[4200];

    fputs(text_sanitize(safe, sizeof safe, path, strlen(path)), stdout);
    for (int k = 0; k < round->top_k; k++) {
        const char *name = round->model->classes.values[best[k].label];

        printf("\t%s\t%.6f", text_sanitize(safe, sizeof safe, name, strlen(name)),
               (double)best[k].p);
    }
    putchar('\n');
}

static json_t *as_json(const struct round *round, const struct best *best)
{
    return json_pack("{s:s, s:f}", "class", round->model->classes.values[best->label],
                     "probability", (double)best->p);
}

static int print_json(const struct round *round, const char *path, const struct best *best,
                      struct error *e)
{
    char safe[4200];
    json_t *root =
        json_pack("{s:o, s:s, s:f}", "path",
                  json_string(text_sanitize(safe, sizeof safe, path, strlen(path))), "class",
                  round->model->classes.values[best->label], "probability", (double)best->p);
    json_t *top = round->top_k > 1 ? json_array() : NULL;
    int failed = root == NULL || (top == NULL && round->top_k > 1);

    for (int k = 0; k < round->top_k && top != NULL; k++) {
        failed |= json_array_append_new(top, as_json(round, &best[k])) != 0;
    }
    if (top != NULL) {
        failed |= json_object_set_new(root, "top", top) != 0;
    }
    char *text =
        failed ? NULL : json_dumps(root, JSON_COMPACT | JSON_ENSURE_ASCII | JSON_REAL_PRECISION(9));

    json_decref(root);
    if (text == NULL) {
        return error_set(e, ERROR_LIMIT, NULL, "out of memory for JSON");
    }
    puts(text);
    free(text);
    return 0;
}

/* Results and faults, in the order of the images. Returns how many could not be read, or -1. */
static int print(const struct round *round, int json, struct error *e)
{
    const struct best *best = round->best;
    int faults = 0;

    for (size_t i = 0; i < round->count; i++) {
        if (round->faults[i].kind != ERROR_NONE) {
            fflush(stdout); /* where both go to one place, they are in order */
            cli_fail(&CLI, &round->faults[i]);
            faults++;
            continue;
        }
        if (json) {
            TRY(print_json(round, round->paths[i], best, e));
        } else {
            print_line(round, round->paths[i], best);
        }
        best += round->top_k;
    }
    return cli_flush(e) == 0 ? faults : -1;
}

static void print_speed(size_t images, double seconds, const struct evaluator *evaluator)
{
    char count[32], rate[32];

    fprintf(stderr, "%s images in %.2f s, %s images/s, %d thread%s, %s\n",
            text_from_count(count, images), seconds,
            text_from_count(rate, seconds > 0 ? (uint64_t)((double)images / seconds) : 0),
            evaluator->threads, evaluator->threads == 1 ? "" : "s", evaluator->kernels->name);
}

/* All images, round by round. Returns the exit code, or -1 with *e. */
static int classify(const struct predict_options *options, struct round *round,
                    const struct evaluator *evaluator, const struct pictures *pictures,
                    struct error *e)
{
    const double start = progress_now();
    int code = 0;

    for (size_t at = 0; at < pictures->count; at += round->count) {
        const size_t rest = pictures->count - at;

        round->count = rest < round->room ? rest : round->room;
        round->paths = pictures->paths + at;
        TRY(load(round, evaluator->threads, e));
        if (round->set.count > 0 && evaluate(evaluator, &round->subset, collect, round) != 0) {
            return error_set(e, ERROR_NUMERIC, NULL, "an output of the model is not finite");
        }
        const int faults = print(round, options->json, e);

        if (faults < 0) {
            return -1;
        }
        code = faults > 0 ? ERROR_DATA : code;
    }
    if (options->common.verbose) {
        print_speed(pictures->count, progress_now() - start, evaluator);
    }
    return code;
}

static int predict(const struct predict_options *options, struct model *model,
                   const struct kernels *kernels, const struct pictures *pictures)
{
    const int threads = cli_threads(&CLI, &options->common);
    struct error e = {.offset = -1};
    struct evaluator evaluator = {0};
    struct round round;
    int code = -1;

    if (round_open(&round, model, options->top_k, threads, &e) == 0 &&
        evaluator_open(&evaluator, &model->graph, &model->input, &model->settings.train.loss,
                       model->parameters, kernels, model->classes.count, threads, &model->arena,
                       &e) == 0 &&
        (pictures->count > 1 || evaluator_single(&evaluator, &model->arena, &e) == 0)) {
        code = classify(options, &round, &evaluator, pictures, &e);
    }
    evaluator_close(&evaluator);
    round_close(&round);
    return code >= 0 ? code : cli_fail(&CLI, &e);
}

/* Everything that the arguments name; faults are reported, the rest goes on. Returns the exit code,
 * or -1 with *e without memory. */
static int find_pictures(struct pictures *pictures, char *const *arguments, int count,
                         struct error *e)
{
    int code = 0;

    for (int i = 0; i < count; i++) {
        if (pictures_add(pictures, arguments[i], e) != 0) {
            if (error_is_memory(e)) {
                return -1;
            }
            code = cli_fail(&CLI, e);
        }
    }
    return code;
}

static int count_stdin(const struct cli_arguments *arguments)
{
    int count = 0;

    for (int i = 1; i < arguments->count; i++) {
        count += strcmp(arguments->values[i], "-") == 0;
    }
    return count;
}

static int run(const struct predict_options *options, const struct cli_arguments *arguments)
{
    struct error e = {.offset = -1};
    struct pictures pictures = {0};
    struct model model;
    const struct kernels *kernels = cli_kernels(&CLI);
    int code;

    if (kernels == NULL) {
        return ERROR_USAGE;
    }
    if (model_load(&model, arguments->values[0], &e) != 0) {
        return cli_fail(&CLI, &e);
    }
    if (options->top_k > model.classes.count) {
        code = cli_usage(&CLI, "--top-k must be 1 to %d, the number of classes, got '%d'",
                         model.classes.count, options->top_k);
    } else {
        code = find_pictures(&pictures, arguments->values + 1, arguments->count - 1, &e);
        const int predicted =
            code >= 0 ? predict(options, &model, kernels, &pictures) : cli_fail(&CLI, &e);

        code = predicted != 0 ? predicted : code;
    }
    pictures_free(&pictures);
    model_free(&model);
    return code;
}

int main(int argc, char **argv)
{
    struct predict_options options = {.top_k = 1};
    struct cli_arguments arguments;
    const int code = cli_parse(&CLI, argc, argv, &options, &arguments);

    if (code >= 0) {
        return code;
    }
    if (count_stdin(&arguments) > 1) {
        return cli_usage(&CLI, "'-' can be given once only: there is one standard input");
    }
    return cli_finish(&CLI, run(&options, &arguments));
}
