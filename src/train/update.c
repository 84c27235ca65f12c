/* update.c: the end of a step, one range of the parameters at a time: gradients of the shards
 * added, weights moved. */
#include "train/update.h"

void update_range(struct trainer *t, size_t first, int shards)
{
    const size_t all = t->model.graph.moved, /* what is fixed stands behind */
        n = all - first < UPDATE_RANGE ? all - first : UPDATE_RANGE;
    float gradient[UPDATE_RANGE] __attribute__((aligned(64)));
    float *states[MOST_STATES] = {NULL};
    for (int k = 0; k < t->optimizer->states; k++) {
        states[k] = t->states[k] + first;
    }
    const struct optimizer_options *options = t->model.settings.train.optimizer.options;
    t->kernels->reduce(n, t->shard_gradients + first, shards, all, gradient);
    t->optimizer->step(options, t->kernels, t->position.step + 1, options->lr, n,
                       t->parameters + first, gradient, states);
}
