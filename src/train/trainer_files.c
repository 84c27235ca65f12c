/* trainer_files.c: the files of a run: those that it begins with or goes on from, and its model. */
#include "train/trainer_files.h"

#include "base/retry.h"
#include "train/checkpoint.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

int trainer_keeps_best(const struct trainer *t)
{
    if (t->model.settings.train.swa_start > 0) {
        return 0;
    }
    const struct early_stopping *stopping = &t->model.settings.train.early_stopping;
    return stopping->monitor ? stopping->restore_best : t->validation.count > 0;
}

/* Whether these are the best epoch's, which has been. */
static int has_best(const struct trainer *t)
{
    return trainer_keeps_best(t) && t->position.stopping.best_epoch > 0;
}

const float *trainer_model(const struct trainer *t, long long *epoch)
{
    *epoch = has_best(t) ? t->position.stopping.best_epoch : t->position.epoch;
    return has_best(t) ? t->best : average_model(t);
}

int trainer_write_model(struct trainer *t, const struct output_dir *dir, struct error *e)
{
    struct model model = t->model;
    facts_find(&model.facts, t);
    average_settle(t);
    model.parameters = has_best(t) ? t->best : average_model(t);
    trainer_model(t, &model.epoch);
    model.step = has_best(t) ? model.epoch * trainer_steps(t) : t->position.step;
    char path[1100];
    TRY(output_dir_check(dir, e));
    snprintf(path, sizeof path, "%s/model.bin", dir->path);
    const struct file_target target = {dir->fd, "model.bin", path, t->committer};
    return model_write(&model, &target, e);
}

static int write_config(const struct trainer *t, const struct output_dir *dir, struct error *e)
{
    struct text config = {0};
    settings_emit(&t->model.settings, 1, &config);
    char path[1100];
    snprintf(path, sizeof path, "%s/config.yaml", dir->path);
    const struct file_target target = {dir->fd, "config.yaml", path, NULL};
    const struct chunk chunk = {config.data, config.length};
    const int status =
        config.failed ? error_memory(e, config.length) : file_replace(&target, &chunk, 1, e);
    text_free(&config);
    return status;
}

int trainer_tell_written(struct trainer *t, const struct output_dir *dir, int last, struct error *e)
{
    if (!t->watcher || !t->watcher->written) {
        return 0;
    }
    TRY(output_dir_check(dir, e));
    return t->watcher->written(t->watcher, t, dir, last, e);
}

/* The files of a new run take the places of those of the run that it replaces: better that they
 * cannot be found out before any is touched. */
static int check_places(const struct output_dir *dir, struct error *e)
{
    static const char *const NAMES[] = {"log.csv", "model.bin"};
    for (size_t i = 0; i < sizeof NAMES / sizeof *NAMES; i++) {
        char path[1100];
        struct stat status;
        snprintf(path, sizeof path, "%s/%s", dir->path, NAMES[i]);
        if (fstatat(dir->fd, NAMES[i], &status, AT_SYMLINK_NOFOLLOW) == 0 &&
            S_ISDIR(status.st_mode)) {
            errno = EISDIR;
            return error_errno(e, ERROR_IO, path, "cannot replace");
        }
    }
    return 0;
}

/* The model of the run that this one replaces. What cannot be taken away now cannot be replaced
 * after the first epoch either. */
static int remove_model(const struct output_dir *dir, struct error *e)
{
    if (RETRY(unlinkat(dir->fd, "model.bin", 0)) != 0 && errno != ENOENT) {
        char path[1100];
        snprintf(path, sizeof path, "%s/model.bin", dir->path);
        return error_errno(e, ERROR_IO, path, "cannot replace");
    }
    return 0;
}

/* The checkpoint comes first: from then on the run is this one and not the one that it replaces,
 * and --resume makes the rest, whenever the process dies. */
int trainer_start(struct trainer *t, const struct output_dir *dir, struct error *e)
{
    t->position = (struct position){0};
    average_start(t);
    TRY(check_places(dir, e));
    log_start(&t->log);
    TRY(checkpoint_write(t, dir, e));
    TRY(log_create(&t->log, dir->fd, dir->path, e));
    TRY(remove_model(dir, e));
    TRY(write_config(t, dir, e));
    return trainer_tell_written(t, dir, 0, e);
}

/* The epoch of the model that is there; -1 when there is none that can be read. */
static long long written_epoch(const struct output_dir *dir)
{
    struct safetensors file;
    struct error e;
    char path[1100];
    long long epoch = -1;
    snprintf(path, sizeof path, "%s/model.bin", dir->path);
    if (safetensors_read(&file, path, "cnntrain.format", &e) == 0) {
        const char *text = safetensors_metadata(&file, "epoch");
        if (!text || text_to_integer(text, strlen(text), &epoch) != 0) {
            epoch = -1;
        }
        safetensors_free(&file);
    }
    return epoch;
}

int trainer_resume(struct trainer *t, const struct output_dir *dir, struct error *e)
{
    TRY(checkpoint_resume(t, dir, e));
    if (t->position.step == 0 && !t->position.finished) {
        TRY(remove_model(dir, e));
    }
    /* It died between the checkpoint of its best epoch and the model of that. */
    if (has_best(t) && written_epoch(dir) < t->position.stopping.best_epoch) {
        TRY(trainer_write_model(t, dir, e));
    }
    return write_config(t, dir, e);
}
