/* test_kernels_peak.c: the peak kernel does as many multiply-adds as it says: its sums, each of
 * which goes s = 0.875 s + 1 from its number, show how many steps they went. */
#include "../kernel_check.h"

#include <float.h>
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

enum { SUMS = PEAK_ROUND / LANES };

/* All sums after `steps` each. */
static double sum_after(int steps)
{
    double all = 0;
    for (int i = 0; i < SUMS; i++) {
        double sum = i;
        for (int k = 0; k < steps; k++) {
            sum = 0.875 * sum + 1;
        }
        all += sum;
    }
    return all;
}

static void test_count(void **state)
{
    (void)state;
    const struct kernels *levels[KERNEL_LEVELS];
    const int count = check_levels(levels);
    for (int l = 0; l < count; l++) {
        /* how many vectors the 16 lanes are */
        const int parts = strcmp(levels[l]->name, "avx512") == 0 ? 1
                          : strcmp(levels[l]->name, "avx2") == 0 ? 2
                                                                 : 4;
        for (int rounds = 0; rounds < 5; rounds++) {
            const double got = (double)levels[l]->peak((size_t)rounds);
            const double want = sum_after(rounds * parts);
            if (!(fabs(got - want) < 100 * (double)FLT_EPSILON * want)) {
                fail_msg("%s: %d rounds give %.9g, not %.9g", levels[l]->name, rounds, got, want);
            }
        }
        assert_true(isfinite(levels[l]->peak(100000)));
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_count)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
