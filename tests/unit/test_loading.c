/* test_loading.c: how the sets of a run, or for a model, are to be loaded (loading.c). */
#include "train/loading.h"

#include "data/fit.h"
#include "data/image_list.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

static struct data_settings settings_with(const char *fit)
{
    struct data_settings data = {.input = {.fit = fit}, .memory = 1000};
    data.input.height.value = 20;
    data.input.width.value = 30;
    return data;
}

static void test_sizes(void **state)
{
    (void)state;
    struct data_settings data = settings_with("pad");
    struct loading how = loading_of_settings(&data, NULL, 3);
    assert_int_equal(how.h + how.w + how.c, 0); /* tiles are padded, sets stay as stored */
    assert_int_equal(how.threads, 3);
    assert_true(how.memory == 1000);
    assert_null(how.classes);
    data = settings_with("crop");
    data.input.channels.value = 3;
    how = loading_of_settings(&data, NULL, 1);
    assert_int_equal(how.h, 20);
    assert_int_equal(how.w, 30);
    assert_int_equal(how.c, 3);
    assert_ptr_equal(how.fit, fit_find("crop"));
    data.memory = 0;
    how = loading_of_settings(&data, NULL, 1);
    assert_true(how.memory > 1 << 20); /* half of the machine's */
}

/* What the training set has taken is not there for the validation set. */
static void test_memory(void **state)
{
    (void)state;
    struct data_settings data = settings_with("pad");
    struct image_list list = {0};
    struct dataset training = {.c = 1, .h = 10, .w = 10, .held = 7, .list = &list};
    assert_true(loading_of_settings(&data, &training, 1).memory == 300);
    training.held = 10;
    assert_true(loading_of_settings(&data, &training, 1).memory == 1); /* none, but 0 is all */
}

static void test_classes(void **state)
{
    (void)state;
    static const char *const values[] = {"a", "b"};
    const struct texts names = {2, values};
    struct data_settings data = settings_with("pad");
    struct dataset training = {.names = names};
    struct loading how = loading_of_settings(&data, &training, 1);
    assert_ptr_equal(how.classes, &training.names);
    assert_string_equal(how.owner, "the training set's");
    data.classes = names;
    how = loading_of_settings(&data, &training, 1);
    assert_ptr_equal(how.classes, &data.classes);
    assert_string_equal(how.owner, "data.classes");
}

static void test_model(void **state)
{
    (void)state;
    struct model model = {.input = {.c = 3, .h = 8, .w = 9},
                          .settings = {.data = {.input = {.fit = "letterbox"}}}};
    const struct loading how = loading_of_model(&model, 2);
    assert_int_equal(how.c * 100 + how.h * 10 + how.w, 389);
    assert_ptr_equal(how.fit, fit_find("letterbox"));
    assert_ptr_equal(how.classes, &model.classes);
    assert_int_equal(how.kind, ERROR_MODEL);
    assert_true(how.memory == 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_sizes),
        cmocka_unit_test(test_memory),
        cmocka_unit_test(test_classes),
        cmocka_unit_test(test_model),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
