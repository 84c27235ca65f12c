/* conv_groups.c: which kernel a convolution gets: one with holes that of conv_dilated.c, one whose
 * groups are single channels that of conv_depthwise.c, any other that of conv.c and conv_weight.c;
 * with groups, each group of channels by itself, as its arrays
 * stand one behind the other in x, y and w:
 *
 *     x [groups][c / groups][h][w]    w [groups][oc / groups][c / groups][kh][kw] */
#include "kernels/bodies.h"
#include "kernels/conv_spread.h"
#include "kernels/winograd.h"

static size_t x_group(const struct window *one) { return (size_t)one->c * one->h * one->w * LANES; }

static size_t y_group(const struct window *one)
{
    return (size_t)one->oc * one->oh * one->ow * LANES;
}

static size_t w_group(const struct window *one)
{
    return (size_t)one->oc * one->c * one->kh * one->kw;
}

/* The prepared weights of group g; NULL: none. */
static const float *u_group(const struct window *one, const float *u, int g)
{
    return u && !is_dilated(one) ? u + (size_t)g * winograd_all_weights(one) : NULL;
}

void KERNEL(any_conv_prepare)(const struct window *s, const float *w, int part, int parts, float *u)
{
    const struct window one = window_of_group(s);
    for (int g = 0; g < window_groups(s) && conv_prepared(s) > 0; g++) {
        float *forward = u + (size_t)g * winograd_all_weights(&one);
        KERNEL(winograd_prepare)
        (&one, w + g * w_group(&one), part, parts, forward,
         forward + winograd_forward_weights(&one));
    }
}

void KERNEL(any_conv_forward)(const struct window *s, const float *x, const float *w,
                              const float *u, const float *b, float *y, float *scratch)
{
    const struct window one = window_of_group(s);
    for (int g = 0; g < window_groups(s); g++) {
        const float *from = x + g * x_group(&one), *weight = w + g * w_group(&one);
        const float *bias = b ? b + (size_t)g * one.oc : NULL;
        float *to = y + g * y_group(&one);
        if (is_dilated(s)) {
            KERNEL(dilated_forward)(&one, from, weight, bias, to, scratch);
        } else if (is_depthwise(s)) {
            KERNEL(depthwise_forward)(&one, from, weight, bias, to);
        } else {
            KERNEL(conv_forward)(&one, from, weight, u_group(&one, u, g), bias, to, scratch);
        }
    }
}

void KERNEL(any_conv_backward_input)(const struct window *s, const float *dy, const float *w,
                                     const float *u, float *dx, float *scratch)
{
    const struct window one = window_of_group(s);
    for (int g = 0; g < window_groups(s); g++) {
        const float *from = dy + g * y_group(&one), *weight = w + g * w_group(&one);
        float *to = dx + g * x_group(&one);
        if (is_dilated(s)) {
            KERNEL(dilated_backward_input)(&one, from, weight, to, scratch);
        } else if (is_depthwise(s)) {
            KERNEL(depthwise_backward_input)(&one, from, weight, to);
        } else {
            KERNEL(conv_backward_input)(&one, from, weight, u_group(&one, u, g), to, scratch);
        }
    }
}

void KERNEL(any_conv_backward_weight)(const struct window *s, const float *x, const float *dy,
                                      int add, float *dw, float *db, float *scratch)
{
    const struct window one = window_of_group(s);
    for (int g = 0; g < window_groups(s); g++) {
        const float *in = x + g * x_group(&one), *from = dy + g * y_group(&one);
        float *to = dw + g * w_group(&one), *bias = db ? db + (size_t)g * one.oc : NULL;
        if (is_depthwise(s)) {
            KERNEL(depthwise_backward_weight)(&one, in, from, add, to, bias);
        } else {
            (is_dilated(s) ? KERNEL(dilated_backward_weight)
                           : KERNEL(conv_backward_weight))(&one, in, from, add, to, bias, scratch);
        }
    }
}
