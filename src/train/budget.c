/* budget.c: the memory of a run against what there is.
 *
 * Linux gives out more memory than it has, and ends the process that touches too much of it: hours
 * of work, without a word. So a run that would not fit is refused while nothing is lost. A fifth of
 * what is free is left for the page cache and for others; who knows better says train.memory. */
#include "train/budget.h"

#include "base/memory.h"

enum { NAMED = 3 };

static uint64_t as_bytes(double bytes) { return bytes < 1e19 ? (uint64_t)bytes : UINT64_MAX; }

/* What a layer's weights and its output take: of each weight the gradient in each shard, the
 * optimizer's states, averages; of the output a copy for each image at work, and its gradient; and
 * what it works with. */
static double bytes_of(const struct trainer *t, int i)
{
    const struct node *node = &t->model.graph.nodes[i];
    const struct place *place = &t->plan.places[i];
    const double copies = (node->defers ? 1 : t->shards) + t->optimizer->states + 1 +
                          (t->average != NULL) + (trainer_judges(t) ? 1 : 0),
                 images = (double)t->block_count * LANES * (place->learns ? 2 : 1);
    return sizeof(float) *
           ((double)node->count * copies + (double)node->needs.shared +
            (double)node->needs.scratch * t->block_count +
            (node->defers ? (double)deferred_size(node) * t->batch_tiles * t->deferred_copies : 0) +
            (place->runs ? (double)shape_size(node->out) * images : 0));
}

/* "conv1 12 GiB, dense1 1 GiB, dense2 1 MiB": the greatest first. */
static void name_largest(const struct trainer *t, struct text *out)
{
    int largest[NAMED], count = 0;
    char bytes[32];
    for (int i = 0; i < t->model.graph.count; i++) {
        int at = count < NAMED ? count++ : NAMED;
        for (; at > 0 && bytes_of(t, i) > bytes_of(t, largest[at - 1]); at--) {
            if (at < NAMED) {
                largest[at] = largest[at - 1];
            }
        }
        if (at < NAMED) {
            largest[at] = i;
        }
    }
    for (int k = 0; k < count; k++) {
        text_append(out, "%s%s %s", k > 0 ? ", " : "", t->model.graph.nodes[largest[k]].name,
                    text_from_bytes(bytes, as_bytes(bytes_of(t, largest[k]))));
    }
}

int budget_check(const struct trainer *t, double bytes, struct error *e)
{
    const uint64_t given = t->model.settings.train.memory, free_bytes = memory_available(),
                   most = given ? given : free_bytes / 5 * 4;
    char need[32], may[32];
    struct text largest = {0};
    if (most == 0 || bytes <= (double)most) {
        return 0;
    }
    name_largest(t, &largest);
    error_set(e, ERROR_LIMIT, NULL,
              "training needs %s for weights and layers' outputs, and may take %s (%s); the "
              "largest: %s",
              text_from_bytes(need, as_bytes(bytes)), text_from_bytes(may, most),
              given ? "train.memory" : "80% of what is free; train.memory sets another limit",
              largest.data ? largest.data : "");
    text_free(&largest);
    return -1;
}
