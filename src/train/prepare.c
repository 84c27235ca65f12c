/* prepare.c: from settings to a trainer that is ready for its first batch. */
#include "train/trainer.h"

#include "base/check.h"
#include "net/team.h"
#include "train/budget.h"
#include "train/parts.h"
#include "train/whiten.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { MOST_SHARDS = 16 };

static int load_data(struct trainer *t, int outline, struct error_list *errors)
{
    const struct settings *settings = &t->model.settings;
    const struct parts parts = {.train_set = &t->train_set,
                                .validation_set = &t->validation_set,
                                .train = &t->train,
                                .validation = &t->validation,
                                .outline = outline};
    TRY(parts_load(&parts, settings, t->threads, errors));
    if (strcmp(settings->data.over_sample, "balanced") == 0) {
        TRY_ONE(balance_open(&t->balance, &t->train, e));
    }
    t->epoch_samples = t->balance.count > 0 ? t->balance.count : t->train.count;
    return 0;
}

/* The name of class i when nobody gave it one: the training set's, or its number. */
static const char *name_of(struct trainer *t, int i)
{
    char number[16];
    snprintf(number, sizeof number, "%d", i);
    const char *name = t->train_set.names.count > 0 ? t->train_set.names.values[i] : number;
    return arena_strndup(&t->model.arena, name, strlen(name));
}

/* The names: the config's, the training set's, or 0, 1, ... for as many as it has. */
static int resolve_classes(struct trainer *t, struct error_list *errors)
{
    struct texts *classes = &t->model.settings.data.classes;
    if (classes->count == 0) {
        const int count = t->train_set.classes > 2 ? t->train_set.classes : 2;
        const char **names = arena_alloc(&t->model.arena, (size_t)count * sizeof *names);
        for (int i = 0; names && i < count; i++) {
            names[i] = name_of(t, i);
            if (!names[i]) {
                names = NULL;
            }
        }
        if (!names) {
            return error_memory(error_next(errors), (size_t)count * sizeof *names);
        }
        *classes = (struct texts){count, names};
    }
    t->model.classes = *classes;
    TRY_ONE(dataset_check_labels(&t->train_set, classes->count, ERROR_DATA, e));
    if (t->validation_set.count > 0) {
        TRY_ONE(dataset_check_labels(&t->validation_set, classes->count, ERROR_DATA, e));
        TRY_ONE(input_check(&t->model.input, &t->validation_set, ERROR_DATA, e));
    }
    return settings_weigh_classes(&t->model.settings, &t->train, classes->count, &t->model.arena,
                                  errors);
}

/* `input` as the network sees it is part of the resolved config. */
static int resolve_input(struct trainer *t, struct error_list *errors)
{
    struct data_settings *data = &t->model.settings.data;
    TRY_ONE(input_resolve(&t->model.input, &data->input, &data->normalize, &t->train, e));
    data->input.height.value = t->model.input.h;
    data->input.width.value = t->model.input.w;
    data->input.channels.value = t->model.input.c;
    return 0;
}

/* A batch's tiles and shards. A shard costs a gradient, which is written, sent to another core and
 * added: so each has two tiles where that leaves two shards, and there are no more of them than a
 * GiB holds, but two. */
static void cut_batch(struct trainer *t)
{
    const size_t batch = (size_t)t->model.settings.train.batch_size;
    t->batch_tiles = (int)((batch + LANES - 1) / LANES);
    t->shards = t->batch_tiles > 2 ? (t->batch_tiles + 1) / 2 : t->batch_tiles;
    t->shards = t->shards < MOST_SHARDS ? t->shards : MOST_SHARDS;
    while (t->shards > 2 &&
           (double)t->shards * (double)t->model.graph.summed * sizeof(float) > 1073741824.0) {
        t->shards /= 2;
    }
}

int trainer_teams(const struct trainer *t, int tiles, int shards)
{
    const struct graph *graph = &t->model.graph;
    if (tiles > MOST_TEAM_TILES || (t->threads > 1 && !team_pays(graph, t->threads))) {
        return 0;
    }
    return shards < t->threads || team_reads_less(graph, tiles);
}

/* Take `size` bytes from a block that is being laid out: first with base NULL to measure, then for
 * good. */
static void *take(char *base, size_t *used, size_t count, size_t size)
{
    void *at = base ? base + *used : NULL;
    *used += (count * size + 63) / 64 * 64;
    return at;
}

/* Whether each member of a team lays all tiles out for itself, rather than read what others lay out
 * step after step in the same lines: where that is quickly done. (In training each node that reads
 * the input runs, so that none hands on the place where it would stand.) */
static int enters_apart(const struct trainer *t)
{
    return team_reads_less(&t->model.graph, t->batch_tiles) && !t->augmenter.list &&
           dataset_is_held(&t->train_set);
}

/* Tiles in memory at a time: one a thread; where they meet, or all threads work on all of them, all
 * of a batch. */
static void count_blocks(struct trainer *t)
{
    const int all = t->plan.cut_count || trainer_teams(t, t->batch_tiles, t->shards);
    t->block_count = t->threads;
    if (all && t->batch_tiles > t->threads) {
        t->block_count = t->batch_tiles;
    }
    /* what passes between meetings: a worker's, but where all work on all tiles, a tile's */
    const int teams = trainer_teams(t, t->batch_tiles, t->shards);
    t->passing_count = teams ? t->block_count : t->threads;
    t->deferred_copies = teams ? t->threads : 1;
    t->entered_copies = teams && t->threads > 1 && enters_apart(t) ? t->threads : 0;
}

static size_t lay_out(struct trainer *t, char *base)
{
    const size_t n = t->model.graph.parameters;
    size_t used = 0;
    t->parameters = take(base, &used, n, sizeof(float));
    t->average = take(base, &used, average_size(t), sizeof(float));
    t->best = take(base, &used, trainer_judges(t) ? n : 0, sizeof(float));
    for (int k = 0; k < t->optimizer->states; k++) {
        t->states[k] = take(base, &used, n, sizeof(float));
    }
    const size_t before = t->model.graph.summed * (size_t)(t->shards - 1);
    t->shard_gradients = take(base, &used, before + t->model.graph.moved, sizeof(float));
    t->gradient = base ? t->shard_gradients + before : NULL;
    t->deferred.tiles = t->batch_tiles;
    t->deferred.floats = take(
        base, &used, t->model.graph.deferred * (size_t)t->batch_tiles * (size_t)t->deferred_copies,
        sizeof(float));
    t->blocks = take(base, &used, t->plan.kept * (size_t)t->block_count, sizeof(float));
    t->passing = take(base, &used, (t->plan.floats - t->plan.kept) * (size_t)t->passing_count,
                      sizeof(float));
    const size_t entered = shape_size(t->model.graph.input) * LANES * (size_t)t->batch_tiles;
    t->entered = take(base, &used, entered * (size_t)t->entered_copies, sizeof(float));
    t->entered = t->entered_copies ? t->entered : NULL;
    t->shared = take(base, &used, t->model.graph.shared, sizeof(float));
    t->tile_sums = take(base, &used, t->model.graph.sums * (size_t)t->batch_tiles, sizeof(double));
    t->tile_labels = take(base, &used, (size_t)t->batch_tiles, sizeof *t->tile_labels);
    t->update.squares = take(base, &used, update_squares(t), sizeof(double));
    const size_t augment = t->augmenter.list ? augmenter_scratch(&t->augmenter) : 0;
    t->augment_scratch = take(base, &used, augment * (size_t)t->threads, sizeof(float));
    t->tile_loss = take(base, &used, (size_t)t->batch_tiles, sizeof(double));
    t->tile_correct = take(base, &used, (size_t)t->batch_tiles, sizeof(int));
    t->teams = take(base, &used, (size_t)t->threads, sizeof *t->teams);
    t->order = take(base, &used, t->epoch_samples, sizeof(uint32_t));
    return used;
}

static int allocate(struct trainer *t, struct error_list *errors)
{
    const double estimate =
        ((double)t->model.graph.parameters * (t->optimizer->states + 4) +
         (double)t->model.graph.summed * (t->shards - 1) +
         (double)t->model.graph.deferred * t->batch_tiles * t->deferred_copies) *
            sizeof(float) +
        ((double)t->plan.kept * t->block_count +
         (double)(t->plan.floats - t->plan.kept) * t->passing_count) *
            sizeof(float);
    t->memory_bytes = estimate < 1e15 ? lay_out(t, NULL) : 0;
    TRY_ONE(budget_check(t, t->memory_bytes ? (double)t->memory_bytes : estimate, e));
    t->memory = t->memory_bytes ? block_allocate(t->memory_bytes) : NULL;
    if (!t->memory) {
        return error_memory(error_next(errors),
                            t->memory_bytes ? t->memory_bytes : (size_t)estimate);
    }
    memset(t->memory, 0, t->memory_bytes);
    lay_out(t, t->memory);
    t->model.parameters = t->parameters;
    graph_initialize(&t->model.graph, t->model.settings.seed, t->parameters);
    TRY_ONE(evaluator_open(&t->evaluator, &t->model.graph, &t->model.input,
                           &t->model.settings.train.loss, average_judged(t), t->kernels,
                           t->model.classes.count, t->threads, &t->model.arena, e));
    return 0;
}

static int check_batch_size(const struct trainer *t, struct error_list *errors)
{
    const struct settings *settings = &t->model.settings;
    const struct train_settings *train = &settings->train;
    const size_t batch = (size_t)train->batch_size,
                 batches = (t->epoch_samples + batch - 1) / batch;
    if (batch > t->epoch_samples) {
        return yaml_error(errors, settings_place(settings, "train", "batch_size", NULL),
                          "'batch_size' %zu is larger than the training set, which has %zu samples",
                          batch, t->epoch_samples);
    }
    if ((size_t)train->accumulate > batches) {
        return yaml_error(errors, settings_place(settings, "train", "accumulate", NULL),
                          "'accumulate' %lld is more than the %zu batches of an epoch",
                          train->accumulate, batches);
    }
    return 0;
}

/* A layer that couples the samples of a batch has something to couple in the smallest one. */
static int check_coupling(const struct trainer *t, struct error_list *errors)
{
    const size_t batch = (size_t)t->model.settings.train.batch_size, rest = t->train.count % batch,
                 least = rest ? rest : batch;
    int failed = 0;
    for (int i = 0; i < t->model.graph.count; i++) {
        const struct node *node = &t->model.graph.nodes[i];
        if (node->couples && least * (size_t)node->in.h * (size_t)node->in.w <
                                 (size_t)node->type->coupling->fewest) {
            failed = yaml_error(
                errors, node->where,
                "%s '%s' needs at least %d values of a channel, and would have %zu: its input is "
                "%dx%dx%d, and %s %zu image%s ('batch_size' is %zu, of %zu)",
                node->type->member.name, node->name, node->type->coupling->fewest,
                least * (size_t)node->in.h * (size_t)node->in.w, node->in.c, node->in.h, node->in.w,
                rest ? "the last batch of an epoch has" : "a batch has", least,
                least == 1 ? "" : "s", batch, t->train.count);
        }
    }
    return failed;
}

/* What only the data can tell, input and classes, and the network between them. */
static int build_network(struct trainer *t, struct error_list *errors)
{
    struct model *model = &t->model;
    TRY(resolve_input(t, errors));
    TRY(resolve_classes(t, errors));
    const struct shape input = {model->input.c, model->input.h, model->input.w};
    TRY(graph_build(&model->graph, &model->settings.network, input, &model->arena, errors));
    TRY(graph_check_classes(&model->graph, model->classes.count, errors));
    return whiten_check(&model->graph, errors);
}

static int prepare_augment(struct trainer *t, struct error_list *errors)
{
    const struct augmentations *list = &t->model.settings.augment;
    if (list->count > 0) {
        TRY_ONE(augmenter_open(&t->augmenter, list, &t->model.input, &t->train, t->kernels,
                               t->model.settings.seed, e));
    }
    return 0;
}

static int prepare(struct trainer *t, const struct settings *settings, struct arena *arena,
                   const struct kernels *kernels, int threads, int outline,
                   struct error_list *errors)
{
    *t = (struct trainer){.kernels = kernels, .threads = threads, .log = {.fd = -1}};
    t->model.settings = *settings;
    t->model.arena = *arena;
    *arena = (struct arena){0};
    t->loss = (const void *)settings->train.loss.type;
    t->optimizer = (const void *)settings->train.optimizer.type;
    TRY(load_data(t, outline, errors));
    const int bad_batch = check_batch_size(t, errors);
    TRY(build_network(t, errors));
    TRY(bad_batch);
    TRY(check_coupling(t, errors));
    TRY(prepare_augment(t, errors));
    TRY_ONE(plan_make(&t->plan, &t->model.graph, 1, &t->model.arena, e));
    cut_batch(t);
    count_blocks(t);
    TRY_ONE(update_prepare(t, e));
    TRY(allocate(t, errors));
    if (!outline) {
        TRY_ONE(whiten(t, e));
    }
    return 0;
}

int trainer_prepare(struct trainer *t, const struct settings *settings, struct arena *arena,
                    const struct kernels *kernels, int threads, struct error_list *errors)
{
    return prepare(t, settings, arena, kernels, threads, 0, errors);
}

int trainer_outline(struct trainer *t, const struct settings *settings, struct arena *arena,
                    const struct kernels *kernels, int threads, struct error_list *errors)
{
    return prepare(t, settings, arena, kernels, threads, 1, errors);
}

void trainer_free(struct trainer *t)
{
    log_close(&t->log);
    evaluator_close(&t->evaluator);
    free(t->memory);
    text_free(&t->taken);
    balance_close(&t->balance);
    subset_free(&t->train);
    subset_free(&t->validation);
    dataset_free(&t->train_set);
    dataset_free(&t->validation_set);
    t->model.parameters = NULL; /* was in memory */
    model_free(&t->model);
    *t = (struct trainer){.log = {.fd = -1}};
}
