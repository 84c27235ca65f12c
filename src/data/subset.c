/* subset.c: selections of a set's samples; the stratified split into training and validation. */
#include "data/dataset.h"

#include "base/rng.h"

#include <assert.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

int subset_all(struct subset *subset, const struct dataset *set, struct error *e)
{
    *subset = (struct subset){.set = set, .count = set->count};
    subset->index = malloc(set->count * sizeof *subset->index);
    if (subset->index == NULL) {
        return error_memory(e, set->count * sizeof *subset->index);
    }
    for (size_t i = 0; i < set->count; i++) {
        subset->index[i] = (uint32_t)i;
    }
    return 0;
}

void subset_free(struct subset *subset)
{
    free(subset->index);
    *subset = (struct subset){0};
}

/* The samples ordered by class, each class in the set's order: class k begins at order[start[k]].
 */
static void sort_by_class(const struct dataset *set, uint32_t *order, size_t *start)
{
    memset(start, 0, ((size_t)set->classes + 2) * sizeof *start);
    for (size_t i = 0; i < set->count; i++) {
        start[set->labels[i] + 2]++;
    }
    for (int k = 2; k <= set->classes + 1; k++) {
        start[k] += start[k - 1];
    }
    /* Here class k begins at start[k + 1]; filling moves that to its end, where class k + 1 begins.
     */
    for (size_t i = 0; i < set->count; i++) {
        order[start[set->labels[i] + 1]++] = (uint32_t)i;
    }
}

/* Mark the validation samples; *marked says how many. */
static int choose(const struct dataset *set, double share, uint64_t seed, uint32_t *order,
                  const size_t *start, unsigned char *chosen, size_t *marked, struct error *e)
{
    *marked = 0;
    for (int k = 0; k < set->classes; k++) {
        uint32_t *samples = order + start[k];
        const size_t count = start[k + 1] - start[k];
        if (count == 0) {
            continue;
        }
        if (count == 1 && set->names.count > 0) {
            return error_set(e, ERROR_DATA, set->path,
                             "class '%s' has one sample: not enough to train and to validate",
                             set->names.values[k]);
        }
        if (count == 1) {
            return error_at_offset(e, ERROR_DATA, set->labels_path,
                                   (long long)(set->labels_offset + samples[0] * set->labels_size),
                                   "class %d has one sample: not enough to train and to validate",
                                   k);
        }
        size_t take = (size_t)llround(share * (double)count);
        take = take < 1 ? 1 : take;
        take = take > count - 1 ? count - 1 : take;
        rng_shuffle(samples, count, seed, RNG_SPLIT, (uint32_t)k);
        for (size_t i = 0; i < take; i++) {
            chosen[samples[i]] = 1;
        }
        *marked += take;
    }
    return 0;
}

/* The samples whose mark is `mark`, in the set's order. */
static int collect(struct subset *subset, const struct dataset *set, const unsigned char *chosen,
                   int mark, size_t count, struct error *e)
{
    *subset = (struct subset){.set = set, .count = count};
    subset->index = malloc(count * sizeof *subset->index);
    if (subset->index == NULL) {
        return error_memory(e, count * sizeof *subset->index);
    }
    size_t n = 0;
    for (size_t i = 0; i < set->count; i++) {
        if (chosen[i] == mark) {
            subset->index[n++] = (uint32_t)i;
        }
    }
    return 0;
}

int subset_split(struct subset *train, struct subset *validation, const struct dataset *set,
                 double share, uint64_t seed, struct error *e)
{
    assert(share > 0 && share < 1);
    int status = -1;
    size_t marked;
    *train = *validation = (struct subset){0};
    unsigned char *chosen = calloc(set->count, 1);
    uint32_t *order = malloc(set->count * sizeof *order);
    size_t *start = malloc(((size_t)set->classes + 2) * sizeof *start);
    if (chosen == NULL || order == NULL || start == NULL) {
        error_memory(e, set->count * (sizeof *order + 1));
        goto end;
    }
    sort_by_class(set, order, start);
    if (choose(set, share, seed, order, start, chosen, &marked, e) != 0 ||
        collect(validation, set, chosen, 1, marked, e) != 0 ||
        collect(train, set, chosen, 0, set->count - marked, e) != 0) {
        subset_free(validation);
        subset_free(train);
        goto end;
    }
    status = 0;
end:
    free(chosen);
    free(order);
    free(start);
    return status;
}
