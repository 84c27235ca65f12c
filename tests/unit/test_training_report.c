/* test_training_report.c: report.html is there, and right, after the start, after each epoch and at
 * the end; the run's other files are the same bytes with and without it; and its faults are the
 * run's. */
#include "report/training.h"

#include "trainer_check.h"

#include <sys/stat.h>

static const char PAGE[] = "out/report.html";

/* Whether the page's data have this text. */
static int page_has(const char *text)
{
    struct bytes bytes;
    assert_int_equal(file_read(&bytes, PAGE, 1 << 24, ERROR_IO, NULL), 0);
    const int found = strstr((const char *)bytes.data, text) != NULL;
    bytes_free(&bytes);
    return found;
}

/* Looks at the page right after it was written. */
struct witness {
    struct training_report report;
    int (*write)(struct watcher *watcher, const struct trainer *trainer,
                 const struct output_dir *dir, int end, struct error *e);
    int pages, ends;
};

static int on_written(struct watcher *watcher, const struct trainer *t,
                      const struct output_dir *dir, int end, struct error *e)
{
    struct witness *witness = (void *)watcher;
    char text[64];
    TRY(witness->write(watcher, t, dir, end, e));
    snprintf(text, sizeof text, "\"epoch\":%lld,\"best_epoch\":%lld,\"finished\":%s",
             t->position.epoch, t->position.stopping.best_epoch, end ? "true" : "false");
    assert_true(page_has(text));
    assert_int_equal(t->position.epoch, witness->pages);
    witness->pages++;
    witness->ends += end;
    return 0;
}

static void test_each_epoch(void **state)
{
    (void)state;
    struct session s;
    struct witness witness = {.pages = 0};
    session_open(&s, CONFIG_TEXT);
    assert_int_equal(training_report_open(&witness.report, &s.trainer, &s.e), 0);
    witness.write = witness.report.watcher.written;
    witness.report.watcher.written = on_written;
    assert_int_equal(trainer_start(&s.trainer, &s.dir, &s.e), 0);
    assert_true(page_has("\"evaluation\":null"));
    session_run(&s);
    assert_int_equal(witness.pages, 4); /* at the start, and after each of three epochs */
    assert_int_equal(witness.ends, 1);
    assert_true(page_has("\"confusion\":[["));
    training_report_close(&witness.report);
    session_close(&s);
}

static void assert_same_file(const char *one, const char *other)
{
    struct bytes a, b;
    assert_int_equal(file_read(&a, one, 1 << 24, ERROR_IO, NULL), 0);
    assert_int_equal(file_read(&b, other, 1 << 24, ERROR_IO, NULL), 0);
    assert_int_equal(a.size, b.size);
    assert_memory_equal(a.data, b.data, a.size);
    bytes_free(&a);
    bytes_free(&b);
}

static void test_same_bytes(void **state)
{
    (void)state;
    struct session s;
    struct training_report report;
    session_start(&s, CONFIG_TEXT);
    session_run(&s);
    session_close(&s);
    copy_file("out/model.bin", "model-without");
    copy_file("out/config.yaml", "config-without");
    session_open(&s, CONFIG_TEXT);
    assert_int_equal(training_report_open(&report, &s.trainer, &s.e), 0);
    assert_int_equal(trainer_start(&s.trainer, &s.dir, &s.e), 0);
    session_run(&s);
    training_report_close(&report);
    session_close(&s);
    assert_same_file("out/model.bin", "model-without");
    assert_same_file("out/config.yaml", "config-without");
}

/* A directory in the page's place: no file can replace it. */
static void test_fault(void **state)
{
    (void)state;
    struct session s;
    struct training_report report;
    unlink(PAGE);
    assert_int_equal(mkdir(PAGE, 0777), 0);
    session_open(&s, CONFIG_TEXT);
    assert_int_equal(training_report_open(&report, &s.trainer, &s.e), 0);
    assert_int_equal(trainer_start(&s.trainer, &s.dir, &s.e), -1);
    assert_int_equal(s.e.kind, ERROR_IO);
    assert_string_equal(s.e.file, PAGE);
    training_report_close(&report);
    session_close(&s);
    rmdir(PAGE);
}

static int make(void **state)
{
    if (folder_make(state) != 0) {
        return -1;
    }
    data_write("a", 1);
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_each_epoch),
        cmocka_unit_test(test_same_bytes),
        cmocka_unit_test(test_fault),
    };
    return cmocka_run_group_tests(tests, make, folder_remove);
}
