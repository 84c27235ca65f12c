/* cnnview.c: look inside: a model's layers and tensors as a table, or what a config's augmentations
 * make of the training images, as a sheet; the curves of runs. Nothing is trained or changed. */
#include "tools/cli.h"
#include "tools/explain.h"
#include "tools/view_curves.h"
#include "tools/view_inside.h"
#include "tools/view_verify.h"
#include "view/sheet.h"
#include "train/model.h"
#include "train/summary.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

struct view_options {
    struct cli_common common;
    const char *augment, *output;
    const char *explain, *config, *at, *image;
    struct cli_texts set;
    int count, epoch, rows, channel, curves, verify;
    struct inside_options inside;
};

#define FIELD(name) .offset = offsetof(struct view_options, name)
static const struct cli_option OPTIONS[] = {
    {.name = "augment",
     .kind = &CLI_TEXT,
     FIELD(augment),
     .argument = "CONFIG",
     .alone = 1,
     .help = "draw a training image of each class and what the\nconfig's augmentations make of it"},
    {.name = "output",
     .letter = 'o',
     .kind = &CLI_TEXT,
     FIELD(output),
     .argument = "FILE",
     .help = "where the picture goes, as PNG; with a model, a\nname in .safetensors takes the "
             "numbers instead"},
    {.name = "curves",
     .kind = &CLI_FLAG,
     FIELD(curves),
     .alone = 1,
     .instead = "LOG",
     .help = "draw loss and accuracy of runs, by the log.csv of\neach: on the terminal, or with "
             "--output as SVG or\nPNG, for which it takes gnuplot"},
    {.name = "verify",
     .kind = &CLI_FLAG,
     FIELD(verify),
     .help = "say all that is wrong with a model.bin or\ncheckpoint.bin, and what of it is good"},
    {.name = "filters",
     .kind = &CLI_TEXT,
     FIELD(inside.filters),
     .argument = "LAYER",
     .help = "draw the weights of a layer"},
    {.name = "activations",
     .kind = &CLI_TEXT,
     FIELD(inside.activations),
     .argument = "IMAGE",
     .help = "draw what the layers make of an image"},
    {.name = "layer",
     .kind = &CLI_TEXT,
     FIELD(inside.layer),
     .argument = "LAYER",
     .help = "all maps of this one, not some of each; of\n--explain: the layer (the first of the "
             "type)"},
    {.name = "saliency",
     .kind = &CLI_TEXT,
     FIELD(inside.saliency),
     .argument = "IMAGE",
     .help = "draw which places of an image bear on its class"},
    {.name = "method",
     .kind = &CLI_TEXT,
     FIELD(inside.method),
     .argument = "METHOD",
     .help = "how: gradient (the default), guided, deconvnet,\ngradcam, gradcam: LAYER, occlusion, "
             "occlusion:\n{size: N, stride: N}"},
    {.name = "class",
     .kind = &CLI_TEXT,
     FIELD(inside.class),
     .argument = "NAME",
     .help = "for this class, not the one that is predicted"},
    {.name = "maximize",
     .kind = &CLI_TEXT,
     FIELD(inside.maximize),
     .argument = "UNIT",
     .help = "make images that excite a unit, LAYER:UNIT, or\neach of a LAYER"},
    {.name = "steps",
     .kind = &CLI_INTEGER,
     FIELD(inside.steps),
     .argument = "N",
     .low = 1,
     .high = 100000,
     .help = "in how many steps (256)"},
    {.name = "top-patches",
     .kind = &CLI_TEXT,
     FIELD(inside.top_patches),
     .argument = "UNIT",
     .help = "draw what of a set excites a unit most, beside\nits deconvnet projections"},
    {.name = "data",
     .kind = &CLI_TEXT,
     FIELD(inside.data),
     .argument = "TESTSET",
     .help = "of this set"},
    {.name = "embed",
     .kind = &CLI_TEXT,
     FIELD(inside.embed),
     .argument = "TESTSET",
     .help = "draw a set in two dimensions, as the last layer\nsees it, as SVG or PNG"},
    {.name = "count",
     .kind = &CLI_INTEGER,
     FIELD(count),
     .argument = "N",
     .low = 1,
     .high = 100,
     .help = "how many epochs in a row (8)"},
    {.name = "epoch",
     .kind = &CLI_INTEGER,
     FIELD(epoch),
     .argument = "N",
     .low = 1,
     .high = 1000000,
     .help = "the first of them (1)"},
    {.name = "rows",
     .kind = &CLI_INTEGER,
     FIELD(rows),
     .argument = "N",
     .low = 1,
     .high = 1000,
     .help = "how many classes at most (20)"},
    {.name = "explain",
     .kind = &CLI_TEXT,
     FIELD(explain),
     .argument = "TYPE",
     .help = "work out one value of the output of a layer of\nthis type: conv, maxpool, dense, "
             "relu, ...;\nof a loss, cross_entropy, softmax and cost"},
    {.name = "config",
     .kind = &CLI_TEXT,
     FIELD(config),
     .argument = "CONFIG",
     .alone = 1,
     .help = "explain this config's network in place of a\nmodel: as its training begins"},
    {.name = "at",
     .kind = &CLI_TEXT,
     FIELD(at),
     .argument = "Y,X",
     .help = "row and column of the output (default: where\nthe channel is greatest)"},
    {.name = "channel",
     .kind = &CLI_INTEGER,
     FIELD(channel),
     .argument = "N",
     .low = 0,
     .high = 65535,
     .help = "channel of the output, or unit (0)"},
    {.name = "image",
     .kind = &CLI_TEXT,
     FIELD(image),
     .argument = "IMAGE",
     .help = "PNG or JPEG; SET:N, an image of a data set, from\n0; with --config also N, of its "
             "training set (0)"},
    {.name = "set",
     .letter = 's',
     .kind = &CLI_TEXTS,
     FIELD(set),
     .argument = "KEY=VALUE",
     .help = "change a key of the config, by dotted path"},
    {.name = NULL},
};

static const struct cli CLI = {
    .program = "cnnview",
    .purpose =
        "Look inside MODEL, written by cnntrain: its layers and tensors, or as pictures its\n"
        "filters and what it makes of an image; with --explain, at how a layer works; or, with\n"
        "--augment, at the images that a config trains on; or, with --curves, at the logs of runs.",
    .arguments = (const char *const[]){"MODEL", NULL},
    .options = OPTIONS,
    .epilogue = "IMAGE is a PNG or JPEG file, or TESTSET:N, the N-th image (from 0) of a set as\n"
                "cnneval takes it. The images on the sheet of --augment are those that training\n"
                "gets in these epochs.\n"
                "\n"
                "Exit codes: 0 success, 2 usage, 3 config, 4 data set, 5 model, 6 input/output,\n"
                "7 memory or a limit.\n"
                "\n"
                "Examples: cnnview --augment configs/lenet5-augmented.yaml -o sheet.png\n"
                "          cnnview runs/lenet5/model.bin --filters C1 -o filters.png\n"
                "          cnnview runs/lenet5/model.bin --activations data/mnist:0 -o maps.png\n"
                "          cnnview --verify runs/lenet5/checkpoint.bin\n"
                "          cnnview --curves runs/a/log.csv runs/b/log.csv -o curves.svg\n"
                "          cnnview --explain conv --config configs/digits.yaml --at 3,4\n",
};

/* ---- a model ---- */

static void append_tensor(struct text *out, const struct tensor_entry *tensor)
{
    const float *x = tensor->data;
    double sum = 0, squares = 0, least = 0, most = 0;
    char shape[96] = "";
    for (size_t i = 0; i < tensor->size; i++) {
        sum += (double)x[i];
        least = i == 0 || (double)x[i] < least ? (double)x[i] : least;
        most = i == 0 || (double)x[i] > most ? (double)x[i] : most;
    }
    const double n = (double)tensor->size, mean = sum / n;
    for (size_t i = 0; i < tensor->size; i++) {
        squares += ((double)x[i] - mean) * ((double)x[i] - mean);
    }
    for (int d = 0; d < tensor->rank; d++) {
        const size_t used = strlen(shape);
        snprintf(shape + used, sizeof shape - used, "%s%zu", d > 0 ? "x" : "", tensor->shape[d]);
    }
    text_append(out, "%-24s %14s %10.4f %10.4f %10.4f %10.4f\n", tensor->name, shape, mean,
                sqrt(squares / n), least, most);
}

static int view_model(const char *path)
{
    struct model model;
    struct error e = {.offset = -1};
    struct text text = {0};
    struct tensor_entry *tensors;
    if (model_load(&model, path, &e) != 0) {
        return cli_fail(&CLI, &e);
    }
    const int count = model_tensors(&model.graph, model.parameters, "", &model.arena, &tensors);
    summary_append_layers(&model.graph, &text);
    text_append(&text, "\n%-24s %14s %10s %10s %10s %10s\n", "tensor", "shape", "mean", "std",
                "least", "greatest");
    for (int i = 0; i < count; i++) {
        append_tensor(&text, &tensors[i]);
    }
    text_append(&text, "\n%d classes:", model.classes.count);
    for (int i = 0; i < model.classes.count && i < 20; i++) {
        char name[128];
        text_sanitize(name, sizeof name, model.classes.values[i], strlen(model.classes.values[i]));
        text_append(&text, "%s %s", i > 0 ? "," : "", name);
    }
    text_append(&text, "%s\n", model.classes.count > 20 ? ", ..." : "");
    facts_append(&model, &text);
    int code = 0;
    if (count < 0 || text.failed) {
        error_memory(&e, text.length);
        code = cli_fail(&CLI, &e);
    } else {
        fputs(text.data, stdout);
    }
    text_free(&text);
    model_free(&model);
    return code;
}

/* ---- augmentations ---- */

static int read_settings(const struct view_options *options, struct arena *arena,
                         struct settings *settings, struct error_list *errors)
{
    const struct yaml *root = yaml_read(arena, options->augment, errors);
    for (int i = 0; root != NULL && i < options->set.count; i++) {
        const struct yaml *changed = yaml_set(arena, root, options->set.values[i], errors);
        root = changed != NULL ? changed : root;
    }
    if (root == NULL || settings_decode(settings, root, "view", arena, errors) != 0 ||
        settings_check_training(settings, errors) != 0) {
        return -1;
    }
    if (settings->augment.count == 0 && errors->total == 0) {
        const struct yaml *list = yaml_get(root, "augment");
        return yaml_error(errors, list != NULL ? list : root, "there is nothing in 'augment'");
    }
    return errors->total > 0 ? -1 : 0;
}

static int view_augment(const struct view_options *options)
{
    static struct error_list errors; /* too large for a small stack */
    static struct trainer trainer = {.log = {.fd = -1}};
    struct arena arena = {0};
    struct settings settings;
    struct error e = {.offset = -1};
    const struct kernels *kernels = cli_kernels(&CLI);
    int code = 0;
    if (kernels == NULL) {
        return ERROR_USAGE;
    }
    if (read_settings(options, &arena, &settings, &errors) != 0 ||
        trainer_prepare(&trainer, &settings, &arena, kernels, 1, &errors) != 0) {
        code = cli_fail_all(&CLI, &errors);
    } else if (sheet_write(&trainer, options->output, options->rows, options->count, options->epoch,
                           &e) != 0) {
        code = cli_fail(&CLI, &e);
    }
    trainer_free(&trainer);
    arena_free(&arena);
    return code;
}

/* An option that goes only with another one and is there without it, and the like; or NULL. */
static const char *stray(const struct view_options *o)
{
    const int teaches = o->explain != NULL, augments = o->augment != NULL,
              inside = inside_is_asked(&o->inside);
    return o->verify && (o->curves || augments || teaches || inside || o->output)
               ? "--verify draws nothing: give it alone"
           : o->curves && (augments || teaches || inside) ? "--curves draws no model: give it alone"
           : augments && inside                           ? "--augment draws no model"
           : teaches && (augments || inside)              ? "--explain draws nothing: give it alone"
           : !augments && !o->config && o->set.count      ? "--set goes with --augment or --config"
           : !teaches && o->config                        ? "--config goes with --explain"
           : !teaches && o->at                            ? "--at goes with --explain"
           : !teaches && o->channel > 0                   ? "--channel goes with --explain"
           : !teaches && o->image                         ? "--image goes with --explain"
           : teaches && o->output   ? "--explain draws nothing: there is no --output"
           : augments && !o->output ? "--augment needs --output FILE"
                                    : NULL;
}

static int view_layer(const struct view_options *o, const char *model)
{
    const struct explain_options options = {.type = o->explain,
                                            .config = o->config,
                                            .model = model,
                                            .layer = o->inside.layer,
                                            .at = o->at,
                                            .image = o->image,
                                            .channel = o->channel,
                                            .set = &o->set,
                                            .everything = o->common.verbose,
                                            .threads = cli_threads(&CLI, &o->common)};
    return explain(&CLI, &options);
}

int main(int argc, char **argv)
{
    struct view_options options = {.count = 8, .epoch = 1, .rows = 20};
    struct cli_arguments arguments;
    int code = cli_parse(&CLI, argc, argv, &options, &arguments);
    if (code >= 0) {
        return code;
    }
    const char *fault = stray(&options);
    if (fault != NULL) {
        return cli_usage(&CLI, "%s", fault);
    }
    if (options.curves) {
        return cli_finish(&CLI, view_curves(&CLI, &arguments, options.output));
    }
    struct inside_options inside = options.inside;
    inside.layer = options.explain != NULL ? NULL : inside.layer; /* it has its own use of it */
    if (inside_check(&CLI, &inside, options.output) != 0) {
        return ERROR_USAGE;
    }
    if (options.augment == NULL && !inside_is_asked(&options.inside) && options.output != NULL) {
        return cli_usage(&CLI, "--output needs to be told what to draw: --filters, "
                               "--activations, --saliency, --maximize, "
                               "--top-patches, --embed, --augment, --curves");
    }
    if (options.explain != NULL) {
        code = view_layer(&options, options.config != NULL ? NULL : arguments.values[0]);
    } else if (options.verify) {
        code = view_verify(&CLI, arguments.values[0], &options.common);
    } else if (inside_is_asked(&options.inside)) {
        code = inside_run(&CLI, &options.inside, arguments.values[0], options.output,
                          cli_threads(&CLI, &options.common));
    } else if (options.augment != NULL) {
        code = view_augment(&options);
    } else {
        code = view_model(arguments.values[0]);
    }
    return cli_finish(&CLI, code);
}
