/* test_schedule.c: the learning rates of every schedule against formulas of PyTorch's documentation
 * in double with libm, step by step and beyond the end; plateau's decisions one by one; faults. */
#include "optim/optimizer.h"
#include "optim/schedule.h"

#include <float.h>
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

static const double PI = 3.14159265358979323846;

struct decoded {
    struct arena arena;
    struct error_list errors;
    struct choice choice;
};

/* From YAML as after `schedule: `, for an lr of 0.5 and train.epochs 10. 0 or -1. */
static int decode(struct decoded *d, const char *text)
{
    *d = (struct decoded){0};
    const struct option row = {.key = "schedule", .kind = &OPTION_FAMILY, .extra = &SCHEDULES};
    struct decoder decoder = {&d->arena, &d->errors};
    const struct yaml *root = yaml_parse(&d->arena, "t.yaml", text, strlen(text), &d->errors);
    if (!root || OPTION_FAMILY.decode(&row, &d->choice, root, &decoder) != 0) {
        return -1;
    }
    const struct schedule_type *type = (const void *)d->choice.type;
    if (type->check && type->check(&d->choice, 0.5, &d->errors) != 0) {
        return -1;
    }
    if (type->resolve) {
        type->resolve(d->choice.options, 10);
    }
    return 0;
}

/* Share of lr in step k of the run, of `n` steps an epoch. */
typedef double share_of(int k, int n);

static double constant(int k, int n)
{
    (void)k;
    (void)n;
    return 1;
}
static double warm(int k, int n) { return fmin(1, (k + 1) / (2.5 * n)); }
static double step(int k, int n) { return pow(0.1, floor(k / n / 3)); }
static double multistep(int k, int n)
{
    const int epoch = k / n;
    return epoch < 2 ? 1 : epoch < 3 ? 0.5 : epoch < 7 ? 0.25 : 0.125;
}
static double exponential(int k, int n) { return pow(0.9, floor(k / n)); }
static double polynomial(int k, int n) { return pow(1 - fmin(1, k / (10.0 * n)), 2.5); }
static double linear(int k, int n) { return 1 - fmin(1, k / (10.0 * n)); }
static double linear_up(int k, int n) { return 0.25 + 0.5 * fmin(1, k / (4.0 * n)); }
static double warm_linear(int k, int n) { return linear(k, n) * fmin(1, (k + 1) / (1.0 * n)); }
static double cosine(int k, int n)
{
    return 0.2 + 0.8 * (1 + cos(PI * fmin(1, k / (10.0 * n)))) / 2; /* min_lr 0.1 of lr 0.5 */
}
static double restarts(int k, int n) { return (1 + cos(PI * (k % (3 * n)) / (3.0 * n))) / 2; }
static double longer_restarts(int k, int n)
{
    int begin = 0, length = 2 * n;
    while (k >= begin + length) {
        begin += length;
        length *= 2;
    }
    return (1 + cos(PI * (k - begin) / length)) / 2;
}
static double between(double a, double b, double t) { return b + (a - b) * (cos(PI * t) + 1) / 2; }
static double one_cycle(int k, int n)
{
    const double up = 0.3 * 10 * n - 1, end = 10 * n - 1;
    return k <= up ? between(1 / 25.0, 1, k / up)
                   : between(1, 1 / 250000.0, fmin(1, (k - up) / (end - up)));
}
static double three_phases(int k, int n)
{
    const double up = 0.25 * 4 * n - 1, down = 2 * 0.25 * 4 * n - 2, end = 4 * n - 1;
    return k <= up     ? 0.1 + 0.9 * k / up
           : k <= down ? 1 - 0.9 * (k - up) / (down - up)
                       : 0.1 - 0.099 * fmin(1, (k - down) / (end - down));
}

static const struct {
    const char *text, *name;
    share_of *share;
} CASES[] = {
    {"constant", "constant", constant},
    {"{type: constant, warmup: 2.5}", "constant", warm},
    {"{type: step, step_size: 3}", "step", step},
    {"{type: multistep, milestones: [2, 3, 7], gamma: 0.5}", "multistep", multistep},
    {"{type: exponential, gamma: 0.9}", "exponential", exponential},
    {"{type: polynomial, power: 2.5}", "polynomial", polynomial},
    {"linear", "linear", linear},
    {"{type: linear, start_factor: 0.25, end_factor: 0.75, epochs: 4}", "linear", linear_up},
    {"{type: linear, warmup: 1}", "linear", warm_linear},
    {"{type: cosine, min_lr: 0.1}", "cosine", cosine},
    {"{type: cosine, epochs: 3, restarts: true}", "cosine", restarts},
    {"{type: cosine, epochs: 2, restarts: true, restart_factor: 2}", "cosine", longer_restarts},
    {"one_cycle", "one_cycle", one_cycle},
    {"{type: one_cycle, epochs: 4, pct_start: 0.25, div_factor: 10, final_div_factor: 100, "
     "three_phase: true, anneal_strategy: linear}",
     "one_cycle", three_phases},
    {"{type: plateau, monitor: train_loss}", "plateau", constant}, /* nothing was observed */
};
enum { CASE_COUNT = sizeof CASES / sizeof *CASES };

static void test_rates(void **state)
{
    (void)state;
    static const int STEPS[] = {1, 2, 7, 100};
    for (int which = 0; which < CASE_COUNT; which++) {
        struct decoded d;
        if (decode(&d, CASES[which].text) != 0) {
            fail_msg("%s: %s", CASES[which].text, d.errors.items[0].message);
        }
        for (int s = strcmp(CASES[which].name, "one_cycle") == 0 ? 2 : 0; s < 4; s++) {
            for (int k = 0; k < 13 * STEPS[s]; k++) { /* three epochs more than there are */
                const struct schedule_clock clock = {k, STEPS[s]};
                const float rate =
                    schedule_rate(&d.choice, 0.5, &clock, &(struct schedule_state){0});
                const double want = 0.5 * CASES[which].share(k, STEPS[s]);
                if (!(fabs((double)rate - want) <= 0.51 * FLT_EPSILON * want + 1e-16)) {
                    fail_msg("%s, %d steps: rate of step %d is %.9g, not %.9g", CASES[which].text,
                             STEPS[s], k, (double)rate, want);
                }
            }
        }
        arena_free(&d.arena);
    }
}

static void test_every_schedule(void **state)
{
    (void)state;
    for (const struct member *const *member = SCHEDULES.members; *member; member++) {
        int found = 0;
        for (int which = 0; which < CASE_COUNT; which++) {
            found |= strcmp(CASES[which].name, (*member)->name) == 0;
        }
        if (!found) {
            fail_msg("there is no reference for schedule '%s'", (*member)->name);
        }
    }
}

/* One step an epoch leaves one_cycle phases without length. */
static void test_shortest_cycle(void **state)
{
    (void)state;
    for (int epochs = 1; epochs < 4; epochs++) {
        char text[60];
        struct decoded d;
        snprintf(text, sizeof text, "{type: one_cycle, epochs: %d}", epochs);
        assert_int_equal(decode(&d, text), 0);
        for (int k = 0; k < 5; k++) {
            const float rate = schedule_rate(&d.choice, 0.5, &(struct schedule_clock){k, 1},
                                             &(struct schedule_state){0});
            assert_true(rate > 0 && rate <= 0.5f);
            assert_true(k < epochs - 1 || rate < 1e-5f);
        }
        arena_free(&d.arena);
    }
}

static void test_cycled_momentum(void **state)
{
    (void)state;
    struct decoded d;
    assert_int_equal(decode(&d, "{type: one_cycle, cycle_momentum: [0.8, 0.9], pct_start: 0.5}"),
                     0);
    assert_true(schedule_cycles(&d.choice));
    for (int k = 0; k < 100; k++) {
        const double up = 49, want = k <= up ? between(0.9, 0.8, k / up)
                                             : between(0.8, 0.9, (k - 49) / 50.0);
        const double got = schedule_momentum(&d.choice, &(struct schedule_clock){k, 10});
        assert_true(fabs(got - want) < 1e-15);
    }
    arena_free(&d.arena);
    assert_int_equal(decode(&d, "one_cycle"), 0);
    assert_false(schedule_cycles(&d.choice));
    assert_true(schedule_momentum(&d.choice, &(struct schedule_clock){3, 10}) == -1);
    arena_free(&d.arena);
    assert_int_equal(decode(&d, "cosine"), 0);
    assert_true(schedule_momentum(&d.choice, &(struct schedule_clock){3, 10}) == -1);
    arena_free(&d.arena);
}

/* A word an epoch: the watched value, and after how many cuts the next epoch runs. */
struct epoch {
    double value;
    int cuts;
};

static void check_plateau(const char *text, const struct epoch *epochs, int count)
{
    struct decoded d;
    struct schedule_state state = {0};
    if (decode(&d, text) != 0) {
        fail_msg("%s", d.errors.items[0].message);
    }
    const struct schedule_type *type = (const void *)d.choice.type;
    for (int i = 0; i < count; i++) {
        /* only the watched one counts */
        const struct schedule_result result = {
            .train_loss = strstr(text, "train_loss") ? epochs[i].value : -i,
            .val_loss = strstr(text, "val_loss") ? epochs[i].value : -i,
            .val_accuracy = strstr(text, "val_accuracy") ? epochs[i].value : i,
        };
        type->observe(d.choice.options, &result, &state);
        if (state.cuts != epochs[i].cuts) {
            fail_msg("%s: %lld cuts after epoch %d, not %d", text, state.cuts, i + 1,
                     epochs[i].cuts);
        }
        const float rate = schedule_rate(&d.choice, 0.5, &(struct schedule_clock){i, 1}, &state);
        const double want = fmax(0.5 * pow(0.5, epochs[i].cuts), 0.1);
        assert_true(fabs((double)rate - want) < 1e-8);
    }
    arena_free(&d.arena);
}

#define CHECK_PLATEAU(text, ...)                                                                   \
    check_plateau("{type: plateau, factor: 0.5, min_lr: 0.1, monitor: " text "}",                  \
                  (const struct epoch[]){__VA_ARGS__},                                             \
                  (int)(sizeof((const struct epoch[]){__VA_ARGS__}) / sizeof(struct epoch)))

static void test_plateau(void **state)
{
    (void)state;
    /* patience 0: an epoch that is no better is enough */
    CHECK_PLATEAU("val_loss, patience: 0", {1, 0}, {0.9, 0}, {0.9, 1}, {1, 2}, {0.8, 2}, {0.8, 3},
                  {0.8, 4}, {0.8, 5});
    /* patience 2: the third in a row */
    CHECK_PLATEAU("train_loss, patience: 2", {1, 0}, {1, 0}, {1, 0}, {1, 1}, {1, 1}, {0.5, 1},
                  {0.6, 1}, {0.6, 1}, {0.6, 2});
    /* better is by more than a tenth of the best, or by more than a tenth */
    CHECK_PLATEAU("val_loss, patience: 0, threshold: 0.1", {0.5, 0}, {0.46, 1}, {0.44, 1});
    CHECK_PLATEAU("val_loss, patience: 0, threshold: 0.1, threshold_mode: abs", {0.5, 0}, {0.44, 1},
                  {0.39, 1});
    /* accuracies are to grow */
    CHECK_PLATEAU("val_accuracy, patience: 0, threshold: 0.1", {0.5, 0}, {0.54, 1}, {0.56, 1},
                  {0.3, 2});
    /* after a cut two epochs count for nothing */
    CHECK_PLATEAU("val_loss, patience: 1, cooldown: 2", {1, 0}, {1, 0}, {1, 1}, {1, 1}, {1, 1},
                  {1, 1}, {1, 2});
}

static void test_needs_validation(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        int needs;
    } NEEDS[] = {{"plateau", 1},
                 {"{type: plateau, monitor: val_accuracy}", 1},
                 {"{type: plateau, monitor: train_loss}", 0}};
    for (int i = 0; i < 3; i++) {
        struct decoded d;
        assert_int_equal(decode(&d, NEEDS[i].text), 0);
        const struct schedule_type *type = (const void *)d.choice.type;
        assert_int_equal(type->needs_validation(d.choice.options), NEEDS[i].needs);
        arena_free(&d.arena);
    }
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
    assert_int_equal(e->column, column);
    arena_free(&d.arena);
}

static void test_faults(void **state)
{
    (void)state;
    refuse("cosin", 1, "unknown schedule 'cosin'; did you mean 'cosine'?");
    refuse("step", 1, "missing key 'step_size' in step");
    refuse("{type: step, step_size: 0}", 25, "'step_size' must be 1 to 1000000");
    refuse("{type: step, step_size: 1, gamma: 1}", 35, "'gamma' must be");
    refuse("exponential", 1, "missing key 'gamma' in exponential");
    refuse("{type: multistep, milestones: [2, 2.5]}", 8,
           "'milestones' must be whole numbers, got 2.5");
    refuse("{type: multistep, milestones: [2, 2]}", 8, "'milestones' must grow, got 2 after 2");
    refuse("{type: multistep, milestones: []}", 8, "'milestones' needs at least one epoch");
    refuse("{type: multistep, milestones: [0]}", 32, "'milestones' must be 1 to 1000000");
    refuse("{type: cosine, restarts: true}", 8, "'restarts' needs 'epochs'");
    refuse("{type: cosine, restart_factor: 2}", 8, "'restart_factor' needs 'restarts: true'");
    refuse("{type: cosine, min_lr: 0.5}", 8,
           "'min_lr' must be less than the optimizer's lr, 0.5, got 0.5");
    refuse("{type: plateau, min_lr: 1}", 8, "'min_lr' must be less than the optimizer's lr");
    refuse("{type: plateau, monitor: loss}", 26, "unknown monitor 'loss'");
    refuse("{type: one_cycle, pct_start: 0.6, three_phase: true}", 8,
           "'three_phase' needs a 'pct_start' of at most 0.5");
    refuse("{type: one_cycle, cycle_momentum: [0.9]}", 8,
           "'cycle_momentum' must be [least, greatest], got 1 value");
    refuse("{type: one_cycle, cycle_momentum: [0.9, 0.8]}", 8, "must be [least, greatest]");
    refuse("{type: one_cycle, cycle_momentum: []}", 8, "got 0 values");
    refuse("{type: one_cycle, cycle_momentum: [0.9, 1]}", 41, "'cycle_momentum' must be");
    refuse("{type: linear, warmup: -1}", 24, "'warmup' must be 0 to 1000000");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_rates),          cmocka_unit_test(test_every_schedule),
        cmocka_unit_test(test_shortest_cycle), cmocka_unit_test(test_cycled_momentum),
        cmocka_unit_test(test_plateau),        cmocka_unit_test(test_needs_validation),
        cmocka_unit_test(test_faults),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
