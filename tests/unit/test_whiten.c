/* test_whiten.c: `init: whiten`: on the images that it was made of, the filters answer with a mean
 * square of 1 and independently of each other; what is asked of the numbers, and not how they were
 * found. */
#include "trainer_check.h"

#include "base/arena.h"

#include <math.h>

enum { VALUES = 9, FILTERS = 2 * VALUES, SIDE = 6, PLACES = SIDE - 2 };

static int make_folder(void **state)
{
    if (folder_make(state) != 0) {
        return -1;
    }
    data_write("a", 1);
    return 0;
}

/* The mean product of the answers of all pairs of filters, over every place of every training
 * image; returns the images. */
static size_t products(struct trainer *t, const float *w, double sums[FILTERS][FILTERS])
{
    float tile[SIDE * SIDE * LANES] __attribute__((aligned(64)));
    memset(sums, 0, FILTERS * sizeof *sums);
    for (size_t k = 0; k < t->train.count; k++) {
        struct labels labels;
        input_tile(&t->model.input, &t->train_set, t->train.index + k, 1, tile, &labels,
                   t->kernels);
        for (int place = 0; place < PLACES * PLACES; place++) {
            double answers[FILTERS] = {0};
            for (int i = 0; i < FILTERS * VALUES; i++) {
                const int y = place / PLACES + i % VALUES / 3, x = place % PLACES + i % 3;
                answers[i / VALUES] += (double)w[i] * (double)tile[(y * SIDE + x) * LANES];
            }
            for (int i = 0; i < FILTERS * FILTERS; i++) {
                sums[i / FILTERS][i % FILTERS] += answers[i / FILTERS] * answers[i % FILTERS] /
                                                  ((double)t->train.count * PLACES * PLACES);
            }
        }
    }
    return t->train.count;
}

static double length(const float *filter)
{
    double sum = 0;
    for (int i = 0; i < VALUES; i++) {
        sum += (double)filter[i] * (double)filter[i];
    }
    return sqrt(sum);
}

static void test_whitens(void **state)
{
    (void)state;
    struct session s;
    double sums[FILTERS][FILTERS];
    char *text = text_with(CONFIG_TEXT, "{filters: 2, kernel: 3, activation: tanh}",
                           "{filters: 18, kernel: 3, init: whiten}");
    session_open(&s, text);
    const struct parameter *p = &s.trainer.model.graph.nodes[0].needs.parameters[0];
    const float *w = s.trainer.parameters + p->offset;
    assert_int_equal(products(&s.trainer, w, sums), 30);
    for (int i = 0; i < VALUES; i++) {
        assert_true(i == 0 || length(w + i * VALUES) >= length(w + (i - 1) * VALUES));
        for (int k = 0; k < VALUES; k++) {
            assert_true(w[(VALUES + i) * VALUES + k] == -w[i * VALUES + k]);
            /* 5e-4 is added to variances, which are about 1 in these images */
            assert_true(fabs(sums[i][k] - (i == k)) <= 0.005);
        }
    }
    session_close(&s);
    free(text);
}

/* Fewer filters: the greatest variances, the opposites behind them. */
static void test_some_of_them(void **state)
{
    (void)state;
    struct session all, some;
    char *text = text_with(CONFIG_TEXT, "{filters: 2, kernel: 3, activation: tanh}",
                           "{filters: 18, kernel: 3, init: whiten}");
    char *fewer = text_with(text, "filters: 18", "filters: 5");
    session_open(&all, text);
    const float *of_all =
        all.trainer.parameters + all.trainer.model.graph.nodes[0].needs.parameters[0].offset;
    float *want = malloc(FILTERS * VALUES * sizeof *want);
    assert_non_null(want);
    memcpy(want, of_all, FILTERS * VALUES * sizeof *want);
    session_close(&all);
    session_open(&some, fewer);
    const float *w =
        some.trainer.parameters + some.trainer.model.graph.nodes[0].needs.parameters[0].offset;
    assert_memory_equal(w, want, 3 * VALUES * sizeof *w);
    for (int i = 0; i < 2 * VALUES; i++) {
        assert_true(w[3 * VALUES + i] == -want[i]);
    }
    session_close(&some);
    free(want);
    free(text);
    free(fewer);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_whitens),
        cmocka_unit_test(test_some_of_them),
    };
    return cmocka_run_group_tests(tests, make_folder, folder_remove);
}
