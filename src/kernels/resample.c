/* resample.c: a picture moved by an affine or projective map, or each pixel by itself, bilinear or
 * nearest.
 *
 * The picture is copied into a frame of `fill`, one pixel before and two behind, and places are
 * clamped to [-1, w] x [-1, h]: so the four pixels around every place exist, and no pixel needs a
 * test of its own. In the frame each pixel has the one below it at its side: then the four are one
 * load. A vector of the result is 16 neighbours of one row. */
#include "kernels/bodies.h"

static void fill_floats(size_t n, float value, float *x)
{
    for (size_t i = 0; i < n; i++) {
        x[i] = value;
    }
}

/* A row of pairs: above[i], below[i]. */
static void pair_rows(size_t w, const float *above, const float *below, float *pairs)
{
    size_t i = 0;
    for (; i + WIDTH <= w; i += WIDTH) {
        v_store_pairs(pairs + 2 * i, v_loadu(above + i), v_loadu(below + i));
    }
    if (i < w && w >= WIDTH) { /* the last ones once more, with those before them */
        i = w - WIDTH;
        v_store_pairs(pairs + 2 * i, v_loadu(above + i), v_loadu(below + i));
    } else {
        for (; i < w; i++) {
            pairs[2 * i] = above[i];
            pairs[2 * i + 1] = below[i];
        }
    }
}

/* The frame of each channel: [h + 2][w + 3][2]; `outside` is a row of fill. */
static void put_in_frame(const struct warp *warp, const float *x, const float *outside,
                         float *frame)
{
    const size_t h = (size_t)warp->h, w = (size_t)warp->w;
    for (int k = 0; k < warp->c; k++, x += h * w) {
        for (size_t r = 0; r < h + 2; r++, frame += 2 * (w + 3)) {
            const float *above = r >= 1 && r <= h ? x + (r - 1) * w : outside;
            const float *below = r < h ? x + r * w : outside;
            fill_floats(2, warp->fill, frame);
            pair_rows(w, above, below, frame + 2);
            fill_floats(4, warp->fill, frame + 2 * (w + 1));
        }
    }
}

/* Where a vector of pixels comes from: the place above and left of it in a frame, as an index, and
 * how far it is from there. */
struct places {
    ivec at;
    vec right, below;
};

/* From a coordinate, shifted by one for the frame, to the pixel before it and the rest. A place
 * that is not a number becomes -1. */
INLINE vec split(vec place, float most, int nearest, int mirror, vec *rest)
{
    if (mirror) { /* about 0, about the last, and about 0 again; what is still outside, to the edge
                   */
        const vec zero = v_set(0.0f), last = v_set(most - 1);
        place = v_max(place, zero - place);
        place = last - v_max(place - last, last - place);
        place = v_min(v_max(place, zero - place), last);
    }
    place = v_min(v_max(place, v_set(-1.0f)), v_set(most)) + v_set(1.0f);
    if (nearest) {
        place = place + v_set(0.5f);
    }
    const vec whole = v_from_int(v_to_int(place));
    *rest = place - whole;
    if (nearest) {
        *rest = v_set(0.0f);
    }
    return whole;
}

/* Where the pixels of a row from column x on come from: m, or for every pixel its own. */
enum sort { AFFINE, PROJECTIVE, EACH };

INLINE vec load(const float *p, size_t n) { return n >= WIDTH ? v_loadu(p) : v_load_first(p, n); }

INLINE struct places find(const struct warp *warp, enum sort sort, vec x, float y, size_t at,
                          size_t n)
{
    const float *m = warp->m;
    struct places p;
    vec from_x, from_y;
    if (sort == EACH) {
        from_x = load(warp->x + at, n);
        from_y = load(warp->y + at, n);
    } else {
        from_x = v_fma(v_set(m[0]), x, v_fma(v_set(m[1]), v_set(y), v_set(m[2])));
        from_y = v_fma(v_set(m[3]), x, v_fma(v_set(m[4]), v_set(y), v_set(m[5])));
    }
    if (sort == PROJECTIVE) {
        const vec scale = v_fma(v_set(m[6]), x, v_fma(v_set(m[7]), v_set(y), v_set(m[8])));
        from_x = from_x / scale;
        from_y = from_y / scale;
    }
    const vec left = split(from_x, (float)warp->w, warp->nearest, warp->mirror, &p.right);
    const vec above = split(from_y, (float)warp->h, warp->nearest, warp->mirror, &p.below);
    p.at = v_iadd(v_imultiply(v_to_int(above), v_iset(warp->w + 3)), v_to_int(left));
    return p;
}

INLINE vec mix(vec a, vec b, vec share) { return v_fma(b - a, share, a); }

INLINE vec look(const float *frame, const struct places *p)
{
    vec four[4]; /* above and below at the left, the same at the right */
    v_gather_fours(frame, p->at, four);
    return mix(mix(four[0], four[2], p->right), mix(four[1], four[3], p->right), p->below);
}

INLINE void resample_rows(const struct warp *warp, enum sort sort, const float *frame, float *x)
{
    const size_t h = (size_t)warp->h, w = (size_t)warp->w;
    float steps[WIDTH] __attribute__((aligned(64)));
    for (int i = 0; i < WIDTH; i++) {
        steps[i] = (float)i;
    }
    for (size_t r = 0; r < h; r++) {
        for (size_t i = 0; i < w; i += WIDTH) {
            const vec column = v_load(steps) + v_set((float)i);
            const struct places p = find(warp, sort, column, (float)r, r * w + i, w - i);
            for (size_t k = 0; k < (size_t)warp->c; k++) {
                const vec y = look(frame + k * 2 * (h + 2) * (w + 3), &p);
                float *to = x + (k * h + r) * w + i;
                if (w - i >= WIDTH) {
                    v_storeu(to, y);
                } else {
                    v_store_first(to, y, w - i);
                }
            }
        }
    }
}

void KERNEL(resample)(const struct warp *warp, float *x, float *scratch)
{
    float *const frame = scratch + ((size_t)warp->w + LANES - 1) / LANES * LANES;
    fill_floats((size_t)warp->w, warp->fill, scratch);
    put_in_frame(warp, x, scratch, frame);
    if (warp->x != NULL) {
        resample_rows(warp, EACH, frame, x);
    } else if (warp->m[6] != 0 || warp->m[7] != 0 || warp->m[8] != 1) {
        resample_rows(warp, PROJECTIVE, frame, x);
    } else {
        resample_rows(warp, AFFINE, frame, x);
    }
}
