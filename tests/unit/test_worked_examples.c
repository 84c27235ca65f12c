/* test_worked_examples.c: the worked convolutions of the lecture that this project grew out of,
 * with their gradients, pooling and filters, on every level and on the reference. All numbers are
 * small integers: tolerance 0.
 *
 * Example B's first output on the slide forgot the bias in four places; here it is right.
 * Convolution is cross-correlation: examples B and C tell the two apart, A's kernel is symmetric.
 * Lane i holds the example i + 1 times, so that no lane can pass for another. */
#include "../kernel_check.h"
#include "../reference.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

enum { MOST_X = 75, MOST_W = 54, MOST_Y = 25, MOST_OC = 2 };

struct example {
    const char *name;
    struct window s;
    int x[MOST_X], w[MOST_W], b[MOST_OC];
    int y[MOST_Y], y_flipped[MOST_Y]; /* y_flipped: what true convolution, with the kernel turned
                                         round, would give */
    int dy[MOST_Y], dw[MOST_W], db[MOST_OC], dx[MOST_X];
};

/* clang-format off */
static const struct example EXAMPLES[] = {
    {
        .name = "example A",
        .s = {1, 7, 7, 1, 5, 5, 3, 3, 1, 1, 0, 0},
        .x = {0, 1, 1, 1, 0, 0, 0,  0, 0, 1, 1, 1, 0, 0,  0, 0, 0, 1, 1, 1, 0,
              0, 0, 0, 1, 1, 0, 0,  0, 0, 1, 1, 0, 0, 0,  0, 1, 1, 0, 0, 0, 0,
              1, 1, 0, 0, 0, 0, 0},
        .w = {1, 0, 1,  0, 1, 0,  1, 0, 1},
        .b = {0},
        .y = {1, 4, 3, 4, 1,  1, 2, 4, 3, 3,  1, 2, 3, 4, 1,  1, 3, 3, 1, 1,  3, 3, 1, 1, 0},
        .y_flipped = {1, 4, 3, 4, 1,  1, 2, 4, 3, 3,  1, 2, 3, 4, 1,  1, 3, 3, 1, 1,
                      3, 3, 1, 1, 0},
        .dy = {1, 2, 3, 4, 5,  6, 7, 8, 9, 10,  11, 12, 13, 14, 15,  16, 17, 18, 19, 20,
               21, 22, 23, 24, 25},
        .dw = {151, 154, 141,  142, 141, 109,  133, 108, 63},
        .db = {325},
        .dx = {1, 2, 4, 6, 8, 4, 5,  6, 8, 16, 19, 22, 14, 10,  12, 20, 35, 40, 45, 28, 20,
               22, 35, 60, 65, 70, 43, 30,  32, 50, 85, 90, 95, 58, 40,
               16, 38, 56, 59, 62, 44, 20,  21, 22, 44, 46, 48, 24, 25},
    },
    {
        .name = "example B",
        .s = {1, 5, 5, 2, 3, 3, 3, 3, 2, 2, 1, 1},
        .x = {0, 1, 1, 1, 1,  1, 2, 1, 1, 1,  1, 0, 0, 0, 0,  0, 0, 0, 1, 0,  0, 1, 0, 0, 0},
        .w = {-1, 1, 0,  -1, 0, -1,  -1, 1, 0,  0, -1, -1,  -1, 1, 1,  1, -1, 1},
        .b = {1, 0},
        .y = {1, -2, 0,  2, 0, 0,  0, 0, 0,  2, 3, 0,  -2, -1, 0,  1, -2, 0},
        .y_flipped = {-1, -1, 1,  0, 0, 2,  0, -1, 1,  -2, -2, 0,  2, 2, -1,  -1, 2, 1},
        .dy = {1, 2, 3,  4, 5, 6,  7, 8, 9,  -1, 0, 2,  3, -2, 1,  0, 1, -1},
        .dw = {25, 15, 21,  13, 9, 10,  13, 6, 9,  -4, 2, 5,  3, 5, -1,  3, 1, -4},
        .db = {45, 3},
        .dx = {-1, -4, 0, -7, 2,  3, -11, 9, -5, 6,  3, -4, -2, -14, 1,  8, -12, 14, -17, 15,
               0, -16, 1, -15, -1},
    },
    {
        .name = "example C",
        .s = {3, 5, 5, 2, 3, 3, 3, 3, 2, 2, 1, 1},
        .x = {1, 2, 0, 0, 0,  2, 2, 0, 0, 0,  2, 2, 2, 1, 0,  1, 0, 0, 2, 0,  1, 1, 0, 1, 0,
              1, 0, 0, 1, 0,  1, 0, 0, 0, 1,  0, 0, 1, 2, 0,  0, 1, 0, 1, 0,  1, 1, 1, 1, 2,
              0, 0, 2, 2, 2,  1, 2, 2, 2, 0,  1, 1, 1, 1, 0,  1, 2, 0, 0, 0,  2, 2, 2, 1, 0},
        .w = {0, 0, -1,  -1, 0, 0,  -1, -1, -1,  1, 1, -1,  0, 0, 0,  -1, 1, 1,  -1, -1, -1,
              0, 1, 1,  0, -1, 0,  -1, 0, 0,  1, -1, -1,  0, 0, -1,  -1, 0, 1,  1, -1, 1,
              -1, 0, 1,  -1, -1, -1,  -1, 1, -1,  0, 1, -1},
        .b = {1, 0},
        .y = {-3, -1, 4,  -2, -7, -4,  1, -1, 1,  -7, 3, 1,  -7, -11, -1,  -4, -2, -4},
        .y_flipped = {-3, -5, 4,  -6, -4, 0,  -1, 2, 1,  -5, -7, -1,  -3, -9, -1,  0, -2, -4},
        .dy = {1, 2, 3,  4, 5, 6,  7, 8, 9,  -1, 0, 2,  3, -2, 1,  0, 1, -1},
        .dw = {28, 15, 24,  37, 26, 30,  16, 6, 12,  17, 10, 15,  32, 39, 27,  11, 4, 9,
               38, 21, 32,  42, 49, 35,  20, 9, 14,  -6, 6, 8,  -3, 1, 3,  2, 1, -6,  0, 4, 1,
               4, -4, -3,  -1, 1, 1,  0, -1, 2,  4, 7, 2,  0, 2, 4},
        .db = {45, 3},
        .dx = {1, -1, 0, -1, -2,  -1, -4, -2, -11, -3,  -3, -10, 2, -3, -1,
               -4, -20, -5, -16, -6,  0, -7, -1, -11, 1,  1, -1, 0, 2, -2,  5, 4, 7, -5, 9,
               -3, 1, 2, -1, -1,  11, 4, 13, -1, 15,  0, 1, -1, 0, 1,  0, 2, 2, 0, 5,
               -9, -9, -5, -10, -8,  7, 3, 3, 6, 7,  -8, -19, -16, -15, -13,  7, 6, 9, 8, 8},
    },
};
/* clang-format on */
enum { EXAMPLE_COUNT = sizeof EXAMPLES / sizeof *EXAMPLES };

/* The image in every lane, lane i holding `first + i * more` times its values. */
static struct guarded tile_of(size_t pixels, const int *image, int first, int more)
{
    struct guarded tile = guarded_new(pixels * LANES);
    for (size_t i = 0; i < tile.size; i++) {
        tile.data[i] = (float)(image[i / LANES] * (first + (int)(i % LANES) * more));
    }
    guarded_freeze(&tile);
    return tile;
}

/* An image in one lane, zeros in the others. */
static struct guarded tile_with_one(size_t pixels, const int *image, size_t lane)
{
    struct guarded tile = guarded_new(pixels * LANES);
    for (size_t i = 0; i < tile.size; i++) {
        tile.data[i] = i % LANES == lane ? (float)image[i / LANES] : 0;
    }
    guarded_freeze(&tile);
    return tile;
}

static struct guarded floats_of(size_t n, const int *numbers)
{
    struct guarded g = guarded_new(n);
    for (size_t i = 0; i < n; i++) {
        g.data[i] = (float)numbers[i];
    }
    return g;
}

static size_t x_count(const struct example *e) { return (size_t)e->s.c * e->s.h * e->s.w; }

static size_t y_count(const struct example *e) { return (size_t)e->s.oc * e->s.oh * e->s.ow; }

static size_t w_count(const struct example *e)
{
    return (size_t)e->s.oc * e->s.c * e->s.kh * e->s.kw;
}

static void expect(const char *what, const struct kernels *k, size_t i, float got, int want)
{
    if (got != (float)want) {
        fail_msg("%s, %s: [%zu] is %g, not %d", what, k->name, i, (double)got, want);
    }
}

static void check_forward(const struct example *e, const struct kernels *k, const int *weights,
                          const int *want)
{
    struct guarded x = tile_of(x_count(e), e->x, 1, 1), w = floats_of(w_count(e), weights),
                   b = floats_of(e->s.oc, e->b);
    struct guarded y = guarded_new(y_count(e) * LANES), scratch = guarded_new(conv_scratch(&e->s));
    k->conv_forward(&e->s, x.data, w.data, NULL, b.data, y.data, scratch.data);
    for (size_t i = 0; i < y.size; i++) {
        const int bias = e->b[i / LANES / (e->s.oh * e->s.ow)], factor = (int)(i % LANES) + 1;
        expect(e->name, k, i, y.data[i], (want[i / LANES] - bias) * factor + bias);
    }
    struct guarded *const all[] = {&x, &w, &b, &y, &scratch};
    for (int i = 0; i < 5; i++) {
        guarded_check(all[i], e->name);
        guarded_free(all[i]);
    }
}

static void check_backward_input(const struct example *e, const struct kernels *k)
{
    struct guarded dy = tile_of(y_count(e), e->dy, 1, 1), w = floats_of(w_count(e), e->w);
    struct guarded dx = guarded_new(x_count(e) * LANES), scratch = guarded_new(conv_scratch(&e->s));
    k->conv_backward_input(&e->s, dy.data, w.data, NULL, dx.data, scratch.data);
    for (size_t i = 0; i < dx.size; i++) {
        expect(e->name, k, i, dx.data[i], e->dx[i / LANES] * ((int)(i % LANES) + 1));
    }
    struct guarded *const all[] = {&dy, &w, &dx, &scratch};
    for (int i = 0; i < 4; i++) {
        guarded_check(all[i], e->name);
        guarded_free(all[i]);
    }
}

/* dw and db start at 1000, and get `dw_factor` and `db_factor` times the example's. */
static void check_backward_weight(const struct example *e, const struct kernels *k,
                                  struct guarded *x, struct guarded *dy, int dw_factor,
                                  int db_factor)
{
    struct guarded dw = guarded_new(w_count(e)), db = guarded_new(e->s.oc),
                   scratch = guarded_new(conv_scratch(&e->s));
    dice_fill_integers(&(struct dice){0}, &dw, 1000, 1000);
    dice_fill_integers(&(struct dice){0}, &db, 1000, 1000);
    k->conv_backward_weight(&e->s, x->data, dy->data, 1, dw.data, db.data, scratch.data);
    for (size_t i = 0; i < dw.size; i++) {
        expect(e->name, k, i, dw.data[i], 1000 + dw_factor * e->dw[i]);
    }
    for (size_t i = 0; i < db.size; i++) {
        expect(e->name, k, i, db.data[i], 1000 + db_factor * e->db[i]);
    }
    struct guarded *const all[] = {x, dy, &dw, &db, &scratch};
    for (int i = 0; i < 5; i++) {
        guarded_check(all[i], e->name);
        guarded_free(all[i]);
    }
}

static void test_forward(void **state)
{
    (void)state;
    const struct kernels *levels[KERNEL_LEVELS];
    const int count = check_levels(levels);
    for (int l = 0; l < count; l++) {
        for (int i = 0; i < EXAMPLE_COUNT; i++) {
            const struct example *e = &EXAMPLES[i];
            int flipped[MOST_W];
            const int taps = e->s.kh * e->s.kw;
            for (size_t w = 0; w < w_count(e); w++) {
                flipped[w] = e->w[w - w % taps + taps - 1 - w % taps];
            }
            check_forward(e, levels[l], e->w, e->y);
            check_forward(e, levels[l], flipped, e->y_flipped);
        }
    }
}

static void test_backward(void **state)
{
    (void)state;
    const struct kernels *levels[KERNEL_LEVELS];
    const int count = check_levels(levels);
    for (int l = 0; l < count; l++) {
        for (int i = 0; i < EXAMPLE_COUNT; i++) {
            const struct example *e = &EXAMPLES[i];
            check_backward_input(e, levels[l]);
            /* 1 + 2 + ... + 16 times x, with the same dy in every lane */
            struct guarded x = tile_of(x_count(e), e->x, 1, 1),
                           dy = tile_of(y_count(e), e->dy, 1, 0);
            check_backward_weight(e, levels[l], &x, &dy, 136, LANES);
            for (int lane = 0; lane < LANES; lane++) {
                x = tile_of(x_count(e), e->x, 1, 1);
                dy = tile_with_one(y_count(e), e->dy, lane);
                check_backward_weight(e, levels[l], &x, &dy, lane + 1, 1);
            }
        }
    }
}

/* The slides' filters on example A's image, without padding. */
static void test_filters(void **state)
{
    (void)state;
    /* clang-format off */
    static const struct {
        int w[9], y[MOST_Y];
    } FILTERS[] = {
        {{1, 0, -1,  2, 0, -2,  1, 0, -1}, /* Sobel */
         {-3, -3, 0, 3, 3,  -1, -4, -3, 2, 4,  -1, -4, -2, 3, 3,  -3, -2, 2, 3, 1,
          -2, 2, 3, 1, 0}},
        {{-1, 0, 1,  -2, 0, 2,  -1, 0, 1}, /* Sobel, as true convolution would have it */
         {3, 3, 0, -3, -3,  1, 4, 3, -2, -4,  1, 4, 2, -3, -3,  3, 2, -2, -3, -1,
          2, -2, -3, -1, 0}},
        {{0, -1, 0,  -1, 4, -1,  0, -1, 0}, /* Laplace */
         {-2, 2, 0, 2, -2,  0, -2, 1, 0, 3,  0, -2, 1, 2, -2,  -2, 2, 2, -2, 0,  2, 2, -2, 0, 0}},
        {{0, 1, 0,  1, 4, 1,  0, 1, 0}, /* smoothing, 8 times */
         {2, 6, 8, 6, 2,  0, 2, 7, 8, 5,  0, 2, 7, 6, 2,  2, 6, 6, 2, 0,  6, 6, 2, 0, 0}},
    };
    /* clang-format on */
    const struct kernels *levels[KERNEL_LEVELS];
    const int count = check_levels(levels);
    for (int l = 0; l < count; l++) {
        for (size_t i = 0; i < sizeof FILTERS / sizeof *FILTERS; i++) {
            check_forward(&EXAMPLES[0], levels[l], FILTERS[i].w, FILTERS[i].y);
        }
    }
}

/* Example A's output, pooled 2 x 2; the last row and column are left over. Quarters are exact. */
static void test_pooling(void **state)
{
    (void)state;
    static const int MAXIMA[] = {4, 4, 3, 4}, QUARTERS[] = {8, 14, 7, 11};
    const struct window s = {1, 5, 5, 1, 2, 2, 2, 2, 2, 2, 0, 0};
    const struct kernels *levels[KERNEL_LEVELS];
    const int count = check_levels(levels);
    for (int l = 0; l < count; l++) {
        struct guarded x = tile_of(25, EXAMPLES[0].y, 1, 1), most = guarded_new(4 * LANES),
                       mean = guarded_new(4 * LANES);
        levels[l]->maxpool_forward(&s, x.data, most.data);
        levels[l]->avgpool_forward(&s, 1, x.data, mean.data);
        for (size_t i = 0; i < 4 * LANES; i++) {
            const int factor = (int)(i % LANES) + 1;
            expect("max pooling", levels[l], i, most.data[i], MAXIMA[i / LANES] * factor);
            expect("average pooling", levels[l], i, 4 * mean.data[i], QUARTERS[i / LANES] * factor);
        }
        guarded_free(&x);
        guarded_free(&most);
        guarded_free(&mean);
    }
}

static void test_relu(void **state)
{
    (void)state;
    static const int AFTER[][9] = {{1, 0, 0, 2, 0, 0, 0, 0, 0}, {0, 0, 4, 0, 0, 0, 1, 0, 1}};
    const struct kernels *levels[KERNEL_LEVELS];
    const int count = check_levels(levels);
    for (int l = 0; l < count; l++) {
        for (int e = 0; e < 2; e++) {
            struct guarded x = tile_of(9, EXAMPLES[1 + e].y, 1, 1), y = guarded_new(9 * LANES);
            levels[l]->activation[ACTIVATION_RELU].forward(x.data, y.data, 9, 0);
            for (size_t i = 0; i < 9 * LANES; i++) {
                expect("relu", levels[l], i, y.data[i],
                       AFTER[e][i / LANES] * ((int)(i % LANES) + 1));
            }
            guarded_free(&x);
            guarded_free(&y);
        }
    }
}

static void to_doubles(int n, const int *from, double *to)
{
    for (int i = 0; i < n; i++) {
        to[i] = from[i];
    }
}

static void expect_doubles(const char *what, size_t n, const double *got, const int *want)
{
    for (size_t i = 0; i < n; i++) {
        if (got[i] != want[i]) {
            fail_msg("reference, %s: [%zu] is %g, not %d", what, i, got[i], want[i]);
        }
    }
}

/* The reference, which everything else is measured by, knows the examples too. */
static void test_reference(void **state)
{
    (void)state;
    for (int i = 0; i < EXAMPLE_COUNT; i++) {
        const struct example *e = &EXAMPLES[i];
        const struct window *s = &e->s;
        struct ref_window r = check_window(s);
        r.n = 1;
        double x[MOST_X], w[MOST_W], b[MOST_OC], dy[MOST_Y], y[MOST_Y], dx[MOST_X],
            dw[MOST_W] = {0}, db[MOST_OC] = {0};
        to_doubles(MOST_X, e->x, x);
        to_doubles(MOST_W, e->w, w);
        to_doubles(MOST_OC, e->b, b);
        to_doubles(MOST_Y, e->dy, dy);
        ref_conv_forward(&r, x, w, b, y);
        ref_conv_backward_input(&r, dy, w, dx);
        ref_conv_backward_weight(&r, x, dy, dw, db);
        expect_doubles(e->name, y_count(e), y, e->y);
        expect_doubles(e->name, x_count(e), dx, e->dx);
        expect_doubles(e->name, w_count(e), dw, e->dw);
        expect_doubles(e->name, s->oc, db, e->db);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_forward), cmocka_unit_test(test_backward),
        cmocka_unit_test(test_filters), cmocka_unit_test(test_pooling),
        cmocka_unit_test(test_relu),    cmocka_unit_test(test_reference),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
