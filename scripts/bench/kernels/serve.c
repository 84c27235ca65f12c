/* serve.c: see serve.h. The rate is that of the fastest slice of the asked time. */
#include "serve.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

static double now(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

float *numbers(long n)
{
    float *x = aligned_alloc(64, ((size_t)n * sizeof *x + 63) / 64 * 64);
    if (!x) {
        printf("error no memory\n");
        exit(1);
    }
    for (long i = 0; i < n; i++) {
        x[i] = (float)(i * 7919 % 1009) / 1009.0f - 0.5f;
    }
    return x;
}

/* Seconds of one run. */
static double fastest(void (*run)(void), double seconds)
{
    enum { SLICES = 8, FEWEST = 2 };
    double least = 1e9;
    double start = now();
    run();
    double once = now() - start, end = now() + seconds;
    int times = (int)(seconds / SLICES / once) + 1;
    for (int slice = 0; slice < FEWEST || now() < end; slice++) {
        start = now();
        for (int i = 0; i < times; i++) {
            run();
        }
        double each = (now() - start) / times;
        least = each < least ? each : least;
    }
    return least;
}

static void answer(const struct kernel_peer *peer, enum job job, struct shape *s, double seconds)
{
    s->oh = (s->h + 2 * s->padding - s->k) / s->stride + 1;
    s->ow = (s->w + 2 * s->padding - s->k) / s->stride + 1;
    if (peer->open(job, s) != 0) {
        printf("error it cannot\n");
        return;
    }
    double flops = 2.0 * IMAGES * s->oc * (s->c / s->groups) * s->k * s->k * s->oh * s->ow;
    printf("%.3f\n", 1e-9 * flops / fastest(peer->run, seconds));
    peer->close();
}

int serve(const struct kernel_peer *peer)
{
    static const char *const NAMES[JOBS] = {"forward", "input", "weight"};
    char line[256], word[16];
    setvbuf(stdout, NULL, _IOLBF, 0);
    printf("ready 0\n");
    while (fgets(line, sizeof line, stdin)) {
        struct shape s;
        double seconds;
        int n = sscanf(line, "%15s %d %d %d %d %d %d %d %d %lf", word, &s.c, &s.h, &s.w, &s.oc,
                       &s.k, &s.stride, &s.padding, &s.groups, &seconds);
        enum job job = FORWARD;
        while (job < JOBS && strcmp(word, NAMES[job]) != 0) {
            job++;
        }
        if (n == 1 && strcmp(word, "quit") == 0) {
            break;
        }
        if (n == 1 && strcmp(word, "version") == 0) {
            printf("%s\n", peer->version);
        } else if (n != 10 || job == JOBS || s.groups < 1) {
            printf("error it cannot %s\n", word);
        } else {
            answer(peer, job, &s, seconds);
        }
    }
    return 0;
}
