/* evaluation.c: see evaluation.h. The page is a function of model and set alone. */
#include "report/evaluation.h"

#include "report/json.h"
#include "report/page.h"

#include <unistd.h>

int evaluation_open(struct output_dir *dir, const char *path, struct error *e)
{
    TRY(output_dir_open(dir, path, e));
    if (faccessat(dir->fd, "checkpoint.bin", F_OK, 0) == 0) {
        output_dir_close(dir);
        return error_set(e, ERROR_USAGE, path,
                         "holds a run and the report of its training; an evaluation needs a "
                         "directory of its own, such as %s/test",
                         path);
    }
    return 0;
}

int evaluation_write(const struct evaluation *evaluation, const struct output_dir *dir,
                     struct error *e)
{
    const struct model *model = evaluation->model;
    char path[1100];
    json_t *filters = json_filters(&model->graph, model->parameters, e);
    json_t *outcome = filters ? json_outcome(evaluation->outcome, &model->classes, e) : NULL;
    if (!outcome) {
        json_decref(filters);
        return -1;
    }
    json_t *data = json_pack(
        "{s:s, s:s, s:o, s:o, s:o, s:i, s:I, s:o, s:o, s:o, s:o}", "kind", "evaluation", "version",
        VERSION, "name", json_safe_text(model->settings.name), "model",
        json_safe_text(evaluation->model_path), "evaluated", json_safe_text(evaluation->set_path),
        "draws", evaluation->draws, "evaluation_epoch", (json_int_t)model->epoch, "network",
        json_network(&model->graph), "config", json_config(&model->settings, 0), "evaluation",
        outcome, "filters", filters);
    snprintf(path, sizeof path, "%s/report.html", dir->path);
    const struct file_target target = {dir->fd, "report.html", path, NULL};
    return page_write(&target, data, json_object(), e);
}
