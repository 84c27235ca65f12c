/* input.c: see input.h. What the network sees, (pixel * scale - mean) / std, is one multiply-add:
 *
 *   x = pixel * (scale / std) + (0 - mean) / std
 *
 * with both constants worked out in double and rounded once. Statistics of byte images come from
 * whole-number sums, so they are exact until the last division. */
#include "data/input.h"

#include <float.h>
#include <math.h>
#include <omp.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

/* A fault at the option, or at the data when the option was not written. */
static int fault(struct error *e, const struct yaml *where, const struct dataset *set,
                 const char *message)
{
    if (where != NULL) {
        return yaml_error_one(e, ERROR_CONFIG, where, "%s", message);
    }
    return error_set(e, ERROR_DATA, set->path, "%s", message);
}

static const char *plural(long long count) { return count == 1 ? "" : "s"; }

static size_t plane_of(const struct dataset *set) { return (size_t)set->h * (size_t)set->w; }

static size_t plane_offset(const struct dataset *set, uint32_t sample, int channel)
{
    return ((size_t)sample * (size_t)set->c + (size_t)channel) * plane_of(set);
}

/* Sums of values and squares per channel. Whole numbers: any order of adding gives the same. */
struct sums {
    uint64_t values[4], squares[4];
};

enum { PIECE = 1 << 16 }; /* the squares of so many bytes add up to less than 2^32 */

static void add_image(struct sums *sums, const struct dataset *set, const uint8_t *pixels)
{
    const size_t plane = plane_of(set);
    for (int k = 0; k < set->c; k++, pixels += plane) {
        for (size_t at = 0; at < plane; at += PIECE) {
            const size_t end = plane - at < PIECE ? plane : at + PIECE;
            uint32_t values = 0, squares = 0;
#pragma omp simd reduction(+ : values, squares)
            for (size_t i = at; i < end; i++) {
                const uint32_t pixel = pixels[i];
                values += pixel;
                squares += pixel * pixel;
            }
            sums->values[k] += values;
            sums->squares[k] += squares;
        }
    }
}

static int sum_bytes(struct sums *sums, const struct subset *train, struct error *e)
{
    const struct dataset *set = train->set;
    const int threads = set->threads > 0 ? set->threads : 1;
    *sums = (struct sums){0};
#pragma omp parallel num_threads(threads)
    {
        struct sums mine = {0};
        uint8_t *buffer = dataset_buffer(set);
#pragma omp for schedule(static)
        for (size_t s = 0; s < train->count; s++) {
            add_image(&mine, set, dataset_pixels(set, train->index[s], buffer));
        }
#pragma omp critical(input_sums)
        for (int k = 0; k < set->c; k++) {
            sums->values[k] += mine.values[k];
            sums->squares[k] += mine.squares[k];
        }
    }
    return dataset_failed(set, e);
}

__extension__ typedef unsigned __int128 uint128; /* GNU C */

static int standard_of_bytes(struct input *input, const struct subset *train, struct error *e)
{
    struct sums sums;
    TRY(sum_bytes(&sums, train, e));
    const uint64_t n = (uint64_t)train->count * plane_of(train->set);
    for (int k = 0; k < input->c; k++) {
        const uint64_t sum = sums.values[k];
        const uint128 spread = (uint128)n * sums.squares[k] - (uint128)sum * sum;
        input->mean[k] = (double)sum / (double)n * input->scale;
        input->std[k] = spread == 0 ? 1 : sqrt((double)spread) / (double)n * input->scale;
    }
    return 0;
}

static void standard_of_floats(struct input *input, const struct subset *train, int channel)
{
    const struct dataset *set = train->set;
    const size_t plane = plane_of(set);
    const double n = (double)train->count * (double)plane;
    double sum = 0, squares = 0;
    for (size_t s = 0; s < train->count; s++) {
        const float *pixels = set->floats + plane_offset(set, train->index[s], channel);
        for (size_t i = 0; i < plane; i++) {
            sum += (double)pixels[i];
        }
    }
    const double mean = sum / n;
    for (size_t s = 0; s < train->count; s++) {
        const float *pixels = set->floats + plane_offset(set, train->index[s], channel);
        for (size_t i = 0; i < plane; i++) {
            const double difference = (double)pixels[i] - mean;
            squares += difference * difference;
        }
    }
    input->mean[channel] = mean;
    input->std[channel] = squares > 0 ? sqrt(squares / n) : 1;
}

/* Floats have no range of their own: the least of the training set becomes 0 and the greatest 1. */
static void unit_of_floats(struct input *input, const struct subset *train)
{
    const struct dataset *set = train->set;
    const size_t values = plane_of(set) * (size_t)set->c;
    float low = FLT_MAX, high = -FLT_MAX;
    for (size_t s = 0; s < train->count; s++) {
        const float *pixels = set->floats + plane_offset(set, train->index[s], 0);
        for (size_t i = 0; i < values; i++) {
            low = pixels[i] < low ? pixels[i] : low;
            high = pixels[i] > high ? pixels[i] : high;
        }
    }
    for (int k = 0; k < set->c; k++) {
        input->mean[k] = (double)low;
        input->std[k] = high > low ? (double)high - (double)low : 1;
    }
}

/* What the mode takes from the training set's pixels. */
static int find_statistics(struct input *input, const char *mode, const struct subset *train,
                           struct error *e)
{
    const int floats = train->set->bytes == NULL;
    if (strcmp(mode, "standard") == 0 && !floats) {
        return standard_of_bytes(input, train, e);
    }
    for (int k = 0; k < input->c && strcmp(mode, "standard") == 0; k++) {
        standard_of_floats(input, train, k);
    }
    if (strcmp(mode, "unit") == 0 && floats) {
        unit_of_floats(input, train);
    }
    return 0;
}

static int resolve_normalize(struct input *input, const struct normalize_options *normalize,
                             const struct subset *train, struct error *e)
{
    const struct dataset *set = train->set;
    const int given = strcmp(normalize->mode, "given") == 0;
    input->scale = set->bytes != NULL && strcmp(normalize->mode, "none") != 0 ? 1.0 / 255 : 1;
    if (given && normalize->mean.count != set->c) {
        char message[128];
        snprintf(message, sizeof message,
                 "%d mean%s and standard deviation%s, but the images have %d channel%s",
                 normalize->mean.count, plural(normalize->mean.count),
                 plural(normalize->mean.count), set->c, plural(set->c));
        return fault(e, normalize->where, set, message);
    }
    for (int k = 0; k < set->c; k++) {
        input->mean[k] = given ? normalize->mean.values[k] : 0;
        input->std[k] = given ? normalize->std.values[k] : 1;
    }
    if (!set->outline) {
        TRY(find_statistics(input, normalize->mode, train, e));
    }
    for (int k = 0; k < set->c; k++) {
        if (!isfinite((float)(input->scale / input->std[k])) ||
            !isfinite((float)(input->mean[k] / input->std[k]))) {
            return fault(e, normalize->where, set,
                         "normalised pixels are beyond the range of a float");
        }
    }
    return 0;
}

int input_resolve(struct input *input, const struct input_options *size,
                  const struct normalize_options *normalize, const struct subset *train,
                  struct error *e)
{
    const struct dataset *set = train->set;
    char message[128];
    *input = (struct input){
        .c = set->c,
        .h = size->height.value != 0 ? (int)size->height.value : set->h,
        .w = size->width.value != 0 ? (int)size->width.value : set->w,
    };
    if (size->channels.value != 0 && size->channels.value != set->c) {
        snprintf(message, sizeof message, "input has %lld channel%s, but the images have %d",
                 size->channels.value, plural(size->channels.value), set->c);
        return fault(e, size->channels.where, set, message);
    }
    if (input->h < set->h || input->w < set->w) {
        snprintf(message, sizeof message,
                 "input is %dx%d, but the images are %dx%d; fit: pad can only enlarge", input->h,
                 input->w, set->h, set->w);
        return fault(e, input->h < set->h ? size->height.where : size->width.where, set, message);
    }
    return resolve_normalize(input, normalize, train, e);
}

int input_check(const struct input *input, const struct dataset *set, enum error_kind kind,
                struct error *e)
{
    const char *who = kind == ERROR_MODEL ? "model" : "network";
    if (set->c != input->c) {
        return error_set(e, kind, set->path, "images have %d channel%s, the %s takes %d channel%s",
                         set->c, plural(set->c), who, input->c, plural(input->c));
    }
    if (set->h > input->h || set->w > input->w) {
        return error_set(e, kind, set->path, "images are %dx%d, the %s takes %dx%d", set->h, set->w,
                         who, input->h, input->w);
    }
    if (set->bytes == NULL && input->scale < 1) {
        return error_set(e, kind, set->path, "pixels are floats, the %s takes bytes", who);
    }
    return 0;
}

void input_prefetch(const struct dataset *set, const uint32_t *index, int n)
{
    const size_t values = dataset_values(set);
    for (int i = 0; set->bytes && i < n; i++) {
        if (set->list != NULL && index[i] >= set->held) {
            continue; /* not in memory */
        }
        const uint8_t *pixels = set->bytes + (size_t)index[i] * values;
        for (size_t at = 0; at < values && at < 4096; at += 64) {
            __builtin_prefetch(pixels + at, 0, 2);
        }
    }
}
