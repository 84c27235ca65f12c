/* test_kernels_activations.c: every activation and derivative of every level against libm in double
 * precision: a dense sweep of
 * [-100, 100], a logarithmic one from 2^-40 to 2^7, and the special values.
 *
 * Each function has its own tolerance, in float epsilons: relative to the value where the method
 * keeps the value's digits, absolute where it cannot (derivatives from the output, differences from
 * 1), relative to |x| where the error is multiplied by x. */
#include "../kernel_check.h"
#include "../reference.h"

#include <float.h>
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

struct tolerance {
    double relative, absolute, per_x; /* epsilons, epsilons, epsilons times |x| */
};

struct activation_case {
    const char *name;
    enum activation kind;
    int reads_y; /* the derivative takes the output */
    float slope;
    struct tolerance forward, backward;
};

static const struct activation_case CASES[] = {
    {"relu", ACTIVATION_RELU, 1, 0, {0, 0, 0}, {0, 0, 0}},
    {"leaky_relu", ACTIVATION_LEAKY_RELU, 1, 0.01f, {0.5, 0, 0}, {0, 0, 0}},
    {"tanh", ACTIVATION_TANH, 1, 0, {3, 0, 0}, {0, 5.5, 0}},
    {"sigmoid", ACTIVATION_SIGMOID, 1, 0, {1.5, 0, 0}, {0, 1.5, 0}},
    {"elu", ACTIVATION_ELU, 1, 0.7f, {0, 0.6, 0}, {0, 0.6, 0}},
    {"elu", ACTIVATION_ELU, 1, 2.0f, {0, 1.5, 0}, {0, 1.5, 0}},
    {"gelu", ACTIVATION_GELU, 0, 0, {0, 0, 3}, {0, 3, 0}},
    {"silu", ACTIVATION_SILU, 0, 0, {1.5, 0, 0}, {0, 9, 0}},
    {"softplus", ACTIVATION_SOFTPLUS, 0, 0, {2, 0, 0}, {1.5, 0, 0}},
    {"scaled_tanh", ACTIVATION_SCALED_TANH, 1, 0, {3, 0, 0}, {0, 7, 0}},
};
enum { CASE_COUNT = sizeof CASES / sizeof *CASES };

/* e^x is held at e^-87.3 and e^88.7, near the ends of the normal floats: results below that are not
 * 0 but this small. */
static const double SMALLEST = 1.3e-38;

static double allowed(const struct tolerance *t, double want, double x)
{
    return (double)FLT_EPSILON * (t->relative * fabs(want) + t->absolute + t->per_x * fabs(x)) +
           SMALLEST * (1 + fabs(x));
}

static const double SPECIAL[] = {0.0,  -0.0,  1e-40, -1e-40, 1e-30, -1e-30, 1e30, -1e30,
                                 87.3, -87.3, 88.8,  -88.8,  9.0,   -9.0,   104,  -104};

static struct guarded sweep(void)
{
    enum { EVEN = 100001, LOGARITHMIC = 47000, COUNT = EVEN + 2 * LOGARITHMIC };
    const size_t special = sizeof SPECIAL / sizeof *SPECIAL,
                 vectors = (COUNT + special + LANES - 1) / LANES;
    struct guarded x = guarded_new(vectors * LANES);
    size_t n = 0;
    for (int i = 0; i < EVEN; i++) {
        x.data[n++] = (float)(-100 + i * 0.002);
    }
    for (int i = 0; i < LOGARITHMIC; i++) {
        const double magnitude = exp2(-40 + i * 0.001);
        x.data[n++] = (float)magnitude;
        x.data[n++] = (float)-magnitude;
    }
    for (size_t i = 0; i < special; i++) {
        x.data[n++] = (float)SPECIAL[i];
    }
    while (n < x.size) {
        x.data[n++] = 1.0f;
    }
    guarded_freeze(&x);
    return x;
}

/* What the reference says, and how far from it a result may be, for all of x. */
struct expected {
    double *y, *slope, *y_bound, *slope_bound;
};

static struct expected expected_new(const struct activation_case *c, const struct guarded *x,
                                    const struct guarded *dy)
{
    const struct ref_activation *ref = ref_activation(c->name);
    assert_non_null(ref);
    struct expected e = {check_doubles(x->size), check_doubles(x->size), check_doubles(x->size),
                         check_doubles(x->size)};
    for (size_t i = 0; i < x->size; i++) {
        const double at = x->data[i], d = dy->data[i], slope = ref->derivative(at, c->slope);
        e.y[i] = ref->forward(at, c->slope);
        e.y_bound[i] = allowed(&c->forward, e.y[i], at);
        e.slope[i] = d * slope;
        /* multiplying by dy rounds once more */
        e.slope_bound[i] = fabs(d) * allowed(&c->backward, slope, at) +
                           0.5 * (double)FLT_EPSILON * fabs(d * slope);
    }
    return e;
}

static void expected_free(struct expected *e)
{
    free(e->y);
    free(e->slope);
    free(e->y_bound);
    free(e->slope_bound);
}

static void test_sweep(void **state)
{
    (void)state;
    const struct kernels *levels[KERNEL_LEVELS];
    const int count = check_levels(levels);
    struct dice dice = {1};
    struct guarded x = sweep(), dy = guarded_new(x.size);
    dice_fill(&dice, &dy, -2, 2);
    guarded_freeze(&dy);
    for (int c = 0; c < CASE_COUNT; c++) {
        struct expected want = expected_new(&CASES[c], &x, &dy);
        struct agreement same_y = {0}, same_dx = {0};
        for (int l = 0; l < count; l++) {
            const struct activation_kernel *f = &levels[l]->activation[CASES[c].kind];
            struct guarded y = guarded_new(x.size), dx = guarded_new(x.size);
            f->forward(x.data, y.data, x.size / LANES, CASES[c].slope);
            check_near(CASES[c].name, levels[l], x.size, y.data, want.y, want.y_bound);
            agreement_check(&same_y, CASES[c].name, levels[l], &y);
            guarded_check(&y, CASES[c].name);
            guarded_freeze(&y);
            f->backward(CASES[c].reads_y ? y.data : x.data, dy.data, dx.data, x.size / LANES,
                        CASES[c].slope);
            check_near(CASES[c].name, levels[l], x.size, dx.data, want.slope, want.slope_bound);
            agreement_check(&same_dx, CASES[c].name, levels[l], &dx);
            guarded_check(&dx, CASES[c].name);
            guarded_check(&y, CASES[c].name);
            guarded_check(&x, CASES[c].name);
            guarded_check(&dy, CASES[c].name);
            guarded_free(&y);
            guarded_free(&dx);
        }
        agreement_free(&same_y);
        agreement_free(&same_dx);
        expected_free(&want);
    }
    guarded_free(&x);
    guarded_free(&dy);
}

/* In place, and for every small n: the same bytes as out of place, and nothing beyond n vectors. */
static void test_in_place(void **state)
{
    (void)state;
    const struct kernels *levels[KERNEL_LEVELS];
    const int count = check_levels(levels);
    struct dice dice = {2};
    for (int l = 0; l < count; l++) {
        for (int a = 0; a < ACTIVATION_COUNT; a++) {
            for (size_t n = 1; n <= 7; n++) {
                const struct activation_kernel *f = &levels[l]->activation[a];
                struct guarded x = guarded_new(n * LANES), y = guarded_new(n * LANES),
                               z = guarded_new(n * LANES);
                dice_fill(&dice, &x, -5, 5);
                guarded_copy(&z, x.data);
                f->forward(x.data, y.data, n, 0.3f);
                f->forward(z.data, z.data, n, 0.3f);
                assert_memory_equal(y.data, z.data, n * LANES * sizeof(float));
                dice_fill(&dice, &z, -5, 5);
                f->backward(x.data, z.data, y.data, n, 0.3f);
                f->backward(x.data, z.data, z.data, n, 0.3f);
                assert_memory_equal(y.data, z.data, n * LANES * sizeof(float));
                guarded_check(&x, "activation");
                guarded_check(&y, "activation");
                guarded_check(&z, "activation");
                guarded_free(&x);
                guarded_free(&y);
                guarded_free(&z);
            }
        }
    }
}

/* Only the lane that holds it becomes NaN: forward from x, backward from dy. */
static void test_nan(void **state)
{
    (void)state;
    const struct kernels *levels[KERNEL_LEVELS];
    const int count = check_levels(levels);
    struct guarded x = guarded_new(LANES), y = guarded_new(LANES);
    for (int l = 0; l < count; l++) {
        for (int a = 0; a < ACTIVATION_COUNT; a++) {
            for (int bad = 0; bad < LANES; bad++) {
                for (int lane = 0; lane < LANES; lane++) {
                    x.data[lane] = lane == bad ? NAN : 0.5f;
                }
                levels[l]->activation[a].forward(x.data, y.data, 1, 0.3f);
                for (int lane = 0; lane < LANES; lane++) {
                    assert_int_equal(isnan(y.data[lane]) != 0, lane == bad);
                }
                dice_fill_integers(&(struct dice){1}, &y, 1, 1);
                levels[l]->activation[a].backward(y.data, x.data, y.data, 1, 0.3f);
                for (int lane = 0; lane < LANES; lane++) {
                    assert_int_equal(isnan(y.data[lane]) != 0, lane == bad);
                }
            }
        }
    }
    guarded_free(&x);
    guarded_free(&y);
}

/* At +-infinity: the limit. gelu and silu have none at -infinity in floats (infinity times 0), as
 * in every framework. */
static void test_infinity(void **state)
{
    (void)state;
    static const struct {
        enum activation kind;
        double low, high;
    } LIMITS[] = {
        {ACTIVATION_RELU, 0, INFINITY},
        {ACTIVATION_LEAKY_RELU, -INFINITY, INFINITY},
        {ACTIVATION_TANH, -1, 1},
        {ACTIVATION_SIGMOID, 0, 1},
        {ACTIVATION_ELU, -0.25, INFINITY},
        {ACTIVATION_GELU, NAN, INFINITY},
        {ACTIVATION_SILU, NAN, INFINITY},
        {ACTIVATION_SOFTPLUS, 0, INFINITY},
        {ACTIVATION_SCALED_TANH, -1.7159, 1.7159},
    };
    const struct kernels *levels[KERNEL_LEVELS];
    const int count = check_levels(levels);
    struct guarded x = guarded_new(LANES), y = guarded_new(LANES);
    for (int l = 0; l < count; l++) {
        for (int a = 0; a < ACTIVATION_COUNT; a++) {
            for (int lane = 0; lane < LANES; lane++) {
                x.data[lane] = lane % 2 ? INFINITY : -INFINITY;
            }
            levels[l]->activation[LIMITS[a].kind].forward(x.data, y.data, 1, 0.25f);
            for (int lane = 0; lane < LANES; lane++) {
                const double want = lane % 2 ? LIMITS[a].high : LIMITS[a].low, got = y.data[lane];
                if (isinf(want)) {
                    assert_true(got == want);
                } else if (!isnan(want)) {
                    assert_true(fabs(got - want) <= 3 * (double)FLT_EPSILON * fmax(1, fabs(want)));
                }
            }
        }
    }
    guarded_free(&x);
    guarded_free(&y);
}

/* relu keeps nothing of the negative side, and no slope at 0; leaky_relu has its slope there. */
static void test_kink(void **state)
{
    (void)state;
    const struct kernels *levels[KERNEL_LEVELS];
    const int count = check_levels(levels);
    struct guarded y = guarded_new(LANES), d = guarded_new(LANES);
    for (int l = 0; l < count; l++) {
        memset(y.data, 0, LANES * sizeof(float));
        dice_fill_integers(&(struct dice){1}, &d, 8, 8);
        levels[l]->activation[ACTIVATION_RELU].backward(y.data, d.data, y.data, 1, 0);
        assert_true(y.data[3] == 0.0f);
        memset(y.data, 0, LANES * sizeof(float));
        levels[l]->activation[ACTIVATION_LEAKY_RELU].backward(y.data, d.data, y.data, 1, 0.25f);
        assert_true(y.data[3] == 2.0f);
    }
    guarded_free(&y);
    guarded_free(&d);
}

/* mean gives the bytes of forward and avgpool_forward, for windows of any size that tile the map.
 */
static void test_mean(void **state)
{
    (void)state;
    static const int SIZES[][4] = {{1, 2, 2, 2}, {3, 5, 2, 2}, {2, 3, 1, 3}, {2, 2, 3, 1}};
    const struct kernels *levels[KERNEL_LEVELS];
    const int count = check_levels(levels);
    struct dice dice = {5};
    for (size_t i = 0; i < sizeof SIZES / sizeof *SIZES; i++) {
        const int c = 3, oh = SIZES[i][0], ow = SIZES[i][1], kh = SIZES[i][2], kw = SIZES[i][3];
        const struct window s = {c, oh * kh, ow * kw, c, oh, ow, kh, kw, kh, kw, 0, 0};
        const size_t in = (size_t)c * s.h * s.w, out = (size_t)c * oh * ow;
        struct guarded x = guarded_new(in * LANES), f = guarded_new(in * LANES);
        struct guarded want = guarded_new(out * LANES), got = guarded_new(out * LANES);
        dice_fill(&dice, &x, -3, 3);
        guarded_freeze(&x);
        for (int l = 0; l < count; l++) {
            for (int a = 0; a < ACTIVATION_COUNT; a++) {
                levels[l]->activation[a].forward(x.data, f.data, in, 0.3f);
                levels[l]->avgpool_forward(&s, 1, f.data, want.data);
                levels[l]->activation[a].mean(&s, x.data, got.data, 0.3f);
                guarded_check(&got, "mean");
                guarded_check(&x, "mean");
                assert_memory_equal(got.data, want.data, out * LANES * sizeof(float));
            }
        }
        guarded_free(&x);
        guarded_free(&f);
        guarded_free(&want);
        guarded_free(&got);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_sweep), cmocka_unit_test(test_in_place),
        cmocka_unit_test(test_nan),   cmocka_unit_test(test_infinity),
        cmocka_unit_test(test_kink),  cmocka_unit_test(test_mean),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
