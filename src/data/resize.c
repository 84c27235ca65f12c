/* resize.c: images made smaller or larger, in whole-number arithmetic: the same bytes on every
 * machine. Rows first, then columns, each rounded to a byte:
 *
 *   y[i] = sum over k of weight[i][k] * x[first[i] + k]
 *
 * where weight is a triangle of radius max(1, from / to) around the place of pixel i in the source,
 * (i + 1/2) * from / to, cut at the border, of sum 1, in steps of 2^-22. That is "bilinear" as
 * Pillow and torchvision do it. (P. Heckbert, "Fundamentals of texture mapping and image warping",
 * 1989, section 3.5: filters for minification.) */
#include "data/fit.h"

#include <math.h>
#include <stdlib.h>

enum { BITS = 22 };

struct weights {
    int width;       /* weights a pixel */
    int *first;      /* [size]: source of the first weight */
    int *count;      /* [size]: how many are used */
    int32_t *values; /* [size][width] */
};

static void weights_free(struct weights *weights)
{
    free(weights->first);
    free(weights->count);
    free(weights->values);
}

/* The weights of pixel i, in double, then in steps; `row` has room for width of them. */
static void fill_row(struct weights *weights, int i, int from, int to, double *row)
{
    const double ratio = (double)from / to, radius = ratio > 1 ? ratio : 1;
    const double centre = (i + 0.5) * ratio;
    const int low = (int)(centre - radius + 0.5), high = (int)(centre + radius + 0.5);
    const int first = low > 0 ? low : 0, end = high < from ? high : from;
    double sum = 0;
    for (int k = 0; k < end - first; k++) {
        const double distance = fabs(first + k - centre + 0.5) / radius;
        row[k] = distance < 1 ? 1 - distance : 0;
        sum += row[k];
    }
    for (int k = 0; k < end - first; k++) {
        weights->values[(size_t)i * (size_t)weights->width + (size_t)k] =
            (int32_t)(0.5 + row[k] / sum * (1 << BITS));
    }
    weights->first[i] = first;
    weights->count[i] = end - first;
}

static int weights_make(struct weights *weights, int from, int to)
{
    const size_t size = (size_t)to;
    const double ratio = (double)from / to;
    weights->width = 2 * (int)ceil(ratio > 1 ? ratio : 1) + 1;
    weights->first = malloc(size * sizeof *weights->first);
    weights->count = malloc(size * sizeof *weights->count);
    weights->values = malloc(size * (size_t)weights->width * sizeof *weights->values);
    double *row = malloc((size_t)weights->width * sizeof *row);
    const int made = weights->first && weights->count && weights->values && row;
    for (int i = 0; made && i < to; i++) {
        fill_row(weights, i, from, to, row);
    }
    free(row);
    return made ? 0 : -1;
}

/* One value: `step` bytes lie between the source's. The weights may sum to a little over 1. */
static uint8_t mix(const struct weights *weights, int i, const uint8_t *from, size_t step)
{
    const int32_t *value = weights->values + (size_t)i * (size_t)weights->width;
    int64_t sum = 1 << (BITS - 1);
    from += (size_t)weights->first[i] * step;
    for (int k = 0; k < weights->count[i]; k++) {
        sum += (int64_t)value[k] * from[(size_t)k * step];
    }
    sum >>= BITS;
    return (uint8_t)(sum < 255 ? sum : 255);
}

static void resize(const struct pixels *from, const struct weights *across,
                   const struct weights *down, int h, int w, uint8_t *middle, uint8_t *to)
{
    const size_t c = (size_t)from->c, row = (size_t)w * c;
    for (int y = 0; y < from->h; y++) {
        const uint8_t *source = from->at + (size_t)y * from->stride;
        for (size_t i = 0; i < row; i++) {
            middle[(size_t)y * row + i] = mix(across, (int)(i / c), source + i % c, c);
        }
    }
    for (int y = 0; y < h; y++) {
        for (size_t i = 0; i < row; i++) {
            to[(size_t)y * row + i] = mix(down, y, middle + i, row);
        }
    }
}

int image_resize(const struct pixels *from, int h, int w, uint8_t *to, struct error *e)
{
    const size_t size = (size_t)from->h * (size_t)w * (size_t)from->c;
    struct weights across = {0}, down = {0};
    uint8_t *middle = malloc(size);
    int status = -1;
    if (middle == NULL || weights_make(&across, from->w, w) != 0 ||
        weights_make(&down, from->h, h) != 0) {
        error_memory(e, size);
    } else {
        resize(from, &across, &down, h, w, middle, to);
        status = 0;
    }
    weights_free(&across);
    weights_free(&down);
    free(middle);
    return status;
}
