/* lines.c: what a line of memory costs on its way between two cores, in ns: medians of 101 rounds over 2,048 lines. Prints three numbers:
 * for plain stores into lines that both cores have read; for stores past the caches into such; for plain stores into lines that the other
 * core has written. A host may run a machine's two cores near each other or far apart, and change its mind: so threads.py says it beside
 * its figures. */
#include <immintrin.h>
#include <omp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum { LINES = 2048, ROUNDS = 101 };

static float *lines; /* LINES of 16 */
static volatile float sink;

static void use(int write)
{
    float sum = 0;
    for (int i = 0; i < LINES; i++) {
        if (write) {
            *(volatile float *)(lines + i * 16) = (float)i;
        } else {
            sum += *(volatile float *)(lines + i * 16);
        }
    }
    sink = sum;
}

static void stream(void)
{
    for (int i = 0; i < LINES; i++) {
        for (int k = 0; k < 16; k += 4) {
            _mm_stream_ps(lines + i * 16 + k, _mm_set1_ps((float)i));
        }
    }
    _mm_sfence();
}

static double now(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec * 1e9 + (double)t.tv_nsec;
}

static int compare(const void *a, const void *b)
{
    const double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

/* The second thread reads the lines, as the first has, or writes them; what the first then takes to write one. */
static double measure(int second_writes, int streams)
{
    double times[ROUNDS];
#pragma omp parallel num_threads(2)
    for (int round = 0; round < ROUNDS; round++) {
        const int me = omp_get_thread_num();
        if (me == 0 && !second_writes) {
            use(0);
        }
#pragma omp barrier
        if (me == 1) {
            use(second_writes);
        }
#pragma omp barrier
        if (me == 0) {
            const double start = now();
            if (streams) {
                stream();
            } else {
                use(1);
            }
            times[round] = (now() - start) / LINES;
        }
    }
    qsort(times, ROUNDS, sizeof *times, compare);
    return times[ROUNDS / 2];
}

int main(void)
{
    lines = aligned_alloc(64, LINES * 64);
    if (!lines) {
        return 1;
    }
    memset(lines, 0, LINES * 64);
    const double shared = measure(0, 0), streamed = measure(0, 1), others = measure(1, 0);
    printf("%.1f %.1f %.1f\n", shared, streamed, others);
    free(lines);
    return 0;
}
