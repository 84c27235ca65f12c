/* test_subset.c: selections of a set's samples: shares, folds and limits, all stratified. */
#include "base/rng.h"
#include "data/dataset.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

/* A set without files: what the selections look at. */
static struct dataset labelled(int32_t *labels, size_t count, int classes)
{
    return (struct dataset){.path = "x",
                            .labels_path = "y",
                            .labels_offset = 8,
                            .labels_size = 4,
                            .count = count,
                            .labels = labels,
                            .classes = classes};
}

static void test_subset_all(void **state)
{
    (void)state;
    int32_t labels[5] = {0};
    const struct dataset set = labelled(labels, 5, 1);
    struct subset all;
    assert_int_equal(subset_all(&all, &set, NULL), 0);
    assert_ptr_equal(all.set, &set);
    assert_int_equal(all.count, 5);
    for (uint32_t i = 0; i < 5; i++) {
        assert_int_equal(all.index[i], i);
    }
    subset_free(&all);
    assert_null(all.index);
}

/* Both parts together are the set, each in its order; validation holds `expected[k]` of class k. */
static void check_split(const struct dataset *set, const struct subset *train,
                        const struct subset *validation, const size_t *expected)
{
    size_t found[16] = {0}, total = 0;
    assert_int_equal(train->count + validation->count, set->count);
    size_t t = 0, v = 0;
    for (size_t i = 0; i < set->count; i++) {
        if (v < validation->count && validation->index[v] == i) {
            found[set->labels[i]]++;
            v++;
        } else {
            assert_true(t < train->count);
            assert_int_equal(train->index[t++], i);
        }
    }
    for (int k = 0; k < set->classes; k++) {
        assert_int_equal(found[k], expected[k]);
        total += found[k];
    }
    assert_int_equal(validation->count, total);
}

/* Of all of a set. */
static int split(struct subset *train, struct subset *validation, const struct dataset *set,
                 double share, uint64_t seed, struct error *e)
{
    assert_int_equal(subset_all(train, set, NULL), 0);
    return subset_split(train, validation, share, seed, e);
}

static void test_split(void **state)
{
    (void)state;
    /* Class sizes 2, 0, 5, 15, 100, 878. */
    enum { COUNT = 1000 };
    int32_t labels[COUNT];
    const int sizes[] = {2, 0, 5, 15, 100, 878};
    int n = 0;
    for (int k = 0; k < 6; k++) {
        for (int i = 0; i < sizes[k]; i++) {
            labels[n++ * 7 % COUNT] = k;
        }
    }
    const struct dataset set = labelled(labels, COUNT, 6);
    struct subset train, validation;
    const struct {
        double share;
        size_t expected[6];
    } cases[] = {
        {0.1, {1, 0, 1, 2, 10, 88}}, /* 0.2 is raised to 1, 1.5 rounded up, 87.8 */
        {0.3, {1, 0, 2, 5, 30, 263}},
        {0.9, {1, 0, 4, 14, 90, 790}}, /* 1.8 is lowered to 1, 4.5 to 4 */
        {1e-9, {1, 0, 1, 1, 1, 1}},
        {0.999999, {1, 0, 4, 14, 99, 877}},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        assert_int_equal(split(&train, &validation, &set, cases[i].share, 1, NULL), 0);
        check_split(&set, &train, &validation, cases[i].expected);
        subset_free(&train);
        subset_free(&validation);
    }
}

/* The choice is the shuffle's first part, for each class by itself: a fixed function of the seed.
 */
static void test_split_is_the_shuffle(void **state)
{
    (void)state;
    enum { COUNT = 200, TAKE = 25 };
    int32_t labels[COUNT];
    for (int i = 0; i < COUNT; i++) {
        labels[i] = i % 2;
    }
    const struct dataset set = labelled(labels, COUNT, 2);
    struct subset train, validation, again, rest;
    assert_int_equal(split(&train, &validation, &set, 0.25, 77, NULL), 0);
    for (uint32_t k = 0; k < 2; k++) {
        uint32_t order[COUNT / 2];
        for (uint32_t i = 0; i < COUNT / 2; i++) {
            order[i] = 2 * i + k;
        }
        rng_shuffle(order, COUNT / 2, 77, RNG_SPLIT, k);
        for (int i = 0; i < TAKE; i++) {
            int found = 0;
            for (size_t v = 0; v < validation.count; v++) {
                found += validation.index[v] == order[i];
            }
            assert_int_equal(found, 1);
        }
    }
    assert_int_equal(validation.count, 2 * TAKE);
    assert_int_equal(split(&rest, &again, &set, 0.25, 77, NULL), 0);
    assert_memory_equal(again.index, validation.index, 2 * TAKE * sizeof *again.index);
    subset_free(&rest);
    subset_free(&again);
    assert_int_equal(split(&rest, &again, &set, 0.25, 78, NULL), 0);
    assert_memory_not_equal(again.index, validation.index, 2 * TAKE * sizeof *again.index);
    subset_free(&rest);
    subset_free(&again);
    subset_free(&train);
    subset_free(&validation);
}

static void test_split_refused(void **state)
{
    (void)state;
    int32_t labels[] = {0, 0, 1, 0};
    const struct dataset set = labelled(labels, 4, 2);
    struct subset train, validation;
    struct error e = {.offset = -1};
    assert_int_equal(split(&train, &validation, &set, 0.5, 1, &e), -1);
    assert_string_equal(e.message, "class 1 has one sample: not enough to train and to validate");
    assert_string_equal(e.file, "y");
    assert_int_equal(e.offset, 8 + 4 * 2);
    assert_int_equal(e.kind, ERROR_DATA);
    assert_int_equal(train.count, 4); /* as before */
    subset_free(&train);
    assert_null(validation.index);
}

/* Every fold of a set: disjoint, all of it together, sizes and classes even. */
static void test_folds(void **state)
{
    (void)state;
    enum { COUNT = 103, CLASSES = 4, FOLDS = 5 };
    const size_t sizes[CLASSES] = {5, 0, 27, 71};
    int32_t labels[COUNT];
    size_t n = 0;
    for (int k = 0; k < CLASSES; k++) {
        for (size_t i = 0; i < sizes[k]; i++) {
            labels[n++ * 7 % COUNT] = k;
        }
    }
    const struct dataset set = labelled(labels, COUNT, CLASSES);
    int seen[COUNT] = {0};
    for (int fold = 0; fold < FOLDS; fold++) {
        struct subset train, validation;
        size_t found[CLASSES] = {0};
        assert_int_equal(subset_all(&train, &set, NULL), 0);
        assert_int_equal(subset_fold(&train, &validation, FOLDS, fold, 3, NULL), 0);
        for (size_t i = 0; i < validation.count; i++) {
            seen[validation.index[i]]++;
            found[labels[validation.index[i]]]++;
        }
        check_split(&set, &train, &validation, found);
        assert_true(validation.count == COUNT / FOLDS || validation.count == COUNT / FOLDS + 1);
        for (int k = 0; k < CLASSES; k++) {
            assert_true(found[k] == sizes[k] / FOLDS || found[k] == (sizes[k] + FOLDS - 1) / FOLDS);
        }
        subset_free(&train);
        subset_free(&validation);
    }
    for (int i = 0; i < COUNT; i++) {
        assert_int_equal(seen[i], 1);
    }
}

static void test_folds_by_seed(void **state)
{
    (void)state;
    int32_t labels[40];
    for (int i = 0; i < 40; i++) {
        labels[i] = i % 2;
    }
    const struct dataset set = labelled(labels, 40, 2);
    struct subset train[3], validation[3];
    for (int i = 0; i < 3; i++) {
        assert_int_equal(subset_all(&train[i], &set, NULL), 0);
        assert_int_equal(subset_fold(&train[i], &validation[i], 4, 1, i < 2 ? 7 : 8, NULL), 0);
        assert_int_equal(validation[i].count, 10);
    }
    const size_t bytes = 10 * sizeof *validation[0].index;
    assert_memory_equal(validation[0].index, validation[1].index, bytes);
    assert_memory_not_equal(validation[0].index, validation[2].index, bytes);
    for (int i = 0; i < 3; i++) {
        subset_free(&train[i]);
        subset_free(&validation[i]);
    }
}

static void test_folds_refused(void **state)
{
    (void)state;
    int32_t labels[] = {0, 0, 1, 0, 1, 0};
    const struct dataset set = labelled(labels, 6, 2);
    struct subset train, validation;
    struct error e = {.offset = -1};
    assert_int_equal(subset_all(&train, &set, NULL), 0);
    assert_int_equal(subset_fold(&train, &validation, 3, 0, 1, &e), -1);
    assert_string_equal(e.message, "class 1 has 2 samples: not enough for 3 folds");
    assert_int_equal(e.offset, 8 + 4 * 2);
    assert_int_equal(e.kind, ERROR_DATA);
    assert_int_equal(train.count, 6);
    assert_null(validation.index);
    subset_free(&train);
}

/* The number asked for, classes in proportion, in the set's order. */
static void test_limit(void **state)
{
    (void)state;
    enum { COUNT = 1000, CLASSES = 5 };
    const size_t sizes[CLASSES] = {10, 90, 0, 333, 567};
    int32_t labels[COUNT];
    size_t n = 0;
    for (int k = 0; k < CLASSES; k++) {
        for (size_t i = 0; i < sizes[k]; i++) {
            labels[n++ * 7 % COUNT] = k;
        }
    }
    const struct dataset set = labelled(labels, COUNT, CLASSES);
    const size_t limits[] = {100, 250, 999, 1000};
    for (size_t l = 0; l < sizeof limits / sizeof *limits; l++) {
        struct subset kept, again, other;
        size_t found[CLASSES] = {0};
        assert_int_equal(subset_all(&kept, &set, NULL), 0);
        assert_int_equal(subset_all(&again, &set, NULL), 0);
        assert_int_equal(subset_all(&other, &set, NULL), 0);
        assert_int_equal(subset_limit(&kept, limits[l], 5, NULL), 0);
        assert_int_equal(subset_limit(&again, limits[l], 5, NULL), 0);
        assert_int_equal(subset_limit(&other, limits[l], 6, NULL), 0);
        assert_int_equal(kept.count, limits[l]);
        assert_memory_equal(kept.index, again.index, limits[l] * sizeof *kept.index);
        assert_int_equal(memcmp(kept.index, other.index, limits[l] * sizeof *kept.index) != 0,
                         limits[l] < COUNT);
        for (size_t i = 0; i < kept.count; i++) {
            found[labels[kept.index[i]]]++;
            assert_true(i == 0 || kept.index[i] > kept.index[i - 1]);
        }
        for (int k = 0; k < CLASSES; k++) {
            const double share = (double)(sizes[k] * limits[l]) / COUNT;
            assert_true((double)found[k] > share - 1 && (double)found[k] < share + 1);
        }
        subset_free(&kept);
        subset_free(&again);
        subset_free(&other);
    }
}

static void test_limit_refused(void **state)
{
    (void)state;
    int32_t labels[] = {0, 0, 1, 0, 0, 0};
    struct dataset set = labelled(labels, 6, 2);
    struct subset subset;
    struct error e = {.offset = -1};
    snprintf(set.path, sizeof set.path, "x");
    assert_int_equal(subset_all(&subset, &set, NULL), 0);
    assert_int_equal(subset_limit(&subset, 1, 1, &e), -1);
    assert_string_equal(e.message, "1 of 6 images leave none of class 0, which has 5");
    assert_int_equal(e.kind, ERROR_DATA);
    assert_int_equal(subset.count, 6);
    subset_free(&subset);
}

/* A split of a limited set takes only from what is left. */
static void test_split_of_a_part(void **state)
{
    (void)state;
    int32_t labels[100];
    for (int i = 0; i < 100; i++) {
        labels[i] = i % 4;
    }
    const struct dataset set = labelled(labels, 100, 4);
    struct subset kept, train, validation;
    assert_int_equal(subset_all(&kept, &set, NULL), 0);
    assert_int_equal(subset_limit(&kept, 40, 1, NULL), 0);
    assert_int_equal(subset_all(&train, &set, NULL), 0);
    assert_int_equal(subset_limit(&train, 40, 1, NULL), 0);
    assert_int_equal(subset_split(&train, &validation, 0.2, 1, NULL), 0);
    assert_int_equal(train.count, 32);
    assert_int_equal(validation.count, 8);
    for (size_t i = 0, t = 0, v = 0; i < 40; i++) {
        if (v < 8 && kept.index[i] == validation.index[v]) {
            v++;
        } else {
            assert_int_equal(kept.index[i], train.index[t++]);
        }
    }
    subset_free(&kept);
    subset_free(&train);
    subset_free(&validation);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_subset_all),
        cmocka_unit_test(test_split),
        cmocka_unit_test(test_split_is_the_shuffle),
        cmocka_unit_test(test_split_refused),
        cmocka_unit_test(test_split_of_a_part),
        cmocka_unit_test(test_folds),
        cmocka_unit_test(test_folds_by_seed),
        cmocka_unit_test(test_folds_refused),
        cmocka_unit_test(test_limit),
        cmocka_unit_test(test_limit_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
