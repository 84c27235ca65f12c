/* peak.c: what this machine does in a second when nothing but multiply-adds in registers is to be
 * done (src/kernels/peak.c). Prints "LEVEL THREADS GFLOP_PER_SECOND" for each level of vectors that
 * the CPU has, of 1 thread and of all: the best of many short runs, two operations a multiply-add.
 */
#include "kernels/kernels.h"

#include <omp.h>
#include <stdio.h>
#include <time.h>

enum { ROUNDS = 200000, RUNS = 40 };

static double now(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

static double measure(const struct kernels *kernels, int threads)
{
    float kept = 0;
    double least = 1e9;
    for (int run = 0; run < RUNS; run++) {
        double start = now();
#pragma omp parallel num_threads(threads) reduction(+ : kept)
        kept += kernels->peak(ROUNDS);
        double seconds = now() - start;
        least = seconds < least ? seconds : least;
    }
    return kept > 0 ? 2e-9 * threads * ROUNDS * PEAK_ROUND / least : 0;
}

int main(void)
{
    enum kernel_level highest = cpu_level();
    for (enum kernel_level level = KERNELS_GENERIC; level <= highest; level++) {
        const struct kernels *kernels = kernels_resolve(level);
        if (kernels && (level > KERNELS_GENERIC || level == highest)) {
            int all = omp_get_num_procs();
            printf("%s 1 %.1f\n", kernels->name, measure(kernels, 1));
            printf("%s %d %.1f\n", kernels->name, all, measure(kernels, all));
        }
    }
    return 0;
}
