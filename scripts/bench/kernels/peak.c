/* peak.c: the fused multiply-adds that this machine does in a second when nothing else is to be
 * done: 12 sums that depend on nothing but themselves, in registers. Prints "LEVEL THREADS
 * GFLOP_PER_SECOND" for each level that the CPU has and for 1 thread and all; two operations each,
 * the fastest of many slices. */
#include <omp.h>
#include <stdio.h>
#include <time.h>

enum { SUMS = 12, STEPS = 200000, SLICES = 40 };

static double now(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

/* The loop for vectors of BYTES; the asm says that the sums are wanted. */
#define LOOP(NAME, TARGET, BYTES)                                                                  \
    TARGET static void NAME(void)                                                                  \
    {                                                                                              \
        typedef float vector __attribute__((vector_size(BYTES)));                                  \
        vector sum[SUMS], factor = (vector){0} + 0.5f;                                             \
        _Pragma("GCC unroll 12") for (int s = 0; s < SUMS; s++)                                    \
        {                                                                                          \
            sum[s] = (vector){0} + (float)s;                                                       \
        } /* differently, or they would be one */                                                  \
        for (int i = 0; i < STEPS; i++) {                                                          \
            _Pragma("GCC unroll 12") for (int s = 0; s < SUMS; s++)                                \
            {                                                                                      \
                sum[s] = sum[s] * factor + factor;                                                 \
            }                                                                                      \
        }                                                                                          \
        _Pragma("GCC unroll 12") for (int s = 0; s < SUMS; s++)                                    \
        {                                                                                          \
            __asm__ volatile("" ::"m"(sum[s]));                                                    \
        }                                                                                          \
    }

static void measure(const char *level, void (*loop)(void), int bytes)
{
    for (int threads = 1;; threads = omp_get_num_procs()) {
        double least = 1e9;
        for (int slice = 0; slice < SLICES; slice++) {
            double start = now();
#pragma omp parallel num_threads(threads)
            loop();
            double seconds = now() - start;
            least = seconds < least ? seconds : least;
        }
        printf("%s %d %.1f\n", level, threads, 2e-9 * threads * STEPS * SUMS * (bytes / 4) / least);
        if (threads == omp_get_num_procs()) {
            return;
        }
    }
}

#ifdef __x86_64__
LOOP(avx2, __attribute__((target("avx2,fma"))), 32)
LOOP(avx512, __attribute__((target("avx512f"))), 64)
#else
LOOP(generic, , 16)
#endif

int main(void)
{
#ifdef __x86_64__
    if (__builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma")) {
        measure("avx2", avx2, 32);
    }
    if (__builtin_cpu_supports("avx512f")) {
        measure("avx512", avx512, 64);
    }
#else
    measure("generic", generic, 16);
#endif
    return 0;
}
