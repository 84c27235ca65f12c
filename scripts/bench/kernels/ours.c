/* ours.c: cnntrain's kernels as a program of serve.h, at the level that CNNTRAIN_CPU allows. Image
 * i is lane i % 16 of tile i / 16. With the argument `direct`, Winograd's ways are left out, but in
 * the weight gradient. What is made of the weights once a step counts as a part of each run. */
#include "serve.h"

#include "kernels/kernels.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const struct kernels *kernels;
static struct window window;
static enum job job;
static float *x, *y, *w, *u, *scratch; /* u: of w, for Winograd's ways, or NULL */
static int direct;
static size_t x_size, y_size;

static int make(enum job wanted, const struct shape *s)
{
    job = wanted;
    window = (struct window){.c = s->c,
                             .h = s->h,
                             .w = s->w,
                             .oc = s->oc,
                             .oh = s->oh,
                             .ow = s->ow,
                             .kh = s->k,
                             .kw = s->k,
                             .stride_h = s->stride,
                             .stride_w = s->stride,
                             .pad_top = s->padding,
                             .pad_left = s->padding,
                             .groups = s->groups};
    x_size = (size_t)s->c * s->h * s->w * LANES;
    y_size = (size_t)s->oc * s->oh * s->ow * LANES;
    x = numbers((long)x_size * IMAGES / LANES);
    y = numbers((long)y_size * IMAGES / LANES);
    w = numbers((long)s->oc * (s->c / s->groups) * s->k * s->k);
    const size_t prepared = direct ? 0 : conv_prepared(&window);
    u = prepared > 0 ? numbers((long)prepared) : NULL;
    scratch = numbers((long)conv_scratch(&window));
    return 0;
}

static void run(void)
{
    if (u && job != WEIGHT) {
        kernels->conv_prepare(&window, w, 0, 1, u);
    }
    for (int tile = 0; tile < IMAGES / LANES; tile++) {
        float *xt = x + tile * x_size, *yt = y + tile * y_size;
        switch (job) {
        case FORWARD:
            kernels->conv_forward(&window, xt, w, u, NULL, yt, scratch);
            break;
        case INPUT:
            kernels->conv_backward_input(&window, yt, w, u, xt, scratch);
            break;
        default:
            kernels->conv_backward_weight(&window, xt, yt, tile > 0, w, NULL, scratch);
        }
    }
}

static void drop(void)
{
    free(x);
    free(y);
    free(w);
    free(u);
    free(scratch);
}

int main(int argc, char **argv)
{
    direct = argc > 1 && strcmp(argv[1], "direct") == 0;
    kernels = kernels_select(getenv("CNNTRAIN_CPU"));
    if (!kernels) {
        printf("error CNNTRAIN_CPU names no level\n");
        return 2;
    }
    return serve(&(const struct kernel_peer){"cnntrain's kernels", make, run, drop});
}
