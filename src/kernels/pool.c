/* pool.c: pooling of a tile. A window is clipped to the map: padding never wins a maximum, and
 * counts as zeros in a mean only when asked to. Backward writes all of dx: windows that tile the
 * map exactly are assigned, others are added up. */
#include "kernels/bodies.h"

/* The part of a window that lies inside the map. */
struct inside {
    int y0, y1, x0, x1;
};

INLINE struct inside window_inside(const struct window *s, int oy, int ox)
{
    int y = oy * s->stride_h - s->pad_top, x = ox * s->stride_w - s->pad_left;
    return (struct inside){
        .y0 = y > 0 ? y : 0,
        .y1 = y + s->kh < s->h ? y + s->kh : s->h,
        .x0 = x > 0 ? x : 0,
        .x1 = x + s->kw < s->w ? x + s->kw : s->w,
    };
}

/* Whether every input pixel is in exactly one window. */
static int is_partition(const struct window *s)
{
    return s->kh == s->stride_h && s->kw == s->stride_w && s->pad_top == 0 && s->pad_left == 0 &&
           s->oh * s->kh == s->h && s->ow * s->kw == s->w;
}

static size_t map_bytes(const struct window *s)
{
    return (size_t)s->c * s->h * s->w * LANES * sizeof(float);
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
                    const struct inside in = window_inside(s, oy, ox);                             \
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

void KERNEL(maxpool_forward)(const struct window *s, const float *x, float *y)
{
    FOR_EACH_WINDOW(s, {
        vec most = v_load(x + AT(map, s, in.y0, in.x0));
        for (int iy = in.y0; iy < in.y1; iy++) {
            for (int ix = in.x0; ix < in.x1; ix++) {
                most = v_max(v_load(x + AT(map, s, iy, ix)), most);
            }
        }
        v_store(y + out * LANES + part * WIDTH, most);
    });
}

void KERNEL(maxpool_backward)(const struct window *s, const float *x, const float *y,
                              const float *dy, float *dx)
{
    memset(dx, 0, map_bytes(s));
    FOR_EACH_WINDOW(s, {
        const vec most = v_load(y + out * LANES + part * WIDTH);
        const vec d = v_load(dy + out * LANES + part * WIDTH);
        vmask found = v_mask_none();
        for (int iy = in.y0; iy < in.y1; iy++) {
            for (int ix = in.x0; ix < in.x1; ix++) {
                const vmask here =
                    v_mask_and_not(v_equal(v_load(x + AT(map, s, iy, ix)), most), found);
                float *to = dx + AT(map, s, iy, ix);
                v_store(to, v_load(to) + v_select(here, d, v_set(0.0f)));
                found = v_mask_or(found, here);
            }
        }
    });
}

/* One over the number of values that a window's mean divides by. */
INLINE float mean_factor(const struct window *s, const struct inside *in, int count_padding)
{
    return 1.0f / (float)(count_padding ? s->kh * s->kw : (in->y1 - in->y0) * (in->x1 - in->x0));
}

void KERNEL(avgpool_forward)(const struct window *s, int count_padding, const float *x, float *y)
{
    FOR_EACH_WINDOW(s, {
        vec sum = v_set(0.0f);
        for (int iy = in.y0; iy < in.y1; iy++) {
            for (int ix = in.x0; ix < in.x1; ix++) {
                sum = sum + v_load(x + AT(map, s, iy, ix));
            }
        }
        v_store(y + out * LANES + part * WIDTH, sum * v_set(mean_factor(s, &in, count_padding)));
    });
}

void KERNEL(avgpool_backward)(const struct window *s, int count_padding, const float *dy, float *dx)
{
    if (is_partition(s)) {
        FOR_EACH_WINDOW(s, {
            const vec d =
                v_load(dy + out * LANES + part * WIDTH) * v_set(mean_factor(s, &in, count_padding));
            for (int iy = in.y0; iy < in.y1; iy++) {
                for (int ix = in.x0; ix < in.x1; ix++) {
                    v_store(dx + AT(map, s, iy, ix), d);
                }
            }
        });
        return;
    }
    memset(dx, 0, map_bytes(s));
    FOR_EACH_WINDOW(s, {
        const vec d =
            v_load(dy + out * LANES + part * WIDTH) * v_set(mean_factor(s, &in, count_padding));
        for (int iy = in.y0; iy < in.y1; iy++) {
            for (int ix = in.x0; ix < in.x1; ix++) {
                float *to = dx + AT(map, s, iy, ix);
                v_store(to, v_load(to) + d);
            }
        }
    });
}
