/* profile.c: the stopwatches of all threads, and the peak that speeds are compared with. */
#include "train/profile.h"

#include <math.h>
#include <omp.h>
#include <stdlib.h>
#include <string.h>

/* The peak is the best of several goes; the first ones find a core that still sleeps. */
enum { PEAK_ROUNDS = 50000, PEAK_LEAST = 8 };
#define PEAK_NANOSECONDS 5000000u

static int row_count(const struct profile *p) { return 2 * p->nodes + PROFILE_PHASES; }

static int phase_row(const struct profile *p, enum profile_phase phase)
{
    return 2 * p->nodes + (int)phase;
}

/* Multiply-adds a second of the calling thread. */
static double measure_peak(const struct kernels *kernels)
{
    const uint64_t start = stopwatch_now();
    volatile float result;
    uint64_t best = UINT64_MAX, before = start;
    for (int i = 0; i < PEAK_LEAST || before - start < PEAK_NANOSECONDS; i++) {
        result = kernels->peak(PEAK_ROUNDS);
        const uint64_t now = stopwatch_now();
        best = now - before < best ? now - before : best;
        before = now;
    }
    (void)result;
    return (double)PEAK_ROUNDS * PEAK_ROUND * 1e9 / (double)(best > 0 ? best : 1);
}

static void measure_peaks(struct profile *p)
{
    double all = 0;
    p->peak_one = measure_peak(p->level);
#pragma omp parallel num_threads(p->threads) reduction(+ : all)
    {
        /* all at once: they may share a core, or its clock */
#pragma omp barrier
        all += measure_peak(p->level);
    }
    p->peak_all = all;
}

int profile_open(struct profile *p, const struct graph *graph, const struct kernels *kernels,
                 int threads, struct error *e)
{
    *p = (struct profile){.threads = threads, .nodes = graph->count, .level = kernels};
    /* threads write to cache lines of their own */
    p->stride = ((size_t)row_count(p) + 15) / 8 * 8;
    const size_t watches = ((size_t)threads * sizeof *p->watches + 63) / 64 * 64;
    const size_t bytes = watches + (size_t)threads * p->stride * sizeof *p->rows;
    p->watches = calloc(1, bytes);
    if (!p->watches) {
        return error_memory(e, bytes);
    }
    p->rows = (void *)((char *)p->watches + watches);
    for (int i = 0; i < threads; i++) {
        p->watches[i].rows = p->rows + (size_t)i * p->stride;
    }
    measure_peaks(p);
    profile_start(p);
    return 0;
}

void profile_close(struct profile *p)
{
    free(p->watches);
    *p = (struct profile){0};
}

void profile_start(struct profile *p)
{
    if (!p) {
        return;
    }
    memset(p->rows, 0, (size_t)p->threads * p->stride * sizeof *p->rows);
    p->steps = p->images = 0;
    p->start = stopwatch_now();
    for (int i = 0; i < p->threads; i++) {
        p->watches[i].last = p->start;
    }
}

void profile_all(struct profile *p, enum profile_phase phase)
{
    if (!p) {
        return;
    }
    const uint64_t now = stopwatch_now();
    for (int i = 0; i < p->threads; i++) {
        p->watches[i].rows[phase_row(p, phase)] += now - p->watches[i].last;
        p->watches[i].last = now;
    }
}

struct stopwatch *profile_watch(const struct profile *p)
{
    return p ? &p->watches[omp_get_thread_num()] : NULL;
}

void profile_lap(const struct profile *p, struct stopwatch *watch, enum profile_phase phase)
{
    if (watch) {
        stopwatch_lap(watch, phase_row(p, phase));
    }
}

double profile_row(const struct profile *p, int row)
{
    uint64_t sum = 0;
    for (int i = 0; i < p->threads; i++) {
        sum += p->watches[i].rows[row];
    }
    return (double)sum * 1e-9 / p->threads;
}

double profile_seconds(const struct profile *p)
{
    double sum = 0;
    for (int row = 0; row < row_count(p); row++) {
        sum += profile_row(p, row);
    }
    return sum;
}
