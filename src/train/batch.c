/* batch.c: one step: the shards of a batch forward and backward, then the update, range by
 * range. */
#include "train/trainer.h"

#include "base/rng.h"

#include <math.h>
#include <omp.h>
#include <string.h>

/* The samples of tile `tile` of a batch, and what the network's layers are told of it. */
static int begin_tile(const struct trainer *t, const uint32_t *index, size_t n, int tile,
                      float *block, struct labels *labels, struct run *run)
{
    const size_t first = (size_t)tile * LANES, rest = n - first;
    const int live = (int)(rest < LANES ? rest : LANES);
    if (rest > LANES) {
        input_prefetch(t->train.set, index + first + LANES,
                       (int)(rest - LANES < LANES ? rest - LANES : LANES));
    }
    input_tile(&t->model.input, t->train.set, index + first, live, block + t->plan.input, labels,
               t->kernels);
    *run = (struct run){
        .kernels = t->kernels,
        .training = 1,
        .seed = t->model.settings.seed,
        .epoch = (uint32_t)t->position.epoch,
        .parameters = t->parameters,
    };
    for (int lane = 0; lane < LANES; lane++) {
        run->samples[lane] = index[first + (size_t)(lane < live ? lane : 0)];
    }
    return live;
}

static void train_tile(struct trainer *t, const uint32_t *index, size_t n, int tile, float *block,
                       float *gradients, int add)
{
    struct run run;
    struct labels labels;
    float loss[LANES] __attribute__((aligned(64)));
    const int live = begin_tile(t, index, n, tile, block, &labels, &run);
    run.gradients = gradients;
    run.add = add;
    net_forward(&t->model.graph, &t->plan, &run, block);
    const float *z = block + t->plan.logits;
    t->tile_correct[tile] = tile_correct(z, t->model.classes.count, labels.first, live);
    t->loss->evaluate(t->model.settings.train.loss.options, t->kernels, t->model.classes.count, z,
                      &labels, (float)(1.0 / t->batch_weight), loss, block + t->plan.dlogits);
    double sum = 0;
    for (int lane = 0; lane < live; lane++) {
        sum += (double)loss[lane];
    }
    t->tile_loss[tile] = sum;
    net_backward(&t->model.graph, &t->plan, &run, block);
}

/* Say where the first number that is not finite comes from. */
static int not_finite(struct trainer *t, const uint32_t *index, size_t n, int tiles,
                      struct error *e)
{
    for (int tile = 0; tile < tiles; tile++) {
        struct run run;
        struct labels labels;
        int parameter;
        begin_tile(t, index, n, tile, t->blocks, &labels, &run);
        const struct node *node =
            net_find_not_finite(&t->model.graph, &t->plan, &run, t->blocks, &parameter);
        if (node) {
            return error_set(
                e, ERROR_NUMERIC, "",
                "the loss is not finite in epoch %lld, step %lld: first the %s of %s '%s'; a lower "
                "learning rate may help",
                t->position.epoch + 1, t->position.step + 1, parameter ? "weights" : "output",
                node->type->member.name, node->name);
        }
    }
    return error_set(e, ERROR_NUMERIC, "",
                     "the loss is not finite in epoch %lld, step %lld, though every layer's output "
                     "is; a lower learning rate may help",
                     t->position.epoch + 1, t->position.step + 1);
}

/* The samples of a batch, or the sum of the class weights of their labels. */
static double weigh_batch(const struct trainer *t, const uint32_t *index, size_t n)
{
    const struct loss_options *options = t->model.settings.train.loss.options;
    double sum = 0;
    for (size_t i = 0; options->terms.weights && i < n; i++) {
        sum += (double)options->terms.weights[t->train.set->labels[index[i]]];
    }
    return options->terms.weights ? sum : (double)n;
}

int trainer_batch(struct trainer *t, size_t first, size_t n, struct error *e)
{
    const uint32_t *index = t->order + first;
    t->batch_weight = weigh_batch(t, index, n);
    const size_t parameters = t->model.graph.moved;
    const int tiles = (int)((n + LANES - 1) / LANES),
              shards = tiles < t->shards ? tiles : t->shards;
    double batch_loss = 0;
    update_begin(t);
#pragma omp parallel num_threads(t->threads)
    {
        float *block = t->blocks + (size_t)omp_get_thread_num() * t->plan.floats;
#pragma omp for schedule(dynamic, 1)
        for (int s = 0; s < shards; s++) {
            float *gradients = t->shard_gradients + (size_t)s * parameters;
            const int begin = (int)((long long)tiles * s / shards);
            const int end = (int)((long long)tiles * (s + 1) / shards);
            for (int tile = begin; tile < end; tile++) {
                train_tile(t, index, n, tile, block, gradients, tile > begin);
            }
        }
        /* every thread adds the losses up for itself: cheaper than waiting for one that does */
        double loss = 0;
        for (int tile = 0; tile < tiles; tile++) {
            loss += t->tile_loss[tile];
        }
        if (isfinite(loss)) {
            update_step(t, shards);
        }
#pragma omp master
        batch_loss = loss;
    }
    TRY(dataset_failed(t->train.set, e));
    if (!isfinite(batch_loss)) {
        return not_finite(t, index, n, tiles, e);
    }
    t->position.loss_sum += batch_loss * ((double)n / t->batch_weight);
    for (int tile = 0; tile < tiles; tile++) {
        t->position.correct += t->tile_correct[tile];
    }
    t->position.step++;
    t->position.batch++;
    return 0;
}

void trainer_shuffle(struct trainer *t)
{
    memcpy(t->order, t->train.index, t->train.count * sizeof *t->order);
    rng_shuffle(t->order, t->train.count, t->model.settings.seed, RNG_SHUFFLE,
                (uint32_t)t->position.epoch);
}
