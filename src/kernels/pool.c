/* pool.c: pooling of a tile. A window is clipped to the map, which it must touch: padding never
 * wins a maximum, and counts as zeros in a mean only when asked to. Backward writes all of dx:
 * windows side by side are assigned, others are added up. */
#include "kernels/bodies.h"

/* The part of a window that lies inside the map. */
struct inside {
    int y0, y1, x0, x1;
};

/* `clip` 0: all of it does. kh and kw are s's, as constants where they are known. */
INLINE struct inside window_inside(const struct window *s, int kh, int kw, int clip, int oy, int ox)
{
    const int y = oy * s->stride_h - s->pad_top, x = ox * s->stride_w - s->pad_left;
    if (!clip) {
        return (struct inside){y, y + kh, x, x + kw};
    }
    return (struct inside){
        .y0 = y > 0 ? y : 0,
        .y1 = y + kh < s->h ? y + kh : s->h,
        .x0 = x > 0 ? x : 0,
        .x1 = x + kw < s->w ? x + kw : s->w,
    };
}

/* Call body(s, kh, kw, clip, ...) with constants for the common window, 2x2 within the map. */
#define WITH_CONSTANTS(body, s, ...)                                                               \
    do {                                                                                           \
        if (is_common(s)) {                                                                        \
            body(s, 2, 2, 0, __VA_ARGS__);                                                         \
        } else {                                                                                   \
            body(s, (s)->kh, (s)->kw, 1, __VA_ARGS__);                                             \
        }                                                                                          \
    } while (0)

static int is_common(const struct window *s)
{
    return s->kh == 2 && s->kw == 2 && s->pad_top == 0 && s->pad_left == 0 &&
           (s->oh - 1) * s->stride_h + 2 <= s->h && (s->ow - 1) * s->stride_w + 2 <= s->w;
}

/* Whether windows stand side by side: no input pixel is in two, and those behind the last windows
 * are in none. */
static int is_tiling(const struct window *s)
{
    return s->kh == s->stride_h && s->kw == s->stride_w && s->pad_top == 0 && s->pad_left == 0 &&
           s->oh * s->kh <= s->h && s->ow * s->kw <= s->w;
}

/* Zero what no window is to write before it adds: all, or, with windows side by side, what is in
 * none of them. Returns whether they add. */
static int begin_backward(const struct window *s, float *dx)
{
    const int tiling = is_tiling(s), rows = tiling ? s->oh * s->kh : 0,
              columns = tiling ? s->ow * s->kw : 0;
    for (int row = 0; row < s->c * s->h; row++, dx += (size_t)s->w * LANES) {
        const int written = row % s->h < rows ? columns : 0;
        memset(dx + (size_t)written * LANES, 0, (size_t)(s->w - written) * LANES * sizeof *dx);
    }
    return !tiling;
}

/* Run BODY for each part of each output pixel of each channel, with the window's clipped bounds in
 * `in`, `map` (its channel of x) and `out` (the pixel's index in y). */
#define FOR_EACH_WINDOW(s, BODY)                                                                   \
    do {                                                                                           \
        size_t out = 0;                                                                            \
        for (int c = 0; c < (s)->c; c++) {                                                         \
            const size_t map = (size_t)c * (s)->h * (s)->w;                                        \
            for (int oy = 0; oy < (s)->oh; oy++) {                                                 \
                for (int ox = 0; ox < (s)->ow; ox++, out++) {                                      \
                    const struct inside in = window_inside(s, kh, kw, clip, oy, ox);               \
                    UNROLL                                                                         \
                    for (int part = 0; part < PARTS; part++) {                                     \
                        BODY                                                                       \
                    }                                                                              \
                }                                                                                  \
            }                                                                                      \
        }                                                                                          \
    } while (0)

/* The vector of an input pixel. */
#define AT(map, s, y, x) (((map) + (size_t)(y) * (s)->w + (x)) * LANES + part * WIDTH)

INLINE void maxpool_forward(const struct window *s, int kh, int kw, int clip, const float *x,
                            float *y)
{
    FOR_EACH_WINDOW(s, {
        vec most = v_load(x + AT(map, s, in.y0, in.x0));
        for (int iy = in.y0; iy < in.y1; iy++) {
            for (int ix = in.x0; ix < in.x1; ix++) {
                const vec here = v_load(x + AT(map, s, iy, ix));
                /* what is not a number wins, lest a diverging network look healthy */
                most = v_select(v_equal(here, here), v_max(here, most), here);
            }
        }
        v_store(y + out * LANES + part * WIDTH, most);
    });
}

void KERNEL(maxpool_forward)(const struct window *s, const float *x, float *y)
{
    WITH_CONSTANTS(maxpool_forward, s, x, y);
}

/* `add` 0: no pixel is in two windows, so it is written; here and below. */
INLINE void maxpool_backward(const struct window *s, int kh, int kw, int clip, int add,
                             const float *x, const float *y, const float *dy, float *dx)
{
    FOR_EACH_WINDOW(s, {
        const vec most = v_load(y + out * LANES + part * WIDTH);
        const vec d = v_load(dy + out * LANES + part * WIDTH);
        vmask found = v_mask_none();
        for (int iy = in.y0; iy < in.y1; iy++) {
            for (int ix = in.x0; ix < in.x1; ix++) {
                const vec value = v_load(x + AT(map, s, iy, ix));
                const vmask here = v_mask_and_not(v_equal(value, most), found);
                float *to = dx + AT(map, s, iy, ix);
                const vec own = v_select(here, d, v_set(0.0f));
                v_store(to, own + (add ? v_load(to) : v_set(0.0f)));
                found = v_mask_or(found, here);
            }
        }
    });
}

void KERNEL(maxpool_backward)(const struct window *s, const float *x, const float *y,
                              const float *dy, float *dx)
{
    if (begin_backward(s, dx)) {
        WITH_CONSTANTS(maxpool_backward, s, 1, x, y, dy, dx);
    } else {
        WITH_CONSTANTS(maxpool_backward, s, 0, x, y, dy, dx);
    }
}

/* One over the number of values that a window's mean divides by. */
INLINE float mean_factor(const struct window *s, const struct inside *in, int count_padding)
{
    const int values = (in->y1 - in->y0) * (in->x1 - in->x0);
    return 1.0f / (float)(count_padding ? s->kh * s->kw : values);
}

INLINE void avgpool_forward(const struct window *s, int kh, int kw, int clip, int count_padding,
                            const float *x, float *y)
{
    FOR_EACH_WINDOW(s, {
        vec sum = v_set(0.0f);
        for (int iy = in.y0; iy < in.y1; iy++) {
            for (int ix = in.x0; ix < in.x1; ix++) {
                sum = sum + v_load(x + AT(map, s, iy, ix));
            }
        }
        const vec mean = sum * v_set(mean_factor(s, &in, count_padding));
        v_store(y + out * LANES + part * WIDTH, mean);
    });
}

void KERNEL(avgpool_forward)(const struct window *s, int count_padding, const float *x, float *y)
{
    WITH_CONSTANTS(avgpool_forward, s, count_padding, x, y);
}

INLINE void avgpool_backward(const struct window *s, int kh, int kw, int clip, int add,
                             int count_padding, const float *dy, float *dx)
{
    FOR_EACH_WINDOW(s, {
        const vec d =
            v_load(dy + out * LANES + part * WIDTH) * v_set(mean_factor(s, &in, count_padding));
        for (int iy = in.y0; iy < in.y1; iy++) {
            for (int ix = in.x0; ix < in.x1; ix++) {
                float *to = dx + AT(map, s, iy, ix);
                v_store(to, d + (add ? v_load(to) : v_set(0.0f)));
            }
        }
    });
}

void KERNEL(avgpool_backward)(const struct window *s, int count_padding, const float *dy, float *dx)
{
    if (begin_backward(s, dx)) {
        WITH_CONSTANTS(avgpool_backward, s, 1, count_padding, dy, dx);
    } else {
        WITH_CONSTANTS(avgpool_backward, s, 0, count_padding, dy, dx);
    }
}
