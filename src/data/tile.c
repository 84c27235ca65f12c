/* tile.c: stored images as the network's input: fitted by zeros around them and normalised, 16 side
 * by side as a tile [c][h][w][16], or one as planes [c][h][w].
 *
 *   x = pixel * (scale / std) + (0 - mean) / std
 *
 * one multiply-add by a kernel of the level in use, so both layings have the same bits. */
#include "data/input.h"

#include <assert.h>

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

_Static_assert(BUFFER_IMAGES >= (int)LANES, "the images of a tile are decoded into a buffer");

/* The images of a tile: one of the two is used. */
struct sixteen {
    const uint8_t *bytes[LANES];
    const float *floats[LANES];
};

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
    uint8_t *buffer = dataset_buffer(set);
    for (int i = 0; i < LANES; i++) {
        const uint32_t sample = index[i < live ? i : 0];
        labels->first[i] = labels->second[i] = i < live ? set->labels[sample] : -1;
        labels->share[i] = 1.0f;
        if (set->bytes == NULL) {
            images.floats[i] = set->floats + sample * dataset_values(set);
        } else if (i >= live) {
            images.bytes[i] = images.bytes[0];
        } else {
            images.bytes[i] = dataset_pixels(set, sample, buffer);
            buffer = buffer != NULL ? buffer + dataset_values(set) : NULL;
        }
    }
    lay_tile(input, set, &images, x, kernels);
}

void input_image(const struct input *input, const struct dataset *set, uint32_t sample, float *x,
                 const struct kernels *kernels)
{
    const struct laying l = lay_out(input, set);
    const size_t size = dataset_values(set);
    const uint8_t *bytes =
        set->bytes != NULL ? dataset_pixels(set, sample, dataset_buffer(set)) : NULL;
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
}
