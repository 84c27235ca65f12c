/* test_reference.c: the reference's derivatives against central differences of its own forward
 * functions, every element. An error in the oracle would otherwise pass for a proof. Forward values
 * are pinned by the worked examples and by a few known numbers here. */
#include "../kernel_check.h"
#include "../reference.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static double *random_doubles(struct dice *dice, size_t n)
{
    double *d = check_doubles(n);
    for (size_t i = 0; i < n; i++) {
        d[i] = (double)dice_uniform(dice, -1, 1);
    }
    return d;
}

static double dot(size_t n, const double *a, const double *b)
{
    double sum = 0;
    for (size_t i = 0; i < n; i++) {
        sum += a[i] * b[i];
    }
    return sum;
}

/* A scalar function of `context`, whose derivative by n numbers at `at` must be `want`. */
typedef double scalar(const void *context);

static void check_gradient(const char *what, scalar *f, const void *context, size_t n, double *at,
                           const double *want)
{
    const double step = 1e-5;
    for (size_t i = 0; i < n; i++) {
        const double kept = at[i];
        at[i] = kept + step;
        const double above = f(context);
        at[i] = kept - step;
        const double below = f(context);
        at[i] = kept;
        const double slope = (above - below) / (2 * step);
        if (!(fabs(slope - want[i]) <= 1e-8 * (1 + fabs(want[i])))) {
            fail_msg("%s: [%zu] is %.12g, differences say %.12g", what, i, want[i], slope);
        }
    }
}

/* Whatever a layer needs; loss = sum of dy * y. */
struct layer {
    struct ref_window s;
    int count_padding;
    size_t y_size;
    double *x, *w, *b, *y, *dy;
};

static double conv_loss(const void *context)
{
    const struct layer *l = context;
    ref_conv_forward(&l->s, l->x, l->w, l->b, l->y);
    return dot(l->y_size, l->y, l->dy);
}

static double dense_loss(const void *context)
{
    const struct layer *l = context;
    ref_dense_forward(l->s.n, l->s.c, l->s.oc, l->x, l->w, l->b, l->y);
    return dot(l->y_size, l->y, l->dy);
}

static double maxpool_loss(const void *context)
{
    const struct layer *l = context;
    ref_maxpool_forward(&l->s, l->x, l->y);
    return dot(l->y_size, l->y, l->dy);
}

static double avgpool_loss(const void *context)
{
    const struct layer *l = context;
    ref_avgpool_forward(&l->s, l->count_padding, l->x, l->y);
    return dot(l->y_size, l->y, l->dy);
}

static struct layer layer_new(struct dice *dice, const struct ref_window *s, size_t x, size_t w,
                              size_t y)
{
    return (struct layer){*s,
                          0,
                          y,
                          random_doubles(dice, x),
                          random_doubles(dice, w),
                          random_doubles(dice, s->oc),
                          check_doubles(y),
                          random_doubles(dice, y)};
}

static void layer_free(struct layer *l)
{
    double *const all[] = {l->x, l->w, l->b, l->y, l->dy};
    for (int i = 0; i < 5; i++) {
        free(all[i]);
    }
}

/* n c h w, oc oh ow, kernel, stride, padding, dilation, groups */
static const struct ref_window WINDOWS[] = {
    {2, 1, 4, 5, 1, 4, 5, 1, 1, 1, 1, 0, 0, 1, 1, 1},
    {2, 2, 5, 6, 3, 3, 4, 3, 3, 1, 1, 0, 0, 1, 1, 1},
    {1, 3, 6, 5, 2, 3, 3, 3, 3, 2, 2, 1, 1, 1, 1, 1},
    {2, 2, 7, 6, 2, 4, 2, 3, 5, 2, 3, 1, 2, 1, 1, 1},
    {1, 2, 7, 8, 3, 5, 4, 3, 2, 1, 2, 1, 1, 2, 2, 1},
    {1, 4, 5, 5, 6, 3, 3, 3, 3, 2, 2, 1, 1, 1, 1, 2},
    {2, 3, 5, 4, 3, 5, 4, 3, 3, 1, 1, 1, 1, 0, 0, 3},
    {1, 1, 3, 3, 2, 5, 5, 2, 2, 1, 1, 2, 1, 1, 1, 1},
};

static void test_conv(void **state)
{
    (void)state;
    struct dice dice = {1};
    for (size_t i = 0; i < sizeof WINDOWS / sizeof *WINDOWS; i++) {
        const struct ref_window *s = &WINDOWS[i];
        const int groups = s->groups ? s->groups : 1;
        const size_t x = (size_t)s->n * s->c * s->h * s->w,
                     w = (size_t)s->oc * (s->c / groups) * s->kh * s->kw;
        struct layer l = layer_new(&dice, s, x, w, (size_t)s->n * s->oc * s->oh * s->ow);
        double *dx = check_doubles(x), *dw = check_doubles(w), *db = check_doubles(s->oc);
        ref_conv_backward_input(s, l.dy, l.w, dx);
        ref_conv_backward_weight(s, l.x, l.dy, dw, db);
        check_gradient("conv dx", conv_loss, &l, x, l.x, dx);
        check_gradient("conv dw", conv_loss, &l, w, l.w, dw);
        check_gradient("conv db", conv_loss, &l, s->oc, l.b, db);
        layer_free(&l);
        free(dx);
        free(dw);
        free(db);
    }
}

static void test_dense(void **state)
{
    (void)state;
    struct dice dice = {2};
    const struct ref_window s = {.n = 3, .c = 5, .oc = 4};
    struct layer l = layer_new(&dice, &s, 15, 20, 12);
    double dx[15], dw[20] = {0}, db[4] = {0};
    ref_dense_backward_input(3, 5, 4, l.dy, l.w, dx);
    ref_dense_backward_weight(3, 5, 4, l.x, l.dy, dw, db);
    check_gradient("dense dx", dense_loss, &l, 15, l.x, dx);
    check_gradient("dense dw", dense_loss, &l, 20, l.w, dw);
    check_gradient("dense db", dense_loss, &l, 4, l.b, db);
    layer_free(&l);
}

static void test_pooling(void **state)
{
    (void)state;
    static const struct ref_window POOLS[] = {
        {2, 2, 4, 6, 2, 2, 3, 2, 2, 2, 2, 0, 0, 0, 0, 0},
        {1, 3, 5, 5, 3, 3, 3, 3, 3, 2, 2, 1, 1, 0, 0, 0},
        {2, 1, 6, 5, 1, 2, 3, 3, 2, 3, 2, 0, 1, 0, 0, 0},
        {1, 2, 3, 3, 2, 1, 1, 5, 5, 1, 1, 1, 1, 0, 0, 0},
    };
    struct dice dice = {3};
    for (size_t i = 0; i < sizeof POOLS / sizeof *POOLS; i++) {
        const struct ref_window *s = &POOLS[i];
        const size_t x = (size_t)s->n * s->c * s->h * s->w;
        struct layer l = layer_new(&dice, s, x, 1, (size_t)s->n * s->c * s->oh * s->ow);
        double *dx = check_doubles(x);
        ref_maxpool_backward(s, l.x, l.dy, dx);
        check_gradient("maxpool", maxpool_loss, &l, x, l.x, dx);
        for (l.count_padding = 0; l.count_padding < 2; l.count_padding++) {
            ref_avgpool_backward(s, l.count_padding, l.dy, dx);
            check_gradient("avgpool", avgpool_loss, &l, x, l.x, dx);
        }
        layer_free(&l);
        free(dx);
    }
}

struct point {
    const struct ref_activation *f;
    double x;
};

static double activation_value(const void *context)
{
    const struct point *p = context;
    return p->f->forward(p->x, 0.3);
}

static void test_activations(void **state)
{
    (void)state;
    static const char *const NAMES[] = {"relu", "leaky_relu", "tanh",     "sigmoid",    "elu",
                                        "gelu", "silu",       "softplus", "scaled_tanh"};
    for (size_t i = 0; i < sizeof NAMES / sizeof *NAMES; i++) {
        struct point p = {ref_activation(NAMES[i]), 0};
        assert_non_null(p.f);
        for (p.x = -6.05; p.x < 6; p.x += 0.1) {
            const double slope = p.f->derivative(p.x, 0.3);
            check_gradient(NAMES[i], activation_value, &p, 1, &p.x, &slope);
        }
    }
    assert_null(ref_activation("tahn"));
    /* published values */
    assert_true(fabs(ref_activation("gelu")->forward(1, 0) - 0.841344746068543) < 1e-14);
    assert_true(fabs(ref_activation("silu")->forward(1, 0) - 0.731058578630005) < 1e-14);
    assert_true(fabs(ref_activation("softplus")->forward(0, 0) - 0.693147180559945) < 1e-14);
    assert_true(fabs(ref_activation("scaled_tanh")->forward(1, 0) - 1) < 1e-4);
    assert_true(fabs(ref_activation("elu")->forward(-1, 2) + 1.264241117657115) < 1e-14);
}

enum { SAMPLES = 4, CLASSES = 5 };
static const struct ref_labels LABELS = {{0, 4, -1, 2}, {0, 4, -1, 3}, {1, 1, 1, 0.75}};

static const double WEIGHTS[CLASSES] = {1, 0.5, 2, 3, 0.25};
static const struct ref_terms PLAIN = {.gamma = 0, .delta = 0.75, .margin = 1.03},
                              RICH = {.smoothing = 0.1,
                                      .weights = WEIGHTS,
                                      .gamma = 1.5,
                                      .delta = 0.75,
                                      .margin = 1.03};

struct loss_point {
    ref_loss *loss;
    const struct ref_terms *terms;
    double *z;
};

static double loss_value(const void *context)
{
    const struct loss_point *p = context;
    double loss[SAMPLES];
    p->loss(p->terms, SAMPLES, CLASSES, p->z, &LABELS, 1, loss, NULL);
    return 0.25 * (loss[0] + loss[1] + loss[2] + loss[3]);
}

static void test_losses(void **state)
{
    (void)state;
    static ref_loss *const LOSSES[] = {ref_cross_entropy, ref_focal, ref_mse,
                                       ref_mae,           ref_huber, ref_hinge};
    struct dice dice = {4};
    double *z = random_doubles(&dice, SAMPLES * CLASSES), dz[SAMPLES * CLASSES], loss[SAMPLES],
           p[SAMPLES * CLASSES], focal[SAMPLES];
    for (size_t i = 0; i < 2 * sizeof LOSSES / sizeof *LOSSES; i++) {
        struct loss_point point = {LOSSES[i / 2], i % 2 ? &RICH : &PLAIN, z};
        point.loss(point.terms, SAMPLES, CLASSES, z, &LABELS, 0.25, loss, dz);
        check_gradient("loss", loss_value, &point, SAMPLES * CLASSES, z, dz);
        assert_true(loss[2] == 0 && loss[0] > 0);
    }
    ref_softmax(SAMPLES, CLASSES, z, p);
    const double two = -log(p[3 * CLASSES + 2]), three = -log(p[3 * CLASSES + 3]);
    ref_cross_entropy(&PLAIN, SAMPLES, CLASSES, z, &LABELS, 1, loss, NULL);
    assert_true(fabs(loss[1] + log(p[1 * CLASSES + 4])) < 1e-14);
    assert_true(fabs(loss[3] - 0.75 * two - 0.25 * three) < 1e-14);
    ref_focal(&PLAIN, SAMPLES, CLASSES, z, &LABELS, 1, focal, NULL); /* gamma 0 */
    for (int s = 0; s < SAMPLES; s++) {
        assert_true(fabs(focal[s] - loss[s]) < 1e-14);
    }
    free(z);
    const double equal[] = {-1e30, -1e30, -1e30, -1e30};
    ref_cross_entropy(&PLAIN, 1, 4, equal, &LABELS, 1, loss, NULL);
    assert_true(fabs(loss[0] - log(4)) < 1e-14);
}

/* What PyTorch 1.13 says (float64) of z = [0.5, -1, 2], label 0; focal by its formula. */
static void test_published_losses(void **state)
{
    (void)state;
    static const double z[] = {0.5, -1, 2}, weights[] = {0.5, 2, 1};
    static const struct ref_labels zero = {{0}, {0}, {1}};
    static const struct ref_terms smooth = {.smoothing = 0.3},
                                  weighed = {.smoothing = 0.3, .weights = weights},
                                  rest = {.delta = 0.4, .margin = 1, .gamma = 2};
    static const struct {
        ref_loss *loss;
        const struct ref_terms *terms;
        double want;
    } CASES[] = {
        {ref_cross_entropy, &smooth, 1.74131129665716},
        {ref_cross_entropy, &weighed, 1.36891790766001},
        {ref_mse, &rest, 1.75},
        {ref_mae, &rest, 1.16666666666667},
        {ref_huber, &rest, 0.386666666666667},
        {ref_hinge, &rest, 0.833333333333333},
        {ref_focal, &rest, 1.18434580398993},
    };
    for (size_t i = 0; i < sizeof CASES / sizeof *CASES; i++) {
        double got;
        CASES[i].loss(CASES[i].terms, 1, 3, z, &zero, 1, &got, NULL);
        assert_true(fabs(got - CASES[i].want) < 1e-12);
    }
}

/* By hand: the first step of Adam moves by lr whatever the gradient's size; momentum adds up;
 * Nesterov looks ahead. */
static void test_optimizers(void **state)
{
    (void)state;
    const struct ref_adam adam = {0.01, 0.9, 0.999, 0};
    double w[2] = {1, 1}, m[2] = {0}, v[2] = {0};
    const double g[2] = {5, -0.002};
    ref_adam(&adam, 1, 2, w, g, m, v);
    assert_true(fabs(w[0] - 0.99) < 1e-14 && fabs(w[1] - 1.01) < 1e-14);
    ref_adam(&adam, 2, 2, w, g, m, v);
    assert_true(fabs(w[0] - 0.98) < 1e-14 && fabs(w[1] - 1.02) < 1e-14);

    double u[2] = {0}, velocity[2] = {0};
    const double one[2] = {1, 1};
    ref_sgd(0.5, 0.5, 0, 1, u, one, velocity);
    ref_sgd(0.5, 0.5, 0, 1, u, one, velocity);
    assert_true(u[0] == -0.5 * (1 + 1.5));
    ref_sgd(0.5, 0.5, 1, 1, u + 1, one, velocity + 1);
    ref_sgd(0.5, 0.5, 1, 1, u + 1, one, velocity + 1);
    assert_true(u[1] == -0.5 * (1.5 + 1.75));
}

static void test_tiles(void **state)
{
    (void)state;
    float tile[3 * REF_LANES], back[3 * REF_LANES];
    double array[REF_LANES * 3];
    for (int i = 0; i < 3 * REF_LANES; i++) {
        tile[i] = (float)i;
    }
    ref_from_tile(3, tile, array);
    assert_true(array[0] == 0 && array[1] == REF_LANES && array[3] == 1 &&
                array[5] == 2 * REF_LANES + 1);
    ref_to_tile(3, array, back);
    assert_memory_equal(tile, back, sizeof tile);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_conv),       cmocka_unit_test(test_dense),
        cmocka_unit_test(test_pooling),    cmocka_unit_test(test_activations),
        cmocka_unit_test(test_losses),     cmocka_unit_test(test_published_losses),
        cmocka_unit_test(test_optimizers), cmocka_unit_test(test_tiles),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
