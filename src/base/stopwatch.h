/* stopwatch.h: where a thread's time goes. There is one clock and a row for each thing that the
 * thread does; a lap gives all of the time since the lap before to one row. So nothing is counted
 * twice or forgotten: the rows of a watch add up to the time from its start to its last lap. */
#ifndef CNNTRAIN_BASE_STOPWATCH_H
#define CNNTRAIN_BASE_STOPWATCH_H

#include <stdint.h>
#include <time.h>

struct stopwatch {
    uint64_t last;  /* when the last lap ended, as stopwatch_now counts */
    uint64_t *rows; /* nanoseconds; the caller's */
};

/* Nanoseconds on a clock that never goes back. */
static inline uint64_t stopwatch_now(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (uint64_t)now.tv_sec * 1000000000u + (uint64_t)now.tv_nsec;
}

/* The time since the last lap belongs to `row`. `watch` NULL: nobody measures. */
static inline void stopwatch_lap(struct stopwatch *watch, int row)
{
    if (watch) {
        const uint64_t now = stopwatch_now();
        watch->rows[row] += now - watch->last;
        watch->last = now;
    }
}

#endif
