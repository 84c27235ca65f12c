/* test_kernels_dropout.c: the masks of every level against base/rng.h's scalar Philox, element by
 * element and to the bit. */
#include "../kernel_check.h"
#include "base/rng.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

struct dropout_case {
    size_t n;
    float rate;
    uint64_t seed;
    uint32_t epoch, stream;
};

/* What kernels.h says of element e of sample s. */
static float expected(const struct dropout_case *c, float x, size_t e, uint32_t sample)
{
    const struct philox_words words =
        philox(c->seed, (uint32_t)(e / 4), sample, c->epoch, c->stream);
    const int kept = words.v[e % 4] >= (double)c->rate * 4294967296.0;
    return kept ? x * (float)(1 / (1 - (double)c->rate)) : 0;
}

/* Returns how many elements were kept. */
static size_t check_dropout(const struct dropout_case *c, const struct kernels *k)
{
    static const uint32_t SAMPLES[LANES] = {7,  0,  1,  59999, 3,        4,  5,  0xffffffffu,
                                            12, 13, 14, 15,    1u << 20, 17, 18, 0x80000000u};
    char what[120];
    snprintf(what, sizeof what, "%s: dropout %g of %zu, epoch %u, stream %u", k->name,
             (double)c->rate, c->n, c->epoch, c->stream);
    struct dice dice = {1};
    struct guarded x = guarded_new(c->n * LANES), y = guarded_new(c->n * LANES);
    size_t kept = 0;
    dice_fill(&dice, &x, 1, 2);
    guarded_freeze(&x);
    k->dropout(x.data, y.data, c->n, c->rate, c->seed, SAMPLES, c->epoch, c->stream);
    guarded_check(&x, what);
    guarded_check(&y, what);
    for (size_t i = 0; i < x.size; i++) {
        if (y.data[i] != expected(c, x.data[i], i / LANES, SAMPLES[i % LANES])) {
            fail_msg("%s: [%zu] is %.9g", what, i, (double)y.data[i]);
        }
        kept += y.data[i] != 0;
    }
    struct guarded in_place = guarded_new(x.size);
    guarded_copy(&in_place, x.data);
    k->dropout(in_place.data, in_place.data, c->n, c->rate, c->seed, SAMPLES, c->epoch, c->stream);
    assert_memory_equal(y.data, in_place.data, x.size * sizeof(float));
    guarded_check(&in_place, what);
    guarded_free(&in_place);
    guarded_free(&x);
    guarded_free(&y);
    return kept;
}

static void test_masks(void **state)
{
    (void)state;
    static const float RATES[] = {0.1f, 0.25f, 0.5f, 0.9f};
    const struct kernels *levels[KERNEL_LEVELS];
    const int count = check_levels(levels);
    for (int l = 0; l < count; l++) {
        for (size_t n = 1; n <= 9; n++) {
            for (int r = 0; r < 4; r++) {
                check_dropout(&(struct dropout_case){n, RATES[r], 0x123456789abcdef0u + n,
                                                     (uint32_t)n, RNG_DROPOUT | 5u << 8},
                              levels[l]);
            }
        }
    }
}

/* The share that is kept, within five standard deviations. */
static void test_share(void **state)
{
    (void)state;
    const struct kernels *levels[KERNEL_LEVELS];
    const int count = check_levels(levels);
    for (int rate = 1; rate <= 9; rate += 2) {
        const struct dropout_case c = {4000, (float)rate / 10, 42, 3, RNG_DROPOUT};
        const double keep = 1 - rate / 10.0, elements = 4000.0 * LANES;
        const double kept = (double)check_dropout(&c, levels[count - 1]);
        assert_true(fabs(kept - keep * elements) < 5 * sqrt(keep * (1 - keep) * elements));
    }
}

static void test_rate_zero_is_identity(void **state)
{
    (void)state;
    const struct kernels *levels[KERNEL_LEVELS];
    const int count = check_levels(levels);
    const uint32_t samples[LANES] = {0};
    struct guarded x = guarded_new(11 * LANES), y = guarded_new(11 * LANES);
    dice_fill(&(struct dice){2}, &x, -1, 1);
    for (int l = 0; l < count; l++) {
        levels[l]->dropout(x.data, y.data, 11, 0, 42, samples, 1, RNG_DROPOUT);
        assert_memory_equal(x.data, y.data, 11 * LANES * sizeof(float));
    }
    guarded_free(&x);
    guarded_free(&y);
}

/* Each part of the counter and of the key changes the mask. */
static void test_every_word_matters(void **state)
{
    (void)state;
    enum { N = 8 };
    const struct kernels *levels[KERNEL_LEVELS];
    const int count = check_levels(levels);
    struct guarded x = guarded_new(N * LANES), first = guarded_new(N * LANES),
                   y = guarded_new(N * LANES);
    dice_fill_integers(&(struct dice){3}, &x, 1, 1);
    for (int l = 0; l < count; l++) {
        uint32_t samples[LANES] = {0};
        levels[l]->dropout(x.data, first.data, N, 0.5f, 42, samples, 1, 4);
        for (int change = 0; change < 5; change++) {
            samples[0] = change == 0;
            const uint64_t seed = 42 + (change == 1) + ((uint64_t)(change == 2) << 32);
            levels[l]->dropout(x.data, y.data, N, 0.5f, seed, samples, 1 + (change == 3),
                               4 + (change == 4) * 256);
            assert_memory_not_equal(first.data, y.data, N * LANES * sizeof(float));
        }
    }
    guarded_free(&x);
    guarded_free(&first);
    guarded_free(&y);
}

/* Whole maps: map m of a sample is kept where element m is by dropout. */
static void test_spatial_masks(void **state)
{
    (void)state;
    enum { MAPS = 7, SIZE = 6 };
    static const uint32_t SAMPLES[LANES] = {3,  1,  4,  15, 92, 65, 35, 89,
                                            79, 32, 38, 46, 26, 43, 38, 32};
    const struct dropout_case c = {MAPS, 0.3f, 99, 2, RNG_DROPOUT | 3u << 8};
    const struct kernels *levels[KERNEL_LEVELS];
    const int count = check_levels(levels);
    struct guarded x = guarded_new(MAPS * SIZE * LANES);
    dice_fill(&(struct dice){5}, &x, 1, 2);
    guarded_freeze(&x);
    for (int l = 0; l < count; l++) {
        struct guarded y = guarded_new(x.size);
        levels[l]->spatial_dropout(x.data, y.data, MAPS, SIZE, c.rate, c.seed, SAMPLES, c.epoch,
                                   c.stream);
        guarded_check(&x, "spatial dropout");
        guarded_check(&y, "spatial dropout");
        for (size_t i = 0; i < x.size; i++) {
            assert_true(y.data[i] == expected(&c, x.data[i], i / LANES / SIZE, SAMPLES[i % LANES]));
        }
        guarded_free(&y);
    }
    guarded_free(&x);
}

/* The normal number of a word, in double: where the distribution function has its value. */
static double normal_of(uint32_t word)
{
    const double p = ((word >> 9) + 0.5) / 8388608, tail = p < 0.5 ? p : 1 - p;
    double low = 0, high = 6;
    for (int i = 0; i < 60; i++) {
        const double middle = (low + high) / 2;
        *(0.5 * erfc(middle * M_SQRT1_2) > tail ? &low : &high) = middle;
    }
    return p < 0.5 ? -low : low;
}

/* The numbers of noise, against the words that they are made of; added and multiplied. Then their
 * moments, within five standard deviations of an estimate. */
static void test_noise(void **state)
{
    (void)state;
    enum { N = 4001 };
    static const uint32_t SAMPLES[LANES] = {7,  0,  1,  59999, 3,  4,  5,  6,
                                            12, 13, 14, 15,    16, 17, 18, 19};
    const struct kernels *levels[KERNEL_LEVELS];
    const int count = check_levels(levels);
    const float std = 0.5f;
    struct agreement same = {0};
    struct guarded zero = guarded_new(N * LANES), two = guarded_new(N * LANES);
    dice_fill_integers(&(struct dice){1}, &zero, 0, 0);
    dice_fill_integers(&(struct dice){1}, &two, 2, 2);
    for (int l = 0; l < count; l++) {
        struct guarded y = guarded_new(N * LANES), z = guarded_new(N * LANES);
        double sum = 0, squares = 0, fourth = 0;
        levels[l]->normal_noise(zero.data, y.data, N, std, 0, 42, SAMPLES, 3,
                                RNG_DROPOUT | 2u << 8);
        guarded_copy(&z, two.data);
        levels[l]->normal_noise(z.data, z.data, N, std, 1, 42, SAMPLES, 3, RNG_DROPOUT | 2u << 8);
        guarded_check(&y, "noise");
        guarded_check(&z, "noise in place");
        agreement_check(&same, "noise", levels[l], &y);
        for (size_t i = 0; i < y.size; i++) {
            const size_t e = i / LANES;
            const double normal = (double)y.data[i] / (double)std;
            if (e < 500) {
                const struct philox_words words =
                    philox(42, (uint32_t)(e / 4), SAMPLES[i % LANES], 3, RNG_DROPOUT | 2u << 8);
                const double want = normal_of(words.v[e % 4]);
                assert_true(fabs(normal - want) <= 1e-6 * (1 + fabs(want)));
            }
            assert_true(fabs((double)z.data[i] - 2 * (1 + (double)y.data[i])) <= 1e-6);
            sum += normal;
            squares += normal * normal;
            fourth += normal * normal * normal * normal;
        }
        const double n = (double)y.size;
        assert_true(fabs(sum / n) < 5 / sqrt(n));
        assert_true(fabs(squares / n - 1) < 5 * sqrt(2 / n));
        assert_true(fabs(fourth / n - 3) < 5 * sqrt(96 / n));
        guarded_free(&y);
        guarded_free(&z);
    }
    agreement_free(&same);
    guarded_free(&zero);
    guarded_free(&two);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_masks),
        cmocka_unit_test(test_share),
        cmocka_unit_test(test_rate_zero_is_identity),
        cmocka_unit_test(test_every_word_matters),
        cmocka_unit_test(test_spatial_masks),
        cmocka_unit_test(test_noise),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
