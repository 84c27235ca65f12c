/* test_lint.c: each rule at its place, and silence where there is nothing to say. The texts of all
 * rules, and what is nearly wrong and fine, are the table of tests/cases/lint.py. */
#include "train/lint.h"
#include "trainer_check.h"

static int make_data(void **state)
{
    if (folder_make(state) != 0) {
        return -1;
    }
    data_write("a", 1);
    data_write("b", 2);
    return 0;
}

static void check(const char *from, const char *to, int line, const char *begins)
{
    static struct error_list warnings;
    struct session s;
    char *text = text_with(CONFIG_TEXT, from, to);
    memset(&warnings, 0, sizeof warnings);
    session_open(&s, text);
    lint(&s.trainer, &warnings);
    if (!begins) {
        assert_int_equal(warnings.total, 0);
    } else {
        assert_int_equal(warnings.total, 1);
        assert_int_equal(warnings.items[0].line, line);
        if (strncmp(warnings.items[0].message, begins, strlen(begins)) != 0) {
            fail_msg("\"%s\" does not begin with \"%s\"", warnings.items[0].message, begins);
        }
    }
    session_close(&s);
    free(text);
}

static void test_rules(void **state)
{
    (void)state;
    check("seed: 7", "seed: 8", 0, NULL);
    check("  - dense", "  - dropout: 0.1\n  - dense", 6, "the dropout rate 0.1 is outside");
    check("  - dense", "  - dropout: 0.3\n  - dense", 0, NULL);
    check("units: 3}", "units: 3, activation: relu}", 6, "'relu' is the last layer");
    check("train:\n", "  - dropout: 0.2\ntrain:\n", 7, "'dropout' is the last layer");
    check("batch_size: 8", "batch_size: 16", 9, "'batch_size' 16 is more than half of the 30");
    check("batch_size: 8", "batch_size: 15", 0, NULL);
    check("  epochs: 3\n", "  epochs: 3\n  early_stopping: {patience: 2}\n", 9,
          "early stopping can never end this run of 3 epochs");
    check("  epochs: 3\n", "  epochs: 4\n  early_stopping: {patience: 2}\n", 0, NULL);
    check("  epochs: 3\n", "  epochs: 4\n  early_stopping: {patience: 2, mode: max}\n", 9,
          "mode max takes the epoch with the greatest val_loss");
    check("  epochs: 3\n", "  epochs: 3\n  checkpoint: {every: 3}\n", 9,
          "no checkpoint before the end");
    check("validation: 0.25", "test: a-images-idx3-ubyte", 3, "the test set is the training set");
    check("validation: 0.25", "validation: a-images-idx3-ubyte", 3,
          "the validation set is the training set");
    check("validation: 0.25", "validation: b-images-idx3-ubyte", 0, NULL);
    check("validation: 0.25", "validation: b-images-idx3-ubyte, test: b-images-idx3-ubyte", 3,
          "the validation set is the test set");
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_rules)};
    return cmocka_run_group_tests(tests, make_data, folder_remove);
}
