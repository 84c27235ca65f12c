/* resample.c: a picture moved by an affine or projective map, or each pixel by itself, bilinear or
 * nearest.
 *
 * The picture is copied into a frame of `fill`, one pixel before and two behind, and places are
 * clamped to [-1, w] x [-1, h]: so the four pixels around every place exist, and no pixel needs a
 * test of its own. A vector is 16 neighbours of one row; the pixels left and right of a place are
 * gathered as one 64-bit value. */
#include "kernels/bodies.h"

static void copy_row(size_t w, const float *x, float *row)
{
    size_t i = 0;
    for (; i + WIDTH <= w; i += WIDTH) {
        v_storeu(row + i, v_loadu(x + i));
    }
    if (i < w && w >= WIDTH) { /* the last ones once more, with those before them */
        v_storeu(row + w - WIDTH, v_loadu(x + w - WIDTH));
    } else {
        memcpy(row + i, x + i, (w - i) * sizeof *row);
    }
}

static void fill_row(size_t n, float value, float *row)
{
    for (size_t i = 0; i < n; i++) {
        row[i] = value;
    }
}

static void put_in_frame(const struct warp *warp, const float *x, float *frame)
{
    const size_t h = (size_t)warp->h, w = (size_t)warp->w, stride = w + 3;
    for (int k = 0; k < warp->c; k++) {
        fill_row(stride, warp->fill, frame);
        float *row = frame + stride;
        for (size_t r = 0; r < h; r++) {
            row[0] = warp->fill;
            copy_row(w, x + r * w, row + 1);
            row[w + 1] = warp->fill;
            row[w + 2] = warp->fill;
            row += stride;
        }
        fill_row(2 * stride, warp->fill, row);
        x += h * w;
        frame += (h + 3) * stride;
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
INLINE vec split(vec place, float most, int nearest, vec *rest)
{
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
    const vec left = split(from_x, (float)warp->w, warp->nearest, &p.right);
    const vec above = split(from_y, (float)warp->h, warp->nearest, &p.below);
    p.at = v_iadd(v_imultiply(v_to_int(above), v_iset(warp->w + 3)), v_to_int(left));
    return p;
}

INLINE vec mix(vec a, vec b, vec share) { return v_fma(b - a, share, a); }

INLINE vec look(const float *frame, size_t stride, const struct places *p)
{
    vec a, b, c, d;
    v_gather_pairs(frame, p->at, &a, &b);
    v_gather_pairs(frame + stride, p->at, &c, &d);
    return mix(mix(a, b, p->right), mix(c, d, p->right), p->below);
}

INLINE void resample_rows(const struct warp *warp, enum sort sort, const float *frame, float *x)
{
    const size_t h = (size_t)warp->h, w = (size_t)warp->w, stride = w + 3;
    float steps[WIDTH] __attribute__((aligned(64)));
    for (int i = 0; i < WIDTH; i++) {
        steps[i] = (float)i;
    }
    for (size_t r = 0; r < h; r++) {
        for (size_t i = 0; i < w; i += WIDTH) {
            const vec column = v_load(steps) + v_set((float)i);
            const struct places p = find(warp, sort, column, (float)r, r * w + i, w - i);
            for (size_t k = 0; k < (size_t)warp->c; k++) {
                const vec y = look(frame + k * (h + 3) * stride, stride, &p);
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
    put_in_frame(warp, x, scratch);
    if (warp->x != NULL) {
        resample_rows(warp, EACH, scratch, x);
    } else if (warp->m[6] != 0 || warp->m[7] != 0 || warp->m[8] != 1) {
        resample_rows(warp, PROJECTIVE, scratch, x);
    } else {
        resample_rows(warp, AFFINE, scratch, x);
    }
}
