/* test_training_report.c: report.html is there, and right, after the start, after an epoch and at
 * the end, but while the run goes on not twice within a second; the run's other files are the same
 * bytes with and without it; and its faults are the run's. */
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

/* As a handler would set it. */
static volatile int signal_flag;

/* Looks at the page right after it was written. */
struct witness {
    struct training_report report;
    int (*write)(struct watcher *watcher, const struct trainer *trainer,
                 const struct output_dir *dir, int last, struct error *e);
    int hurried; /* a page each epoch, however short that is */
    int stop_at; /* after this epoch a signal comes; 0: none */
    int pages, ends, behind;
};

static int on_written(struct watcher *watcher, const struct trainer *t,
                      const struct output_dir *dir, int last, struct error *e)
{
    struct witness *witness = (void *)watcher;
    char text[128];
    if (witness->hurried) {
        witness->report.next_page = 0;
    }
    TRY(witness->write(watcher, t, dir, last, e));
    TRY(committer_wait(t->committer, e));
    snprintf(text, sizeof text, "\"epoch\":%lld,\"best_epoch\":%lld,\"finished\":%s",
             t->position.epoch, t->position.stopping.best_epoch,
             t->position.finished ? "true" : "false");
    signal_flag = witness->stop_at > 0 && t->position.epoch == witness->stop_at;
    witness->behind += !page_has(text);
    witness->pages++;
    witness->ends += last;
    return 0;
}

/* A run of three epochs: looked at at its start, after each, and when it is suspended. */
static void look_on(struct witness *witness)
{
    struct session s;
    struct progress progress;
    session_open(&s, CONFIG_TEXT);
    assert_int_equal(training_report_open(&witness->report, &s.trainer, &s.e), 0);
    witness->write = witness->report.watcher.written;
    witness->report.watcher.written = on_written;
    assert_int_equal(trainer_start(&s.trainer, &s.dir, &s.e), 0);
    assert_true(page_has("\"evaluation\":null"));
    signal_flag = 0;
    progress_open(&progress, stderr, PROGRESS_NEVER, 1, 0);
    assert_int_equal(trainer_run(&s.trainer, &s.dir, &progress, &signal_flag, &s.e), 0);
    assert_int_equal(witness->pages, 4);
    assert_int_equal(witness->ends, 1);
    assert_true(page_has(witness->stop_at ? "\"epoch\":2," : "\"finished\":true"));
    assert_true(page_has("\"confusion\":[["));
    training_report_close(&witness->report);
    session_close(&s);
}

static void test_each_epoch(void **state)
{
    (void)state;
    struct witness witness = {.hurried = 1};
    look_on(&witness);
    assert_int_equal(witness.behind, 0);
}

/* Three epochs of this network take milliseconds: the start's page stays until the last one's. */
static void test_once_a_second(void **state)
{
    (void)state;
    struct witness witness = {.hurried = 0};
    look_on(&witness);
    assert_int_equal(witness.behind, 2);
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

/* The page of a suspended run knows all of its epochs. */
static void test_suspended(void **state)
{
    (void)state;
    struct witness witness = {.stop_at = 2};
    look_on(&witness);
    assert_int_equal(witness.behind, 2);
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
        cmocka_unit_test(test_each_epoch), cmocka_unit_test(test_once_a_second),
        cmocka_unit_test(test_suspended),  cmocka_unit_test(test_same_bytes),
        cmocka_unit_test(test_fault),
    };
    return cmocka_run_group_tests(tests, make, folder_remove);
}
