/* winograd_rows.c: Winograd's way (winograd.c) along the rows alone, with 8 points, for 5x5 kernels
 * where input channels are few, as in a first layer: 8 products of a row for 4 outputs instead of
 * 20. The transforms cost less than along both axes, since a row of tiles is brought to the points
 * once for all columns and output channels.
 *
 *     y = A' [ sum over c and columns t of (G w[c][t]) * (B' x[c][column + t]) ]
 *
 * The points are 0, 1, -1, 2, -2, 1/2, -1/2 and infinity. A block is BLOCK output channels at one
 * column, all points in registers. The weight gradient is the transposed algorithm,
 *
 *     dw[c][t] = G' [ sum over columns of (A dy) * (B' x[c][column + t]) ]
 *
 * whose sums wait in memory from one row of tiles to the next; the lanes are added at the end. */
#include "kernels/winograd_points.h"

enum { EIGHT = WINOGRAD_EIGHT, TAPS = 5, ROWS = EIGHT + 1 - TAPS, BLOCK = 3 };

/* Points, and output channels of the weight gradient, whose sums fit the registers together. */
#if defined(__AVX512F__)
enum { AT_ONCE = EIGHT, GRADIENT_BLOCK = 3 };
#elif defined(__AVX2__)
enum { AT_ONCE = 2, GRADIENT_BLOCK = 2 };
#else
enum { AT_ONCE = 1, GRADIENT_BLOCK = 2 };
#endif

/* B' d: `step` floats apart. */
INLINE void to_eight(const vec d[EIGHT], float *to, size_t step)
{
    const vec even1 = v_fma(v_set(-4.25f), d[4], d[2] + d[6]);
    const vec odd1 = v_fma(v_set(-4.25f), d[3], d[1] + d[5]);
    const vec even2 = v_fma(v_set(-1.25f), d[4], v_fma(v_set(0.25f), d[2], d[6]));
    const vec odd2 = v_fma(v_set(-2.5f), d[3], v_fma(v_set(0.5f), d[1], d[5] + d[5]));
    const vec even3 = v_fma(v_set(-5.0f), d[4], v_fma(v_set(4.0f), d[2], d[6]));
    const vec odd3 = v_fma(v_set(-2.5f), d[3], v_fma(v_set(0.5f), d[5], d[1] + d[1]));
    v_store(to, v_fma(v_set(5.25f), d[4] - d[2], d[0] - d[6]));
    v_store(to + step, even1 + odd1);
    v_store(to + 2 * step, even1 - odd1);
    v_store(to + 3 * step, even2 + odd2);
    v_store(to + 4 * step, even2 - odd2);
    v_store(to + 5 * step, even3 + odd3);
    v_store(to + 6 * step, even3 - odd3);
    v_store(to + 7 * step, v_fma(v_set(5.25f), d[3] - d[5], d[7] - d[1]));
}

/* u[c][point][column] = B' x along the rows from `top` on, with the padding's columns; rows outside
 * are `zeros`. */
static void rows_at_eight(const struct window *s, int top, const float *x, const float *zeros,
                          float *u)
{
    const int wide = s->ow + s->kw - 1, left = s->pad_left, live = lesser(s->w, wide - left);
    const size_t reach = (size_t)wide * LANES, row = (size_t)s->w * LANES;
    for (int c = 0; c < s->c; c++, x += (size_t)s->h * row, u += EIGHT * reach) {
        const float *rows[EIGHT];
        for (int i = 0; i < EIGHT; i++) {
            rows[i] = top + i >= 0 && top + i < s->h ? x + (size_t)(top + i) * row : zeros;
            clear(u + i * reach, left);
            clear(u + i * reach + (size_t)(left + live) * LANES, wide - left - live);
        }
        for (int at = 0; at < live * LANES; at += WIDTH) {
            vec d[EIGHT];
            UNROLL
            for (int i = 0; i < EIGHT; i++) {
                d[i] = v_load(rows[i] + at);
            }
            to_eight(d, u + left * LANES + at, reach);
        }
    }
}

/* What a block of outputs needs to know of a row of tiles. */
struct row {
    const float *u, *w, *b; /* at the points: [c][point][column], [o][c][t][point]; b NULL: none */
    float *y;
    int channels;
    size_t u_point, w_out, y_out, y_row;
    int live; /* rows that exist */
};

/* A' m + b: four rows of outputs. */
INLINE void outputs_of_eight(const vec m[EIGHT], vec b, vec out[ROWS])
{
    const vec s1 = m[1] + m[2], d1 = m[1] - m[2], s2 = m[3] + m[4], d2 = m[3] - m[4];
    const vec s3 = m[5] + m[6], d3 = m[5] - m[6];
    out[0] = ((m[0] + s1) + (s2 + s3)) + b;
    out[1] = v_fma(v_set(0.5f), d3, d1 + (d2 + d2)) + b;
    out[2] = v_fma(v_set(0.25f), s3, v_fma(v_set(4.0f), s2, s1)) + b;
    out[3] = v_fma(v_set(0.125f), d3, v_fma(v_set(8.0f), d2, d1)) + (m[7] + b);
}

/* The sums of CB channels at AT_ONCE points from the first. */
INLINE void sum_points(const struct row *s, int CB, int first, const float *u, const float *w,
                       vec m[BLOCK][EIGHT][PARTS])
{
    vec sum[BLOCK][AT_ONCE][PARTS];
    UNROLL
    for (int i = 0; i < CB * AT_ONCE * PARTS; i++) {
        sum[i / PARTS / AT_ONCE][i / PARTS % AT_ONCE][i % PARTS] = v_set(0.0f);
    }
    for (int c = 0; c < s->channels; c++) {
        UNROLL
        for (int t = 0; t < TAPS; t++, w += EIGHT) {
            UNROLL
            for (int i = 0; i < AT_ONCE * PARTS; i++) {
                const int k = i / PARTS, p = i % PARTS;
                const vec in =
                    v_keep(v_load(u + (size_t)(first + k) * s->u_point + t * LANES + p * WIDTH));
                UNROLL
                for (int o = 0; o < CB; o++) {
                    const vec weight = v_set(w[(size_t)o * s->w_out + first + k]);
                    sum[o][k][p] = v_fma(weight, in, sum[o][k][p]);
                }
            }
        }
        u += EIGHT * s->u_point;
    }
    UNROLL
    for (int i = 0; i < CB * AT_ONCE * PARTS; i++) {
        m[i / PARTS / AT_ONCE][first + i / PARTS % AT_ONCE][i % PARTS] =
            sum[i / PARTS / AT_ONCE][i / PARTS % AT_ONCE][i % PARTS];
    }
}

/* CB channels from o, at `columns` columns. CB is a constant. */
INLINE void make_columns(const struct row *s, int CB, int o, int columns)
{
    const float *w = s->w + (size_t)o * s->w_out;
    for (int x = 0; x < columns; x++) {
        vec m[BLOCK][EIGHT][PARTS];
        UNROLL
        for (int first = 0; first < EIGHT; first += AT_ONCE) {
            sum_points(s, CB, first, s->u + x * LANES, w, m);
        }
        UNROLL
        for (int i = 0; i < CB * PARTS; i++) {
            const int p = i % PARTS;
            vec at[EIGHT], out[ROWS];
            UNROLL
            for (int k = 0; k < EIGHT; k++) {
                at[k] = m[i / PARTS][k][p];
            }
            outputs_of_eight(at, v_set(s->b ? s->b[o + i / PARTS] : 0.0f), out);
            float *y = s->y + (size_t)(o + i / PARTS) * s->y_out + x * LANES + p * WIDTH;
            UNROLL
            for (int r = 0; r < ROWS; r++) {
                if (r < s->live) {
                    v_store(y + (size_t)r * s->y_row, out[r]);
                }
            }
        }
    }
}

/* How many of `rest` to take next, so that the blocks of at most `most` are as equal as can be. */
INLINE int next_of(int rest, int most)
{
    const int blocks = (rest + most - 1) / most;
    return (rest + blocks - 1) / blocks;
}

void KERNEL(winograd_rows_forward)(const struct window *s, const float *x, const float *w,
                                   const float *b, float *y, float *scratch)
{
    const struct share share = share_of(s, s->oh, ROWS, s->oc);
    float *zeros = scratch, *u = zeros + (size_t)s->w * LANES;
    struct row row = {
        .u = u,
        .w = w,
        .b = b,
        .channels = s->c,
        .u_point = (size_t)(s->ow + s->kw - 1) * LANES,
        .w_out = (size_t)s->c * TAPS * EIGHT,
        .y_out = (size_t)s->oh * s->ow * LANES,
        .y_row = (size_t)s->ow * LANES,
    };
    memset(zeros, 0, (size_t)s->w * LANES * sizeof *zeros);
    for (int oy = share.row; oy < share.row_end; oy += ROWS) {
        rows_at_eight(s, oy - s->pad_top, x, zeros, u);
        row.y = y + (size_t)oy * row.y_row;
        row.live = s->oh - oy;
        for (int o = share.channel, outs; o < share.channel_end; o += outs) {
            outs = next_of(share.channel_end - o, BLOCK);
            if (outs == 3) {
                make_columns(&row, 3, o, s->ow);
            } else if (outs == 2) {
                make_columns(&row, 2, o, s->ow);
            } else {
                make_columns(&row, 1, o, s->ow);
            }
        }
    }
}

/* d[o][point][column] = A dy along the rows of a row of tiles, for `columns` columns. */
static void gradient_at_eight(const struct window *s, int outs, int oy, int columns,
                              const float *dy, const float *zeros, float *d)
{
    const size_t row = (size_t)s->ow * LANES, d_row = (size_t)columns * LANES;
    for (int o = 0; o < outs; o++, dy += (size_t)s->oh * row, d += EIGHT * d_row) {
        const float *rows[ROWS];
        for (int i = 0; i < ROWS; i++) {
            rows[i] = oy + i < s->oh ? dy + (size_t)(oy + i) * row : zeros;
        }
        for (size_t at = 0; at < d_row; at += WIDTH) {
            vec in[ROWS];
            UNROLL
            for (int i = 0; i < ROWS; i++) {
                in[i] = v_load(rows[i] + at);
            }
            const vec even1 = in[0] + in[2], odd1 = in[1] + in[3];
            const vec even2 = v_fma(v_set(4.0f), in[2], in[0]);
            const vec odd2 = v_fma(v_set(8.0f), in[3], in[1] + in[1]);
            const vec even3 = v_fma(v_set(0.25f), in[2], in[0]);
            const vec odd3 = v_fma(v_set(0.125f), in[3], v_set(0.5f) * in[1]);
            const vec out[EIGHT] = {in[0],        even1 + odd1, even1 - odd1, even2 + odd2,
                                    even2 - odd2, even3 + odd3, even3 - odd3, in[3]};
            UNROLL
            for (int k = 0; k < EIGHT; k++) {
                v_store(d + k * d_row + at, out[k]);
            }
        }
    }
}

/* sums[o][t][lanes] += over `columns` columns of d[o] * u[column + t]; `o_d` and `o_sums` are from
 * one channel to the next. CB is a constant. */
INLINE void add_products(int CB, const float *u, const float *d, size_t o_d, int columns,
                         float *sums, size_t o_sums)
{
    UNROLL
    for (int part = 0; part < LANES; part += WIDTH) {
        vec sum[GRADIENT_BLOCK * TAPS];
        UNROLL
        for (int i = 0; i < CB * TAPS; i++) {
            sum[i] = v_load(sums + (size_t)(i / TAPS) * o_sums + i % TAPS * LANES + part);
        }
        for (int x = 0; x < columns; x++) {
            vec out[GRADIENT_BLOCK];
            UNROLL
            for (int o = 0; o < CB; o++) {
                out[o] = v_keep(v_load(d + (size_t)o * o_d + x * LANES + part));
            }
            UNROLL
            for (int t = 0; t < TAPS; t++) {
                const vec in = v_keep(v_load(u + (x + t) * LANES + part));
                UNROLL
                for (int o = 0; o < CB; o++) {
                    sum[o * TAPS + t] = v_fma(out[o], in, sum[o * TAPS + t]);
                }
            }
        }
        UNROLL
        for (int i = 0; i < CB * TAPS; i++) {
            v_store(sums + (size_t)(i / TAPS) * o_sums + i % TAPS * LANES + part, sum[i]);
        }
    }
}

/* The factors of G, and G' p: the five rows of taps from the points. */
INLINE void taps_of_eight(const vec sums[EIGHT], vec out[TAPS])
{
    static const float FACTOR[EIGHT] = {1.0f,      -2.0f / 9,  -2.0f / 9,  1.0f / 90,
                                        1.0f / 90, 32.0f / 45, 32.0f / 45, 1.0f};
    vec p[EIGHT];
    UNROLL
    for (int k = 0; k < EIGHT; k++) {
        p[k] = sums[k] * v_set(FACTOR[k]);
    }
    const vec s1 = p[1] + p[2], d1 = p[1] - p[2], s2 = p[3] + p[4], d2 = p[3] - p[4];
    const vec s3 = p[5] + p[6], d3 = p[5] - p[6];
    out[0] = (p[0] + s1) + (s2 + s3);
    out[1] = v_fma(v_set(0.5f), d3, d1 + (d2 + d2));
    out[2] = v_fma(v_set(0.25f), s3, v_fma(v_set(4.0f), s2, s1));
    out[3] = v_fma(v_set(0.125f), d3, v_fma(v_set(8.0f), d2, d1));
    out[4] = v_fma(v_set(0.0625f), s3, v_fma(v_set(16.0f), s2, s1)) + p[7];
}

/* dw from sums[point][n][lanes], n = o, c, t: LANES of the n at once. */
static void finish(int n, const float *sums, int add, float *dw)
{
    for (int first = 0; first < n; first += LANES) {
        const int live = lesser(LANES, n - first);
        float at[EIGHT][LANES] __attribute__((aligned(64))), out[TAPS][LANES];
        for (int k = 0; k < EIGHT; k++) {
            vec all[PARTS * LANES];
            const float *from = sums + ((size_t)k * n + first) * LANES;
            for (int i = 0; i < LANES * PARTS; i++) {
                all[i % PARTS * LANES + i / PARTS] =
                    i / PARTS < live ? v_load(from + i * WIDTH) : v_set(0.0f);
            }
            lanes_sum_16(all, LANES, at[k]);
        }
        for (int part = 0; part < LANES; part += WIDTH) {
            vec p[EIGHT], tap[TAPS];
            for (int k = 0; k < EIGHT; k++) {
                p[k] = v_load(at[k] + part);
            }
            taps_of_eight(p, tap);
            for (int r = 0; r < TAPS; r++) {
                v_storeu(out[r] + part, tap[r]);
            }
        }
        for (int i = 0; i < live; i++) {
            float *to = dw + (first + i) / TAPS * TAPS * TAPS + (first + i) % TAPS;
            for (int r = 0; r < TAPS; r++) {
                to[r * TAPS] = add ? to[r * TAPS] + out[r][i] : out[r][i];
            }
        }
    }
}

/* A run of columns, at all points and input channels; point_sums: from one
 * point to the next, and o_sums from one output channel to the next. CB is a constant. */
INLINE void add_run(int CB, const struct window *s, const float *u, const float *d, int columns,
                    size_t point_sums, size_t o_sums, float *sums)
{
    const size_t reach = (size_t)(s->ow + s->kw - 1) * LANES, d_row = (size_t)columns * LANES;
    for (int c = 0; c < s->c; c++, sums += TAPS * LANES) {
        for (int k = 0; k < EIGHT; k++, u += reach) {
            add_products(CB, u, d + k * d_row, EIGHT * d_row, columns, sums + k * point_sums,
                         o_sums);
        }
    }
}

void KERNEL(winograd_rows_weight)(const struct window *s, const float *x, const float *dy, int add,
                                  float *dw, float *scratch)
{
    const struct share share = share_of_weights(s);
    const int outs = share.channel_end - share.channel, n = outs * s->c * TAPS;
    const int wide = greater(s->w, s->ow);
    const size_t reach = (size_t)(s->ow + s->kw - 1) * LANES, row = (size_t)s->ow * LANES;
    const size_t o_sums = (size_t)s->c * TAPS * LANES, point = (size_t)n * LANES;
    float *zeros = scratch, *u = zeros + (size_t)wide * LANES, *d = u + EIGHT * s->c * reach;
    float *sums = d + GRADIENT_BLOCK * EIGHT * WINOGRAD_RUN * LANES;
    memset(zeros, 0, (size_t)wide * LANES * sizeof *zeros);
    memset(sums, 0, EIGHT * point * sizeof *sums);
    dy += (size_t)share.channel * s->oh * row;
    for (int oy = 0; oy < s->oh; oy += ROWS) {
        rows_at_eight(s, oy - s->pad_top, x, zeros, u);
        for (int o = 0, some; o < outs; o += some) {
            some = next_of(outs - o, GRADIENT_BLOCK);
            for (int ox = 0, run; ox < s->ow; ox += run) {
                run = next_of(s->ow - ox, WINOGRAD_RUN);
                const float *from = u + ox * LANES;
                float *to = sums + (size_t)o * o_sums;
                gradient_at_eight(s, some, oy, run, dy + (size_t)o * s->oh * row + ox * LANES,
                                  zeros, d);
                if (some == GRADIENT_BLOCK) {
                    add_run(GRADIENT_BLOCK, s, from, d, run, point, o_sums, to);
                } else if (some == 2) {
                    add_run(2, s, from, d, run, point, o_sums, to);
                } else {
                    add_run(1, s, from, d, run, point, o_sums, to);
                }
            }
        }
    }
    finish(n, sums, add, dw + (size_t)share.channel * s->c * TAPS * TAPS);
}
