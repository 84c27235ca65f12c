/* verify.c: the strict reader says whether a file is good; when it is not, the survey of what is
 * left of it says the rest. Both hand over a struct safetensors, whole or in part, and what follows
 * is the same for both: the config inside, its network, the tensors that this needs. */
#include "train/verify.h"

#include "base/file.h"
#include "base/safetensors_survey.h"
#include "train/checkpoint.h"

#include <stdlib.h>
#include <string.h>

struct subject {
    const char *path;
    char shown[1100];                 /* the same, safe to print */
    struct safetensors_survey survey; /* count 0 for a good file */
    struct safetensors file;          /* of a bad one: survey.found */
    struct model model;
    struct position position; /* of a checkpoint */
    int checkpoint;
};

enum { MOST_PREFIXES = 3 + MOST_STATES };

/* `name` in the directory of `path`. */
static void beside(char *out, size_t size, const char *path, const char *name)
{
    const char *slash = strrchr(path, '/');
    snprintf(out, size, "%.*s%s", slash ? (int)(slash - path) + 1 : 0, path, name);
}

static const char *last_name(const char *path)
{
    const char *slash = strrchr(path, '/');
    return slash ? slash + 1 : path;
}

/* ---- tensors against the network ---- */

/* What the names of a checkpoint's tensors begin with; of a model's, with nothing. */
static int list_prefixes(const struct subject *s, char prefixes[MOST_PREFIXES][64])
{
    const struct train_settings *train = &s->model.settings.train;
    const struct optimizer_type *optimizer = (const void *)train->optimizer.type;
    int count = 1;
    prefixes[0][0] = '\0';
    for (int k = 0; s->checkpoint && k < optimizer->states; k++) {
        snprintf(prefixes[count++], 64, "optimizer.%s.", optimizer->state_names[k]);
    }
    if (s->checkpoint && (train->ema > 0 || train->swa_start > 0 || train->lookahead.every > 0)) {
        snprintf(prefixes[count++], 64, "average.");
    }
    if (s->checkpoint && s->position.stopping.best_epoch > 0) {
        snprintf(prefixes[count++], 64, "best.");
    }
    return count;
}

static int is_surveyed(const struct subject *s, const char *name)
{
    for (int i = 0; i < s->survey.count; i++) {
        if (strcmp(s->survey.tensors[i].name, name) == 0) {
            return 1;
        }
    }
    return 0;
}

/* What the network needs, under each prefix; `known` is as long as the file's list. */
static void check_wanted(const struct subject *s, const struct tensor_entry *wanted, int count,
                         const char *prefix, char *known, struct error_list *errors)
{
    for (int i = 0; i < count; i++) {
        char name[512], is[160], should[160];
        snprintf(name, sizeof name, "%s%s", prefix, wanted[i].name);
        const struct tensor_entry *found = safetensors_tensor(&s->file, name);
        if (!found) {
            if (!is_surveyed(s, name)) {
                error_set(error_next(errors), ERROR_MODEL, s->path, "tensor '%s' is missing", name);
            }
            continue;
        }
        known[found - s->file.tensors] = 1;
        if (found->rank != wanted[i].rank ||
            memcmp(found->shape, wanted[i].shape, (size_t)found->rank * sizeof found->shape[0]) !=
                0) {
            model_print_shape(is, sizeof is, found->rank, found->shape);
            model_print_shape(should, sizeof should, wanted[i].rank, wanted[i].shape);
            error_at_offset(error_next(errors), ERROR_MODEL, s->path, found->offset,
                            "tensor '%s' is %s, its config needs %s", name, is, should);
        }
    }
}

static void check_tensors(const struct subject *s, const struct tensor_entry *wanted, int count,
                          struct error_list *errors)
{
    char prefixes[MOST_PREFIXES][64];
    const int prefix_count = list_prefixes(s, prefixes);
    char *known = calloc((size_t)s->file.tensor_count + 1, 1);
    if (!known) {
        error_memory(error_next(errors), (size_t)s->file.tensor_count);
        return;
    }
    for (int p = 0; p < prefix_count; p++) {
        check_wanted(s, wanted, count, prefixes[p], known, errors);
    }
    for (int i = 0; i < s->file.tensor_count; i++) {
        if (!known[i]) {
            error_at_offset(error_next(errors), ERROR_MODEL, s->path, s->file.tensors[i].offset,
                            "tensor '%s' is none that its config needs", s->file.tensors[i].name);
        }
    }
    free(known);
}

static void check_network(struct subject *s, const struct graph *graph, struct error_list *errors)
{
    struct arena arena = {0};
    struct tensor_entry *wanted;
    const int count = model_tensors(graph, NULL, "", &arena, &wanted);
    if (count < 0) {
        error_memory(error_next(errors), (size_t)model_tensor_count(graph) * sizeof *wanted);
    } else {
        check_tensors(s, wanted, count, errors);
    }
    arena_free(&arena);
}

/* ---- a checkpoint ---- */

/* The network is a model's when that is of the same config: a checkpoint does not know the shape of
 * the images. */
static int check_by_model(struct subject *s, struct error_list *errors)
{
    char path[1100];
    struct model model;
    struct text config = {0};
    struct error e;
    int same = 0;
    beside(path, sizeof path, s->path, "model.bin");
    if (model_load(&model, path, &e) != 0) {
        return 0;
    }
    settings_emit(&model.settings, 0, &config);
    same = !config.failed && strcmp(config.data, safetensors_metadata(&s->file, "config")) == 0;
    if (same) {
        check_network(s, &model.graph, errors);
    }
    text_free(&config);
    model_free(&model);
    return same;
}

/* Without one the weights' own shapes are the measure of the states, the average and the best. */
static void check_by_weights(struct subject *s, struct error_list *errors)
{
    static const char *const others[] = {"optimizer.", "average.", "best."};
    struct tensor_entry *weights = calloc((size_t)s->file.tensor_count + 1, sizeof *weights);
    int count = 0;
    for (int i = 0; weights && i < s->file.tensor_count; i++) {
        int other = 0;
        for (int k = 0; k < 3; k++) {
            other |= strncmp(s->file.tensors[i].name, others[k], strlen(others[k])) == 0;
        }
        if (!other) {
            weights[count++] = s->file.tensors[i];
        }
    }
    if (weights) {
        check_tensors(s, weights, count, errors);
    } else {
        error_memory(error_next(errors), (size_t)s->file.tensor_count * sizeof *weights);
    }
    free(weights);
}

static void check_checkpoint(struct subject *s, struct error_list *errors)
{
    struct error e = {.offset = -1};
    if (checkpoint_position(&s->file, &s->position, &e) != 0) {
        *error_next(errors) = e;
        return;
    }
    if (!safetensors_metadata(&s->file, "config")) {
        error_set(error_next(errors), ERROR_MODEL, s->path, "metadata 'config' is missing");
        return;
    }
    const int before = errors->count;
    if (model_settings(&s->model, &s->file, errors) != 0) {
        for (int i = before; i < errors->count; i++) {
            errors->items[i].kind = ERROR_MODEL;
        }
        return;
    }
    if (!check_by_model(s, errors)) {
        check_by_weights(s, errors);
    }
    const struct optimizer_type *type = (const void *)s->model.settings.train.optimizer.type;
    if (s->survey.size == 0 && checkpoint_check_squares(&s->file, type, &e) != 0) {
        *error_next(errors) = e;
    }
}

/* Whether the log goes with it, which a resumed run needs. */
static void append_log(const struct subject *s, struct text *report)
{
    char path[1100];
    struct bytes log;
    struct error e;
    long long bytes = -1;
    const char *length = safetensors_metadata(&s->file, "log.bytes"),
               *crc = safetensors_metadata(&s->file, "log.crc32");
    if (!length || !crc || text_to_integer(length, strlen(length), &bytes) != 0 || bytes < 0) {
        return;
    }
    beside(path, sizeof path, s->path, "log.csv");
    if (file_read(&log, path, (size_t)1 << 30, ERROR_DATA, &e) != 0) {
        text_append(report, "log.csv beside it: %s; --resume needs it\n", e.message);
        return;
    }
    const int fits = log.size >= (size_t)bytes &&
                     file_crc32(0, log.data, (size_t)bytes) == (uint32_t)strtoul(crc, NULL, 16);
    text_append(report, "log.csv beside it: %s\n",
                fits ? "goes with it"
                     : "is not the one that this checkpoint knows; --resume will refuse it");
    bytes_free(&log);
}

/* ---- all of a file ---- */

static void read_in_part(struct subject *s, const struct error *strict, struct error_list *errors)
{
    static struct error_list more; /* too large for a small stack */
    more = (struct error_list){0};
    safetensors_survey(&s->survey, s->path, &more);
    int named = 0;
    for (int i = 0; i < more.count; i++) {
        named |= strict->offset >= 0 && more.items[i].offset == strict->offset;
        /* Where the length of the header is damaged, it stumbled over that. */
        named |= s->survey.data > 0 && more.items[i].offset == 0;
    }
    if (!named) {
        *error_next(errors) = *strict;
    }
    for (int i = 0; i < more.count; i++) {
        *error_next(errors) = more.items[i];
    }
    errors->total += more.total - more.count;
    s->file = s->survey.found; /* the survey owns it */
}

static int read_subject(struct subject *s, const char *path, struct error_list *errors)
{
    struct error e = {.offset = -1};
    char end[1024];
    *s = (struct subject){.path = path};
    text_end_of(end, sizeof end, path);
    text_sanitize(s->shown, sizeof s->shown, end, strlen(end));
    if (safetensors_read(&s->file, path, "cnntrain.format", &e) != 0) {
        if (e.kind != ERROR_MODEL) {
            *error_next(errors) = e;
            return -1;
        }
        read_in_part(s, &e, errors);
    }
    const char *kind = safetensors_metadata(&s->file, "kind");
    s->checkpoint = kind && strcmp(kind, "checkpoint") == 0;
    if (s->file.metadata_count == 0) {
        return errors->total > 0 ? -1 : 0;
    }
    if (s->checkpoint) {
        check_checkpoint(s, errors);
    } else if (model_describe(&s->model, &s->file, errors) == 0) {
        check_network(s, &s->model.graph, errors);
    }
    return errors->total > 0 ? -1 : 0;
}

static void free_subject(struct subject *s)
{
    model_free(&s->model);
    if (s->survey.size > 0) {
        safetensors_survey_free(&s->survey);
    } else {
        safetensors_free(&s->file);
    }
}

/* ---- the report ---- */

static void append_good(const struct subject *s, struct text *report)
{
    char values[32], bytes[32];
    size_t count = 0;
    const struct tensor_entry *last = NULL;
    for (int i = 0; i < s->file.tensor_count; i++) {
        last = &s->file.tensors[i];
        count += last->size;
    }
    text_from_count(values, count);
    text_from_count(bytes,
                    last ? (uint64_t)last->offset + last->size * sizeof(float) : (uint64_t)0);
    text_append(report,
                "%s: good: a %s of %s bytes; checked: header and its checksum, %d tensors (%s "
                "values, all finite) and their checksums, no hole, no overlap, ",
                s->shown, s->checkpoint ? "checkpoint" : "model", bytes, s->file.tensor_count,
                values);
    if (s->checkpoint) {
        text_append(report, "its config, its tensors against each other; epoch %lld, step %lld\n",
                    s->position.epoch, s->position.step);
        append_log(s, report);
    } else {
        text_append(report, "its config and network of %d layers against the tensors\n",
                    s->model.graph.count);
    }
}

static void append_row(struct text *report, const char *name, int rank, const size_t *shape,
                       const char *state, long long begin, long long end)
{
    char printed[160] = "[?]";
    if (rank >= 0) {
        model_print_shape(printed, sizeof printed, rank, shape);
    }
    text_append(report, "  %-32s %-20s %-10s", name, printed, state);
    if (begin >= 0) {
        text_append(report, " bytes %lld to %lld", begin, end - 1);
    }
    text_append(report, "\n");
}

static void append_tensors(const struct subject *s, struct text *report)
{
    for (int i = 0; i < s->survey.count; i++) {
        const struct surveyed_tensor *t = &s->survey.tensors[i];
        append_row(report, t->name, t->rank, t->shape, t->state, t->begin, t->end);
    }
    for (int i = 0; s->survey.size == 0 && i < s->file.tensor_count; i++) {
        const struct tensor_entry *t = &s->file.tensors[i];
        append_row(report, t->name, t->rank, t->shape, "intact", t->offset,
                   t->offset + (long long)(t->size * sizeof(float)));
    }
}

/* Whether the run's other file can take the place of this bad one. */
static void append_sibling(const struct subject *s, struct text *report)
{
    static struct error_list errors; /* too large for a small stack */
    char path[1100];
    struct subject other;
    const int to_checkpoint = strcmp(last_name(s->path), "checkpoint.bin") != 0 && !s->checkpoint;
    const char *name = to_checkpoint ? "checkpoint.bin" : "model.bin";
    errors = (struct error_list){0};
    beside(path, sizeof path, s->path, name);
    if (read_subject(&other, path, &errors) == 0 && other.checkpoint == to_checkpoint) {
        if (to_checkpoint) {
            text_append(report,
                        "%s beside it: good, epoch %lld, step %lld; 'cnntrain --resume' goes on "
                        "from it and writes the model again\n",
                        name, other.position.epoch, other.position.step);
            append_log(&other, report);
        } else {
            text_append(report,
                        "%s beside it: good, epoch %lld; it can be used, and a new run can begin "
                        "with its weights ('initialize: {from: %s}')\n",
                        name, other.model.epoch, other.shown);
        }
    } else if (errors.count > 0 && errors.items[0].kind == ERROR_IO) {
        text_append(report, "%s beside it: %s\n", name, errors.items[0].message);
    } else {
        text_append(report, "%s beside it: bad too\n", name);
    }
    free_subject(&other);
}

int verify_file(const char *path, int everything, struct text *report, struct error_list *errors)
{
    struct subject s;
    const int status = read_subject(&s, path, errors);
    if (status == 0) {
        append_good(&s, report);
        if (everything) {
            append_tensors(&s, report);
        }
    } else if (errors->items[0].kind == ERROR_MODEL) {
        text_append(report, "%s: bad: ", s.shown);
        if (s.survey.count > 0) {
            text_append(report, "%d of %d tensors are intact:\n", s.survey.intact, s.survey.count);
        } else if (s.survey.size > 0 || s.file.tensor_count == 0) {
            text_append(report, "no tensor of cnntrain's can be found in it\n");
        } else {
            text_append(report, "all %d tensors are intact:\n", s.file.tensor_count);
        }
        append_tensors(&s, report);
        append_sibling(&s, report);
    }
    free_subject(&s);
    return status;
}
