/* test_stopping.c: which epoch is the best, and when to give up. */
#include "train/stopping.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

/* Tell a list of losses, accuracies that say the opposite beside them; checks which were the best
 * so far. */
static struct stopping tell(const struct early_stopping *options, int count, const double *values,
                            const int *best)
{
    struct stopping state = {0};
    const int accuracy = options->monitor && options->monitor[4] == 'a';
    for (int i = 0; i < count; i++) {
        const double other = -values[i];
        const struct judged judged = {other, accuracy ? other : values[i],
                                      accuracy ? values[i] : other};
        assert_int_equal(stopping_update(&state, options, i + 1, &judged), best[i]);
    }
    return state;
}

static void test_loss(void **state)
{
    (void)state;
    const struct early_stopping options = {.monitor = "val_loss", .patience = 2};
    const struct stopping s =
        tell(&options, 6, (double[]){3, 2, 2.5, 2, 1, 1.5}, (int[]){1, 1, 0, 0, 1, 0});
    assert_true(s.best == 1);
    assert_int_equal(s.best_epoch, 5);
    assert_int_equal(s.waited, 1);
}

static void test_accuracy(void **state)
{
    (void)state;
    const struct early_stopping options = {.monitor = "val_accuracy", .patience = 2};
    const struct stopping s =
        tell(&options, 5, (double[]){0.5, 0.4, 0.5, 0.6, 0.1}, (int[]){1, 0, 0, 1, 0});
    assert_true(s.best == 0.6);
    assert_int_equal(s.best_epoch, 4);
}

/* An accuracy of 0 is a first best, though no gain over what the state begins with. */
static void test_first_epoch_is_the_best(void **state)
{
    (void)state;
    const struct early_stopping options = {
        .monitor = "val_accuracy", .patience = 1, .min_delta = 0.5};
    const struct stopping s = tell(&options, 1, (double[]){0}, (int[]){1});
    assert_int_equal(s.best_epoch, 1);
    assert_int_equal(s.waited, 0);
}

/* Better by more than min_delta, against the best, not against the epoch before: many small gains
 * are none. */
static void test_min_delta(void **state)
{
    (void)state;
    const struct early_stopping options = {.monitor = "val_loss", .patience = 3, .min_delta = 0.5};
    const struct stopping s =
        tell(&options, 5, (double[]){4, 3.75, 3.5, 3.25, 2.5}, (int[]){1, 0, 0, 1, 1});
    assert_true(s.best == 2.5);
    const struct stopping slow = tell(&options, 3, (double[]){4, 3.75, 3.5}, (int[]){1, 0, 0});
    assert_true(slow.best == 4);
    assert_int_equal(slow.waited, 2);
}

static void test_patience(void **state)
{
    (void)state;
    const struct early_stopping options = {.monitor = "val_loss", .patience = 2};
    struct stopping s = {0};
    assert_false(stopping_ends(&s, &options));
    const struct judged same = {0, 1, 0};
    stopping_update(&s, &options, 1, &same);
    assert_false(stopping_ends(&s, &options));
    stopping_update(&s, &options, 2, &same);
    assert_false(stopping_ends(&s, &options));
    stopping_update(&s, &options, 3, &same);
    assert_true(stopping_ends(&s, &options));
}

/* The validation set has no say. */
static void test_train_loss(void **state)
{
    (void)state;
    const struct early_stopping options = {.monitor = "train_loss", .patience = 2};
    struct stopping s = {0};
    assert_false(stopping_needs_validation(&options));
    assert_int_equal(stopping_update(&s, &options, 1, &(struct judged){3, 1, 0.9}), 1);
    assert_int_equal(stopping_update(&s, &options, 2, &(struct judged){2, 9, 0.1}), 1);
    assert_int_equal(stopping_update(&s, &options, 3, &(struct judged){4, 0, 1}), 0);
    assert_true(s.best == 2);
}

/* A mode against the monitor's own sense is taken at its word. */
static void test_mode(void **state)
{
    (void)state;
    static const struct {
        const char *monitor, *mode;
        int higher, natural;
    } rows[] = {{"val_loss", "auto", 0, 0},    {"val_loss", "min", 0, 0},
                {"val_loss", "max", 1, 0},     {"val_accuracy", "auto", 1, 1},
                {"val_accuracy", "min", 0, 1}, {"val_accuracy", "max", 1, 1},
                {"train_loss", "auto", 0, 0},  {"train_loss", "max", 1, 0}};
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        const struct early_stopping options = {.monitor = rows[i].monitor, .mode = rows[i].mode};
        int natural = -1;
        assert_int_equal(stopping_higher(&options, &natural), rows[i].higher);
        assert_int_equal(natural, rows[i].natural);
        struct stopping s = {0};
        stopping_update(&s, &options, 1, &(struct judged){1, 1, 1});
        assert_int_equal(stopping_update(&s, &options, 2, &(struct judged){2, 2, 2}),
                         rows[i].higher);
    }
}

/* The best of the epochs from the first that is judged; patience counts from there too. */
static void test_start_epoch(void **state)
{
    (void)state;
    const struct early_stopping options = {.monitor = "val_loss", .patience = 2, .start_epoch = 3};
    const struct stopping s = tell(&options, 5, (double[]){1, 2, 5, 6, 4}, (int[]){0, 0, 1, 0, 1});
    assert_int_equal(s.best_epoch, 5);
    const struct stopping late = tell(&options, 4, (double[]){1, 2, 5, 6}, (int[]){0, 0, 1, 0});
    assert_int_equal(late.waited, 1);
    const struct stopping none = tell(&options, 2, (double[]){1, 2}, (int[]){0, 0});
    assert_int_equal(none.best_epoch, 0);
    assert_int_equal(none.waited, 0);
}

/* Without early stopping the best epoch is that of the least val_loss, and nothing ends. */
static void test_without_early_stopping(void **state)
{
    (void)state;
    const struct early_stopping options = {.monitor = NULL, .start_epoch = 0};
    const struct stopping s = tell(&options, 4, (double[]){1, 2, 3, 0.5}, (int[]){1, 0, 0, 1});
    assert_int_equal(s.best_epoch, 4);
    assert_false(stopping_ends(&(struct stopping){.waited = 1000000}, &options));
}

static void test_not_a_number_is_never_better(void **state)
{
    (void)state;
    const struct early_stopping loss = {.monitor = "val_loss", .patience = 2};
    struct stopping s = tell(&loss, 3, (double[]){NAN, NAN, 5}, (int[]){0, 0, 1});
    assert_int_equal(s.best_epoch, 3);
    s = tell(&loss, 3, (double[]){5, NAN, NAN}, (int[]){1, 0, 0});
    assert_true(s.best == 5);
    assert_true(stopping_ends(&s, &loss));
    s = tell(&loss, 1, (double[]){INFINITY}, (int[]){0});
    assert_int_equal(s.best_epoch, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_loss),
        cmocka_unit_test(test_accuracy),
        cmocka_unit_test(test_first_epoch_is_the_best),
        cmocka_unit_test(test_min_delta),
        cmocka_unit_test(test_patience),
        cmocka_unit_test(test_train_loss),
        cmocka_unit_test(test_mode),
        cmocka_unit_test(test_start_epoch),
        cmocka_unit_test(test_without_early_stopping),
        cmocka_unit_test(test_not_a_number_is_never_better),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
