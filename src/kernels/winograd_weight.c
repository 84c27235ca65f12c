/* winograd_weight.c: the weight gradient by Winograd's way (winograd.c): the transposed algorithm,
 * with the r taps as outputs of the m columns of dy,
 *
 *     dw = A" [ (G' dy) * (B' x) ]
 *
 * The pixels are summed at the points: there the sums are the weight gradient of a kernel of one
 * column, conv_weight.c's own. */
#include "kernels/winograd_points.h"

/* One point of G' dy, without its factor: the polynomial with the tile's columns as coefficients.
 */
INLINE vec gradient_point(int point, int columns, const float *dy)
{
#define D(i) v_load(dy + (i)*LANES)
    vec even = D(0), odd = D(1);
    if (columns == 4 && point > 0 && point < POINTS - 1) {
        const float square = point < 3 ? 1.0f : 4.0f;
        even = v_fma(v_set(square), D(2), even);
        odd = v_fma(v_set(square), D(3), odd);
    }
    switch (point) {
    case 0:
        return D(0);
    case 1:
        return even + odd;
    case 2:
        return even - odd;
    case 3:
        return v_fma(v_set(2.0f), odd, even);
    case 4:
        return v_fma(v_set(-2.0f), odd, even);
    default:
        return D(columns - 1);
    }
#undef D
}

/* d[oc][oh][tile]: dy at one point. `point` and `columns` are constants. */
INLINE void gradient_rows(int point, int columns, const struct window *s, const float *dy, float *d)
{
    const int tiles = winograd_tiles(s), rest = s->ow - (tiles - 1) * columns;
    float edge[4 * LANES] __attribute__((aligned(64))) = {0};
    for (int r = 0; r < s->oc * s->oh; r++) {
        for (int t = 0; t < tiles; t++, d += LANES, dy += columns * LANES) {
            const float *from = dy;
            if (t == tiles - 1 && rest < columns) {
                memcpy(edge, dy, (size_t)rest * LANES * sizeof *dy);
                from = edge;
            }
            UNROLL
            for (int part = 0; part < PARTS; part++) {
                v_store(d + part * WIDTH, gradient_point(point, columns, from + part * WIDTH));
            }
        }
        dy -= (columns - rest) * LANES;
    }
}

static void transform_gradient(int point, const struct window *s, const float *dy, float *d)
{
#define POINT(K)                                                                                   \
    case K:                                                                                        \
        if (winograd_columns(s) == 2) {                                                            \
            gradient_rows(K, 2, s, dy, d);                                                         \
        } else {                                                                                   \
            gradient_rows(K, 4, s, dy, d);                                                         \
        }                                                                                          \
        break;
    switch (point) {
        POINT(0)
        POINT(1)
        POINT(2)
        POINT(3)
        POINT(4)
        POINT(5)
    }
#undef POINT
}

/* dw of `count` kernel rows from their sums at the points, whose factors gradient_point left out.
 */
INLINE void finish_taps(int taps, size_t count, const float *sums, int add, float *dw)
{
    for (size_t r = 0; r < count; r++, sums++, dw += taps) {
        const float p0 = 0.25f * sums[0], p1 = SIXTH * sums[count], p2 = SIXTH * sums[2 * count],
                    p3 = PART_24 * sums[3 * count], p4 = PART_24 * sums[4 * count];
        const float s1 = p1 + p2, d1 = p1 - p2, s2 = p3 + p4, d2 = p3 - p4;
        float out[5] = {(p0 + s1) + s2, d1 + 2 * d2, s1 + 4 * s2, d1 + 8 * d2, s1 + 16 * s2};
        out[taps - 1] += sums[5 * count];
        UNROLL
        for (int t = 0; t < taps; t++) {
            dw[t] = add ? dw[t] + out[t] : out[t];
        }
    }
}

void KERNEL(winograd_backward_weight)(const struct window *s, const float *x, const float *dy,
                                      int add, float *dw, float *scratch)
{
    const int tiles = winograd_tiles(s), columns = winograd_columns(s);
    const size_t rows = (size_t)s->oc * s->c * s->kh, point = (size_t)s->c * s->h * tiles * LANES;
    float *wide = scratch, *u = wide + (size_t)winograd_reach(s, tiles) * LANES,
          *d = u + POINTS * point, *sums = d + (size_t)s->oc * s->oh * tiles * LANES;
    memset(wide, 0, (size_t)winograd_reach(s, tiles) * LANES * sizeof *wide);
    for (int r = 0; r < s->c * s->h; r++) {
        const float *row = with_padding(s, x + (size_t)r * s->w * LANES, wide);
        for (int t = 0; t < tiles; t++, row += columns * LANES) {
            input_points(row, u + ((size_t)r * tiles + t) * LANES, point);
        }
    }
    struct window points = *s; /* as the sums at one point see it: tiles for columns */
    points.w = points.ow = tiles;
    points.kw = 1;
    points.pad_left = 0;
    for (int k = 0; k < POINTS; k++) {
        transform_gradient(k, s, dy, d);
        KERNEL(conv_weight_direct)(&points, u + k * point, d, 0, sums + k * rows, NULL);
    }
    if (s->kw == 3) {
        finish_taps(3, rows, sums, add, dw);
    } else {
        finish_taps(5, rows, sums, add, dw);
    }
}
