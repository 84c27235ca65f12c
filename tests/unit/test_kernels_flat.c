/* test_kernels_flat.c: two tensors' sum, a copy past the caches, the shards' sum of every level
 * against a scalar tree, to the bit, and ten steps of the optimizers against the double reference,
 * at every kind of vector end. */
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

static const size_t SIZES[] = {1, 2, 3, 4, 5, 7, 8, 9, 12, 15, 16, 17, 23, 24, 31, 32, 33, 47, 100};
enum { SIZE_COUNT = sizeof SIZES / sizeof *SIZES, STEPS = 10 };
static const double EPSILON = FLT_EPSILON;

/* The tree, said the other way round: the largest power of two of shards on the left, the rest on
 * the right. */
static float tree_sum(const float *first, int count, size_t stride)
{
    if (count == 1) {
        return *first;
    }
    int left = 1;
    while (2 * left < count) {
        left *= 2;
    }
    return tree_sum(first, left, stride) +
           tree_sum(first + (size_t)left * stride, count - left, stride);
}

static void check_reduce(struct dice *dice, const struct kernels *k, size_t n, int count,
                         size_t stride)
{
    char what[100];
    snprintf(what, sizeof what, "%s: reduce %d shards of %zu, stride %zu", k->name, count, n,
             stride);
    struct guarded shards = guarded_new((count - 1) * stride + n), sum = guarded_new(n);
    dice_fill(dice, &shards, -1, 1);
    guarded_freeze(&shards);
    k->reduce(n, shards.data, count, stride, sum.data);
    guarded_check(&shards, what);
    guarded_check(&sum, what);
    for (size_t i = 0; i < n; i++) {
        if (sum.data[i] != tree_sum(shards.data + i, count, stride)) {
            fail_msg("%s: [%zu] is %.9g", what, i, (double)sum.data[i]);
        }
    }
    guarded_free(&shards);
    guarded_free(&sum);
}

/* y from every place of a line, and nothing beside it. */
static void test_stream(void **state)
{
    (void)state;
    const struct kernels *levels[KERNEL_LEVELS];
    const int count = check_levels(levels);
    struct dice dice = {19};
    for (int l = 0; l < count; l++) {
        for (size_t at = 0; at < LANES; at++) {
            for (int k = 0; k < SIZE_COUNT; k++) {
                struct guarded x = guarded_new(SIZES[k]), y = guarded_new(at + SIZES[k]);
                dice_fill(&dice, &x, -1, 1);
                dice_fill(&dice, &y, 2, 3);
                guarded_freeze(&x);
                float before[LANES];
                memcpy(before, y.data, at * sizeof *before);
                levels[l]->stream(SIZES[k], x.data, y.data + at);
                levels[l]->stream_end();
                guarded_check(&x, "stream");
                guarded_check(&y, "stream");
                assert_memory_equal(y.data, before, at * sizeof *before);
                assert_memory_equal(y.data + at, x.data, SIZES[k] * sizeof *x.data);
                guarded_free(&x);
                guarded_free(&y);
            }
        }
    }
}

/* To the bit: one addition of floats a value, and where it is below 0 then 0. */
static void test_add(void **state)
{
    (void)state;
    const struct kernels *levels[KERNEL_LEVELS];
    const int count = check_levels(levels);
    struct dice dice = {17};
    for (int l = 0; l < count; l++) {
        for (size_t n = 16; n <= 96; n += 16) {
            struct guarded x = guarded_new(n), y = guarded_new(n), z = guarded_new(n);
            float want[96], relu[96];
            dice_fill(&dice, &x, -1, 1);
            dice_fill(&dice, &y, -1, 1);
            guarded_copy(&z, y.data);
            for (size_t i = 0; i < n; i++) {
                want[i] = x.data[i] + y.data[i];
                relu[i] = want[i] > 0 ? want[i] : 0;
            }
            guarded_freeze(&x);
            levels[l]->add_rectified(n, x.data, z.data);
            guarded_check(&z, "add_rectified");
            assert_memory_equal(z.data, relu, n * sizeof *relu);
            guarded_free(&z);
            levels[l]->add(n, x.data, y.data);
            guarded_check(&x, "add");
            guarded_check(&y, "add");
            assert_memory_equal(y.data, want, n * sizeof *want);
            levels[l]->add(n, y.data, y.data); /* to itself */
            assert_true(y.data[n - 1] == want[n - 1] + want[n - 1]);
            guarded_free(&x);
            guarded_free(&y);
        }
    }
}

static void test_reduce(void **state)
{
    (void)state;
    const struct kernels *levels[KERNEL_LEVELS];
    const int count = check_levels(levels);
    struct dice dice = {1};
    for (int l = 0; l < count; l++) {
        for (int shards = 1; shards <= 64; shards++) {
            check_reduce(&dice, levels[l], 37, shards, 48);
            check_reduce(&dice, levels[l], 21, shards, 21);
        }
        for (int i = 0; i < SIZE_COUNT; i++) {
            check_reduce(&dice, levels[l], SIZES[i], 5, SIZES[i] + 3);
        }
    }
}

/* The sum may replace the first shard. */
static void test_reduce_in_place(void **state)
{
    (void)state;
    enum { N = 29, SHARDS = 6, STRIDE = 32 };
    const struct kernels *levels[KERNEL_LEVELS];
    const int count = check_levels(levels);
    for (int l = 0; l < count; l++) {
        struct guarded shards = guarded_new(SHARDS * STRIDE);
        float want[N];
        dice_fill(&(struct dice){2}, &shards, -1, 1);
        for (int i = 0; i < N; i++) {
            want[i] = tree_sum(shards.data + i, SHARDS, STRIDE);
        }
        levels[l]->reduce(N, shards.data, SHARDS, STRIDE, shards.data);
        assert_memory_equal(want, shards.data, sizeof want);
        guarded_free(&shards);
    }
}

/* Parameters and an optimizer's two memories, as the kernels hold them and as the reference does.
 */
struct parameters {
    size_t n;
    struct guarded w, g, m, v;
    double *w_d, *g_d, *m_d, *v_d;
    double *bound;
};

static struct parameters parameters_new(struct dice *dice, size_t n)
{
    struct parameters p = {n,
                           guarded_new(n),
                           guarded_new(n),
                           guarded_new(n),
                           guarded_new(n),
                           check_doubles(n),
                           check_doubles(n),
                           check_doubles(n),
                           check_doubles(n),
                           check_doubles(n)};
    dice_fill(dice, &p.w, -1, 1);
    dice_fill_integers(dice, &p.m, 0, 0);
    dice_fill_integers(dice, &p.v, 0, 0);
    ref_from_floats(n, p.w.data, p.w_d);
    return p;
}

static void parameters_free(struct parameters *p)
{
    guarded_free(&p->w);
    guarded_free(&p->g);
    guarded_free(&p->m);
    guarded_free(&p->v);
    double *const all[] = {p->w_d, p->g_d, p->m_d, p->v_d, p->bound};
    for (int i = 0; i < 5; i++) {
        free(all[i]);
    }
}

/* A new gradient; every seventh is 0, and the sizes range from 1e-4 to 1. */
static void next_gradient(struct dice *dice, struct parameters *p)
{
    for (size_t i = 0; i < p->n; i++) {
        const float size = exp2f((float)dice_between(dice, -13, 0));
        p->g.data[i] = i % 7 == 3 ? 0 : dice_uniform(dice, -size, size);
    }
    guarded_freeze(&p->g);
    ref_from_floats(p->n, p->g.data, p->g_d);
}

static void check_guards(const struct parameters *p, const char *what)
{
    guarded_check(&p->w, what);
    guarded_check(&p->g, what);
    guarded_check(&p->m, what);
    guarded_check(&p->v, what);
}

/* After ten steps: a few units of w's size, of which `move` in each step is not yet in w. */
static void check_parameters(struct parameters *p, const char *what, const struct kernels *k,
                             double move)
{
    for (size_t i = 0; i < p->n; i++) {
        p->bound[i] = 4 * EPSILON * (fabs(p->w_d[i]) + STEPS * move);
    }
    check_near(what, k, p->n, p->w.data, p->w_d, p->bound);
}

static void check_adam(const struct kernels *k, size_t n, float lr, struct agreement same[3])
{
    char what[100];
    snprintf(what, sizeof what, "adam of %zu, lr %g", n, (double)lr);
    struct dice dice = {3};
    struct parameters p = parameters_new(&dice, n);
    /* the reference takes the very floats that the kernel takes */
    struct adam adam = {.lr = lr, .beta1 = 0.9f, .beta2 = 0.999f, .epsilon = 1e-8f};
    adam.rest1 = (float)(1 - (double)adam.beta1);
    adam.rest2 = (float)(1 - (double)adam.beta2);
    const struct ref_adam ref = {adam.lr, adam.beta1, adam.beta2, adam.epsilon};
    for (int step = 1; step <= STEPS; step++) {
        next_gradient(&dice, &p);
        adam.correction1 = (float)(1 - pow(ref.beta1, step));
        adam.correction2 = (float)sqrt(1 - pow(ref.beta2, step));
        k->adam(&adam, n, p.w.data, p.g.data, p.m.data, p.v.data);
        ref_adam(&ref, step, n, p.w_d, p.g_d, p.m_d, p.v_d);
        check_guards(&p, what);
    }
    check_parameters(&p, what, k, 4 * (double)lr);
    for (size_t i = 0; i < n; i++) {
        p.bound[i] = 0.5 * EPSILON;
    }
    check_near("adam's m", k, n, p.m.data, p.m_d, p.bound);
    for (size_t i = 0; i < n; i++) {
        p.bound[i] = 4 * EPSILON * p.v_d[i];
    }
    check_near("adam's v", k, n, p.v.data, p.v_d, p.bound);
    agreement_check(&same[0], what, k, &p.w);
    agreement_check(&same[1], what, k, &p.m);
    agreement_check(&same[2], what, k, &p.v);
    parameters_free(&p);
}

static void test_adam(void **state)
{
    (void)state;
    static const float RATES[] = {0.001f, 0.1f};
    const struct kernels *levels[KERNEL_LEVELS];
    const int count = check_levels(levels);
    for (int i = 0; i < SIZE_COUNT; i++) {
        for (int r = 0; r < 2; r++) {
            struct agreement same[3] = {{NULL}};
            for (int l = 0; l < count; l++) {
                check_adam(levels[l], SIZES[i], RATES[r], same);
            }
            for (int a = 0; a < 3; a++) {
                agreement_free(&same[a]);
            }
        }
    }
}

static void check_sgd(const struct kernels *k, size_t n, float momentum, int nesterov,
                      struct agreement same[2])
{
    char what[100];
    snprintf(what, sizeof what, "sgd of %zu, momentum %g, nesterov %d", n, (double)momentum,
             nesterov);
    const float lr = 0.1f;
    struct dice dice = {4};
    struct parameters p = parameters_new(&dice, n);
    for (int step = 1; step <= STEPS; step++) {
        next_gradient(&dice, &p);
        k->sgd(lr, momentum, nesterov, n, p.w.data, p.g.data, p.v.data);
        ref_sgd(lr, momentum, nesterov, n, p.w_d, p.g_d, p.v_d);
        check_guards(&p, what);
    }
    /* |g| <= 1, so that |v| stays below the sum of momentum's powers, 6.6 in ten steps */
    check_parameters(&p, what, k, momentum > 0 ? 6.6 * (double)lr : (double)lr);
    for (size_t i = 0; i < n; i++) {
        p.bound[i] = 4 * EPSILON;
    }
    check_near("sgd's v", k, n, p.v.data, p.v_d, p.bound);
    agreement_check(&same[0], what, k, &p.w);
    agreement_check(&same[1], what, k, &p.v);
    parameters_free(&p);
}

static void test_sgd(void **state)
{
    (void)state;
    const struct kernels *levels[KERNEL_LEVELS];
    const int count = check_levels(levels);
    for (int i = 0; i < SIZE_COUNT; i++) {
        for (int kind = 0; kind < 3; kind++) {
            struct agreement same[2] = {{NULL}};
            for (int l = 0; l < count; l++) {
                check_sgd(levels[l], SIZES[i], kind ? 0.9f : 0.0f, kind == 2, same);
            }
            agreement_free(&same[0]);
            agreement_free(&same[1]);
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_add),
        cmocka_unit_test(test_stream),
        cmocka_unit_test(test_reduce),
        cmocka_unit_test(test_reduce_in_place),
        cmocka_unit_test(test_adam),
        cmocka_unit_test(test_sgd),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
