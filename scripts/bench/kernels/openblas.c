/* openblas.c: convolution by im2col and OpenBLAS's sgemm, as a program of serve.h: the textbook's
 * way, image by image and group by group (Chellapilla, Puri, Simard 2006). */
#include "serve.h"

#include <cblas.h>
#include <stdlib.h>
#include <string.h>

extern void openblas_set_num_threads(int);

static struct shape s; /* of one group */
static int groups;
static enum job job;
static float *x, *y, *w, *columns;

static int make(enum job wanted, const struct shape *shape)
{
    s = *shape;
    job = wanted;
    groups = s.groups;
    s.c /= groups;
    s.oc /= groups;
    x = numbers((long)IMAGES * groups * s.c * s.h * s.w);
    y = numbers((long)IMAGES * groups * s.oc * s.oh * s.ow);
    w = numbers((long)groups * s.oc * s.c * s.k * s.k);
    columns = numbers((long)s.c * s.k * s.k * s.oh * s.ow);
    return 0;
}

/* The output columns of a tap that fall inside the image: from *first to before *end. */
static void inside(int tap, int *first, int *end)
{
    int from = s.padding - tap, to = s.w + s.padding - tap;
    *first = from > 0 ? (from + s.stride - 1) / s.stride : 0;
    *end = to > 0 ? (to + s.stride - 1) / s.stride : 0;
    *end = *end < s.ow ? *end : s.ow;
}

/* columns[c k k][oh ow] from an image, or, `back`, added into one. */
static void unfold(float *image, int back)
{
    float *row = columns;
    for (int line = 0; line < s.c * s.k * s.k; line++) {
        int c = line / (s.k * s.k), kh = line / s.k % s.k, kw = line % s.k, first, end;
        inside(kw, &first, &end);
        for (int oy = 0; oy < s.oh; oy++, row += s.ow) {
            int iy = oy * s.stride + kh - s.padding;
            float *in = image + (c * s.h + iy) * s.w + kw - s.padding;
            if (iy < 0 || iy >= s.h) {
                if (!back) {
                    memset(row, 0, (size_t)s.ow * sizeof *row);
                }
                continue;
            }
            if (back) {
                for (int ox = first; ox < end; ox++) {
                    in[ox * s.stride] += row[ox];
                }
                continue;
            }
            memset(row, 0, (size_t)s.ow * sizeof *row);
            for (int ox = first; ox < end; ox++) {
                row[ox] = in[ox * s.stride];
            }
        }
    }
}

/* One group of one image; `add`: to the gradient that is there. */
static void run_group(float *xi, float *wi, float *yi, int add)
{
    int taps = s.c * s.k * s.k, pixels = s.oh * s.ow;
    if (job == INPUT) {
        cblas_sgemm(CblasRowMajor, CblasTrans, CblasNoTrans, taps, pixels, s.oc, 1, wi, taps, yi,
                    pixels, 0, columns, pixels);
        memset(xi, 0, (size_t)s.c * s.h * s.w * sizeof *xi);
        unfold(xi, 1);
        return;
    }
    unfold(xi, 0);
    if (job == FORWARD) {
        cblas_sgemm(CblasRowMajor, CblasNoTrans, CblasNoTrans, s.oc, pixels, taps, 1, wi, taps,
                    columns, pixels, 0, yi, pixels);
    } else {
        cblas_sgemm(CblasRowMajor, CblasNoTrans, CblasTrans, s.oc, taps, pixels, 1, yi, pixels,
                    columns, pixels, add, wi, taps);
    }
}

static void run(void)
{
    for (int i = 0; i < IMAGES * groups; i++) {
        run_group(x + (long)i * s.c * s.h * s.w, w + (long)(i % groups) * s.oc * s.c * s.k * s.k,
                  y + (long)i * s.oc * s.oh * s.ow, i >= groups);
    }
}

static void drop(void)
{
    free(x);
    free(y);
    free(w);
    free(columns);
}

int main(void)
{
    openblas_set_num_threads(1);
    return serve(&(const struct kernel_peer){openblas_get_config(), make, run, drop});
}
