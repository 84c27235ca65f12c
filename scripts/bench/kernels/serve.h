/* serve.h: what the programs that measure single convolutions share: their line protocol, as
 * peers/protocol.py, and the clock.
 *
 *     > ready 0
 *     < forward C H W OC K STRIDE PADDING GROUPS SECONDS    also: input, weight (the two gradients)
 *     > GFLOP_PER_SECOND                                    of the direct sum, whatever the way
 *     < version
 *     > TEXT
 *     < quit
 *
 * One thread, IMAGES images, square kernels. A program has a struct kernel_peer and calls serve().
 */
#ifndef BENCH_SERVE_H
#define BENCH_SERVE_H

enum { IMAGES = 64 };

struct shape {
    int c, h, w, oc, oh, ow, k, stride, padding;
    int groups; /* of channels, each of which meets only its own outputs */
};

enum job { FORWARD, INPUT, WEIGHT, JOBS };

struct kernel_peer {
    const char *version;
    /* Make what a job on a shape needs. -1: it cannot. */
    int (*open)(enum job job, const struct shape *shape);
    /* Do it once, for all images. */
    void (*run)(void);
    void (*close)(void);
};

int serve(const struct kernel_peer *peer);

/* n floats, 64-byte aligned, small and different; never NULL. */
float *numbers(long n);

#endif
