/* subset.c: selections of a set's samples. All that choose are stratified: they choose within each
 * class, by a shuffle of it that is a function of (seed, stream, class). */
#include "data/dataset.h"

#include "base/rng.h"

#include <assert.h>
#include <math.h>
#include <stdio.h>
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

/* The positions of a subset, class by class: those of class k are order[start[k]] up to
 * order[start[k + 1]], in the subset's order at first. */
struct strata {
    const struct subset *from;
    int classes;
    uint32_t *order;
    size_t *start;
    unsigned char *chosen; /* [from->count]: the marks */
};

static void strata_free(struct strata *s)
{
    free(s->order);
    free(s->start);
    free(s->chosen);
}

static int32_t label_of(const struct subset *subset, size_t position)
{
    return subset->set->labels[subset->index[position]];
}

static int strata_sort(struct strata *s, const struct subset *from, struct error *e)
{
    const size_t classes = (size_t)from->set->classes;
    *s = (struct strata){.from = from, .classes = from->set->classes};
    s->order = malloc(from->count * sizeof *s->order);
    s->start = calloc(classes + 2, sizeof *s->start);
    s->chosen = calloc(from->count, 1);
    if (s->order == NULL || s->start == NULL || s->chosen == NULL) {
        strata_free(s);
        return error_memory(e, from->count * (sizeof *s->order + 1));
    }
    for (size_t i = 0; i < from->count; i++) {
        s->start[label_of(from, i) + 2]++;
    }
    for (size_t k = 2; k <= classes + 1; k++) {
        s->start[k] += s->start[k - 1];
    }
    for (size_t i = 0; i < from->count; i++) {
        s->order[s->start[label_of(from, i) + 1]++] = (uint32_t)i;
    }
    return 0;
}

/* A class of it, shuffled. Returns its size. */
static size_t shuffle_class(const struct strata *s, int k, uint64_t seed, enum rng_stream stream)
{
    const size_t count = s->start[k + 1] - s->start[k];
    rng_shuffle(s->order + s->start[k], count, seed, stream, (uint32_t)k);
    return count;
}

/* A class that is too small to be divided, at its first label. */
static int too_few(const struct strata *s, int k, struct error *e, const char *what)
{
    const struct dataset *set = s->from->set;
    const size_t count = s->start[k + 1] - s->start[k];
    char number[32];
    snprintf(number, sizeof number, "%zu", count);
    if (set->names.count > 0) {
        return error_set(e, ERROR_DATA, set->path, "class '%s' has %s sample%s: %s",
                         set->names.values[k], count == 1 ? "one" : number, count == 1 ? "" : "s",
                         what);
    }
    size_t first = SIZE_MAX;
    for (size_t i = 0; i < count; i++) {
        const size_t sample = s->from->index[s->order[s->start[k] + i]];
        first = sample < first ? sample : first;
    }
    return error_at_offset(e, ERROR_DATA, set->labels_path,
                           (long long)(set->labels_offset + first * set->labels_size),
                           "class %d has %s sample%s: %s", k, count == 1 ? "one" : number,
                           count == 1 ? "" : "s", what);
}

/* Of each class round(share * n), at least one and never all. */
static int mark_share(struct strata *s, double share, uint64_t seed, struct error *e)
{
    for (int k = 0; k < s->classes; k++) {
        const size_t count = shuffle_class(s, k, seed, RNG_SPLIT);
        if (count == 1) {
            return too_few(s, k, e, "not enough to train and to validate");
        }
        size_t take = (size_t)llround(share * (double)count);
        take = take < 1 ? 1 : take;
        take = take > count - 1 ? count - 1 : take;
        for (size_t i = 0; count > 0 && i < take; i++) {
            s->chosen[s->order[s->start[k] + i]] = 1;
        }
    }
    return 0;
}

/* The samples are dealt to the folds like cards, class after class without beginning anew: so
 * neither the folds' sizes nor their shares of a class differ by more than one. */
static int mark_fold(struct strata *s, int folds, int fold, uint64_t seed, struct error *e)
{
    size_t dealt = 0;
    for (int k = 0; k < s->classes; k++) {
        const size_t count = shuffle_class(s, k, seed, RNG_SPLIT);
        if (count > 0 && count < (size_t)folds) {
            char what[64];
            snprintf(what, sizeof what, "not enough for %d folds", folds);
            return too_few(s, k, e, what);
        }
        for (size_t i = 0; i < count; i++, dealt++) {
            if (dealt % (size_t)folds == (size_t)fold) {
                s->chosen[s->order[s->start[k] + i]] = 1;
            }
        }
    }
    return 0;
}

/* Class k ends at sample c_k of the sorted classes and gets floor(c_k * limit / n) minus what those
 * before it have: the sum is exact, no class is off by one or more. */
static int mark_limit(struct strata *s, size_t limit, uint64_t seed, struct error *e)
{
    for (int k = 0; k < s->classes; k++) {
        const size_t count = shuffle_class(s, k, seed, RNG_LIMIT);
        const uint64_t n = s->from->count, before = s->start[k] * (uint64_t)limit / n,
                       after = s->start[k + 1] * (uint64_t)limit / n;
        if (count > 0 && after == before) {
            return error_set(e, ERROR_DATA, s->from->set->path,
                             "%zu of %zu images leave none of class %d, which has %zu", limit,
                             s->from->count, k, count);
        }
        for (size_t i = 0; i < after - before; i++) {
            s->chosen[s->order[s->start[k] + i]] = 1;
        }
    }
    return 0;
}

/* The samples whose mark is `mark`, in the subset's order. */
static int collect(struct subset *subset, const struct strata *s, int mark, struct error *e)
{
    size_t count = 0, n = 0;
    for (size_t i = 0; i < s->from->count; i++) {
        count += s->chosen[i] == mark;
    }
    *subset = (struct subset){.set = s->from->set, .count = count};
    subset->index = malloc((count ? count : 1) * sizeof *subset->index);
    if (subset->index == NULL) {
        return error_memory(e, count * sizeof *subset->index);
    }
    for (size_t i = 0; i < s->from->count; i++) {
        if (s->chosen[i] == mark) {
            subset->index[n++] = s->from->index[i];
        }
    }
    return 0;
}

/* What is marked goes to `chosen`, or nowhere when that is NULL; the other mark stays in `from`. */
static int divide(const struct strata *s, struct subset *from, struct subset *chosen, int stays,
                  struct error *e)
{
    struct subset rest;
    if (chosen != NULL && collect(chosen, s, !stays, e) != 0) {
        return -1;
    }
    if (collect(&rest, s, stays, e) != 0) {
        if (chosen != NULL) {
            subset_free(chosen);
        }
        return -1;
    }
    subset_free(from);
    *from = rest;
    return 0;
}

int subset_split(struct subset *train, struct subset *validation, double share, uint64_t seed,
                 struct error *e)
{
    struct strata s;
    assert(share > 0 && share < 1);
    *validation = (struct subset){0};
    TRY(strata_sort(&s, train, e));
    const int failed =
        mark_share(&s, share, seed, e) != 0 || divide(&s, train, validation, 0, e) != 0;
    strata_free(&s);
    return failed ? -1 : 0;
}

int subset_fold(struct subset *train, struct subset *validation, int folds, int fold, uint64_t seed,
                struct error *e)
{
    struct strata s;
    assert(folds > 1 && fold >= 0 && fold < folds);
    *validation = (struct subset){0};
    TRY(strata_sort(&s, train, e));
    const int failed =
        mark_fold(&s, folds, fold, seed, e) != 0 || divide(&s, train, validation, 0, e) != 0;
    strata_free(&s);
    return failed ? -1 : 0;
}

int subset_limit(struct subset *subset, size_t limit, uint64_t seed, struct error *e)
{
    struct strata s;
    assert(limit > 0 && limit <= subset->count);
    TRY(strata_sort(&s, subset, e));
    const int failed = mark_limit(&s, limit, seed, e) != 0 || divide(&s, subset, NULL, 1, e) != 0;
    strata_free(&s);
    return failed ? -1 : 0;
}
