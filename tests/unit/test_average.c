/* test_average.c: the averages of the weights, step by step and epoch by epoch; they are what is
 * judged, saved and gone on from. */
#include "trainer_check.h"

#include <math.h>

static int make_folder(void **state)
{
    if (folder_make(state) != 0) {
        return -1;
    }
    data_write("a", 1);
    return 0;
}

static void start_with(struct session *s, const char *train)
{
    char more[200];
    snprintf(more, sizeof more, "  batch_size: 8\n%s", train);
    char *text = text_with(CONFIG_TEXT, "  batch_size: 8\n", more);
    session_start(s, text);
    free(text);
}

/* The weights now, to be freed. */
static float *copy_of(const struct trainer *t, const float *flat)
{
    const size_t bytes = t->model.graph.parameters * sizeof *flat;
    float *copy = malloc(bytes);
    assert_non_null(copy);
    memcpy(copy, flat, bytes);
    return copy;
}

static void test_none(void **state)
{
    (void)state;
    struct session s;
    session_start(&s, CONFIG_TEXT);
    assert_int_equal(average_size(&s.trainer), 0);
    assert_ptr_equal(average_judged(&s.trainer), s.trainer.parameters);
    assert_ptr_equal(average_model(&s.trainer), s.trainer.parameters);
    session_close(&s);
}

static void test_ema(void **state)
{
    (void)state;
    struct session s;
    start_with(&s, "  ema: 0.75\n");
    struct trainer *t = &s.trainer;
    assert_int_equal(average_size(t), t->model.graph.parameters);
    assert_ptr_equal(average_judged(t), t->average);
    assert_ptr_equal(average_model(t), t->average);
    assert_ptr_equal(t->evaluator.parameters, t->average);
    float *want = copy_of(t, t->parameters);
    assert_memory_equal(t->average, want, t->model.graph.parameters * sizeof *want);
    for (int step = 0; step < 3; step++) {
        session_batches(&s, 1);
        for (size_t i = 0; i < t->model.graph.parameters; i++) {
            want[i] = 0.75f * want[i] + 0.25f * t->parameters[i];
            assert_true(fabsf(want[i] - t->average[i]) <= 1e-6f);
        }
    }
    free(want);
    session_close(&s);
}

/* Every second step the two meet half way; between, the slow weights stay. */
static void test_lookahead(void **state)
{
    (void)state;
    struct session s;
    start_with(&s, "  lookahead: {every: 2, alpha: 0.5}\n");
    struct trainer *t = &s.trainer;
    const size_t n = t->model.graph.parameters;
    assert_int_equal(average_size(t), n);
    assert_ptr_equal(average_judged(t), t->average);
    assert_ptr_equal(average_model(t), t->average);
    float *slow = copy_of(t, t->parameters);
    for (int step = 1; step <= 4; step++) {
        session_batches(&s, 1);
        assert_int_equal(memcmp(t->average, slow, n * sizeof *slow) == 0, step % 2);
        assert_int_equal(memcmp(t->average, t->parameters, n * sizeof *slow) == 0, !(step % 2));
        memcpy(slow, t->average, n * sizeof *slow);
    }
    free(slow);
    session_close(&s);
}

static void test_swa(void **state)
{
    (void)state;
    struct session s;
    start_with(&s, "  swa: {start: 2}\n");
    struct trainer *t = &s.trainer;
    const size_t n = t->model.graph.parameters;
    assert_ptr_equal(average_judged(t), t->parameters);
    for (size_t i = 0; i < n; i++) {
        t->parameters[i] = 7;
    }
    for (t->position.epoch = 1; t->position.epoch <= 4; t->position.epoch++) {
        average_epoch(t);
        assert_ptr_equal(average_model(t), t->position.epoch == 1 ? t->parameters : t->average);
        const double mean = t->position.epoch == 2 ? 8 : t->position.epoch == 3 ? 9 : 10;
        for (size_t i = 0; i < n; i++) {
            assert_true(t->position.epoch == 1 || fabs((double)t->average[i] - mean) < 1e-5);
            t->parameters[i] = t->position.epoch == 1   ? 8
                               : t->position.epoch == 2 ? 10
                                                        : 12; /* after epochs 2, 3 and 4 */
        }
    }
    session_close(&s);
}

/* model.bin holds the average, and a run that is gone on with has it. */
static void test_files(void **state)
{
    (void)state;
    struct session s, again;
    struct model model;
    struct error e;
    start_with(&s, "  swa: {start: 2}\n");
    session_run(&s);
    assert_int_equal(model_load(&model, "out/model.bin", &e), 0);
    const size_t bytes = model.graph.parameters * sizeof(float);
    assert_memory_equal(model.parameters, s.trainer.average, bytes);
    assert_true(memcmp(model.parameters, s.trainer.parameters, bytes) != 0);
    model_free(&model);
    float *average = copy_of(&s.trainer, s.trainer.average);
    session_close(&s);

    char *text =
        text_with(CONFIG_TEXT, "  batch_size: 8\n", "  batch_size: 8\n  swa: {start: 2}\n");
    session_open(&again, text);
    assert_int_equal(checkpoint_resume(&again.trainer, &again.dir, &again.e), 0);
    assert_memory_equal(again.trainer.average, average, bytes);
    session_close(&again);
    change_file("out", "checkpoint.bin",
                &(struct change){.tensor = "average.conv1.bias", .name = "averages.conv1.bias"});
    session_open(&again, text);
    assert_int_equal(checkpoint_resume(&again.trainer, &again.dir, &again.e), -1);
    assert_non_null(strstr(again.e.message, "tensor 'average.conv1.bias' is missing"));
    session_close(&again);
    free(text);
    free(average);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_none), cmocka_unit_test(test_ema),   cmocka_unit_test(test_lookahead),
        cmocka_unit_test(test_swa),  cmocka_unit_test(test_files),
    };
    return cmocka_run_group_tests(tests, make_folder, folder_remove);
}
