/* test_initialize.c: weights from another model: what is taken, what is left, what is refused. */
#include "train/initialize.h"
#include "trainer_check.h"

static struct error_list errors;

/* A trained model in donor.bin. */
static int make_donor(void **state)
{
    struct session s;
    if (folder_make(state) != 0) {
        return -1;
    }
    data_write("a", 1);
    session_start(&s, CONFIG_TEXT);
    session_run(&s);
    session_close(&s);
    copy_file("out/model.bin", "donor.bin");
    return 0;
}

/* CONFIG_TEXT with `more` at its end and `from` replaced by `to`. */
static void open_with(struct session *s, const char *more, const char *from, const char *to)
{
    char *text = text_with(CONFIG_TEXT, from, to), *whole;
    const size_t size = strlen(text) + strlen(more) + 1;
    whole = malloc(size);
    assert_non_null(whole);
    snprintf(whole, size, "%s%s", text, more);
    memset(&errors, 0, sizeof errors);
    session_open(s, whole);
    free(whole);
    free(text);
}

static const float *values_of(const struct session *s, int node, int k)
{
    return s->trainer.parameters + s->trainer.model.graph.nodes[node].needs.parameters[k].offset;
}

static void test_without(void **state)
{
    (void)state;
    struct session s;
    open_with(&s, "", "seed: 7", "seed: 7");
    assert_int_equal(initialize(&s.trainer, &errors), 0);
    assert_null(s.trainer.taken.data);
    session_close(&s);
}

/* All of it: as the donor's; and with a wider last layer, all but that. */
static void test_taken(void **state)
{
    (void)state;
    struct model donor;
    struct session s;
    assert_int_equal(model_load(&donor, "donor.bin", NULL), 0);
    open_with(&s, "initialize: {from: donor.bin}\n", "seed: 7", "seed: 8");
    assert_int_equal(initialize(&s.trainer, &errors), 0);
    assert_memory_equal(s.trainer.parameters, donor.parameters,
                        donor.graph.parameters * sizeof(float));
    assert_non_null(strstr(s.trainer.taken.data, "weights from donor.bin:\n"));
    assert_non_null(strstr(s.trainer.taken.data, "  conv1.weight           taken\n"));
    session_close(&s);

    open_with(&s, "initialize: {from: donor.bin}\n", "filters: 2", "filters: 2, name: other");
    float before[4];
    memcpy(before, values_of(&s, 0, 0), sizeof before);
    assert_int_equal(initialize(&s.trainer, &errors), 0);
    assert_memory_equal(values_of(&s, 0, 0), before, sizeof before);
    assert_non_null(
        strstr(s.trainer.taken.data, "  other.weight           as initialised: not in the file\n"));
    assert_non_null(strstr(s.trainer.taken.data, "  dense1.weight          taken\n"));
    session_close(&s);
    model_free(&donor);
}

/* Only what is named, also where other tensors would fit. */
static void test_layers(void **state)
{
    (void)state;
    struct session s;
    struct model donor;
    assert_int_equal(model_load(&donor, "donor.bin", NULL), 0);
    open_with(&s, "initialize: {from: donor.bin, layers: [dense1]}\n", "seed: 7", "seed: 8");
    float before[4];
    memcpy(before, values_of(&s, 0, 0), sizeof before);
    assert_int_equal(initialize(&s.trainer, &errors), 0);
    assert_memory_equal(values_of(&s, 0, 0), before, sizeof before);
    const struct parameter *weight = &donor.graph.nodes[2].needs.parameters[0];
    assert_memory_equal(values_of(&s, 2, 0), donor.parameters + weight->offset,
                        weight->size * sizeof(float));
    assert_null(strstr(s.trainer.taken.data, "conv1"));
    session_close(&s);
    model_free(&donor);
}

static void test_refused(void **state)
{
    (void)state;
    static const struct {
        const char *more, *from, *to, *message;
        enum error_kind kind;
        int line, column;
    } rows[] = {
        {"initialize: {from: donor.bin, layers: [conv2]}\n", "seed: 7", "seed: 7",
         "the network has no layer 'conv2'; did you mean 'conv1'?", ERROR_CONFIG, 12, 40},
        {"initialize: {from: donor.bin, layers: [conv1]}\n", "kernel: 3", "kernel: 2",
         "'conv1.weight' cannot be taken from donor.bin: it is [2, 1, 3, 3] in the file, here [2, "
         "1, 2, 2]",
         ERROR_MODEL, 12, 40},
        {"initialize: {from: donor.bin, layers: [conv1.tanh]}\n", "seed: 7", "seed: 7",
         "layer 'conv1.tanh' has no weights to take", ERROR_CONFIG, 12, 40},
        {"initialize: {from: donor.bin, layers: []}\n", "seed: 7", "seed: 7",
         "'layers' is empty: nothing would be taken", ERROR_CONFIG, 12, 39},
        {"initialize: {from: nothing.bin}\n", "seed: 7", "seed: 7",
         "cannot open: No such file or directory", ERROR_IO, 0, 0},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct session s;
        open_with(&s, rows[i].more, rows[i].from, rows[i].to);
        assert_int_equal(initialize(&s.trainer, &errors), -1);
        assert_int_equal(errors.total, 1);
        assert_string_equal(errors.items[0].message, rows[i].message);
        assert_int_equal(errors.items[0].kind, rows[i].kind);
        assert_int_equal(errors.items[0].line, rows[i].line);
        assert_int_equal(errors.items[0].column, rows[i].column);
        session_close(&s);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_without),
        cmocka_unit_test(test_taken),
        cmocka_unit_test(test_layers),
        cmocka_unit_test(test_refused),
    };
    return cmocka_run_group_tests(tests, make_donor, folder_remove);
}
