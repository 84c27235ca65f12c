/* balance.c: random over-sampling (Batista, Prati, Monard 2004, "A study of the behavior of several
 * methods for balancing machine learning training data"), drawn anew for every epoch and as evenly
 * as can be: no sample of a class comes up twice more often than another. */
#include "data/balance.h"

#include "base/rng.h"

#include <stdlib.h>
#include <string.h>

static void count_classes(struct balance *b, const struct subset *subset)
{
    for (size_t i = 0; i < subset->count; i++) {
        b->start[subset->set->labels[subset->index[i]] + 2]++;
    }
    for (int k = 2; k <= b->classes + 1; k++) {
        const size_t count = b->start[k];
        b->most = count > b->most ? count : b->most;
        b->start[k] += b->start[k - 1];
    }
}

int balance_open(struct balance *b, const struct subset *subset, struct error *e)
{
    const struct dataset *set = subset->set;
    *b = (struct balance){.classes = set->classes, .set_count = set->count};
    b->order = malloc(subset->count * sizeof *b->order);
    b->start = calloc((size_t)set->classes + 2, sizeof *b->start);
    if (b->order == NULL || b->start == NULL) {
        balance_close(b);
        return error_memory(e, subset->count * sizeof *b->order);
    }
    count_classes(b, subset);
    size_t copies = 0;
    for (int k = 0; k < b->classes; k++) {
        const size_t n = b->start[k + 2] - b->start[k + 1];
        if (n > 0) {
            b->count += b->most;
            copies = b->most / n + 1 > copies ? b->most / n + 1 : copies;
        }
    }
    if ((double)copies * (double)set->count > 4294967295.0 || b->count > UINT32_MAX) {
        balance_close(b);
        return error_set(e, ERROR_LIMIT, set->path,
                         "the classes are too unequal to over-sample: %zu copies of an image",
                         copies);
    }
    for (size_t i = 0; i < subset->count; i++) {
        const uint32_t sample = subset->index[i];
        b->order[b->start[set->labels[sample] + 1]++] = sample;
    }
    return 0;
}

void balance_draw(const struct balance *b, uint64_t seed, uint32_t epoch, uint32_t *drawn)
{
    for (int k = 0; k < b->classes; k++) {
        const size_t n = b->start[k + 1] - b->start[k];
        if (n == 0) {
            continue;
        }
        memcpy(drawn, b->order + b->start[k], n * sizeof *drawn);
        rng_shuffle(drawn, n, seed, RNG_BALANCE, epoch * (uint32_t)b->classes + (uint32_t)k);
        for (size_t i = n; i < b->most; i++) {
            drawn[i] = drawn[i - n] + (uint32_t)b->set_count;
        }
        drawn += b->most;
    }
}

void balance_close(struct balance *b)
{
    free(b->order);
    free(b->start);
    *b = (struct balance){0};
}
