/* checkpoint.c: checkpoint.bin, out and in. */
#include "train/checkpoint.h"

#include "base/retry.h"
#include "train/compare.h"

#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

/* The metadata: one list serves writing and reading. Numbers in hexadecimal where every bit counts.
 */
enum entry {
    BATCH,
    BEST,
    BEST_EPOCH,
    FORMAT,
    CONFIG,
    CORRECT,
    TRAIN_CRC,
    VALIDATION_CRC,
    EPOCH,
    FINISHED,
    KIND,
    LEVEL,
    LOG_BYTES,
    LOG_CRC,
    LOSS_SUM,
    SCHEDULE_BEST,
    SCHEDULE_COOLDOWN,
    SCHEDULE_CUTS,
    SCHEDULE_EPOCHS,
    SCHEDULE_WAITED,
    SECONDS,
    STEP,
    WAITED,
    ENTRIES
};
static const char *const KEYS[ENTRIES] = {
    [BATCH] = "batch",
    [BEST] = "stopping.best",
    [BEST_EPOCH] = "stopping.best_epoch",
    [FORMAT] = "cnntrain.format",
    [CONFIG] = "config",
    [CORRECT] = "correct",
    [TRAIN_CRC] = "data.train",
    [VALIDATION_CRC] = "data.validation",
    [EPOCH] = "epoch",
    [FINISHED] = "finished",
    [KIND] = "kind",
    [LEVEL] = "arithmetic",
    [LOG_BYTES] = "log.bytes",
    [LOG_CRC] = "log.crc32",
    [LOSS_SUM] = "loss_sum",
    [SCHEDULE_BEST] = "schedule.best",
    [SCHEDULE_COOLDOWN] = "schedule.cooldown",
    [SCHEDULE_CUTS] = "schedule.cuts",
    [SCHEDULE_EPOCHS] = "schedule.epochs",
    [SCHEDULE_WAITED] = "schedule.waited",
    [SECONDS] = "seconds",
    [STEP] = "step",
    [WAITED] = "stopping.waited",
};

struct metadata {
    char value[ENTRIES][64];
    struct text config;
    struct metadata_entry entries[ENTRIES];
};

/* How products are rounded: levels that agree here agree to the bit. */
static const char *arithmetic(const struct kernels *kernels)
{
    return kernels->fused ? "fused" : "generic";
}

static void describe_set(char *out, size_t size, const struct dataset *set)
{
    snprintf(out, size, "%zu images, CRC-32 %08" PRIx32, set->count, set->crc32);
}

static void fill_metadata(const struct trainer *t, struct metadata *m)
{
    const struct position *p = &t->position;
    const size_t size = sizeof m->value[0];
    *m = (struct metadata){.config = {0}};
    snprintf(m->value[BATCH], size, "%lld", p->batch);
    snprintf(m->value[BEST], size, "%a", p->stopping.best);
    snprintf(m->value[BEST_EPOCH], size, "%lld", p->stopping.best_epoch);
    snprintf(m->value[FORMAT], size, "1");
    snprintf(m->value[CORRECT], size, "%lld", p->correct);
    describe_set(m->value[TRAIN_CRC], size, &t->train_set);
    describe_set(m->value[VALIDATION_CRC], size, &t->validation_set);
    snprintf(m->value[EPOCH], size, "%lld", p->epoch);
    snprintf(m->value[FINISHED], size, "%d", p->finished);
    snprintf(m->value[KIND], size, "checkpoint");
    snprintf(m->value[LEVEL], size, "%s", arithmetic(t->kernels));
    snprintf(m->value[LOG_BYTES], size, "%lld", t->log.bytes);
    snprintf(m->value[LOG_CRC], size, "%08" PRIx32, t->log.crc32);
    snprintf(m->value[LOSS_SUM], size, "%a", p->loss_sum);
    snprintf(m->value[SCHEDULE_BEST], size, "%a", p->schedule.best);
    snprintf(m->value[SCHEDULE_COOLDOWN], size, "%lld", p->schedule.cooldown);
    snprintf(m->value[SCHEDULE_CUTS], size, "%lld", p->schedule.cuts);
    snprintf(m->value[SCHEDULE_EPOCHS], size, "%lld", p->schedule.epochs);
    snprintf(m->value[SCHEDULE_WAITED], size, "%lld", p->schedule.waited);
    snprintf(m->value[SECONDS], size, "%a", p->seconds);
    snprintf(m->value[STEP], size, "%lld", p->step);
    snprintf(m->value[WAITED], size, "%lld", p->stopping.waited);
    settings_emit(&t->model.settings, 0, &m->config);
    for (int i = 0; i < ENTRIES; i++) {
        m->entries[i] =
            (struct metadata_entry){KEYS[i], i == CONFIG ? m->config.data : m->value[i]};
    }
}

static void path_of(const struct output_dir *dir, char *path, size_t size)
{
    snprintf(path, size, "%s/checkpoint.bin", dir->path);
}

/* The flat vectors of a checkpoint: the weights, the optimizer's states, and where there are such,
 * the average and the best weights. */
struct vector {
    char prefix[64]; /* of its tensors' names */
    float *flat;
};
enum { MOST_VECTORS = 3 + MOST_STATES };

static int list_vectors(const struct trainer *t, struct vector vectors[MOST_VECTORS])
{
    int count = 0;
    vectors[count++] = (struct vector){"", t->parameters};
    for (int k = 0; k < t->optimizer->states; k++) {
        struct vector *vector = &vectors[count++];
        snprintf(vector->prefix, sizeof vector->prefix, "optimizer.%s.",
                 t->optimizer->state_names[k]);
        vector->flat = t->states[k];
    }
    if (average_size(t) > 0) {
        vectors[count++] = (struct vector){"average.", t->average};
    }
    if (t->position.stopping.best_epoch > 0) {
        vectors[count++] = (struct vector){"best.", t->best};
    }
    return count;
}

/* All tensors of a checkpoint, one flat vector after the other. Returns how many, or -1 without
 * memory. */
static int gather(const struct trainer *t, struct arena *arena, struct tensor_entry **all)
{
    struct vector vectors[MOST_VECTORS];
    const struct graph *graph = &t->model.graph;
    const int each = model_tensor_count(graph), vector_count = list_vectors(t, vectors);
    *all = arena_alloc(arena, (size_t)each * (size_t)vector_count * sizeof **all);
    for (int v = 0; *all && v < vector_count; v++) {
        struct tensor_entry *tensors;
        if (model_tensors(graph, vectors[v].flat, vectors[v].prefix, arena, &tensors) < 0) {
            return -1;
        }
        memcpy(*all + (size_t)v * (size_t)each, tensors, (size_t)each * sizeof *tensors);
    }
    return *all ? vector_count * each : -1;
}

int checkpoint_write(const struct trainer *t, const struct output_dir *dir, struct error *e)
{
    struct arena arena = {0};
    struct metadata metadata;
    struct tensor_entry *tensors;
    char path[1100];
    int status = -1;
    TRY(output_dir_check(dir, e));
    path_of(dir, path, sizeof path);
    fill_metadata(t, &metadata);
    const int count = gather(t, &arena, &tensors);
    if (count < 0 || metadata.config.failed) {
        error_memory(e, metadata.config.length);
    } else {
        const struct file_target target = {dir->fd, "checkpoint.bin", path, t->committer};
        status = safetensors_write(&target, metadata.entries, ENTRIES, tensors, count, e);
    }
    text_free(&metadata.config);
    arena_free(&arena);
    return status;
}

/* ---- reading ---- */

static int read_counter(const struct safetensors *file, enum entry key, long long *value,
                        struct error *e)
{
    const char *text = safetensors_metadata(file, KEYS[key]);
    if (!text || text_to_integer(text, strlen(text), value) != 0 || *value < 0) {
        return error_set(e, ERROR_MODEL, file->path, "metadata '%s' is not a whole number",
                         KEYS[key]);
    }
    return 0;
}

static int read_real(const struct safetensors *file, enum entry key, double *value, struct error *e)
{
    const char *text = safetensors_metadata(file, KEYS[key]);
    char *end = NULL;
    *value = text ? strtod(text, &end) : 0;
    if (!text || end == text || *end || *value - *value != 0) {
        return error_set(e, ERROR_MODEL, file->path, "metadata '%s' is not a finite number",
                         KEYS[key]);
    }
    return 0;
}

int checkpoint_position(const struct safetensors *file, struct position *p, struct error *e)
{
    long long finished;
    TRY(read_counter(file, EPOCH, &p->epoch, e));
    TRY(read_counter(file, STEP, &p->step, e));
    TRY(read_counter(file, BATCH, &p->batch, e));
    TRY(read_counter(file, CORRECT, &p->correct, e));
    TRY(read_counter(file, BEST_EPOCH, &p->stopping.best_epoch, e));
    TRY(read_counter(file, WAITED, &p->stopping.waited, e));
    TRY(read_counter(file, FINISHED, &finished, e));
    p->finished = finished != 0;
    TRY(read_counter(file, SCHEDULE_COOLDOWN, &p->schedule.cooldown, e));
    TRY(read_counter(file, SCHEDULE_CUTS, &p->schedule.cuts, e));
    TRY(read_counter(file, SCHEDULE_EPOCHS, &p->schedule.epochs, e));
    TRY(read_counter(file, SCHEDULE_WAITED, &p->schedule.waited, e));
    TRY(read_real(file, SCHEDULE_BEST, &p->schedule.best, e));
    TRY(read_real(file, LOSS_SUM, &p->loss_sum, e));
    TRY(read_real(file, SECONDS, &p->seconds, e));
    return read_real(file, BEST, &p->stopping.best, e);
}

/* The counters must fit each other and this run. */
static int check_position(const struct trainer *t, const struct safetensors *file,
                          const struct position *p, struct error *e)
{
    const long long batches = trainer_steps(t);
    if (p->batch >= batches || p->epoch > 1000000 || p->step != p->epoch * batches + p->batch ||
        p->stopping.best_epoch > p->epoch || p->stopping.waited > p->epoch ||
        p->schedule.epochs > p->epoch || p->schedule.waited > p->epoch ||
        p->schedule.cuts > p->epoch) {
        return error_set(e, ERROR_MODEL, file->path,
                         "its counters do not fit: epoch %lld, batch %lld of %lld, step %lld",
                         p->epoch, p->batch, batches, p->step);
    }
    const long long epochs = t->model.settings.train.epochs;
    if (p->epoch > epochs || (p->epoch == epochs && p->batch > 0)) {
        return error_set(e, ERROR_MODEL, file->path,
                         "the checkpoint is already at epoch %lld; train.epochs is %lld", p->epoch,
                         epochs);
    }
    return 0;
}

static int check_data(const struct safetensors *file, enum entry key, const struct dataset *set,
                      struct error *e)
{
    char now[64];
    const char *then = safetensors_metadata(file, KEYS[key]);
    describe_set(now, sizeof now, set);
    if (!then || strcmp(then, now) != 0) {
        return error_set(e, ERROR_MODEL, file->path,
                         "the data changed since the checkpoint: %s was %s, now it is %s",
                         key == TRAIN_CRC ? "the training set" : "the validation set",
                         then ? then : "not named", now);
    }
    return 0;
}

static int check_squares(const struct safetensors *file, const char *prefix, struct error *e)
{
    for (int i = 0; i < file->tensor_count; i++) {
        const struct tensor_entry *t = &file->tensors[i];
        for (size_t k = 0; strncmp(t->name, prefix, strlen(prefix)) == 0 && k < t->size; k++) {
            if (t->data[k] < 0) {
                return error_at_offset(
                    e, ERROR_MODEL, file->path, t->offset + (long long)(k * sizeof *t->data),
                    "value %zu of '%s' is negative, a mean of squares", k, t->name);
            }
        }
    }
    return 0;
}

int checkpoint_check_squares(const struct safetensors *file, const struct optimizer_type *optimizer,
                             struct error *e)
{
    for (int k = 0; k < optimizer->states; k++) {
        char prefix[64];
        snprintf(prefix, sizeof prefix, "optimizer.%s.", optimizer->state_names[k]);
        TRY(optimizer->squares >> k & 1 ? check_squares(file, prefix, e) : 0);
    }
    return 0;
}

static int read_vectors(struct trainer *t, const struct safetensors *file, struct error *e)
{
    struct vector vectors[MOST_VECTORS];
    const struct graph *graph = &t->model.graph;
    const int vector_count = list_vectors(t, vectors),
              tensors = vector_count * model_tensor_count(graph);
    if (file->tensor_count != tensors) {
        return error_set(e, ERROR_MODEL, file->path, "%d tensors, this run needs %d",
                         file->tensor_count, tensors);
    }
    for (int v = 0; v < vector_count; v++) {
        TRY(model_read_tensors(graph, file, vectors[v].prefix, vectors[v].flat, e));
    }
    return checkpoint_check_squares(file, t->optimizer, e);
}

/* What the user can do about it. */
static int advise(struct error *e, const char *note)
{
    snprintf(e->note, sizeof e->note, "%s", note);
    return -1;
}

static int resume_from(struct trainer *t, const struct safetensors *file,
                       const struct output_dir *dir, struct error *e)
{
    const char *kind = safetensors_metadata(file, KEYS[KIND]),
               *config = safetensors_metadata(file, KEYS[CONFIG]);
    const char *level = safetensors_metadata(file, KEYS[LEVEL]),
               *crc = safetensors_metadata(file, KEYS[LOG_CRC]);
    if (!kind || strcmp(kind, "checkpoint") != 0 || !config || !level || !crc) {
        return error_set(e, ERROR_MODEL, file->path, "is not a checkpoint");
    }
    TRY(compare_settings(&t->model.settings, config, file->path, e));
    TRY(check_data(file, TRAIN_CRC, &t->train_set, e));
    TRY(check_data(file, VALIDATION_CRC, &t->validation_set, e));
    if (strcmp(level, arithmetic(t->kernels)) != 0) {
        return error_set(e, ERROR_MODEL, file->path,
                         "was made with %s arithmetic, this is %s: the bytes would differ "
                         "(CNNTRAIN_CPU chooses)",
                         level, arithmetic(t->kernels));
    }
    struct position position = {0};
    long long log_bytes;
    TRY(checkpoint_position(file, &position, e));
    TRY(read_counter(file, LOG_BYTES, &log_bytes, e));
    TRY(check_position(t, file, &position, e));
    t->position = position;
    TRY(read_vectors(t, file, e));
    if (log_resume(&t->log, dir->fd, dir->path, log_bytes, (uint32_t)strtoul(crc, NULL, 16), e) !=
        0) {
        return advise(e, "a resumed run goes on with this log; --fresh begins the run anew");
    }
    return 0;
}

int checkpoint_resume(struct trainer *t, const struct output_dir *dir, struct error *e)
{
    struct safetensors file;
    char path[1100];
    path_of(dir, path, sizeof path);
    enum checkpoint_state state;
    TRY(checkpoint_state(&state, dir, e));
    if (state == CHECKPOINT_NONE) {
        return error_set(e, ERROR_MODEL, dir->path, "there is no checkpoint to resume from");
    }
    if (safetensors_read(&file, path, "cnntrain.format", e) != 0) {
        return advise(e, "'cnnview --verify' says what of it is good; --fresh begins the run anew");
    }
    const int status = resume_from(t, &file, dir, e);
    safetensors_free(&file);
    return status;
}

int checkpoint_state(enum checkpoint_state *state, const struct output_dir *dir, struct error *e)
{
    struct safetensors file;
    struct stat status;
    char path[1100];
    path_of(dir, path, sizeof path);
    *state = CHECKPOINT_NONE;
    if (RETRY(fstatat(dir->fd, "checkpoint.bin", &status, AT_SYMLINK_NOFOLLOW)) != 0) {
        return errno == ENOENT ? 0 : error_errno(e, ERROR_IO, path, "cannot read");
    }
    *state = CHECKPOINT_UNFINISHED;
    if (!S_ISREG(status.st_mode)) {
        return 0;
    }
    if (safetensors_read(&file, path, "cnntrain.format", e) != 0) {
        return e->kind == ERROR_IO || error_is_memory(e) ? -1 : 0;
    }
    const char *finished = safetensors_metadata(&file, KEYS[FINISHED]);
    if (finished && strcmp(finished, "1") == 0) {
        *state = CHECKPOINT_FINISHED;
    }
    safetensors_free(&file);
    return 0;
}
