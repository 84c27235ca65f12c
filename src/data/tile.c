/* tile.c: stored images as the network's input: fitted by zeros around them and normalised, 16 side
 * by side as a tile [c][h][w][16], or one as planes [c][h][w].
 *
 *   x = pixel * (scale / std) + (0 - mean) / std
 *
 * one multiply-add by a kernel of the level in use, so both layings have the same bits. */
#include "data/input.h"

#include <assert.h>
#include <stdlib.h>

static size_t plane_of(const struct dataset *set) { return (size_t)set->h * (size_t)set->w; }

/* How the stored image lies in the input. Without columns at the sides the rows of a plane join
 * into one run. */
struct laying {
    size_t top, bottom, left, right;
    size_t runs, run;
};

static struct laying lay_out(const struct input *input, const struct dataset *set)
{
    const size_t rows = (size_t)(input->h - set->h), columns = (size_t)(input->w - set->w);
    const size_t runs = columns == 0 ? 1 : (size_t)set->h;
    return (struct laying){.top = rows / 2,
                           .bottom = rows - rows / 2,
                           .left = columns / 2,
                           .right = columns - columns / 2,
                           .runs = runs,
                           .run = plane_of(set) / runs};
}

static float scale_of(const struct input *input, int channel)
{
    return (float)(input->scale / input->std[channel]);
}

static float shift_of(const struct input *input, int channel)
{
    return (float)((0 - input->mean[channel]) / input->std[channel]);
}

static float *fill(float *y, size_t count, float value)
{
    for (size_t i = 0; i < count; i++) {
        y[i] = value;
    }
    return y + count;
}

/* The images of a tile: one of the two is used. Those that are not in memory are decoded here, into
 * memory of their own: decoding takes some anyway. */
struct sixteen {
    const uint8_t *bytes[LANES];
    const float *floats[LANES];
    uint8_t *decoded;
};

/* Room for `count` images of a set that is not held, NULL for one that is. -1 when there is none:
 * the set has then failed. */
static int make_room(const struct dataset *set, uint32_t sample, size_t count, uint8_t **room)
{
    const size_t size = count * dataset_values(set);
    *room = dataset_is_held(set) ? NULL : malloc(size);
    if (*room == NULL && !dataset_is_held(set)) {
        dataset_fail_memory(set, sample, size);
        return -1;
    }
    return 0;
}

/* A run of `count` values of each image, from `offset`; returns where the next begins. */
static float *lay(const struct dataset *set, const struct sixteen *images, size_t offset,
                  size_t count, float scale, float shift, float *y, const struct kernels *kernels)
{
    if (set->bytes != NULL) {
        const uint8_t *bytes[LANES];
        for (int i = 0; i < LANES; i++) {
            bytes[i] = images->bytes[i] + offset;
        }
        kernels->tile_from_bytes(bytes, count, scale, shift, y);
    } else {
        const float *floats[LANES];
        for (int i = 0; i < LANES; i++) {
            floats[i] = images->floats[i] + offset;
        }
        kernels->tile_from_floats(floats, count, scale, shift, y);
    }
    return y + count * LANES;
}

static void lay_tile(const struct input *input, const struct dataset *set,
                     const struct sixteen *images, float *x, const struct kernels *kernels)
{
    const struct laying l = lay_out(input, set);
    for (int k = 0; k < input->c; k++) {
        const float scale = scale_of(input, k), shift = shift_of(input, k);
        const size_t plane = (size_t)k * plane_of(set);
        x = fill(x, l.top * (size_t)input->w * LANES, shift);
        for (size_t r = 0; r < l.runs; r++) {
            x = fill(x, l.left * LANES, shift);
            x = lay(set, images, plane + r * l.run, l.run, scale, shift, x, kernels);
            x = fill(x, l.right * LANES, shift);
        }
        x = fill(x, l.bottom * (size_t)input->w * LANES, shift);
    }
}

void input_tile(const struct input *input, const struct dataset *set, const uint32_t *index,
                int live, float *x, struct labels *labels, const struct kernels *kernels)
{
    assert(live >= 1 && live <= LANES);
    struct sixteen images;
    const int failed = make_room(set, index[0], LANES, &images.decoded);
    for (int i = 0; i < LANES; i++) {
        const uint32_t sample = index[i < live ? i : 0];
        labels->first[i] = labels->second[i] = i < live ? set->labels[sample] : -1;
        labels->share[i] = 1.0f;
        if (failed) {
            continue;
        }
        if (set->bytes != NULL && images.decoded != NULL && i >= live) {
            images.bytes[i] = images.bytes[0];
        } else if (set->bytes != NULL) {
            uint8_t *buffer =
                images.decoded != NULL ? images.decoded + (size_t)i * dataset_values(set) : NULL;
            images.bytes[i] = dataset_pixels(set, sample, buffer);
        } else {
            images.floats[i] = set->floats + sample * dataset_values(set);
        }
    }
    if (failed) {
        fill(x, (size_t)input->c * (size_t)input->h * (size_t)input->w * LANES, 0);
    } else {
        lay_tile(input, set, &images, x, kernels);
    }
    free(images.decoded);
}

void input_image(const struct input *input, const struct dataset *set, uint32_t sample, float *x,
                 const struct kernels *kernels)
{
    const struct laying l = lay_out(input, set);
    const size_t size = dataset_values(set);
    uint8_t *room;
    if (make_room(set, sample, 1, &room) != 0) {
        fill(x, (size_t)input->c * (size_t)input->h * (size_t)input->w, 0);
        return;
    }
    const uint8_t *bytes = set->bytes != NULL ? dataset_pixels(set, sample, room) : NULL;
    const float *floats = bytes != NULL ? NULL : set->floats + sample * size;
    for (int k = 0; k < input->c; k++) {
        const float scale = scale_of(input, k), shift = shift_of(input, k);
        size_t at = (size_t)k * plane_of(set);
        x = fill(x, l.top * (size_t)input->w, shift);
        for (size_t r = 0; r < l.runs; r++, at += l.run) {
            x = fill(x, l.left, shift);
            if (bytes != NULL) {
                kernels->image_from_bytes(bytes + at, l.run, scale, shift, x);
            } else {
                kernels->image_from_floats(floats + at, l.run, scale, shift, x);
            }
            x = fill(x + l.run, l.right, shift);
        }
        x = fill(x, l.bottom * (size_t)input->w, shift);
    }
    free(room);
}
