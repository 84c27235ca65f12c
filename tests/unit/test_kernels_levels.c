/* test_kernels_levels.c: which kernel tables there are, which one is chosen, and that each is
 * complete. */
#include "kernels/kernels.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

static void test_names(void **state)
{
    (void)state;
    static const char *const NAMES[KERNEL_LEVELS] = {"generic", "avx2", "avx512"};
    assert_non_null(kernels_resolve(KERNELS_GENERIC));
    for (int level = 0; level < KERNEL_LEVELS; level++) {
        const struct kernels *k = kernels_resolve((enum kernel_level)level);
        if (k) {
            assert_string_equal(k->name, NAMES[level]);
            assert_int_equal(k->fused != 0, level != KERNELS_GENERIC);
        }
    }
    assert_null(kernels_resolve(KERNEL_LEVELS));
    assert_null(kernels_resolve((enum kernel_level) - 1));
}

static void test_tables_are_complete(void **state)
{
    (void)state;
    for (int level = 0; level < KERNEL_LEVELS; level++) {
        const struct kernels *k = kernels_resolve((enum kernel_level)level);
        if (!k) {
            continue;
        }
        assert_true(k->conv_prepare && k->conv_forward && k->conv_backward_input && k->conv_backward_weight);
        assert_true(k->dense_forward && k->dense_backward_input && k->dense_backward_weight);
        assert_true(k->maxpool_forward && k->maxpool_backward && k->avgpool_forward &&
                    k->avgpool_backward);
        assert_true(k->dropout && k->softmax && k->cross_entropy && k->mse && k->reduce &&
                    k->adam && k->sgd);
        assert_true(k->tile_from_bytes && k->tile_from_floats);
        assert_non_null(k->activation);
        for (int a = 0; a < ACTIVATION_COUNT; a++) {
            assert_true(k->activation[a].forward && k->activation[a].backward);
        }
    }
}

/* A cap lowers the level, never raises it beyond what this CPU has. */
static void test_select(void **state)
{
    (void)state;
    static const char *const CAPS[KERNEL_LEVELS] = {"generic", "avx2", "avx512"};
    const enum kernel_level most = cpu_level();
    assert_true(most >= KERNELS_GENERIC && most < KERNEL_LEVELS);
    assert_ptr_equal(kernels_select(NULL), kernels_resolve(most));
    assert_ptr_equal(kernels_select(""), kernels_resolve(most));
    for (int cap = 0; cap < KERNEL_LEVELS; cap++) {
        const enum kernel_level want = cap < (int)most ? (enum kernel_level)cap : most;
        assert_non_null(kernels_select(CAPS[cap]));
        assert_ptr_equal(kernels_select(CAPS[cap]), kernels_resolve(want));
    }
    static const char *const WRONG[] = {"sse", "AVX2", "avx", "avx2 ", " generic", "avx5120", "0"};
    for (size_t i = 0; i < sizeof WRONG / sizeof *WRONG; i++) {
        assert_null(kernels_select(WRONG[i]));
    }
}

static void test_scratch_sizes(void **state)
{
    (void)state;
    assert_int_equal(dense_scratch(1), 16 * 16);
    assert_int_equal(dense_scratch(16), 16 * 16);
    assert_int_equal(dense_scratch(17), 32 * 16);
    /* a large layer does not wrap round at 2^31 */
    const struct window s = {512, 512, 512, 512, 512, 512, 3, 3, 1, 1, 1, 1};
    assert_true(conv_scratch(&s) >= (size_t)512 * 512 * 514 * LANES);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_names),
        cmocka_unit_test(test_tables_are_complete),
        cmocka_unit_test(test_select),
        cmocka_unit_test(test_scratch_sizes),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
