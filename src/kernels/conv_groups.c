/* conv_groups.c: which kernel a convolution gets: one with holes that of conv_dilated.c, any other
 * that of conv.c and conv_weight.c; with groups, each group of channels by itself, as its arrays
 * stand one behind the other in x, y and w:
 *
 *     x [groups][c / groups][h][w]    w [groups][oc / groups][c / groups][kh][kw] */
#include "kernels/bodies.h"
#include "kernels/conv_spread.h"

static size_t x_group(const struct window *one) { return (size_t)one->c * one->h * one->w * LANES; }

static size_t y_group(const struct window *one)
{
    return (size_t)one->oc * one->oh * one->ow * LANES;
}

static size_t w_group(const struct window *one)
{
    return (size_t)one->oc * one->c * one->kh * one->kw;
}

void KERNEL(any_conv_forward)(const struct window *s, const float *x, const float *w,
                              const float *b, float *y, float *scratch)
{
    const struct window one = window_of_group(s);
    for (int g = 0; g < window_groups(s); g++) {
        (is_dilated(s) ? KERNEL(dilated_forward) : KERNEL(conv_forward))(
            &one, x + g * x_group(&one), w + g * w_group(&one), b ? b + (size_t)g * one.oc : NULL,
            y + g * y_group(&one), scratch);
    }
}

void KERNEL(any_conv_backward_input)(const struct window *s, const float *dy, const float *w,
                                     float *dx, float *scratch)
{
    const struct window one = window_of_group(s);
    for (int g = 0; g < window_groups(s); g++) {
        (is_dilated(s) ? KERNEL(dilated_backward_input) : KERNEL(conv_backward_input))(
            &one, dy + g * y_group(&one), w + g * w_group(&one), dx + g * x_group(&one), scratch);
    }
}

void KERNEL(any_conv_backward_weight)(const struct window *s, const float *x, const float *dy,
                                      int add, float *dw, float *db, float *scratch)
{
    const struct window one = window_of_group(s);
    for (int g = 0; g < window_groups(s); g++) {
        (is_dilated(s) ? KERNEL(dilated_backward_weight) : KERNEL(conv_backward_weight))(
            &one, x + g * x_group(&one), dy + g * y_group(&one), add, dw + g * w_group(&one),
            db ? db + (size_t)g * one.oc : NULL, scratch);
    }
}
