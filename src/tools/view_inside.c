/* view_inside.c: see view_inside.h. A job is a row: the option that asks for it, and what it
 * takes. */
#include "tools/view_inside.h"

#include "view/view.h"

#include <string.h>

struct job {
    const char *option;
    size_t field; /* where its argument is; not NULL: it is asked for */
    int (*run)(const struct view *view, const struct inside_options *options, struct error *e);
};

/* An option that goes with one job only. */
struct companion {
    const char *option, *job;
    size_t field;
};

static int run_filters(const struct view *view, const struct inside_options *options,
                       struct error *e)
{
    return view_filters(view, options->filters, e);
}

static int run_activations(const struct view *view, const struct inside_options *options,
                           struct error *e)
{
    return view_activations(view, options->activations, options->layer, e);
}

static int run_saliency(const struct view *view, const struct inside_options *options,
                        struct error *e)
{
    return view_saliency(view, options->saliency,
                         options->method != NULL ? options->method : "gradient", options->class, e);
}

static int run_maximize(const struct view *view, const struct inside_options *options,
                        struct error *e)
{
    return view_maximize(view, options->maximize, options->steps > 0 ? options->steps : 256, e);
}

static int run_top_patches(const struct view *view, const struct inside_options *options,
                           struct error *e)
{
    return view_top_patches(view, options->top_patches, options->data, e);
}

static int run_embed(const struct view *view, const struct inside_options *options, struct error *e)
{
    return view_embed(view, options->embed, e);
}

#define FIELD(name) offsetof(struct inside_options, name)
static const struct job JOBS[] = {
    {"filters", FIELD(filters), run_filters},
    {"activations", FIELD(activations), run_activations},
    {"saliency", FIELD(saliency), run_saliency},
    {"maximize", FIELD(maximize), run_maximize},
    {"top-patches", FIELD(top_patches), run_top_patches},
    {"embed", FIELD(embed), run_embed},
    {NULL, 0, NULL},
};
static const struct companion COMPANIONS[] = {
    {"layer", "activations", FIELD(layer)},
    {"method", "saliency", FIELD(method)},
    {"class", "saliency", FIELD(class)},
    {"data", "top-patches", FIELD(data)},
    {NULL, NULL, 0},
};

static const char *text_at(const struct inside_options *options, size_t field)
{
    return *(const char *const *)(const void *)((const char *)options + field);
}

static const struct job *job_of(const struct inside_options *options)
{
    for (const struct job *job = JOBS; job->option != NULL; job++) {
        if (text_at(options, job->field) != NULL) {
            return job;
        }
    }
    return NULL;
}

int inside_is_asked(const struct inside_options *options) { return job_of(options) != NULL; }

int inside_check(const struct cli *cli, const struct inside_options *options, const char *output)
{
    const struct job *job = job_of(options);
    for (const struct companion *c = COMPANIONS; c->option != NULL; c++) {
        if (text_at(options, c->field) != NULL &&
            (job == NULL || strcmp(job->option, c->job) != 0)) {
            return cli_usage(cli, "--%s goes with --%s", c->option, c->job);
        }
    }
    if (options->steps > 0 && options->maximize == NULL) {
        return cli_usage(cli, "--steps goes with --maximize");
    }
    for (const struct job *other = job; job != NULL && other->option != NULL; other++) {
        if (other != job && text_at(options, other->field) != NULL) {
            return cli_usage(cli, "--%s and --%s cannot be combined", job->option, other->option);
        }
    }
    if (options->top_patches != NULL && options->data == NULL) {
        return cli_usage(cli, "--top-patches needs --data TESTSET");
    }
    if (job != NULL && output == NULL) {
        return cli_usage(cli, "--%s needs --output FILE", job->option);
    }
    return 0;
}

int inside_run(const struct cli *cli, const struct inside_options *options, const char *path,
               const char *output, int threads)
{
    static struct error_list warnings; /* too large for a small stack */
    struct model model;
    struct text report = {0};
    struct error e = {.offset = -1};
    const struct kernels *kernels = cli_kernels(cli);
    if (kernels == NULL) {
        return ERROR_USAGE;
    }
    if (model_load(&model, path, &e) != 0) {
        return cli_fail(cli, &e);
    }
    const struct view view = {.model = &model,
                              .kernels = kernels,
                              .threads = threads,
                              .output = output,
                              .report = &report,
                              .warnings = &warnings};
    int code = job_of(options)->run(&view, options, &e) == 0 ? 0 : cli_fail(cli, &e);
    cli_warn_all(cli, &warnings);
    if (report.failed) {
        error_memory(&e, report.length);
        code = cli_fail(cli, &e);
    } else if (code == 0 && report.data != NULL) {
        fputs(report.data, stdout);
    }
    text_free(&report);
    model_free(&model);
    return code;
}
