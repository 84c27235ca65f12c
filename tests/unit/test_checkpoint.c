/* test_checkpoint.c: checkpoint.bin out and in: a resumed run goes on to the same bits, and
 * whatever does not fit is refused with the key, the set, the counter or the tensor that is at
 * fault. */
#include "trainer_check.h"

static int make_folder(void **state)
{
    if (folder_make(state) != 0) {
        return -1;
    }
    data_write("a", 1);
    data_write("b", 2);
    return 0;
}

/* Everything that a run goes on from. */
static void assert_same(const struct trainer *a, const struct trainer *b)
{
    const size_t bytes = a->model.graph.parameters * sizeof(float);
    assert_int_equal(a->model.graph.parameters, b->model.graph.parameters);
    assert_memory_equal(a->parameters, b->parameters, bytes);
    for (int k = 0; k < a->optimizer->states; k++) {
        assert_memory_equal(a->states[k], b->states[k], bytes);
    }
    if (a->position.stopping.best_epoch > 0) {
        assert_memory_equal(a->best, b->best, bytes);
    }
    assert_int_equal(a->position.epoch, b->position.epoch);
    assert_int_equal(a->position.step, b->position.step);
    assert_int_equal(a->position.batch, b->position.batch);
    assert_int_equal(a->position.correct, b->position.correct);
    assert_true(a->position.loss_sum == b->position.loss_sum);
    assert_true(a->position.seconds == b->position.seconds);
    assert_true(a->position.stopping.best == b->position.stopping.best);
    assert_int_equal(a->position.stopping.best_epoch, b->position.stopping.best_epoch);
    assert_int_equal(a->position.stopping.waited, b->position.stopping.waited);
    assert_int_equal(a->position.finished, b->position.finished);
    assert_int_equal(a->log.bytes, b->log.bytes);
    assert_int_equal(a->log.crc32, b->log.crc32);
}

static void resume(struct session *s, const char *text)
{
    session_open(s, text);
    if (checkpoint_resume(&s->trainer, &s->dir, &s->e) != 0) {
        fail_msg("%s", s->e.message);
    }
}

/* In the middle of an epoch, and on from there. */
static void check_middle(const char *text)
{
    struct session a, b;
    session_start(&a, text);
    a.trainer.position.seconds = 0.1; /* not exact in binary: must come back all the same */
    session_batches(&a, 2);
    assert_int_equal(checkpoint_write(&a.trainer, &a.dir, &a.e), 0);
    output_dir_close(&a.dir);
    resume(&b, text);
    assert_same(&a.trainer, &b.trainer);
    assert_int_equal(b.trainer.position.batch, 2);
    session_batches(&a, 2);
    session_batches(&b, 2);
    assert_same(&a.trainer, &b.trainer);
    session_close(&b);
    trainer_free(&a.trainer);
}

static void test_in_an_epoch(void **state)
{
    (void)state;
    check_middle(CONFIG_TEXT);
    char *text =
        text_with(CONFIG_TEXT, "{type: adam, lr: 0.01}", "{type: sgd, lr: 0.01, momentum: 0.9}");
    check_middle(text);
    free(text);
}

/* After epochs, with the best weights apart from the last. */
static void test_after_epochs(void **state)
{
    (void)state;
    struct session a, b;
    session_start(&a, CONFIG_TEXT);
    session_run(&a);
    output_dir_close(&a.dir);
    resume(&b, CONFIG_TEXT);
    assert_same(&a.trainer, &b.trainer);
    assert_true(b.trainer.position.finished && b.trainer.position.stopping.best_epoch > 0);
    session_close(&b);
    trainer_free(&a.trainer);
}

static enum checkpoint_state state_of(struct session *s)
{
    enum checkpoint_state state;
    assert_int_equal(checkpoint_state(&state, &s->dir, &s->e), 0);
    return state;
}

static void test_states(void **state)
{
    (void)state;
    struct session s;
    char *text = text_with(CONFIG_TEXT, "output: out", "output: out2");
    session_open(&s, text);
    assert_int_equal(state_of(&s), CHECKPOINT_FINISHED); /* session_open always opens `out` */
    session_close(&s);
    session_start(&s, CONFIG_TEXT);
    assert_int_equal(state_of(&s), CHECKPOINT_UNFINISHED);
    assert_int_equal(unlinkat(s.dir.fd, "checkpoint.bin", 0), 0);
    assert_int_equal(state_of(&s), CHECKPOINT_NONE);
    assert_int_equal(checkpoint_resume(&s.trainer, &s.dir, &s.e), -1);
    assert_int_equal(s.e.kind, ERROR_MODEL);
    assert_non_null(strstr(s.e.message, "there is no checkpoint to resume from"));
    write_file("out/checkpoint.bin", "rubbish", 7);
    assert_int_equal(state_of(&s), CHECKPOINT_UNFINISHED); /* not ours to throw away */
    assert_int_equal(checkpoint_resume(&s.trainer, &s.dir, &s.e), -1);
    assert_int_equal(s.e.kind, ERROR_MODEL);
    session_close(&s);
    free(text);
}

/* ---- what does not fit ---- */

/* A run of 2 epochs and 2 batches in out/, its files kept aside. */
static void make_run(void)
{
    struct session s;
    char *text = text_with(CONFIG_TEXT, "epochs: 3", "epochs: 2");
    session_start(&s, text);
    session_run(&s);
    session_close(&s);
    resume(&s, CONFIG_TEXT);
    session_batches(&s, 2);
    s.trainer.position.finished = 0;
    assert_int_equal(checkpoint_write(&s.trainer, &s.dir, &s.e), 0);
    session_close(&s);
    copy_file("out/checkpoint.bin", "good.bin");
    copy_file("out/log.csv", "good.csv");
    copy_file("out/model.bin", "model.good");
    free(text);
}

/* What resuming makes of the model that is there: its epoch, which must have the best weights. */
static void check_model(struct session *s, int must_be_best)
{
    struct model model;
    session_open(s, CONFIG_TEXT);
    assert_int_equal(trainer_resume(&s->trainer, &s->dir, &s->e), 0);
    const long long best = s->trainer.position.stopping.best_epoch;
    assert_true(best > 0);
    assert_int_equal(model_load(&model, "out/model.bin", &s->e), 0);
    if (must_be_best) {
        assert_int_equal(model.epoch, best);
        assert_memory_equal(model.parameters, s->trainer.best,
                            model.graph.parameters * sizeof(float));
    } else {
        assert_int_equal(model.epoch, 9);
    }
    model_free(&model);
    session_close(s);
}

/* Killed between the checkpoint of the best epoch and its model: resuming writes that at once, but
 * no older one over a newer. */
static void test_older_model(void **state)
{
    (void)state;
    struct session s;
    make_run();
    copy_file("good.bin", "out/checkpoint.bin");
    check_model(&s, 1); /* nothing has happened */
    change_file("out", "model.bin", &(struct change){.key = "epoch", .value = "0"});
    check_model(&s, 1);
    assert_int_equal(unlink("out/model.bin"), 0);
    check_model(&s, 1);
    copy_file("model.good", "out/model.bin");
    change_file("out", "model.bin", &(struct change){.key = "epoch", .value = "9"});
    check_model(&s, 0);
    copy_file("good.csv", "out/log.csv");
}

static struct error refused_at(const char *text, const struct kernels *kernels,
                               enum error_kind kind, const char *message)
{
    struct session s;
    session_open_at(&s, text, kernels);
    if (checkpoint_resume(&s.trainer, &s.dir, &s.e) == 0) {
        fail_msg("accepted, though: %s", message);
    }
    if (!strstr(s.e.message, message)) {
        fail_msg("expected \"%s\" in \"%s\"", message, s.e.message);
    }
    assert_int_equal(s.e.kind, kind);
    const struct error e = s.e;
    session_close(&s);
    return e;
}

static struct error refused(const char *text, enum error_kind kind, const char *message)
{
    return refused_at(text, kernels_select(NULL), kind, message);
}

static void refuse_change(const char *message, struct change change)
{
    copy_file("good.bin", "out/checkpoint.bin");
    change_file("out", "checkpoint.bin", &change);
    const struct error e = refused(CONFIG_TEXT, ERROR_MODEL, message);
    assert_string_equal(e.file, "out/checkpoint.bin");
    copy_file("good.bin", "out/checkpoint.bin");
}

/* The key is named, and where it stands in the user's file. */
static void test_changed_config(void **state)
{
    (void)state;
    static const struct {
        const char *from, *to, *message;
        int line, column;
    } CASES[] = {
        {"lr: 0.01", "lr: 0.02", "'train.optimizer.lr' differs from the checkpoint's (0.01)", 10,
         31},
        {"type: adam, lr: 0.01", "type: sgd, lr: 0.01",
         "'train.optimizer.type' differs from the checkpoint's (adam)", 10, 21},
        {"seed: 7", "seed: 8", "'seed' differs from the checkpoint's (7)", 2, 7},
        {"batch_size: 8", "batch_size: 9", "'train.batch_size' differs from the checkpoint's (8)",
         9, 15},
        {"tanh", "relu", "'network.0.conv.activation' differs from the checkpoint's (tanh)", 5, 47},
        {"filters: 2", "filters: 3", "'network.0.conv.filters' differs from the checkpoint's (2)",
         5, 21},
        {"- dense", "- dropout: 0.5\n  - dense",
         "'network' differs from the checkpoint's (a list of 2)", 5, 3},
        {"0.25", "0.5", "'data.validation' differs from the checkpoint's (0.25)", 3, 48},
        {", validation: 0.25", "", "'data.validation' differs from the checkpoint's (0.25)", 3, 7},
        {"train:\n  epochs", "train:\n  loss: mse\n  epochs",
         "'train.loss' differs from the checkpoint's (cross_entropy)", 8, 9},
        {"name: small", "name: other", "'name' differs from the checkpoint's (small)", 1, 7},
    };
    for (size_t i = 0; i < sizeof CASES / sizeof *CASES; i++) {
        char *text = text_with(CONFIG_TEXT, CASES[i].from, CASES[i].to);
        const struct error e = refused(text, ERROR_MODEL, CASES[i].message);
        assert_string_equal(e.file, "t.yaml");
        if (e.line != CASES[i].line || e.column != CASES[i].column) {
            fail_msg("%s: expected at %d:%d, found at %d:%d", CASES[i].message, CASES[i].line,
                     CASES[i].column, e.line, e.column);
        }
        free(text);
    }
}

/* More epochs are what --resume is for; other paths to the same data, and another output, change
 * nothing either. */
static void test_what_may_change(void **state)
{
    (void)state;
    static const char *const FROM[] = {"epochs: 3", "train: a-images", "output: out", "kernel: 3",
                                       "seed: 7"};
    static const char *const TO[] = {"epochs: 9", "test: b-images-idx3-ubyte, train: ./a-images",
                                     "output: elsewhere", "stride: [1, 1], kernel: [3, 3]",
                                     "seed: 7\nprecision: fp32"};
    for (size_t i = 0; i < sizeof FROM / sizeof *FROM; i++) {
        struct session s;
        char *text = text_with(CONFIG_TEXT, FROM[i], TO[i]);
        resume(&s, text);
        session_close(&s);
        free(text);
    }
}

static void test_too_few_epochs(void **state)
{
    (void)state;
    char *text = text_with(CONFIG_TEXT, "epochs: 3", "epochs: 1");
    refused(text, ERROR_MODEL, "the checkpoint is already at epoch 2; train.epochs is 1");
    free(text);
    text = text_with(CONFIG_TEXT, "epochs: 3", "epochs: 2"); /* it has begun the third */
    refused(text, ERROR_MODEL, "the checkpoint is already at epoch 2; train.epochs is 2");
    free(text);
}

static void test_changed_data(void **state)
{
    (void)state;
    copy_file("a-images-idx3-ubyte", "kept");
    copy_file("b-images-idx3-ubyte", "a-images-idx3-ubyte");
    refused(CONFIG_TEXT, ERROR_MODEL,
            "the data changed since the checkpoint: the training set was 40 images, CRC-32 ");
    copy_file("kept", "a-images-idx3-ubyte");
    copy_file("a-labels-idx1-ubyte", "kept");
    struct bytes bytes;
    assert_int_equal(file_read(&bytes, "kept", 1 << 20, ERROR_IO, NULL), 0);
    bytes.data[8] = 1; /* the first label */
    bytes.data[9] = 0;
    write_file("a-labels-idx1-ubyte", bytes.data, bytes.size);
    refused(CONFIG_TEXT, ERROR_MODEL, "the data changed since the checkpoint: the training set");
    copy_file("kept", "a-labels-idx1-ubyte");
    bytes_free(&bytes);
}

static void test_changed_validation_set(void **state)
{
    (void)state;
    struct session s;
    char *text = text_with(CONFIG_TEXT, "validation: 0.25", "validation: b-images-idx3-ubyte");
    copy_file("out/checkpoint.bin", "kept.bin");
    copy_file("out/log.csv", "kept.csv");
    session_start(&s, text);
    session_close(&s);
    copy_file("b-images-idx3-ubyte", "kept");
    copy_file("a-images-idx3-ubyte", "b-images-idx3-ubyte");
    refused(text, ERROR_MODEL,
            "the data changed since the checkpoint: the validation set was 40 images, CRC-32 ");
    copy_file("kept", "b-images-idx3-ubyte");
    copy_file("kept.bin", "out/checkpoint.bin");
    copy_file("kept.csv", "out/log.csv");
    free(text);
}

static void test_other_arithmetic(void **state)
{
    (void)state;
    if (!kernels_select(NULL)->fused) {
        skip();
    }
    refused_at(CONFIG_TEXT, kernels_select("generic"), ERROR_MODEL,
               "was made with fused arithmetic, this is generic");
}

static void test_counters(void **state)
{
    (void)state;
    static const char *const COUNTERS[] = {
        "epoch",           "step",     "batch",    "correct", "stopping.best_epoch",
        "stopping.waited", "finished", "log.bytes"};
    static const char *const BAD[] = {NULL, "", "-1", "1.0", "x", "99999999999999999999"};
    for (size_t i = 0; i < sizeof COUNTERS / sizeof *COUNTERS * 6; i++) {
        char message[100];
        snprintf(message, sizeof message, "metadata '%s' is not a whole number", COUNTERS[i / 6]);
        refuse_change(message, (struct change){.key = COUNTERS[i / 6], .value = BAD[i % 6]});
    }
    static const char *const REALS[] = {"loss_sum", "seconds", "stopping.best"};
    static const char *const WRONG[] = {NULL, "", "nan", "inf", "-inf", "0x1p", "1 ", "x"};
    for (size_t i = 0; i < sizeof REALS / sizeof *REALS * 8; i++) {
        char message[100];
        snprintf(message, sizeof message, "metadata '%s' is not a finite number", REALS[i / 8]);
        refuse_change(message, (struct change){.key = REALS[i / 8], .value = WRONG[i % 8]});
    }
}

/* Two epochs of 4 batches, and 2 batches: step 10. */
static void test_counters_that_do_not_fit(void **state)
{
    (void)state;
    refuse_change("its counters do not fit: epoch 2, batch 2 of 4, step 9",
                  (struct change){.key = "step", .value = "9"});
    refuse_change("its counters do not fit: epoch 2, batch 1 of 4",
                  (struct change){.key = "batch", .value = "1"});
    refuse_change("its counters do not fit: epoch 2, batch 4 of 4",
                  (struct change){.key = "batch", .value = "4"});
    refuse_change("its counters do not fit: epoch 1, batch 2 of 4",
                  (struct change){.key = "epoch", .value = "1"});
    refuse_change("its counters do not fit: epoch 9223372036854775807",
                  (struct change){.key = "epoch", .value = "9223372036854775807"});
    refuse_change("its counters do not fit",
                  (struct change){.key = "stopping.best_epoch", .value = "3"});
    refuse_change("its counters do not fit",
                  (struct change){.key = "stopping.waited", .value = "3"});
}

static void test_tensors(void **state)
{
    (void)state;
    refuse_change("15 tensors, this run needs 16", (struct change){.tensor = "conv1.bias"});
    refuse_change("tensor 'conv1.bias' is missing",
                  (struct change){.tensor = "conv1.bias", .name = "x"});
    refuse_change("tensor 'optimizer.v.dense1.weight' is missing",
                  (struct change){.tensor = "optimizer.v.dense1.weight", .name = "x"});
    refuse_change("tensor 'best.conv1.weight' is missing",
                  (struct change){.tensor = "best.conv1.weight", .name = "x"});
    refuse_change("tensor 'optimizer.m.conv1.weight' is [18], its config needs [2, 1, 3, 3]",
                  (struct change){.tensor = "optimizer.m.conv1.weight",
                                  .name = "optimizer.m.conv1.weight",
                                  .flat = 1});
    refuse_change("16 tensors, this run needs 12",
                  (struct change){.key = "stopping.best_epoch", .value = "0"});
}

static void test_not_a_checkpoint(void **state)
{
    (void)state;
    static const char *const KEYS[] = {"kind", "config", "arithmetic", "log.crc32"};
    for (size_t i = 0; i < sizeof KEYS / sizeof *KEYS; i++) {
        refuse_change("is not a checkpoint", (struct change){.key = KEYS[i]});
    }
    refuse_change("the config inside cannot be read",
                  (struct change){.key = "config", .value = "a: ["});
    refuse_change("the data changed", (struct change){.key = "data.train"});
    copy_file("model.good", "out/checkpoint.bin");
    refused(CONFIG_TEXT, ERROR_MODEL, "is not a checkpoint");
    copy_file("good.bin", "out/checkpoint.bin");
}

/* The log is cut back to what the checkpoint knew, and must be the one it knew. */
static void test_log(void **state)
{
    (void)state;
    struct session s;
    struct bytes before, after;
    assert_int_equal(file_read(&before, "good.csv", 1 << 20, ERROR_IO, NULL), 0);
    FILE *file = fopen("out/log.csv", "ab");
    assert_non_null(file);
    fputs("3,12,a row that the checkpoint does not kn", file);
    fclose(file);
    resume(&s, CONFIG_TEXT);
    session_close(&s);
    assert_int_equal(file_read(&after, "out/log.csv", 1 << 20, ERROR_IO, NULL), 0);
    assert_int_equal(before.size, after.size);
    assert_memory_equal(before.data, after.data, after.size);
    write_file("out/log.csv", before.data, before.size - 1);
    refused(CONFIG_TEXT, ERROR_MODEL, "not the log of this run");
    before.data[before.size - 2] ^= 1;
    write_file("out/log.csv", before.data, before.size);
    refused(CONFIG_TEXT, ERROR_MODEL, "have changed since the checkpoint");
    assert_int_equal(remove("out/log.csv"), 0);
    refused(CONFIG_TEXT, ERROR_IO, "cannot open");
    copy_file("good.csv", "out/log.csv");
    bytes_free(&before);
    bytes_free(&after);
}

static int begin_faults(void **state)
{
    (void)state;
    make_run();
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_in_an_epoch),
        cmocka_unit_test(test_after_epochs),
        cmocka_unit_test(test_states),
        cmocka_unit_test(test_older_model),
        cmocka_unit_test_setup(test_changed_config, begin_faults),
        cmocka_unit_test(test_what_may_change),
        cmocka_unit_test(test_too_few_epochs),
        cmocka_unit_test(test_changed_data),
        cmocka_unit_test(test_changed_validation_set),
        cmocka_unit_test(test_other_arithmetic),
        cmocka_unit_test(test_counters),
        cmocka_unit_test(test_counters_that_do_not_fit),
        cmocka_unit_test(test_tensors),
        cmocka_unit_test(test_not_a_checkpoint),
        cmocka_unit_test(test_log),
    };
    return cmocka_run_group_tests(tests, make_folder, folder_remove);
}
