/* test_model.c: model.bin out and in, and every fault of one: each test makes a good file and
 * changes one thing. */
#include "trainer_check.h"

/* A trained model in out/model.bin; in its own folder, kept as good.bin. */
static int make_model(void **state)
{
    struct session s;
    if (folder_make(state) != 0) {
        return -1;
    }
    data_write("a", 1);
    session_start(&s, CONFIG_TEXT);
    session_run(&s);
    session_close(&s);
    copy_file("out/model.bin", "good.bin");
    return 0;
}

static void test_round_trip(void **state)
{
    (void)state;
    struct session s;
    struct model model;
    session_start(&s, CONFIG_TEXT);
    session_run(&s);
    const struct trainer *t = &s.trainer;
    if (model_load(&model, "out/model.bin", &s.e) != 0) {
        fail_msg("%s", s.e.message);
    }
    assert_int_equal(model.graph.parameters, t->model.graph.parameters);
    assert_memory_equal(model.parameters, t->best,
                        model.graph.parameters * sizeof(float)); /* there is a validation set */
    assert_memory_equal(&model.input, &t->model.input, sizeof model.input);
    assert_int_equal(model.epoch, t->position.stopping.best_epoch);
    assert_int_equal(model.step, model.epoch * 4);
    assert_int_equal(model.classes.count, 3);
    assert_string_equal(model.classes.values[2], "2");
    assert_int_equal(model.facts.known, 1);
    assert_int_equal(model.facts.epochs, 3);
    assert_int_equal(model.facts.steps, 12);
    assert_int_equal(model.facts.best_epoch, t->position.stopping.best_epoch);
    assert_true(model.facts.best == t->position.stopping.best);
    assert_string_equal(model.facts.monitor, "val_loss");
    assert_int_equal(model.facts.stopped_early, 0);
    assert_int_equal(model.facts.train.images, t->train.count);
    assert_int_equal(model.facts.train.of, 40);
    assert_int_equal(model.facts.train.crc32, t->train_set.crc32);
    assert_int_equal(model.facts.validation.images, t->validation.count);
    assert_string_equal(model.settings.name, "small");
    assert_int_equal(model.settings.seed, 7);
    assert_null(model.settings.data.train.images); /* no paths inside */
    assert_null(model.settings.output ? strstr(model.settings.output, "out") : NULL);
    model_free(&model);
    session_close(&s);
}

/* Writing a loaded model gives the same file again. */
static void test_same_file_again(void **state)
{
    (void)state;
    struct model model;
    struct error e;
    struct bytes before, after;
    copy_file("good.bin", "out/model.bin");
    assert_int_equal(model_load(&model, "out/model.bin", &e), 0);
    const int dir = open("out", O_RDONLY | O_DIRECTORY);
    assert_int_equal(
        model_write(&model, &(struct file_target){dir, "model.bin", "out/model.bin", NULL}, &e), 0);
    close(dir);
    assert_int_equal(file_read(&before, "good.bin", 1 << 24, ERROR_IO, &e), 0);
    assert_int_equal(file_read(&after, "out/model.bin", 1 << 24, ERROR_IO, &e), 0);
    assert_int_equal(before.size, after.size);
    assert_memory_equal(before.data, after.data, after.size);
    bytes_free(&before);
    bytes_free(&after);
    model_free(&model);
}

static void refused(const char *path, enum error_kind kind, const char *message, struct error *e)
{
    struct model model;
    *e = (struct error){.offset = -1};
    if (model_load(&model, path, e) == 0) {
        fail_msg("accepted, though: %s", message);
    }
    assert_int_equal(e->kind, kind);
    if (!strstr(e->message, message)) {
        fail_msg("expected \"%s\" in \"%s\"", message, e->message);
    }
    assert_null(model.parameters);
}

static void refuse(const char *message, struct change change)
{
    struct error e;
    copy_file("good.bin", "changed.bin");
    change_file(".", "changed.bin", &change);
    refused("./changed.bin", ERROR_MODEL, message, &e);
    assert_string_equal(e.file, "./changed.bin");
}

static void test_metadata(void **state)
{
    (void)state;
    refuse("metadata 'config' is missing", (struct change){.key = "config"});
    refuse("metadata 'classes' is missing", (struct change){.key = "classes"});
    refuse("metadata 'input' is missing", (struct change){.key = "input"});
    static const char *const CLASSES[] = {"",
                                          "{}",
                                          "[\"a\"]",
                                          "[1,2,3]",
                                          "[\"a\",\"b\",3]",
                                          "[\"a\",\"b\"",
                                          "[\"a\",\"b\",\"\\u0000\"]"};
    for (size_t i = 0; i < sizeof CLASSES / sizeof *CLASSES; i++) {
        refuse("metadata 'classes' is not a list of at least 2 names",
               (struct change){.key = "classes", .value = CLASSES[i]});
    }
    static const char *const INPUTS[] = {"",
                                         "1 6 6",
                                         "0 6 6 1",
                                         "5 6 6 1 0 1 0 1 0 1 0 1 0 1",
                                         "1 0 6 1 0 1",
                                         "1 6 65537 1 0 1",
                                         "1 6 6 1 0",
                                         "1 6 6 1 0 0",
                                         "1 6 6 1 0 -1",
                                         "1 6 6 1 0 1 2",
                                         "1 6 6 1 0 inf",
                                         "1 6 6 x 0 1",
                                         "1.5 6 6 1 0 1"};
    for (size_t i = 0; i < sizeof INPUTS / sizeof *INPUTS; i++) {
        refuse("metadata 'input' is not a shape and its normalisation",
               (struct change){.key = "input", .value = INPUTS[i]});
    }
    static const char *const COUNTERS[] = {NULL, "", "-1", "1.0", "01", "99999999999999999999",
                                           "x"};
    for (size_t i = 0; i < sizeof COUNTERS / sizeof *COUNTERS; i++) {
        refuse("metadata 'epoch' and 'step' must be whole numbers",
               (struct change){.key = "epoch", .value = COUNTERS[i]});
        refuse("metadata 'epoch' and 'step' must be whole numbers",
               (struct change){.key = "step", .value = COUNTERS[i]});
    }
}

/* What it says of its training: whole and right, or not at all. */
static void test_training(void **state)
{
    (void)state;
    struct model model;
    struct error e;
    struct text text = {0};
#define SET "{\"crc32\":\"0123abcd\",\"images\":30,\"of\":40,\"shape\":[1,6,6]}"
#define FACTS(EPOCHS, BEST, MONITOR, SETS)                                                         \
    "{\"best\":" BEST ",\"best_epoch\":2,\"epochs\":" EPOCHS ",\"monitor\":" MONITOR               \
    ",\"steps\":12,\"stopped_early\":true," SETS "}"
    static const char *const BAD[] = {
        "",
        "[]",
        "{}",
        FACTS("3", "0.5", "\"val_loss\"", "\"train\":" SET),
        FACTS("3", "0.5", "\"val_loss\"", "\"train\":null,\"validation\":" SET),
        FACTS("3", "0.5", "\"val_loss\"", "\"train\":" SET ",\"validation\":{}"),
        FACTS("1", "0.5", "\"val_loss\"", "\"train\":" SET ",\"validation\":null"),
        FACTS("-3", "0.5", "\"val_loss\"", "\"train\":" SET ",\"validation\":null"),
        FACTS("3", "\"x\"", "\"val_loss\"", "\"train\":" SET ",\"validation\":null"),
        FACTS("3", "0.5", "\"\\u001b[31m\"", "\"train\":" SET ",\"validation\":null"),
        FACTS("3", "0.5", "null", "\"train\":" SET ",\"validation\":null"),
    };
    for (size_t i = 0; i < sizeof BAD / sizeof *BAD; i++) {
        refuse("metadata 'training' is not what cnntrain writes there",
               (struct change){.key = "training", .value = BAD[i]});
    }
    copy_file("good.bin", "changed.bin");
    change_file(".", "changed.bin",
                &(struct change){.key = "training",
                                 .value = FACTS("3", "0.5", "\"val_loss\"",
                                                "\"train\":" SET ",\"validation\":" SET)});
    assert_int_equal(model_load(&model, "changed.bin", &e), 0);
    facts_append(&model, &text);
    assert_non_null(
        strstr(text.data, "trained for 3 epochs of 3, 12 steps, seed 7; stopped early"));
    assert_non_null(strstr(text.data, "the best val_loss was 0.5, after epoch 2"));
    assert_non_null(strstr(text.data, "train       30 images of 40, 1x6x6, CRC-32 0123abcd"));
    assert_non_null(strstr(text.data, "validation  30 images of the same set"));
    text_free(&text);
    model_free(&model);
    /* a model of before */
    change_file(".", "changed.bin", &(struct change){.key = "training"});
    assert_int_equal(model_load(&model, "changed.bin", &e), 0);
    assert_int_equal(model.facts.known, 0);
    facts_append(&model, &text);
    assert_non_null(strstr(text.data, "this model does not tell of its training"));
    text_free(&text);
    model_free(&model);
}

/* A fault of the config inside has its place in that config. */
static void test_config_inside(void **state)
{
    (void)state;
    static const struct {
        const char *from, *to, *message;
    } CASES[] = {
        {"kernel: 3", "kernal: 3", "unknown key 'kernal' in conv; did you mean 'kernel'?"},
        {"kernel: 3", "kernel: 7", "its kernel 7x7 is larger than its input 1x6x6"},
        {"units: 3", "units: 4",
         "the network ends in dense 'dense1' with output 4x1x1, 4 values, but there are 3 classes"},
        {"lr: 0.01", "lr: -1", "'lr' must be"},
        {"seed: 7", "seed: [", "expected ',' or ']' in this list"},
    };
    for (size_t i = 0; i < sizeof CASES / sizeof *CASES; i++) {
        struct model model;
        struct error e;
        struct text config = {0};
        assert_int_equal(model_load(&model, "good.bin", &e), 0);
        settings_emit(&model.settings, 0, &config);
        char *changed = text_with(config.data, CASES[i].from, CASES[i].to);
        copy_file("good.bin", "changed.bin");
        change_file(".", "changed.bin", &(struct change){.key = "config", .value = changed});
        refused("changed.bin", ERROR_MODEL, CASES[i].message, &e);
        assert_string_equal(e.file, "changed.bin!config");
        assert_true(e.line > 0 && e.column > 0 && *e.source);
        text_free(&config);
        free(changed);
        model_free(&model);
    }
}

static void test_tensors(void **state)
{
    (void)state;
    refuse("3 tensors, its config needs 4", (struct change){.tensor = "conv1.bias"});
    refuse("tensor 'conv1.bias' is missing",
           (struct change){.tensor = "conv1.bias", .name = "conv1.bios"});
    refuse("tensor 'conv1.weight' is [18], its config needs [2, 1, 3, 3]",
           (struct change){.tensor = "conv1.weight", .name = "conv1.weight", .flat = 1});
    refuse("its tensors have 118 values, its config needs 119",
           (struct change){.tensor = "dense1.bias", .name = "dense1.bias", .shorter = 1});
}

static void test_other_files(void **state)
{
    (void)state;
    struct error e;
    refused("none.bin", ERROR_IO, "No such file", &e);
    refused("a-images-idx3-ubyte", ERROR_MODEL, "", &e);
    refused("out/checkpoint.bin", ERROR_MODEL, "is a checkpoint", &e);
    struct bytes bytes;
    assert_int_equal(file_read(&bytes, "good.bin", 1 << 24, ERROR_IO, &e), 0);
    bytes.data[bytes.size - 3] ^= 1;
    write_file("changed.bin", bytes.data, bytes.size);
    refused("changed.bin", ERROR_MODEL, "", &e);
    bytes_free(&bytes);
}

static void test_weights_that_are_not_finite(void **state)
{
    (void)state;
    struct model model;
    struct error e = {.offset = -1};
    struct bytes before, after;
    copy_file("good.bin", "out/model.bin");
    assert_int_equal(model_load(&model, "good.bin", &e), 0);
    model.parameters[model.graph.nodes[2].needs.parameters[0].offset + 5] = -1.0f / 0.0f;
    const int dir = open("out", O_RDONLY | O_DIRECTORY);
    assert_int_equal(
        model_write(&model, &(struct file_target){dir, "model.bin", "out/model.bin", NULL}, &e),
        -1);
    close(dir);
    assert_int_equal(e.kind, ERROR_NUMERIC);
    assert_non_null(strstr(e.message, "value 5 of 'dense1.weight' is not finite"));
    assert_int_equal(file_read(&before, "good.bin", 1 << 24, ERROR_IO, &e), 0);
    assert_int_equal(file_read(&after, "out/model.bin", 1 << 24, ERROR_IO, &e), 0);
    assert_int_equal(before.size, after.size);
    assert_memory_equal(before.data, after.data, after.size); /* the old file stands */
    bytes_free(&before);
    bytes_free(&after);
    model_free(&model);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_round_trip),    cmocka_unit_test(test_same_file_again),
        cmocka_unit_test(test_metadata),      cmocka_unit_test(test_training),
        cmocka_unit_test(test_config_inside), cmocka_unit_test(test_tensors),
        cmocka_unit_test(test_other_files),   cmocka_unit_test(test_weights_that_are_not_finite),
    };
    return cmocka_run_group_tests(tests, make_model, folder_remove);
}
