/* test_optim.c: the family of optimizers: ten steps of each against PyTorch's formulas in double,
 * on every level; options and their faults.
 *
 * Each step may add the rounding of w, half an epsilon of |w|, and that of the step, 4 epsilons of
 * its size: lr for adam, lr times the momentum's sum of |g| for sgd. */
#include "../kernel_check.h"
#include "../reference.h"
#include "optim/optimizer.h"

#include <float.h>
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

enum { COUNT = 37, STEPS = 10 }; /* not a multiple of any vector */

struct decoded {
    struct arena arena;
    struct error_list errors;
    struct choice choice;
};

/* From YAML as after `optimizer: `. 0 or -1. */
static int decode(struct decoded *d, const char *text)
{
    *d = (struct decoded){0};
    const struct option row = {.key = "optimizer", .kind = &OPTION_FAMILY, .extra = &OPTIMIZERS};
    struct decoder decoder = {&d->arena, &d->errors};
    const struct yaml *root = yaml_parse(&d->arena, "t.yaml", text, strlen(text), &d->errors);
    if (!root || OPTION_FAMILY.decode(&row, &d->choice, root, &decoder) != 0) {
        return -1;
    }
    const struct optimizer_type *type = (const void *)d->choice.type;
    return type->check ? type->check(&d->choice, &d->errors) : 0;
}

struct reference_run {
    double w[COUNT], g[COUNT], m[COUNT], v[COUNT];
};

typedef void reference_step(struct reference_run *run, int step, double lr);

static void adam_default(struct reference_run *r, int step, double lr)
{
    ref_adam(&(struct ref_adam){lr, 0.9, 0.999, 1e-8}, step, COUNT, r->w, r->g, r->m, r->v);
}

static void adam_other(struct reference_run *r, int step, double lr)
{
    ref_adam(&(struct ref_adam){lr, 0.5, 0.75, 0.125}, step, COUNT, r->w, r->g, r->m, r->v);
}

static void sgd_plain(struct reference_run *r, int step, double lr)
{
    (void)step;
    for (int i = 0; i < COUNT; i++) {
        r->w[i] -= lr * r->g[i];
    }
}

static void sgd_momentum(struct reference_run *r, int step, double lr)
{
    (void)step;
    ref_sgd(lr, 0.9f, 0, COUNT, r->w, r->g, r->m);
}

static void sgd_nesterov(struct reference_run *r, int step, double lr)
{
    (void)step;
    ref_sgd(lr, 0.9f, 1, COUNT, r->w, r->g, r->m);
}

static const struct {
    const char *text, *name;
    float lr;
    int states;
    float momentum; /* 1 stands for adam */
    reference_step *step;
} CASES[] = {
    {"adam", "adam", 0.001f, 2, 1, adam_default},
    {"{type: adam, lr: 0.02, beta1: 0.5, beta2: 0.75, eps: 0.125}", "adam", 0.02f, 2, 1,
     adam_other},
    {"sgd", "sgd", 0.01f, 1, 0, sgd_plain},
    {"{type: sgd, lr: 0.1, momentum: 0.9}", "sgd", 0.1f, 1, 0.9f, sgd_momentum},
    {"{type: sgd, lr: 0.1, momentum: 0.9, nesterov: true}", "sgd", 0.1f, 1, 0.9f, sgd_nesterov},
};
enum { CASE_COUNT = sizeof CASES / sizeof *CASES };

/* Gradients of very different sizes, and one that is always 0. */
static float gradient(struct dice *dice, int i)
{
    return i == 5 ? 0 : ldexpf(dice_uniform(dice, -1, 1), i % 12 - 8);
}

static void check_steps(int which, const struct kernels *k, struct agreement *same)
{
    struct decoded d;
    assert_int_equal(decode(&d, CASES[which].text), 0);
    const struct optimizer_type *type = (const void *)d.choice.type;
    const struct optimizer_options *options = d.choice.options;
    assert_true(options->lr == CASES[which].lr);
    struct dice dice = {9};
    struct reference_run r = {.m = {0}, .v = {0}};
    struct guarded w = guarded_new(COUNT),
                   states[MOST_STATES] = {guarded_new(COUNT), guarded_new(COUNT)};
    float g[COUNT];
    double bound[COUNT] = {0}, reach[COUNT] = {0};
    for (int i = 0; i < COUNT; i++) {
        w.data[i] = dice_uniform(&dice, -2, 2);
        r.w[i] = (double)w.data[i];
        states[0].data[i] = states[1].data[i] = 0;
    }
    const float unmoved = w.data[5];
    for (int step = 1; step <= STEPS; step++) {
        for (int i = 0; i < COUNT; i++) {
            g[i] = gradient(&dice, i);
            r.g[i] = (double)g[i];
        }
        float *const of[] = {states[0].data, states[1].data};
        type->step(d.choice.options, k, step, options->lr, COUNT, w.data, g, of);
        CASES[which].step(&r, step, (double)options->lr);
        for (int i = 0; i < COUNT; i++) {
            reach[i] = CASES[which].momentum == 1
                           ? 1
                           : (double)CASES[which].momentum * reach[i] + fabs(r.g[i]);
            bound[i] +=
                (double)FLT_EPSILON * (0.5 * fabs(r.w[i]) + 4 * (double)options->lr * reach[i]);
        }
        check_near(CASES[which].text, k, COUNT, w.data, r.w, bound);
    }
    assert_true(w.data[5] == unmoved);
    guarded_check(&w, CASES[which].text);
    agreement_check(same, CASES[which].text, k, &w);
    guarded_free(&w);
    for (int i = 0; i < MOST_STATES; i++) {
        guarded_check(&states[i], CASES[which].text);
        guarded_free(&states[i]);
    }
    arena_free(&d.arena);
}

static void test_ten_steps(void **state)
{
    (void)state;
    const struct kernels *levels[KERNEL_LEVELS];
    const int count = check_levels(levels);
    for (int which = 0; which < CASE_COUNT; which++) {
        struct agreement same = {0};
        for (int l = 0; l < count; l++) {
            check_steps(which, levels[l], &same);
        }
        agreement_free(&same);
    }
}

/* The reference above has every member of the family, and knows its states. */
static void test_every_optimizer(void **state)
{
    (void)state;
    for (const struct member *const *member = OPTIMIZERS.members; *member; member++) {
        const struct optimizer_type *type = (const void *)*member;
        int found = 0;
        for (int which = 0; which < CASE_COUNT; which++) {
            if (strcmp(CASES[which].name, type->member.name) == 0) {
                assert_int_equal(type->states, CASES[which].states);
                found = 1;
            }
        }
        if (!found) {
            fail_msg("there is no reference for optimizer '%s'", type->member.name);
        }
        for (int k = 0; k < type->states; k++) {
            assert_non_null(type->state_names[k]);
        }
    }
}

/* Late steps: the corrections go to 1 and stay there; the first one is lr times the gradient's
 * sign. */
static void test_bias_correction(void **state)
{
    (void)state;
    struct decoded d;
    assert_int_equal(decode(&d, "{type: adam, lr: 0.5}"), 0);
    const struct optimizer_type *type = (const void *)d.choice.type;
    float w = 1, m = 0, v = 0;
    const float g = -1e-3f;
    type->step(d.choice.options, kernels_select(NULL), 1, 0.5f, 1, &w, &g,
               (float *const[]){&m, &v});
    assert_true(fabsf(w - 1.5f) <= 1e-5f); /* eps costs 1e-8 / 1e-3 of the step */
    m = g;
    v = g * g;
    w = 1;
    type->step(d.choice.options, kernels_select(NULL), 1LL << 40, 0.5f, 1, &w, &g,
               (float *const[]){&m, &v});
    assert_true(fabsf(w - 1.5f) <= 1e-5f);
    arena_free(&d.arena);
}

static void refuse(const char *text, int column, const char *message)
{
    struct decoded d;
    assert_int_equal(decode(&d, text), -1);
    const struct error *e = &d.errors.items[0];
    if (!strstr(e->message, message)) {
        fail_msg("expected \"%s\" in \"%s\"", message, e->message);
    }
    assert_int_equal(e->kind, ERROR_CONFIG);
    assert_int_equal(e->line, 1);
    assert_int_equal(e->column, column);
    arena_free(&d.arena);
}

static void test_faults(void **state)
{
    (void)state;
    refuse("adma", 1, "unknown optimizer 'adma'; did you mean 'adam'?");
    refuse("{type: adam, momentum: 0.9}", 14, "unknown key 'momentum' in adam");
    refuse("{type: adam, lr: 0}", 18, "'lr' must be");
    refuse("{type: adam, beta1: 1}", 21, "'beta1' must be");
    refuse("{type: adam, beta2: -0.1}", 21, "'beta2' must be");
    refuse("{type: adam, eps: 0}", 19, "'eps' must be");
    refuse("{type: sgd, momentum: 1}", 23, "'momentum' must be");
    refuse("{type: sgd, nesterov: true}", 8, "'nesterov' needs a 'momentum' above 0");
    refuse("{lr: 0.1}", 1, "missing key 'type' in optimizer");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_ten_steps),
        cmocka_unit_test(test_every_optimizer),
        cmocka_unit_test(test_bias_correction),
        cmocka_unit_test(test_faults),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
