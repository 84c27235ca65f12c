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

#include <assert.h>
#include <math.h>

enum { BITS = 22 };

struct weights {
    int width;       /* weights a pixel */
    int *first;      /* [size]: source of the first weight */
    int *count;      /* [size]: how many are used */
    int32_t *values; /* [size][width] */
};

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

static int weights_make(struct weights *weights, int from, int to, struct room *room)
{
    const size_t size = (size_t)to;
    const double ratio = (double)from / to;
    weights->width = 2 * (int)ceil(ratio > 1 ? ratio : 1) + 1;
    weights->first = room_take(room, size * sizeof *weights->first);
    weights->count = room_take(room, size * sizeof *weights->count);
    weights->values = room_take(room, size * (size_t)weights->width * sizeof *weights->values);
    double *row = room_take(room, (size_t)weights->width * sizeof *row);
    if (!weights->first || !weights->count || !weights->values || !row) {
        return -1;
    }
    for (int i = 0; i < to; i++) {
        fill_row(weights, i, from, to, row);
    }
    return 0;
}

/* A sum of weights times bytes, as a byte. The weights may sum to a little over 1; 255 times that
 * in steps still fits 31 bits. */
static inline uint8_t round_sum(int32_t sum)
{
    sum = (sum + (1 << (BITS - 1))) >> BITS;
    return (uint8_t)(sum < 255 ? sum : 255);
}

/* A row made w pixels long. With a constant `c` the loops over it are gone. */
static inline __attribute__((always_inline)) void resize_row(const struct weights *weights, int w,
                                                             const uint8_t *from, size_t c,
                                                             uint8_t *to)
{
    const int32_t *values = weights->values;
    for (int x = 0; x < w; x++, to += c, values += weights->width) {
        const uint8_t *pixel = from + (size_t)weights->first[x] * c;
        int32_t sums[4] = {0};
        for (int k = 0; k < weights->count[x]; k++, pixel += c) {
            for (size_t i = 0; i < c; i++) {
                sums[i] += values[k] * pixel[i];
            }
        }
        for (size_t i = 0; i < c; i++) {
            to[i] = round_sum(sums[i]);
        }
    }
}

/* Row y of the result, `size` bytes, from rows as long. */
static void mix_rows(const struct weights *weights, int y, const uint8_t *from, size_t size,
                     uint8_t *to)
{
    enum { PIECE = 64 };
    const int32_t *values = weights->values + (size_t)y * (size_t)weights->width;
    from += (size_t)weights->first[y] * size;
    for (size_t at = 0; at < size; at += PIECE) {
        const size_t count = size - at < PIECE ? size - at : PIECE;
        int32_t sums[PIECE] = {0};
        for (int k = 0; k < weights->count[y]; k++) {
            const uint8_t *row = from + (size_t)k * size + at;
#pragma omp simd
            for (size_t i = 0; i < count; i++) {
                sums[i] += values[k] * row[i];
            }
        }
#pragma omp simd
        for (size_t i = 0; i < count; i++) {
            to[at + i] = round_sum(sums[i]);
        }
    }
}

static void resize(const struct pixels *from, const struct weights *across,
                   const struct weights *down, int h, int w, uint8_t *middle, uint8_t *to)
{
    const size_t row = (size_t)w * (size_t)from->c;
    for (int y = 0; y < from->h; y++) {
        const uint8_t *source = from->at + (size_t)y * from->stride;
        if (from->c == 1) {
            resize_row(across, w, source, 1, middle + (size_t)y * row);
        } else {
            resize_row(across, w, source, 3, middle + (size_t)y * row);
        }
    }
    for (int y = 0; y < h; y++) {
        mix_rows(down, y, middle, row, to + (size_t)y * row);
    }
}

int image_resize(const struct pixels *from, int h, int w, uint8_t *to, struct room *room,
                 struct error *e)
{
    assert(from->c == 1 || from->c == 3);
    const size_t size = (size_t)from->h * (size_t)w * (size_t)from->c;
    struct weights across, down;
    uint8_t *middle = room_take(room, size);
    if (middle == NULL || weights_make(&across, from->w, w, room) != 0 ||
        weights_make(&down, from->h, h, room) != 0) {
        return error_memory(e, size);
    }
    resize(from, &across, &down, h, w, middle, to);
    return 0;
}
