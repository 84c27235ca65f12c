/* test_optim.c: the family of optimizers: ten steps of each against PyTorch's formulas in double,
 * on every level and at every kind of vector end; options and their faults.
 *
 * Each step may add the rounding of w, half an epsilon of |w|, and that of the step, a few epsilons
 * of its size: lr times `reach`, which each reference says. */
#include "../kernel_check.h"
#include "../reference_optim.h"
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
    double w[COUNT], g[COUNT], state[MOST_STATES][COUNT];
    double reach[COUNT]; /* how far a step may go, in units of lr */
};

typedef void reference_step(struct reference_run *run, int step, double lr);

/* A step is as long as lr says, at most `length` times. */
static void reaches(struct reference_run *r, double length)
{
    for (int i = 0; i < COUNT; i++) {
        r->reach[i] = length;
    }
}

/* A step is a sum over the gradients so far, each weighted down from step to step. */
static void gathers(struct reference_run *r, double momentum)
{
    for (int i = 0; i < COUNT; i++) {
        r->reach[i] = momentum * r->reach[i] + fabs(r->g[i]);
    }
}

static void adam_default(struct reference_run *r, int step, double lr)
{
    ref_adam(&(struct ref_adam){lr, 0.9, 0.999, 1e-8}, step, COUNT, r->w, r->g, r->state[0],
             r->state[1]);
    reaches(r, 1);
}

static void adam_other(struct reference_run *r, int step, double lr)
{
    ref_adam(&(struct ref_adam){lr, 0.5, 0.75, 0.125}, step, COUNT, r->w, r->g, r->state[0],
             r->state[1]);
    reaches(r, 1);
}

static void adamw_default(struct reference_run *r, int step, double lr)
{
    ref_decay(lr, 0.01, COUNT, r->w);
    adam_default(r, step, lr);
}

static void adamw_other(struct reference_run *r, int step, double lr)
{
    ref_decay(lr, 0.5, COUNT, r->w);
    adam_other(r, step, lr);
}

static void amsgrad(struct reference_run *r, int step, double lr)
{
    ref_amsgrad(&(struct ref_adam){lr, 0.9, 0.5, 1e-8}, step, COUNT, r->w, r->g, r->state[0],
                r->state[1], r->state[2]);
    reaches(r, 1);
}

static void nadam_default(struct reference_run *r, int step, double lr)
{
    ref_nadam(&(struct ref_adam){lr, 0.9, 0.999, 1e-8}, 0.004, step, COUNT, r->w, r->g, r->state[0],
              r->state[1]);
    reaches(r, 3);
}

static void nadam_other(struct reference_run *r, int step, double lr)
{
    ref_nadam(&(struct ref_adam){lr, 0.8, 0.99, 0.01}, 2, step, COUNT, r->w, r->g, r->state[0],
              r->state[1]);
    reaches(r, 3);
}

static void sgd_plain(struct reference_run *r, int step, double lr)
{
    (void)step;
    for (int i = 0; i < COUNT; i++) {
        r->w[i] -= lr * r->g[i];
    }
    gathers(r, 0);
}

static void sgd_momentum(struct reference_run *r, int step, double lr)
{
    (void)step;
    ref_sgd(lr, 0.9f, 0, COUNT, r->w, r->g, r->state[0]);
    gathers(r, 0.9);
}

static void sgd_nesterov(struct reference_run *r, int step, double lr)
{
    (void)step;
    ref_sgd(lr, 0.9f, 1, COUNT, r->w, r->g, r->state[0]);
    gathers(r, 0.9);
}

static void adagrad_default(struct reference_run *r, int step, double lr)
{
    ref_adagrad(&(struct ref_adagrad){lr, 0, 0, 1e-10}, step, COUNT, r->w, r->g, r->state[0]);
    reaches(r, 1);
}

static void adagrad_other(struct reference_run *r, int step, double lr)
{
    ref_adagrad(&(struct ref_adagrad){lr, 0.5, 0.25, 0.01}, step, COUNT, r->w, r->g, r->state[0]);
    reaches(r, 1);
}

static void rmsprop_plain(struct reference_run *r, int step, double lr)
{
    (void)step;
    ref_rmsprop(&(struct ref_rmsprop){lr, 0.99, 1e-8, 0, 0}, COUNT, r->w, r->g, r->state[0],
                r->state[1], r->state[2]);
    reaches(r, 10);
}

static void rmsprop_momentum(struct reference_run *r, int step, double lr)
{
    (void)step;
    ref_rmsprop(&(struct ref_rmsprop){lr, 0.9, 0.001, 0.5, 0}, COUNT, r->w, r->g, r->state[0],
                r->state[1], r->state[2]);
    reaches(r, 8);
}

static void rmsprop_centered(struct reference_run *r, int step, double lr)
{
    (void)step;
    ref_rmsprop(&(struct ref_rmsprop){lr, 0.75, 0.01, 0.9, 1}, COUNT, r->w, r->g, r->state[0],
                r->state[1], r->state[2]);
    reaches(r, 20);
}

static void adadelta_default(struct reference_run *r, int step, double lr)
{
    (void)step;
    ref_adadelta(lr, 0.9, 1e-6, COUNT, r->w, r->g, r->state[0], r->state[1]);
    reaches(r, 0.02);
}

static void adadelta_other(struct reference_run *r, int step, double lr)
{
    (void)step;
    ref_adadelta(lr, 0.5, 0.25, COUNT, r->w, r->g, r->state[0], r->state[1]);
    reaches(r, 1);
}

static void lion_default(struct reference_run *r, int step, double lr)
{
    (void)step;
    ref_lion(lr, 0.9, 0.99, COUNT, r->w, r->g, r->state[0]);
    reaches(r, 1);
}

static void lion_decay(struct reference_run *r, int step, double lr)
{
    (void)step;
    ref_decay(lr, 2, COUNT, r->w);
    ref_lion(lr, 0.5, 0.75, COUNT, r->w, r->g, r->state[0]);
    reaches(r, 1);
}

static const struct {
    const char *text, *name;
    float lr;
    int states;
    reference_step *step;
    int decays; /* moves what has no gradient too */
} CASES[] = {
    {"adam", "adam", 0.001f, 2, adam_default, 0},
    {"{type: adam, lr: 0.02, beta1: 0.5, beta2: 0.75, eps: 0.125}", "adam", 0.02f, 2, adam_other,
     0},
    {"adamw", "adamw", 0.001f, 2, adamw_default, 1},
    {"{type: adamw, lr: 0.02, beta1: 0.5, beta2: 0.75, eps: 0.125, weight_decay: 0.5}", "adamw",
     0.02f, 2, adamw_other, 1},
    {"{type: amsgrad, beta2: 0.5}", "amsgrad", 0.001f, 3, amsgrad, 0},
    {"nadam", "nadam", 0.002f, 2, nadam_default, 0},
    {"{type: nadam, lr: 0.01, beta1: 0.8, beta2: 0.99, eps: 0.01, momentum_decay: 2}", "nadam",
     0.01f, 2, nadam_other, 0},
    {"sgd", "sgd", 0.01f, 1, sgd_plain, 0},
    {"{type: sgd, lr: 0.1, momentum: 0.9}", "sgd", 0.1f, 1, sgd_momentum, 0},
    {"{type: sgd, lr: 0.1, momentum: 0.9, nesterov: true}", "sgd", 0.1f, 1, sgd_nesterov, 0},
    {"momentum", "momentum", 0.01f, 1, sgd_momentum, 0},
    {"nesterov", "nesterov", 0.01f, 1, sgd_nesterov, 0},
    {"adagrad", "adagrad", 0.01f, 1, adagrad_default, 0},
    {"{type: adagrad, lr: 0.1, lr_decay: 0.5, initial_accumulator_value: 0.25, eps: 0.01}",
     "adagrad", 0.1f, 1, adagrad_other, 0},
    {"rmsprop", "rmsprop", 0.01f, 3, rmsprop_plain, 0},
    {"{type: rmsprop, alpha: 0.9, eps: 0.001, momentum: 0.5}", "rmsprop", 0.01f, 3,
     rmsprop_momentum, 0},
    {"{type: rmsprop, alpha: 0.75, eps: 0.01, momentum: 0.9, centered: true}", "rmsprop", 0.01f, 3,
     rmsprop_centered, 0},
    {"adadelta", "adadelta", 1, 2, adadelta_default, 0},
    {"{type: adadelta, lr: 0.5, rho: 0.5, eps: 0.25}", "adadelta", 0.5f, 2, adadelta_other, 0},
    {"lion", "lion", 0.0001f, 1, lion_default, 0},
    {"{type: lion, lr: 0.01, beta1: 0.5, beta2: 0.75, weight_decay: 2}", "lion", 0.01f, 1,
     lion_decay, 1},
};
enum { CASE_COUNT = sizeof CASES / sizeof *CASES };

/* Gradients of very different sizes, and one that is always 0. */
static float gradient(struct dice *dice, int i)
{
    return i == 5 ? 0 : ldexpf(dice_uniform(dice, -1, 1), i % 12 - 8);
}

/* One step as the trainer takes it. */
static void take_step(const struct choice *choice, struct optimizer_step *step, int weights,
                      size_t n, float *w, const float *g, float *const *state)
{
    const struct optimizer_type *type = (const void *)choice->type;
    type->begin(choice->options, step);
    type->move(choice->options, step, weights, n, w, g, state);
}

struct run {
    struct guarded w, states[MOST_STATES];
    struct reference_run r;
    double bound[COUNT];
};

/* Ten steps of the first n parameters; the reference always takes all of them. */
static void run_steps(struct run *run, int which, const struct kernels *k, size_t n,
                      const struct choice *choice)
{
    const struct optimizer_options *options = choice->options;
    struct optimizer_step step = {.kernels = k, .lr = (float)options->lr, .momentum = -1};
    struct dice dice = {9};
    float g[COUNT], *of[MOST_STATES];
    *run = (struct run){.w = guarded_new(n)};
    for (int s = 0; s < MOST_STATES; s++) {
        run->states[s] = guarded_new(n);
        memset(run->states[s].data, 0, n * sizeof(float));
        of[s] = run->states[s].data;
    }
    for (size_t i = 0; i < COUNT; i++) {
        const float start = dice_uniform(&dice, -2, 2);
        run->r.w[i] = (double)start;
        if (i < n) {
            run->w.data[i] = start;
        }
    }
    for (step.number = 1; step.number <= STEPS; step.number++) {
        for (int i = 0; i < COUNT; i++) {
            g[i] = gradient(&dice, i);
            run->r.g[i] = (double)g[i];
        }
        take_step(choice, &step, 1, n, run->w.data, g, of);
        CASES[which].step(&run->r, (int)step.number, options->lr);
        for (int i = 0; i < COUNT; i++) {
            const double roundings = CASES[which].decays ? 1 : 0.5; /* of w */
            run->bound[i] += (double)FLT_EPSILON *
                             (roundings * fabs(run->r.w[i]) + 4 * options->lr * run->r.reach[i]);
        }
        check_near(CASES[which].text, k, n, run->w.data, run->r.w, run->bound);
    }
}

static void check_steps(int which, const struct kernels *k, size_t n, struct agreement *same)
{
    struct decoded d;
    struct run run;
    assert_int_equal(decode(&d, CASES[which].text), 0);
    assert_true((float)((const struct optimizer_options *)d.choice.options)->lr == CASES[which].lr);
    run_steps(&run, which, k, n, &d.choice);
    if (n > 5) {
        struct dice dice = {9};
        for (int i = 0; i < 5; i++) {
            dice_uniform(&dice, -2, 2);
        }
        assert_int_equal(run.w.data[5] == dice_uniform(&dice, -2, 2), !CASES[which].decays);
    }
    guarded_check(&run.w, CASES[which].text);
    agreement_check(&same[0], CASES[which].text, k, &run.w);
    guarded_free(&run.w);
    for (int i = 0; i < MOST_STATES; i++) {
        guarded_check(&run.states[i], CASES[which].text);
        agreement_check(&same[1 + i], CASES[which].text, k, &run.states[i]);
        guarded_free(&run.states[i]);
    }
    arena_free(&d.arena);
}

static void test_ten_steps(void **state)
{
    (void)state;
    static const size_t SIZES[] = {COUNT, 1, 3, 4, 7, 8, 15, 16, 17, 31, 32, 33};
    const struct kernels *levels[KERNEL_LEVELS];
    const int count = check_levels(levels);
    for (int which = 0; which < CASE_COUNT; which++) {
        for (size_t s = 0; s < sizeof SIZES / sizeof *SIZES; s++) {
            struct agreement same[1 + MOST_STATES] = {{NULL}};
            for (int l = 0; l < count; l++) {
                check_steps(which, levels[l], SIZES[s], same);
            }
            for (int i = 0; i < 1 + MOST_STATES; i++) {
                agreement_free(&same[i]);
            }
        }
    }
}

/* The references above have every member of the family, and know its states. */
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

/* Biases and norms keep their size unless decay_bias says otherwise. */
static void test_spared(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        int spares;
        float weight, bias; /* 1 after a step with gradient 0 */
    } DECAYS[] = {
        {"{type: adamw, lr: 0.5, weight_decay: 0.25}", 1, 0.875f, 1},
        {"{type: adamw, lr: 0.5, weight_decay: 0.25, decay_bias: true}", 0, 0.875f, 0},
        {"{type: adamw, weight_decay: 0}", 0, 1, 0},
        {"{type: lion, lr: 0.5, weight_decay: 0.25}", 1, 0.875f, 1},
        {"{type: lion, lr: 0.5, weight_decay: 0.25, decay_bias: true}", 0, 0.875f, 0},
        {"lion", 0, 1, 0},
    };
    for (size_t i = 0; i < sizeof DECAYS / sizeof *DECAYS; i++) {
        struct decoded d;
        assert_int_equal(decode(&d, DECAYS[i].text), 0);
        const struct optimizer_type *type = (const void *)d.choice.type;
        const struct optimizer_options *options = d.choice.options;
        struct optimizer_step step = {
            .kernels = kernels_select(NULL), .number = 1, .lr = (float)options->lr, .momentum = -1};
        float w = 1, bias = 1, m = 0, v = 0;
        const float g = 0;
        assert_int_equal(type->spares(d.choice.options), DECAYS[i].spares);
        take_step(&d.choice, &step, 1, 1, &w, &g, (float *const[]){&m, &v});
        assert_true(w == DECAYS[i].weight);
        if (DECAYS[i].spares) {
            take_step(&d.choice, &step, 0, 1, &bias, &g, (float *const[]){&m, &v});
            assert_true(bias == DECAYS[i].bias);
        }
        arena_free(&d.arena);
    }
}

/* A schedule's momentum takes the place of the option's, as momentum and as beta1. */
static void test_cycled_momentum(void **state)
{
    (void)state;
    for (const struct member *const *member = OPTIMIZERS.members; *member; member++) {
        const struct optimizer_type *type = (const void *)*member;
        struct decoded d;
        float w[2] = {1, 1}, states[2][MOST_STATES] = {{0}};
        const float g = 0.5f;
        assert_int_equal(decode(&d, type->member.name), 0);
        const struct optimizer_options *options = d.choice.options;
        for (int moved = 0; moved < 2; moved++) {
            float *const of[] = {&states[moved][0], &states[moved][1], &states[moved][2]};
            for (int number = 1; number <= 2; number++) {
                struct optimizer_step step = {.kernels = kernels_select(NULL),
                                              .number = number,
                                              .lr = (float)options->lr,
                                              .momentum = moved ? 0.5 : -1};
                const float now = number == 1 ? g : -g / 4;
                take_step(&d.choice, &step, 1, 1, &w[moved], &now, of);
            }
        }
        assert_int_equal(w[0] != w[1], type->cycles);
        arena_free(&d.arena);
    }
}

/* NAdam's product of momenta is the same whether it grew from step to step or was made anew. */
static void test_resumed_product(void **state)
{
    (void)state;
    struct decoded d;
    assert_int_equal(decode(&d, "nadam"), 0);
    const struct optimizer_type *type = (const void *)d.choice.type;
    struct optimizer_step grown = {.kernels = kernels_select(NULL), .lr = 0.5f, .momentum = -1};
    for (grown.number = 1; grown.number <= 100; grown.number++) {
        struct optimizer_step anew = grown;
        anew.factors = 0;
        type->begin(d.choice.options, &grown);
        type->begin(d.choice.options, &anew);
        assert_memory_equal(grown.constants, anew.constants, sizeof(struct nadam));
    }
    arena_free(&d.arena);
}

/* Late steps: the corrections go to 1 and stay there; the first one is lr times the gradient's
 * sign. */
static void test_bias_correction(void **state)
{
    (void)state;
    struct decoded d;
    assert_int_equal(decode(&d, "{type: adam, lr: 0.5}"), 0);
    struct optimizer_step step = {
        .kernels = kernels_select(NULL), .number = 1, .lr = 0.5f, .momentum = -1};
    float w = 1, m = 0, v = 0;
    const float g = -1e-3f;
    take_step(&d.choice, &step, 1, 1, &w, &g, (float *const[]){&m, &v});
    assert_true(fabsf(w - 1.5f) <= 1e-5f); /* eps costs 1e-8 / 1e-3 of the step */
    m = g;
    v = g * g;
    w = 1;
    step.number = 1LL << 40;
    take_step(&d.choice, &step, 1, 1, &w, &g, (float *const[]){&m, &v});
    assert_true(fabsf(w - 1.5f) <= 1e-5f);
    arena_free(&d.arena);
}

/* The number of the step has 64 bits: taken for 1, step 2^32 + 1 would be ten times as long. */
static void test_very_late_steps(void **state)
{
    (void)state;
    static const char *const TEXTS[] = {"{type: adam, lr: 0.5}",
                                        "{type: adamw, lr: 0.5, weight_decay: 0}"};
    static const long long LATE[] = {(1LL << 31) - 1, 1LL << 31, (1LL << 31) + 1,
                                     (1LL << 32) - 1, 1LL << 32, (1LL << 32) + 1};
    for (size_t i = 0; i < 2; i++) {
        struct decoded d;
        assert_int_equal(decode(&d, TEXTS[i]), 0);
        for (size_t k = 0; k < sizeof LATE / sizeof *LATE; k++) {
            struct optimizer_step step = {
                .kernels = kernels_select(NULL), .number = LATE[k], .lr = 0.5f, .momentum = -1};
            const float g = -1e-3f;
            float w = 1, m = g, v = g * g;
            take_step(&d.choice, &step, 1, 1, &w, &g, (float *const[]){&m, &v});
            assert_true(fabsf(w - 1.5f) <= 1e-5f);
        }
        arena_free(&d.arena);
    }
}

/* Numbers below the normal ones are not taken for 0, on any level: whether they are would be the
 * machine's choice. */
static void test_denormal_weights(void **state)
{
    (void)state;
    const struct kernels *levels[KERNEL_LEVELS];
    const int count = check_levels(levels);
    struct decoded d;
    assert_int_equal(decode(&d, "{type: sgd, lr: 0.5}"), 0);
    for (int l = 0; l < count; l++) {
        struct optimizer_step step = {
            .kernels = levels[l], .number = 1, .lr = 0.5f, .momentum = -1};
        float w[COUNT], g[COUNT], unused[COUNT] = {0};
        for (int i = 0; i < COUNT; i++) {
            w[i] = (float)(i + 4) * FLT_TRUE_MIN;
            g[i] = 4 * FLT_TRUE_MIN;
        }
        take_step(&d.choice, &step, 1, COUNT, w, g, (float *const[]){unused, unused});
        for (int i = 0; i < COUNT; i++) {
            assert_true(w[i] == (float)(i + 2) * FLT_TRUE_MIN);
        }
    }
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
    refuse("{type: momentum, momentum: 0}", 28, "'momentum' must be more than 0 and less than 1");
    refuse("{type: nesterov, nesterov: true}", 18, "unknown key 'nesterov' in nesterov");
    refuse("{type: adamw, weight_decay: -1}", 29, "'weight_decay' must be");
    refuse("{type: adamw, weight_decay: 0, decay_bias: true}", 8,
           "'decay_bias' needs a 'weight_decay' above 0");
    refuse("{type: lion, decay_bias: true}", 8, "'decay_bias' needs a 'weight_decay' above 0");
    refuse("{type: rmsprop, alpha: 1}", 24, "'alpha' must be");
    refuse("{type: rmsprop, momentum: 1}", 27, "'momentum' must be");
    refuse("{type: adadelta, rho: 1}", 23, "'rho' must be");
    refuse("{type: adagrad, lr_decay: -1}", 27, "'lr_decay' must be");
    refuse("{type: nadam, momentum_decay: -1}", 31, "'momentum_decay' must be");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_ten_steps),       cmocka_unit_test(test_every_optimizer),
        cmocka_unit_test(test_spared),          cmocka_unit_test(test_cycled_momentum),
        cmocka_unit_test(test_resumed_product), cmocka_unit_test(test_bias_correction),
        cmocka_unit_test(test_very_late_steps), cmocka_unit_test(test_denormal_weights),
        cmocka_unit_test(test_faults),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
