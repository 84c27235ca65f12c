/* test_rng.c: the generator against its authors' vectors, the distributions against their
 * definitions. */
#include "base/rng.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

static void assert_words(struct philox_words words, uint32_t a, uint32_t b, uint32_t c, uint32_t d)
{
    const uint32_t expected[4] = {a, b, c, d};

    assert_memory_equal(words.v, expected, sizeof expected);
}

/* kat_vectors of the Random123 distribution, philox4x32 with 10 rounds. */
static void philox_gives_the_known_answers(void **state)
{
    const uint32_t all = UINT32_MAX;

    (void)state;
    assert_words(philox(0, 0, 0, 0, 0), 0x6627e8d5, 0xe169c58d, 0xbc57ac4c, 0x9b00dbd8);
    assert_words(philox(UINT64_MAX, all, all, all, all), 0x408f276d, 0x41c83b0e, 0xa20bc7c6,
                 0x6d5451fd);
    assert_words(
        philox(UINT64_C(0x299f31d0a4093822), 0x243f6a88, 0x85a308d3, 0x13198a2e, 0x03707344),
        0xd16cfe09, 0x94fdcceb, 0x5001e420, 0x24126ea1);
}

static void uniform_is_exact_and_never_0_or_1(void **state)
{
    (void)state;
    assert_true(rng_uniform(0) == 0x1p-24f);
    assert_true(rng_uniform(511) == 0x1p-24f);
    assert_true(rng_uniform(512) == 3 * 0x1p-24f);
    assert_true(rng_uniform(0x80000000u) == 0.5f + 0x1p-24f);
    assert_true(rng_uniform(UINT32_MAX) == 1 - 0x1p-24f);
}

static float normal_of(double p)
{
    const uint64_t k = (uint64_t)(p * 0x1p52);

    return rng_normal((uint32_t)(k >> 20), (uint32_t)(k << 12));
}

static void normal_has_the_known_quantiles(void **state)
{
    (void)state;
    assert_true(normal_of(0.25) == (float)-0.6744897501960817);
    assert_true(normal_of(0.001) == (float)-3.090232306167814);
    assert_true(normal_of(0.975) == (float)1.959963984540054);
    assert_true(rng_normal(0, 0) == (float)-8.209536151601387);
    assert_true(rng_normal(UINT32_MAX, UINT32_MAX) == (float)8.209536151601387);
}

/* The distribution function of what comes out is what went in, to the precision of a float, in both
 * tails; k and its complement give opposite numbers. */
static void normal_inverts_the_distribution_function(void **state)
{
    (void)state;
    for (uint32_t i = 0; i < 200000; i++) {
        const struct philox_words words = philox(7, i, 0, 0, 99);
        const uint32_t high = words.v[0] >> i % 32, low = words.v[1];
        const double p = ((double)(((uint64_t)high << 32 | low) >> 12) + 0.5) * 0x1p-52;
        const float z = rng_normal(high, low);
        const double lower = p < 0.5 ? p : 1 - p;
        const double back = erfc(fabs((double)z) / sqrt(2)) / 2;

        /* d(ln Phi) = phi/Phi dz, at most (|z| + 1) dz, and dz is half a unit in the last place of
         * z. */
        assert_true((z < 0) == (p < 0.5));
        assert_true(fabs(back - lower) <=
                    lower * (fabs((double)z) + 1) * (fabs((double)z) + 0x1p-100) * 0x1p-23);
        assert_true(rng_normal(~high, ~low) == -z);
    }
}

static void normal_has_mean_0_and_variance_1(void **state)
{
    const int count = 200000;
    double sum = 0, squares = 0;

    (void)state;
    for (int i = 0; i < count / 2; i++) {
        const struct philox_words words = philox(1, (uint32_t)i, 0, 0, RNG_INIT);
        const double a = (double)rng_normal(words.v[0], words.v[1]);
        const double b = (double)rng_normal(words.v[2], words.v[3]);

        sum += a + b;
        squares += a * a + b * b;
    }
    /* Four standard deviations of either estimate. */
    assert_true(fabs(sum / count) < 4 / sqrt(count));
    assert_true(fabs(squares / count - 1) < 4 * sqrt(2.0 / count));
}

static void shuffle_is_a_permutation(void **state)
{
    uint32_t items[1000];
    int seen[1000] = {0};

    (void)state;
    for (uint32_t i = 0; i < 1000; i++) {
        items[i] = i;
    }
    rng_shuffle(items, 1000, 42, RNG_SHUFFLE, 0);
    for (int i = 0; i < 1000; i++) {
        seen[items[i]]++;
    }
    for (int i = 0; i < 1000; i++) {
        assert_int_equal(seen[i], 1);
    }
}

static void shuffled(uint32_t items[8], uint64_t seed, enum rng_stream stream, uint32_t where)
{
    for (uint32_t i = 0; i < 8; i++) {
        items[i] = i;
    }
    rng_shuffle(items, 8, seed, stream, where);
}

static void shuffle_depends_on_seed_stream_and_place_only(void **state)
{
    /* The order is part of the promise of the same bytes: it may never change. */
    static const uint32_t first[8] = {4, 3, 5, 6, 0, 7, 1, 2};
    uint32_t a[8], b[8];

    (void)state;
    shuffled(a, 42, RNG_SHUFFLE, 0);
    assert_memory_equal(a, first, sizeof a);
    shuffled(b, 42, RNG_SHUFFLE, 0);
    assert_memory_equal(a, b, sizeof a);
    shuffled(b, 43, RNG_SHUFFLE, 0);
    assert_memory_not_equal(a, b, sizeof a);
    shuffled(b, 42, RNG_SPLIT, 0);
    assert_memory_not_equal(a, b, sizeof a);
    shuffled(b, 42, RNG_SHUFFLE, 1);
    assert_memory_not_equal(a, b, sizeof a);
}

static void shuffle_takes_nothing_and_one(void **state)
{
    uint32_t one[1] = {9};

    (void)state;
    rng_shuffle(NULL, 0, 1, RNG_SHUFFLE, 0);
    rng_shuffle(one, 1, 1, RNG_SHUFFLE, 0);
    assert_int_equal(one[0], 9);
}

static void shuffle_makes_every_order_equally_often(void **state)
{
    const int draws = 24000;
    int counts[4][4][4] = {{{0}}};

    (void)state;
    for (int seed = 0; seed < draws; seed++) {
        uint32_t items[4] = {0, 1, 2, 3};

        rng_shuffle(items, 4, (uint64_t)seed, RNG_SHUFFLE, 5);
        counts[items[0]][items[1]][items[2]]++;
    }
    double chi_square = 0;
    int orders = 0;

    for (int i = 0; i < 64; i++) {
        const int count = counts[i / 16][i / 4 % 4][i % 4];

        orders += count > 0;
        chi_square += count > 0 ? (count - 1000.0) * (count - 1000.0) / 1000 : 0;
    }
    assert_int_equal(orders, 24);
    assert_true(chi_square < 49.7); /* 23 degrees of freedom, p = 0.001 */
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(philox_gives_the_known_answers),
        cmocka_unit_test(uniform_is_exact_and_never_0_or_1),
        cmocka_unit_test(normal_has_the_known_quantiles),
        cmocka_unit_test(normal_inverts_the_distribution_function),
        cmocka_unit_test(normal_has_mean_0_and_variance_1),
        cmocka_unit_test(shuffle_is_a_permutation),
        cmocka_unit_test(shuffle_depends_on_seed_stream_and_place_only),
        cmocka_unit_test(shuffle_takes_nothing_and_one),
        cmocka_unit_test(shuffle_makes_every_order_equally_often),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
