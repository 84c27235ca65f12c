/* test_kernels_conv.c: the three convolution kernels of every level against the double reference:
 * named shapes that reach every register block, every edge of the padding and the dense shortcut,
 * and a random sweep.
 *
 * Tolerance: 4 float epsilons of the sum of the absolute values of the terms, far below one lost or
 * misplaced term. Winograd's way mixes neighbouring sums: 16 epsilons of the greatest of them. */
#include "../kernel_check.h"
#include "../reference.h"

#include "kernels/conv_spread.h"
#include "kernels/winograd.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

/* One array of floats, the same in double precision in the reference's order, and its absolute
 * values. */
struct array {
    struct guarded f;
    double *d, *abs;
};

struct conv_case {
    char what[200];
    struct window s;
    struct ref_window ref;
    int bias;
    struct array x, w, b, dy; /* inputs */
    struct array dw0, db0;    /* what dw and db hold before */
    double *want_y, *want_dx, *want_dw, *want_db;
    double *bound_y, *bound_dx, *bound_dw, *bound_db;
    struct agreement same_y, same_dx, same_dw, same_db;
};

static struct array array_new(struct dice *dice, size_t size, int is_tile)
{
    struct array a = {guarded_new(size), check_doubles(size), check_doubles(size)};
    dice_fill(dice, &a.f, -1.0f, 1.0f);
    guarded_freeze(&a.f);
    if (is_tile) {
        ref_from_tile(size / LANES, a.f.data, a.d);
    } else {
        ref_from_floats(size, a.f.data, a.d);
    }
    ref_absolute(size, a.d, a.abs);
    return a;
}

static void array_free(struct array *a)
{
    guarded_free(&a->f);
    free(a->d);
    free(a->abs);
}

static size_t pixels_in(const struct window *s) { return (size_t)s->c * s->h * s->w; }

static size_t pixels_out(const struct window *s) { return (size_t)s->oc * s->oh * s->ow; }

static size_t weights(const struct window *s)
{
    return (size_t)s->oc * (s->c / (s->groups ? s->groups : 1)) * s->kh * s->kw;
}

static double *copy_of(size_t n, const double *from)
{
    double *to = check_doubles(n);
    memcpy(to, from, n * sizeof *to);
    return to;
}

static void case_reference(struct conv_case *c)
{
    const struct ref_window *r = &c->ref;
    const size_t x = pixels_in(&c->s) * LANES, y = pixels_out(&c->s) * LANES, w = weights(&c->s);

    ref_conv_forward(r, c->x.d, c->w.d, c->bias ? c->b.d : NULL, c->want_y = check_doubles(y));
    ref_conv_forward(r, c->x.abs, c->w.abs, c->bias ? c->b.abs : NULL,
                     c->bound_y = check_doubles(y));
    ref_conv_backward_input(r, c->dy.d, c->w.d, c->want_dx = check_doubles(x));
    ref_conv_backward_input(r, c->dy.abs, c->w.abs, c->bound_dx = check_doubles(x));
    c->want_dw = copy_of(w, c->dw0.d);
    c->want_db = copy_of(c->s.oc, c->db0.d);
    ref_conv_backward_weight(r, c->x.d, c->dy.d, c->want_dw, c->bias ? c->want_db : NULL);
    c->bound_dw = copy_of(w, c->dw0.abs);
    c->bound_db = copy_of(c->s.oc, c->db0.abs);
    ref_conv_backward_weight(r, c->x.abs, c->dy.abs, c->bound_dw, c->bias ? c->bound_db : NULL);
    const struct window one = window_of_group(&c->s);
    const int plain = !is_dilated(&c->s);
    check_bound(plain ? winograd_way(&one) : WINOGRAD_NONE, y, c->bound_y);
    check_bound(plain ? winograd_input_way(&one) : WINOGRAD_NONE, x, c->bound_dx);
    check_bound(plain ? winograd_weight_way(&one) : WINOGRAD_NONE, w, c->bound_dw);
    check_bound(WINOGRAD_NONE, c->s.oc, c->bound_db);
}

static struct conv_case *case_new(struct dice *dice, const struct window *s, int bias)
{
    struct conv_case *c = calloc(1, sizeof *c);
    assert_non_null(c);
    c->s = *s;
    c->bias = bias;
    snprintf(c->what, sizeof c->what,
             "conv %dx%dx%d to %dx%dx%d, kernel %dx%d, stride %dx%d, padding %d,%d, dilation "
             "%dx%d, %d groups, bias %d",
             s->c, s->h, s->w, s->oc, s->oh, s->ow, s->kh, s->kw, s->stride_h, s->stride_w,
             s->pad_top, s->pad_left, s->dilation_h, s->dilation_w, s->groups, bias);
    c->ref = check_window(s);
    c->x = array_new(dice, pixels_in(s) * LANES, 1);
    c->w = array_new(dice, weights(s), 0);
    c->b = array_new(dice, s->oc, 0);
    c->dy = array_new(dice, pixels_out(s) * LANES, 1);
    c->dw0 = array_new(dice, weights(s), 0);
    c->db0 = array_new(dice, s->oc, 0);
    case_reference(c);
    return c;
}

static void case_free(struct conv_case *c)
{
    struct array *const arrays[] = {&c->x, &c->w, &c->b, &c->dy, &c->dw0, &c->db0};
    for (size_t i = 0; i < sizeof arrays / sizeof *arrays; i++) {
        array_free(arrays[i]);
    }
    double *const doubles[] = {c->want_y,  c->want_dx,  c->want_dw,  c->want_db,
                               c->bound_y, c->bound_dx, c->bound_dw, c->bound_db};
    for (size_t i = 0; i < sizeof doubles / sizeof *doubles; i++) {
        free(doubles[i]);
    }
    agreement_free(&c->same_y);
    agreement_free(&c->same_dx);
    agreement_free(&c->same_dw);
    agreement_free(&c->same_db);
    free(c);
}

static void check_inputs(const struct conv_case *c, const struct guarded *scratch)
{
    guarded_check(&c->x.f, c->what);
    guarded_check(&c->w.f, c->what);
    guarded_check(&c->b.f, c->what);
    guarded_check(&c->dy.f, c->what);
    guarded_check(scratch, c->what);
}

/* With a relu behind it: the same bytes as without, but for those below 0; with weights that were
 * prepared and without. `y`: what forward has made. */
static void check_rectified(const struct conv_case *c, const struct kernels *k, const float *u,
                            const float *y, float *scratch)
{
    struct window s = c->s;
    s.rectify = 1;
    for (int prepared = 0; prepared < 2; prepared++) {
        struct guarded plain = guarded_new(pixels_out(&s) * LANES), relu = guarded_new(plain.size);
        const float *b = c->bias ? c->b.f.data : NULL;
        k->conv_forward(&c->s, c->x.f.data, c->w.f.data, prepared ? u : NULL, b, plain.data,
                        scratch);
        k->conv_forward(&s, c->x.f.data, c->w.f.data, prepared ? u : NULL, b, relu.data, scratch);
        guarded_check(&relu, c->what);
        assert_true(!prepared || memcmp(plain.data, y, plain.size * sizeof *y) == 0);
        for (size_t i = 0; i < plain.size; i++) {
            plain.data[i] = plain.data[i] < 0 ? 0 : plain.data[i];
        }
        assert_memory_equal(relu.data, plain.data, plain.size * sizeof *y);
        guarded_free(&plain);
        guarded_free(&relu);
    }
}

static void forward_and_input(struct conv_case *c, const struct kernels *k)
{
    char what[240];
    struct guarded scratch = guarded_new(conv_scratch(&c->s));
    struct guarded y = guarded_new(pixels_out(&c->s) * LANES),
                   dx = guarded_new(pixels_in(&c->s) * LANES);

    struct guarded u = guarded_new(conv_prepared(&c->s));
    for (int part = 0; part < 2; part++) {
        k->conv_prepare(&c->s, c->w.f.data, part, 2, u.data);
    }
    guarded_check(&u, c->what);
    snprintf(what, sizeof what, "forward, %s", c->what);
    k->conv_forward(&c->s, c->x.f.data, c->w.f.data, u.data, c->bias ? c->b.f.data : NULL, y.data,
                    scratch.data);
    guarded_check(&y, what);
    agreement_check(&c->same_y, what, k, &y);
    if (conv_rectifies(&c->s)) {
        check_rectified(c, k, u.data, y.data, scratch.data);
    }
    guarded_reorder(&y);
    check_near(what, k, y.size, y.data, c->want_y, c->bound_y);
    check_inputs(c, &scratch);

    snprintf(what, sizeof what, "dx, %s", c->what);
    k->conv_backward_input(&c->s, c->dy.f.data, c->w.f.data, u.data, dx.data, scratch.data);
    guarded_check(&dx, what);
    agreement_check(&c->same_dx, what, k, &dx);
    guarded_reorder(&dx);
    check_near(what, k, dx.size, dx.data, c->want_dx, c->bound_dx);
    check_inputs(c, &scratch);

    guarded_free(&y);
    guarded_free(&dx);
    guarded_free(&u);
    guarded_free(&scratch);
}

static void weight_gradient(struct conv_case *c, const struct kernels *k)
{
    char what[240];
    struct guarded scratch = guarded_new(conv_scratch(&c->s));
    struct guarded dw = guarded_new(weights(&c->s)), db = guarded_new(c->s.oc);
    guarded_copy(&dw, c->dw0.f.data);
    guarded_copy(&db, c->db0.f.data);

    snprintf(what, sizeof what, "dw, %s", c->what);
    k->conv_backward_weight(&c->s, c->x.f.data, c->dy.f.data, 1, dw.data, c->bias ? db.data : NULL,
                            scratch.data);
    guarded_check(&dw, what);
    check_near(what, k, dw.size, dw.data, c->want_dw, c->bound_dw);
    agreement_check(&c->same_dw, what, k, &dw);
    snprintf(what, sizeof what, "db, %s", c->what);
    guarded_check(&db, what);
    check_near(what, k, db.size, db.data, c->want_db, c->bound_db);
    agreement_check(&c->same_db, what, k, &db);
    check_inputs(c, &scratch);

    guarded_free(&dw);
    guarded_free(&db);
    guarded_free(&scratch);
}

static void check_conv(struct dice *dice, const struct window *s, int bias)
{
    const struct kernels *levels[KERNEL_LEVELS];
    const int count = check_levels(levels);
    struct conv_case *c = case_new(dice, s, bias);
    for (int i = 0; i < count; i++) {
        forward_and_input(c, levels[i]);
        weight_gradient(c, levels[i]);
    }
    case_free(c);
}

/* Winograd's way: kernels of 3 and 5 columns, every rest of columns to a tile, every rest of
 * channels to a block, every padding, more rows than a band, several chunks. */
static void test_winograd(void **state)
{
    (void)state;
    struct dice dice = {8};
    int forward[6] = {0}, input[6] = {0}, weight[6] = {0};
    for (int kw = 3; kw <= 5; kw += 2) {
        for (int width = 4; width <= 13; width++) {
            for (int pad = 0; pad < kw; pad++) {
                const int kh = 1 + (width + pad) % 5, h = kh + width % 3 * 6;
                const int more = kh == 3 || kh == 5 ? 12 : 0; /* for squares */
                const int c = 4 + more + (width * 3 + pad) % 5;
                const int oc = 8 + more + (width + pad * 5) % 6;
                struct window s = {c,  h, width, oc, 0, 0, kh, kw, 1, 1, (kh - 1) * (pad % 3) / 2,
                                   pad};
                s.oh = h + 2 * s.pad_top - kh + 1;
                s.ow = width + 2 * pad - kw + 1;
                if (s.ow >= 1) {
                    forward[winograd_way(&s)]++;
                    input[winograd_input_way(&s)]++;
                    check_conv(&dice, &s, width % 2);
                }
            }
        }
    }
    assert_true(forward[WINOGRAD_COLUMNS] >= 15 && input[WINOGRAD_COLUMNS] >= 15);
    assert_true(forward[WINOGRAD_SQUARES] >= 15 && input[WINOGRAD_SQUARES] >= 15);
    /* along the rows, with few channels: every rest of rows to a tile, of channels to a block and
     * of columns to a run, with and without padding */
    for (int width = 8; width <= 19; width++) {
        for (int pad = width % 2; pad < 5; pad += 2) {
            const int h = 5 + (width + pad) % 7, c = 1 + (width + pad) % 4;
            struct window s = {c, h, width, 6 + width % 5, 0, 0, 5, 5, 1, 1, (pad + 2) % 5, pad};
            s.oh = h + 2 * s.pad_top - 4;
            s.ow = width + 2 * pad - 4;
            forward[winograd_way(&s)]++;
            weight[winograd_weight_way(&s)]++;
            check_conv(&dice, &s, pad % 2);
        }
    }
    assert_true(forward[WINOGRAD_ROWS] >= 10 && weight[WINOGRAD_ROWS] >= 10);
    /* the input gradient by the forward way transposed: every rest, with and without
     * padding; the weight gradient of few channels */
    for (int k = 3; k <= 5; k += 2) {
        for (int width = k + 4; width <= k + 7; width++) {
            for (int pad = 0; pad < k - 1; pad++) {
                const int h = k + 4 + (width + pad) % 5;
                struct window s = {4 + (width + pad) % 5, h, width, 24, 0, 0, k, k, 1, 1, 0, pad};
                s.oh = h - k + 1;
                s.ow = width + 2 * pad - k + 1;
                input[winograd_input_way(&s)]++;
                weight[winograd_weight_way(&s)]++;
                check_conv(&dice, &s, 0);
            }
        }
    }
    assert_true(input[WINOGRAD_TRANSPOSED] >= 12 && weight[WINOGRAD_FEW] >= 12);
    /* kernels of 3 and 5 columns and of more rows than squares go with */
    for (int kh = 6; kh <= 9; kh++) {
        for (int kw = 3; kw <= 5; kw += 2) {
            struct window s = {8, 11, 13, 9, 0, 0, kh, kw, 1, 1, 1, 1};
            s.oh = 11 + 2 - kh + 1;
            s.ow = 13 + 2 - kw + 1;
            assert_int_equal(winograd_way(&s), WINOGRAD_COLUMNS);
            check_conv(&dice, &s, 1);
        }
    }
    /* squares of few input channels and of many, whose blocks are larger: every block of output
     * channels, with an odd number of tiles to a row and an even one */
    int squares[2] = {0};
    for (int oc = 4; oc <= 14; oc++) {
        for (int many = 0; many < 2; many++) {
            const int k = 3 + 2 * (oc % 2), side = k + 6 + 4 * (oc % 3) - oc % 2;
            const int c = many ? WINOGRAD_MANY + oc % 3 : WINOGRAD_MANY - 1 - oc % 3;
            struct window s = {c, side, side, oc, 0, 0, k, k, 1, 1, 0, 0};
            s.oh = s.ow = side - k + 1;
            squares[many] += winograd_way(&s) == WINOGRAD_SQUARES;
            check_conv(&dice, &s, oc % 2);
        }
    }
    assert_true(squares[0] >= 9 && squares[1] == 11);
    /* channels that split the tiles of a row into chunks of two */
    check_conv(&dice, &(struct window){90, 5, 13, 8, 5, 13, 3, 3, 1, 1, 1, 1}, 1);
    check_conv(&dice, &(struct window){70, 6, 23, 8, 6, 23, 3, 3, 1, 1, 1, 1}, 0);
    check_conv(&dice, &(struct window){10, 9, 18, 80, 5, 14, 5, 5, 1, 1, 0, 0}, 0);
}

/* The output size that frameworks give: windows that lie inside the padded map. */
static int output_size(int in, int kernel, int stride, int padding_before, int padding_after)
{
    return (in + padding_before + padding_after - kernel) / stride + 1;
}

static void test_channels(void **state)
{
    (void)state;
    static const int CHANNELS[] = {1, 2, 3, 5, 6, 7, 13, 16};
    struct dice dice = {1};
    for (int i = 0; i < 8; i++) {
        for (int o = 0; o < 8; o++) {
            check_conv(&dice,
                       &(struct window){CHANNELS[i], 3, 4, CHANNELS[o], 3, 4, 3, 3, 1, 1, 1, 1},
                       (i + o) % 2);
        }
    }
}

/* Every number of pixels a row from 1 to 27, at every number of channels that a register block has:
 * whole blocks and all rests. */
static void test_row_lengths(void **state)
{
    (void)state;
    static const int CHANNELS[] = {1, 2, 3, 4, 5, 6, 9, 10, 11};
    struct dice dice = {2};
    for (int i = 0; i < 9; i++) {
        for (int width = 1; width <= 27; width++) {
            const int c = CHANNELS[i];
            check_conv(&dice, &(struct window){c, 2, width, c, 2, width, 2, 1, 1, 1, 1, 0}, 1);
            if (width % 3 == 1) {
                check_conv(&dice,
                           &(struct window){c, 1, width, c, 1, (width + 1) / 2, 1, 3, 1, 2, 0, 1},
                           1);
            }
        }
    }
}

static const int KERNELS[][2] = {{1, 1},   {2, 2}, {3, 3}, {5, 5}, {7, 7},
                                 {11, 11}, {3, 5}, {1, 3}, {4, 1}, {2, 13}};
enum { KERNEL_COUNT = sizeof KERNELS / sizeof *KERNELS };

/* Kernels x strides x paddings on maps a little larger than the kernel, not square. */
static void test_kernels_strides_paddings(void **state)
{
    (void)state;
    static const int STRIDES[][2] = {{1, 1}, {2, 2}, {3, 3}, {1, 2}, {2, 1}, {3, 2}, {1, 3}};
    static const int PADDINGS[][4] = {{0, 0, 0, 0}, {1, 1, 1, 1}, {2, 2, 2, 2},
                                      {0, 1, 2, 0}, {2, 0, 0, 1}, {1, 2, 0, 3}};
    struct dice dice = {3};
    for (int k = 0; k < KERNEL_COUNT; k++) {
        for (int s = 0; s < 7; s++) {
            for (int p = 0; p < 6; p++) {
                const int *kernel = KERNELS[k], *stride = STRIDES[s], *pad = PADDINGS[p];
                const int h = kernel[0] + 1 + (s + p) % 3, w = kernel[1] + 2 + (s + 2 * p) % 4;
                const struct window window = {
                    .c = 1 + (s + p) % 3,
                    .h = h,
                    .w = w,
                    .oc = 1 + (k + p) % 3,
                    .oh = output_size(h, kernel[0], stride[0], pad[0], pad[2]),
                    .ow = output_size(w, kernel[1], stride[1], pad[1], pad[3]),
                    .kh = kernel[0],
                    .kw = kernel[1],
                    .stride_h = stride[0],
                    .stride_w = stride[1],
                    .pad_top = pad[0],
                    .pad_left = pad[1],
                };
                check_conv(&dice, &window, 1);
            }
        }
    }
}

/* With a stride and many channels, blocks of many outputs, forward and towards the input: one, two,
 * with each rest of channels and an odd pixel. And maps of which a few rows are near at a time. */
static void test_strides_of_many_channels(void **state)
{
    (void)state;
    static const int KERNEL[][2] = {{1, 1}, {3, 3}, {2, 5}}, STRIDE[][2] = {{2, 2}, {1, 2}, {3, 1}};
    struct dice dice = {8};
    for (int k = 0; k < 3; k++) {
        for (int t = 0; t < 3; t++) {
            for (int outs = 12; outs <= 27; outs += 5) {
                struct window s = {.c = outs + 4,
                                   .h = 5,
                                   .w = 6 + outs % 2,
                                   .oc = outs + t,
                                   .kh = KERNEL[k][0],
                                   .kw = KERNEL[k][1],
                                   .stride_h = STRIDE[t][0],
                                   .stride_w = STRIDE[t][1],
                                   .pad_top = k > 0,
                                   .pad_left = k};
                s.oh = output_size(s.h, s.kh, s.stride_h, s.pad_top, s.pad_top);
                s.ow = output_size(s.w, s.kw, s.stride_w, s.pad_left, s.pad_left);
                check_conv(&dice, &s, outs % 2);
            }
        }
    }
    check_conv(&dice, &(struct window){4, 21, 43, 9, 10, 21, 3, 3, 2, 2, 0, 0}, 1);
    check_conv(&dice, &(struct window){3, 30, 90, 5, 8, 40, 7, 11, 4, 2, 3, 0}, 0);
}

/* A kernel as large as its input, the dense shortcut; and what is not: the same with padding, one
 * pixel smaller, or with a second window that begins inside. */
static void test_kernel_covers_input(void **state)
{
    (void)state;
    struct dice dice = {4};
    for (int k = 0; k < KERNEL_COUNT; k++) {
        const int h = KERNELS[k][0], w = KERNELS[k][1];
        check_conv(&dice, &(struct window){3, h, w, 7, 1, 1, h, w, 1, 1, 0, 0}, 1);
        check_conv(&dice, &(struct window){2, h, w, 13, 1, 1, h, w, 2, 3, 0, 0}, 0);
        check_conv(&dice, &(struct window){2, h, w, 3, 1, 1, h, w, 1, 1, h / 2, w / 2}, 1);
        check_conv(&dice, &(struct window){2, h + 1, w + 1, 3, 1, 1, h, w, 1, 1, 0, 0}, 1);
    }
    check_conv(&dice, &(struct window){16, 5, 5, 20, 1, 1, 5, 5, 1, 1, 0, 0}, 1);
    check_conv(&dice, &(struct window){2, 3, 4, 3, 2, 1, 3, 4, 1, 1, 0, 0}, 1);
    check_conv(&dice, &(struct window){2, 3, 4, 3, 1, 2, 3, 4, 1, 2, 0, 0}, 1);
}

/* Kernels of one tap: all pixels in one run, in several with a rest, and those that are no run:
 * with padding, with a step, with outputs for a part of the map only. */
static void test_one_tap(void **state)
{
    (void)state;
    struct dice dice = {7};
    check_conv(&dice, &(struct window){5, 4, 7, 9, 4, 7, 1, 1, 1, 1, 0, 0}, 1);
    check_conv(&dice, &(struct window){600, 3, 5, 4, 3, 5, 1, 1, 1, 1, 0, 0}, 1);
    check_conv(&dice, &(struct window){4, 3, 5, 600, 3, 5, 1, 1, 1, 1, 0, 0}, 0);
    check_conv(&dice, &(struct window){5, 4, 7, 3, 6, 9, 1, 1, 1, 1, 1, 1}, 1);
    check_conv(&dice, &(struct window){5, 4, 7, 3, 2, 4, 1, 1, 2, 2, 0, 0}, 1);
    check_conv(&dice, &(struct window){5, 4, 7, 3, 4, 6, 1, 1, 1, 1, 0, 0}, 1);
    check_conv(&dice, &(struct window){5, 4, 7, 3, 3, 7, 1, 1, 1, 1, 0, 0}, 1);
}

/* Padding as wide as the kernel or wider: whole windows see nothing of the map, and give the bias.
 */
static void test_windows_outside(void **state)
{
    (void)state;
    struct dice dice = {5};
    check_conv(&dice, &(struct window){2, 3, 4, 3, 7, 8, 1, 1, 1, 1, 2, 2}, 1);
    check_conv(&dice, &(struct window){2, 1, 1, 3, 1, 1, 1, 1, 5, 5, 2, 2}, 1);
    check_conv(&dice, &(struct window){1, 2, 1, 2, 3, 2, 1, 1, 3, 4, 3, 2}, 1);
    check_conv(&dice, &(struct window){2, 3, 3, 5, 6, 7, 2, 2, 1, 1, 2, 2}, 0);
    check_conv(&dice, &(struct window){1, 2, 2, 1, 6, 6, 3, 3, 3, 3, 4, 5}, 1);
}

static struct window random_window(struct dice *dice)
{
    struct window s;
    do {
        s = (struct window){.c = dice_between(dice, 1, 8),
                            .h = dice_between(dice, 1, 14),
                            .w = dice_between(dice, 1, 20),
                            .oc = dice_between(dice, 1, 12),
                            .kh = dice_between(dice, 1, 6),
                            .kw = dice_between(dice, 1, 8),
                            .stride_h = dice_between(dice, 1, 3),
                            .stride_w = dice_between(dice, 1, 3)};
        s.pad_top = dice_between(dice, 0, s.kh);
        s.pad_left = dice_between(dice, 0, s.kw);
        /* at the other end: from columns left over to windows that begin in the padding's last
         * column */
        s.oh = output_size(s.h, s.kh, s.stride_h, s.pad_top, dice_between(dice, -2, s.kh));
        s.ow = output_size(s.w, s.kw, s.stride_w, s.pad_left, dice_between(dice, -2, s.kw));
    } while (s.oh < 1 || s.ow < 1 || weights(&s) * s.oh * s.ow > 9000);
    return s;
}

static void test_random_windows(void **state)
{
    (void)state;
    struct dice dice = {20261124};
    for (int i = 0; i < 300; i++) {
        const struct window s = random_window(&dice);
        check_conv(&dice, &s, dice_between(&dice, 0, 3) > 0);
    }
}

/* Holes between the taps, groups, and both; up to depthwise, one channel a group. */
static struct window random_sparse_window(struct dice *dice)
{
    struct window s;
    do {
        const int groups = dice_between(dice, 1, 5);
        s = random_window(dice);
        s.groups = groups;
        s.c = groups * dice_between(dice, 1, 3);
        s.oc = groups * dice_between(dice, 1, 6);
        s.dilation_h = dice_between(dice, 0, 3);
        s.dilation_w = dice_between(dice, 0, 3);
        const int kh = (s.kh - 1) * (s.dilation_h ? s.dilation_h : 1) + 1,
                  kw = (s.kw - 1) * (s.dilation_w ? s.dilation_w : 1) + 1;
        s.oh = output_size(s.h, kh, s.stride_h, s.pad_top, dice_between(dice, -2, kh));
        s.ow = output_size(s.w, kw, s.stride_w, s.pad_left, dice_between(dice, -2, kw));
    } while (s.oh < 1 || s.ow < 1 || weights(&s) * s.oh * s.ow > 9000);
    return s;
}

/* One channel a group, with all the kernel widths and strides that have their own blocks. */
static void test_depthwise(void **state)
{
    (void)state;
    struct dice dice = {20261126};
    for (int i = 0; i < 300; i++) {
        struct window s;
        do {
            s = random_window(&dice);
            s.groups = s.c = dice_between(&dice, 2, 4);
            s.oc = s.c * dice_between(&dice, 1, 3);
        } while (weights(&s) * s.oh * s.ow > 9000);
        assert_true(is_depthwise(&s));
        check_conv(&dice, &s, dice_between(&dice, 0, 3) > 0);
    }
}

static void test_dilation_and_groups(void **state)
{
    (void)state;
    struct dice dice = {7};
    check_conv(&dice, &(struct window){5, 9, 21, 9, 7, 19, 3, 3, 1, 1, 1, 1, 2, 2, 0}, 1);
    check_conv(&dice, &(struct window){4, 5, 9, 10, 5, 9, 1, 7, 1, 1, 0, 6, 1, 2, 2}, 1);
    check_conv(&dice, &(struct window){6, 6, 30, 6, 6, 30, 3, 3, 1, 1, 1, 1, 1, 1, 6}, 0);
    check_conv(&dice, &(struct window){3, 7, 7, 6, 3, 3, 3, 3, 2, 2, 1, 1, 2, 2, 3}, 1);
    for (int i = 0; i < 400; i++) {
        const struct window s = random_sparse_window(&dice);
        check_conv(&dice, &s, dice_between(&dice, 0, 3) > 0);
    }
}

/* Where a NaN is seen: in all that depends on it, in no other image, and, unless neighbours are
 * mixed, nowhere else. */
static void assert_nan(float value, int hit, int lane_hit, int mixed)
{
    if (hit || !mixed || !lane_hit) {
        assert_int_equal(isnan(value) != 0, hit);
    }
}

static void check_nan(const struct window *window)
{
    enum { BAD = 11 };
    const struct window s = *window;
    const int C = s.c, H = s.h, W = s.w, OC = s.oc;
    const int mixed = winograd_way(&s) != WINOGRAD_NONE;
    const int mixed_input = winograd_input_way(&s) != WINOGRAD_NONE;
    const struct kernels *levels[KERNEL_LEVELS];
    const int count = check_levels(levels);
    struct dice dice = {6};
    for (int l = 0; l < count; l++) {
        struct guarded x = guarded_new(C * H * W * LANES), y = guarded_new(OC * H * W * LANES);
        struct guarded w = guarded_new(OC * C * 9), dw = guarded_new(OC * C * 9),
                       scratch = guarded_new(conv_scratch(&s)), u = guarded_new(conv_prepared(&s));
        dice_fill(&dice, &x, -1, 1);
        dice_fill(&dice, &w, -1, 1);
        levels[l]->conv_prepare(&s, w.data, 0, 1, u.data);
        dice_fill_integers(&dice, &dw, 0, 0);
        x.data[(2 * W + 3) * LANES + BAD] = NAN; /* channel 0, row 2, column 3 */
        levels[l]->conv_forward(&s, x.data, w.data, u.data, NULL, y.data, scratch.data);
        for (int i = 0; i < OC * H * W * LANES; i++) {
            const int lane = i % LANES, column = i / LANES % W, row = i / LANES / W % H;
            const int hit = lane == BAD && abs(column - 3) <= 1 && abs(row - 2) <= 1;
            assert_nan(y.data[i], hit, lane == BAD, mixed);
        }
        dice_fill(&dice, &y, 1, 2);
        levels[l]->conv_backward_weight(&s, x.data, y.data, 1, dw.data, NULL, scratch.data);
        for (int i = 0; i < OC * C * 9; i++) {
            assert_int_equal(isnan(dw.data[i]) != 0, i / 9 % C == 0);
        }
        y.data[(4 * W + 6) * LANES + BAD] = NAN; /* channel 0, row 4, column 6 */
        levels[l]->conv_backward_input(&s, y.data, w.data, u.data, x.data, scratch.data);
        for (int i = 0; i < C * H * W * LANES; i++) {
            const int lane = i % LANES, column = i / LANES % W, row = i / LANES / W % H;
            const int hit = lane == BAD && abs(column - 6) <= 1 && abs(row - 4) <= 1;
            assert_nan(x.data[i], hit, lane == BAD, mixed_input);
        }
        guarded_free(&x);
        guarded_free(&y);
        guarded_free(&w);
        guarded_free(&dw);
        guarded_free(&u);
        guarded_free(&scratch);
    }
}

static void test_nan(void **state)
{
    (void)state;
    check_nan(&(struct window){2, 6, 7, 3, 6, 7, 3, 3, 1, 1, 1, 1});
    const struct window winograd = {5, 6, 7, 6, 6, 7, 3, 3, 1, 1, 1, 1};
    assert_true(winograd_way(&winograd) != WINOGRAD_NONE);
    assert_true(winograd_input_way(&winograd) != WINOGRAD_NONE);
    check_nan(&winograd);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_channels),
        cmocka_unit_test(test_winograd),
        cmocka_unit_test(test_row_lengths),
        cmocka_unit_test(test_kernels_strides_paddings),
        cmocka_unit_test(test_strides_of_many_channels),
        cmocka_unit_test(test_kernel_covers_input),
        cmocka_unit_test(test_one_tap),
        cmocka_unit_test(test_windows_outside),
        cmocka_unit_test(test_random_windows),
        cmocka_unit_test(test_dilation_and_groups),
        cmocka_unit_test(test_depthwise),
        cmocka_unit_test(test_nan),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
