/* augment_moves.c: moves are not carried out as they come but composed: with the maps M1, M2, ...
 * from the picture after a move to the picture before it,
 *
 *     result(p) = image(M1(M2(...Mn(p))))
 *
 * and the image is resampled once, when a step wants to see pixels or the list ends. So a move
 * loses nothing that the next one brings back, and blurs nothing twice. One of the M may be no map
 * but a field of displacements, M(p) = p + d(p). Moves whose fill, fill_mode or interpolation
 * differ cannot be one. */
#include "data/augment_moves.h"

static size_t whole_vectors(size_t n) { return (n + LANES - 1) / LANES * LANES; }

static size_t greater(size_t a, size_t b) { return a > b ? a : b; }

/* For resampling (a picture, or a field) and smoothing; behind it two planes of places and two of a
 * field. */
static size_t work_floats(int c, int h, int w)
{
    return whole_vectors(greater(resample_scratch(c > 2 ? c : 2, h, w), blur_scratch(h, w)));
}

size_t moves_scratch(int c, int h, int w)
{
    return work_floats(c, h, w) + 4 * whole_vectors((size_t)h * (size_t)w);
}

static struct map map_product(const struct map *a, const struct map *b)
{
    struct map product;
    for (int i = 0; i < 3; i++) {
        for (int j = 0; j < 3; j++) {
            double sum = 0;
            for (int k = 0; k < 3; k++) {
                sum += a->m[3 * i + k] * b->m[3 * k + j];
            }
            product.m[3 * i + j] = sum;
        }
    }
    return product;
}

static int is_identity(const struct map *map)
{
    for (int i = 0; i < 9; i++) {
        if (map->m[i] != MAP_IDENTITY.m[i]) {
            return 0;
        }
    }
    return 1;
}

/* Every place (x[i], y[i]) to where the map has it from. */
static void apply(const struct map *map, size_t n, float *x, float *y)
{
    float m[9];
    for (int i = 0; i < 9; i++) {
        m[i] = (float)map->m[i];
    }
    for (size_t i = 0; i < n; i++) {
        const float across = m[0] * x[i] + m[1] * y[i] + m[2];
        const float down = m[3] * x[i] + m[4] * y[i] + m[5];
        const float scale = m[6] * x[i] + m[7] * y[i] + m[8];
        x[i] = across / scale;
        y[i] = down / scale;
    }
}

/* Every pixel's place, for a run of moves with one that is no map in it: before(p + field(p)) with
 * p = map(pixel), where the field is looked up as a picture is. */
static void find_places(struct picture *picture, struct pending *pending, struct warp *warp)
{
    const size_t n = (size_t)picture->h * (size_t)picture->w;
    float *x = picture->scratch + work_floats(picture->c, picture->h, picture->w);
    float *y = x + whole_vectors(n), *field = y + whole_vectors(n);
    pending->bend->bend(pending->bend_options, &pending->bend_draws, picture, field);
    for (size_t i = 0; i < n; i++) {
        x[i] = (float)(i % (size_t)picture->w);
        y[i] = (float)(i / (size_t)picture->w);
    }
    if (!is_identity(&pending->map)) {
        apply(&pending->map, n, x, y);
        const struct warp look = {.c = 2, .h = picture->h, .w = picture->w, .x = x, .y = y};
        picture->kernels->resample(&look, field, picture->scratch);
    }
    for (size_t i = 0; i < n; i++) {
        x[i] += field[i];
        y[i] += field[n + i];
    }
    if (!is_identity(&pending->before)) {
        apply(&pending->before, n, x, y);
    }
    warp->x = x;
    warp->y = y;
}

void moves_carry_out(struct picture *picture, struct pending *pending)
{
    if (pending->some && (pending->bend != NULL || !is_identity(&pending->map))) {
        struct warp warp = {.c = picture->c, .h = picture->h, .w = picture->w};
        for (int i = 0; i < 9; i++) {
            warp.m[i] = (float)pending->map.m[i];
        }
        if (pending->bend != NULL) {
            find_places(picture, pending, &warp);
        }
        warp.nearest = pending->interpolation == INTERPOLATIONS[1];
        warp.mirror = pending->mirror;
        warp.fill = picture->low + pending->fill * (picture->high - picture->low);
        picture->kernels->resample(&warp, picture->planes, picture->scratch);
    }
    *pending = (struct pending){.map = MAP_IDENTITY};
}

static int mirrors(const struct move_options *how)
{
    return how->fill_mode == FILL_MODES[1]; /* NULL is the first */
}

/* Whether the moves so far and one more can be one. */
static int goes_with(const struct pending *pending, const struct augmentation *type,
                     const struct move_options *how)
{
    return !(type->bend != NULL && pending->bend != NULL) &&
           (!pending->filled || (pending->fill == how->fill && pending->mirror == mirrors(how))) &&
           (pending->interpolation == NULL || how->interpolation == NULL ||
            pending->interpolation == how->interpolation);
}

void moves_add(struct picture *picture, struct pending *pending, const struct augmentation *type,
               const void *options, struct draws *draws)
{
    if (!(type->flags & AUGMENT_WHOLE_PIXELS)) {
        const struct move_options *how = options;
        if (!goes_with(pending, type, how)) {
            moves_carry_out(picture, pending);
        }
        pending->filled = 1;
        pending->fill = how->fill;
        pending->mirror = mirrors(how);
        pending->interpolation = how->interpolation ? how->interpolation : pending->interpolation;
    }
    pending->some = 1;
    if (type->bend != NULL) {
        pending->bend = type;
        pending->bend_options = options;
        pending->bend_draws = *draws;
        pending->before = pending->map;
        pending->map = MAP_IDENTITY;
    } else {
        const struct map map = type->move(options, draws, picture->h, picture->w);
        pending->map = map_product(&pending->map, &map);
    }
}
