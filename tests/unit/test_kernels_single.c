/* test_kernels_single.c: the kernels for one image by itself, of every level: dense_single against
 * the double reference, tolerance 4 float epsilons of the sum of the absolute terms, the same bytes
 * on fused levels; pick, exactly. */
#include "../kernel_check.h"
#include "../reference.h"

#include <float.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static struct guarded numbers(struct dice *dice, size_t size)
{
    struct guarded g = guarded_new(size);
    dice_fill(dice, &g, -1, 1);
    guarded_freeze(&g);
    return g;
}

/* The result in doubles, of the numbers or of their absolute values. */
static double *solve(int in, int out, const struct guarded *x, const struct guarded *w,
                     const struct guarded *b, int absolute)
{
    double *from[3], *y = check_doubles((size_t)out);
    const struct guarded *const all[3] = {x, w, b};
    for (int i = 0; i < 3; i++) {
        from[i] = check_doubles(all[i]->size);
        ref_from_floats(all[i]->size, all[i]->data, from[i]);
        if (absolute) {
            ref_absolute(all[i]->size, from[i], from[i]);
        }
    }
    ref_dense_forward(1, in, out, from[0], from[1], from[2], y);
    for (int i = 0; i < 3; i++) {
        free(from[i]);
    }
    return y;
}

static void check_dense(struct dice *dice, int in, int out, int bias)
{
    const struct kernels *levels[KERNEL_LEVELS];
    const int count = check_levels(levels);
    struct guarded x = numbers(dice, (size_t)in), w = numbers(dice, (size_t)in * (size_t)out),
                   b = numbers(dice, (size_t)out);
    struct agreement same = {NULL};
    char what[100];
    if (!bias) {
        memset(b.data, 0, b.size * sizeof(float));
        guarded_freeze(&b);
    }
    double *want = solve(in, out, &x, &w, &b, 0), *bound = solve(in, out, &x, &w, &b, 1);
    for (int o = 0; o < out; o++) {
        bound[o] *= 4 * (double)FLT_EPSILON;
    }
    snprintf(what, sizeof what, "dense_single %d to %d, bias %d", in, out, bias);
    for (int l = 0; l < count; l++) {
        struct guarded y = guarded_new((size_t)out);
        levels[l]->dense_single(in, out, x.data, w.data, bias ? b.data : NULL, y.data);
        const struct guarded *const all[] = {&x, &w, &b, &y};
        for (int i = 0; i < 4; i++) {
            guarded_check(all[i], what);
        }
        agreement_check(&same, what, levels[l], &y);
        check_near(what, levels[l], y.size, y.data, want, bound);
        guarded_free(&y);
    }
    agreement_free(&same);
    free(want);
    free(bound);
    guarded_free(&x);
    guarded_free(&w);
    guarded_free(&b);
}

static void test_dense_single(void **state)
{
    (void)state;
    static const int INS[] = {1, 2, 7, 8, 9, 15, 16, 17, 24, 31, 32, 33, 40, 63, 84, 400};
    static const int OUTS[] = {1, 2, 3, 4, 5, 7, 8, 10, 19};
    struct dice dice = {1};
    for (size_t i = 0; i < sizeof INS / sizeof *INS; i++) {
        for (size_t o = 0; o < sizeof OUTS / sizeof *OUTS; o++) {
            check_dense(&dice, INS[i], OUTS[o], (i + o) % 3 > 0);
        }
    }
}

static void test_pick(void **state)
{
    (void)state;
    enum { FROM = 37 };
    const struct kernels *levels[KERNEL_LEVELS];
    const int count = check_levels(levels);
    struct dice dice = {2};
    struct guarded x = numbers(&dice, FROM);
    for (int i = 0; i < count * 70; i++) {
        const struct kernels *k = levels[i % count];
        const size_t n = (size_t)(i / count);
        const float fill = dice_uniform(&dice, 2, 3);
        int32_t *index = check_malloc((n + 1) * sizeof *index);
        struct guarded y = guarded_new(n);
        for (size_t at = 0; at < n; at++) {
            index[at] = dice_between(&dice, -1, FROM - 1);
        }
        k->pick(n, index, fill, x.data, y.data);
        guarded_check(&y, "pick");
        guarded_check(&x, "pick");
        for (size_t at = 0; at < n; at++) {
            assert_true(y.data[at] == (index[at] < 0 ? fill : x.data[index[at]]));
        }
        guarded_free(&y);
        free(index);
    }
    guarded_free(&x);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_dense_single),
        cmocka_unit_test(test_pick),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
