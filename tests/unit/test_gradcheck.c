/* test_gradcheck.c: derivatives from differences, with errors that are true; a right network passes
 * the gradient check whatever is in it, and each of several wrong gradients, of types that exist
 * only here, is found where it is. */
#include "trainer_check.h"

#include "teach/differences.h"
#include "teach/gradcheck.h"

#include <math.h>

/* ---- differentiate ---- */

struct curve {
    double x, noise;
    double (*f)(double x);
    int calls;
};

/* Rounded to steps of `noise`. */
static double value(const struct curve *c, double x)
{
    return c->noise > 0 ? rint(c->f(x) / c->noise) * c->noise : c->f(x);
}

static double curve_difference(void *user, double h, double *noise)
{
    struct curve *c = user;
    c->calls++;
    *noise = c->noise / 2 / h;
    return (value(c, c->x + h) - value(c, c->x - h)) / (2 * h);
}

static double line(double x) { return 3 * x - 1; }
static double snake(double x) { return x + 0.1 * (pow(x, 5) - 1.26 * pow(x, 3)); }
static double wave(double x) { return sin(3 * x) + exp(x); }

static void test_differentiate(void **state)
{
    (void)state;
    struct curve c = {.x = 0.7, .f = wave};
    const double exact = 3 * cos(3 * 0.7) + exp(0.7);
    struct derivative d = differentiate(curve_difference, &c, 0.5);
    assert_true(fabs(d.value - exact) <= d.error && d.error < 1e-5);
    c.f = line;
    c.calls = 0;
    d = differentiate(curve_difference, &c, 0.5);
    assert_true(fabs(d.value - 3) < 1e-12 && c.calls == 2);
    /* the first two steps agree by chance, and the noise is soon too great to tell better */
    c = (struct curve){.x = 0, .f = snake, .noise = 6e-4};
    d = differentiate(curve_difference, &c, 1);
    assert_true(fabs(d.value - 1) <= 3 * d.error);
    c.x = 0.7;
    /* as noisy as floats are, and much more: the error says so */
    c.f = wave;
    for (c.noise = 1e-7; c.noise < 1e-2; c.noise *= 10) {
        for (c.x = -1; c.x < 1; c.x += 0.07) {
            d = differentiate(curve_difference, &c, 0.5);
            assert_true(fabs(d.value - (3 * cos(3 * c.x) + exp(c.x))) <= 3 * d.error);
            assert_true(d.error < 100 * c.noise + 3e-5);
        }
    }
}

/* ---- right networks ---- */

static const char NETWORK[] =
    "  - conv: {filters: 4, kernel: 3, padding: 1, activation: relu}\n"
    "  - batchnorm\n"
    "  - residual: [conv: {filters: 4, kernel: 3, padding: 1, bias: false}, "
    "spatial_dropout: 0.25, elu: 0.5]\n"
    "  - maxpool: 2\n"
    "  - conv: {name: table, filters: 3, kernel: 2, connections: [[0, 2], [1], [0, 1, 3]]}\n"
    "  - dropout: 0.3\n"
    "  - dense: {units: 6, activation: tanh, freeze: true}\n"
    "  - dense: {units: 3}\n";

static char *config_of(const char *train)
{
    char *one = text_with(CONFIG_TEXT,
                          "  - conv: {filters: 2, kernel: 3, activation: tanh}\n"
                          "  - dense: {units: 3}\n",
                          NETWORK);
    char *two = text_with(one, "  batch_size: 8\n", train);
    free(one);
    return two;
}

static void check(struct session *s, struct gradcheck *found)
{
    if (gradcheck_run(&s->trainer, 8, found, &s->e) != 0) {
        fail_msg("%s", s->e.message);
    }
}

static void test_right(void **state)
{
    (void)state;
    static const char *const TRAINS[] = {
        "  batch_size: 8\n",
        "  batch_size: 30\n  label_smoothing: 0.1\n  class_weights: [1, 2, 0.5]\n",
        "  batch_size: 3\n  loss: {type: focal, gamma: 1.5}\n",
        "  batch_size: 16\n  loss: mse\n",
        "  batch_size: 16\n  loss: mae\n",
        "  batch_size: 16\n  loss: hinge\n",
        "  batch_size: 16\n  loss: {type: huber, delta: 0.5}\n",
    };
    for (size_t i = 0; i < sizeof TRAINS / sizeof *TRAINS; i++) {
        char *plain = config_of(TRAINS[i]);
        char *text =
            text_with(plain, "network:\n",
                      i == 3 ? "augment: [noise: 0.1, mixup: 0.4]\nnetwork:\n" : "network:\n");
        free(plain);
        struct session s;
        struct gradcheck found, other;
        session_open(&s, text);
        check(&s, &found);
        int ok = 0, kinks = 0, frozen = 0;
        for (int r = 0; r < found.count; r++) {
            const struct gradcheck_row *row = &found.rows[r];
            if (row->wrong || row->used > 0.9) {
                fail_msg("%s: %s.%s: %d wrong, %g of the tolerance", TRAINS[i], row->layer,
                         row->tensor, row->wrong, row->used);
            }
            ok += row->checked > row->faint;
            kinks += row->kinks;
            frozen += row->frozen;
            assert_int_equal(row->checked, row->frozen ? 0 : row->size < 8 ? (int)row->size : 8);
        }
        assert_int_equal(found.wrong, 0);
        assert_int_equal(frozen, 2);
        assert_true(ok >= found.count - frozen - 2 && kinks > 0);
        /* masked weights are no elements: 6 connections of 2 x 2 */
        assert_string_equal(found.rows[6].layer, "table");
        assert_int_equal(found.rows[6].size, 24);
        /* the same with any number of threads, and the trainer is as it was */
        s.trainer.threads = 1;
        check(&s, &other);
        for (int r = 0; r < found.count; r++) {
            assert_true(found.rows[r].relative == other.rows[r].relative);
            assert_true(found.rows[r].used == other.rows[r].used);
            assert_int_equal(found.rows[r].kinks, other.rows[r].kinks);
        }
        session_close(&s);
        free(text);
    }
}

/* ---- wrong ones ---- */

static const struct layer_type *right; /* what the wrong one is made of: a test has one at a time */

/* The weights' gradient, and theirs alone, 1 % too large. */
static void scaled_weights(const struct node *node, const struct run *run, const float *x,
                           const float *y, const float *dy, float *dx)
{
    right->backward(node, run, x, y, dy, dx);
    for (size_t i = 0; i < node->needs.parameters[0].size; i++) {
        node_gradient(node, run, 0)[i] *= 1.01f;
    }
}

static void no_bias(const struct node *node, const struct run *run, const float *x, const float *y,
                    const float *dy, float *dx)
{
    right->backward(node, run, x, y, dy, dx);
    memset(node_gradient(node, run, 1), 0, node->needs.parameters[1].size * sizeof(float));
}

/* The last row of each map gets no gradient: what is before it is wrong, not the layer itself. */
static void dropped_row(const struct node *node, const struct run *run, const float *x,
                        const float *y, const float *dy, float *dx)
{
    right->backward(node, run, x, y, dy, dx);
    for (int c = 0; c < node->in.c; c++) {
        float *row = dx + ((size_t)c * node->in.h + node->in.h - 1) * node->in.w * LANES;
        memset(row, 0, (size_t)node->in.w * LANES * sizeof *row);
    }
}

/* As if it were linear. */
static void no_kink(const struct node *node, const struct run *run, const float *x, const float *y,
                    const float *dy, float *dx)
{
    (void)x, (void)y, (void)run;
    memmove(dx, dy, shape_size(node->in) * LANES * sizeof *dx);
}

typedef void backward(const struct node *, const struct run *, const float *, const float *,
                      const float *, float *);

/* With node `at` of a wrong type, exactly the rows of `layers` (NULL-terminated) are wrong; of
 * `tensor` alone where that is given. */
static void find_wrong(const char *text, int at, backward *wrong_backward, const char *tensor,
                       const char *const *layers)
{
    struct session s;
    struct gradcheck found;
    session_open(&s, text);
    struct node *node = &s.trainer.model.graph.nodes[at];
    struct layer_type wrong = *node->type;
    right = node->type;
    wrong.backward = wrong_backward;
    node->type = &wrong;
    check(&s, &found);
    int expected = 0;
    for (int r = 0; r < found.count; r++) {
        const struct gradcheck_row *row = &found.rows[r];
        int listed = 0;
        for (int i = 0; layers[i]; i++) {
            listed |=
                strcmp(row->layer, layers[i]) == 0 && (!tensor || !strcmp(row->tensor, tensor));
        }
        if (listed != (row->wrong > 0)) {
            fail_msg("%s.%s: %d wrong of %d", row->layer, row->tensor, row->wrong, row->checked);
        }
        expected += listed;
    }
    assert_true(expected > 0 && found.wrong == expected);
    struct text out = {0};
    gradcheck_append(&found, &s.trainer, &out);
    assert_non_null(strstr(out.data, "WRONG: "));
    text_free(&out);
    session_close(&s);
}

static const char SMALL[] = "name: small\n"
                            "seed: 7\n"
                            "data: {train: a-images-idx3-ubyte}\n"
                            "network:\n"
                            "  - conv: {name: one, filters: 3, kernel: 3, activation: relu}\n"
                            "  - conv: {name: two, filters: 4, kernel: 2}\n"
                            "  - dense: {name: out, units: 3}\n"
                            "train: {batch_size: 16}\n"
                            "output: out\n";

static void test_wrong(void **state)
{
    (void)state;
    static const char *const ONE[] = {"one", NULL}, *const TWO[] = {"two", NULL},
                             *const OUT[] = {"out", NULL}, *const BEFORE[] = {"one", "two", NULL};
    find_wrong(SMALL, 0, scaled_weights, "weight", ONE);
    find_wrong(SMALL, 2, scaled_weights, "weight", TWO);
    find_wrong(SMALL, 3, scaled_weights, "weight", OUT);
    find_wrong(SMALL, 0, no_bias, "bias", ONE);
    find_wrong(SMALL, 2, no_bias, "bias", TWO);
    find_wrong(SMALL, 1, no_kink, NULL, ONE);
    find_wrong(SMALL, 2, dropped_row, NULL, ONE);
    find_wrong(SMALL, 3, dropped_row, NULL, BEFORE);
}

static void wrong_loss(const struct loss_options *options, const struct kernels *k, int classes,
                       const float *z, const struct labels *labels, float scale, float *loss,
                       float *dz)
{
    ((const struct loss_type *)(const void *)family_find(&LOSSES, "cross_entropy"))
        ->evaluate(options, k, classes, z, labels, scale, loss, dz);
    for (int i = 0; dz && i < classes * LANES; i++) {
        dz[i] *= 0.99f;
    }
}

static void test_wrong_loss(void **state)
{
    (void)state;
    struct session s;
    struct gradcheck found;
    session_open(&s, SMALL);
    struct loss_type wrong = *s.trainer.loss;
    wrong.evaluate = wrong_loss;
    s.trainer.loss = &wrong;
    check(&s, &found);
    assert_int_equal(found.wrong, 1); /* what comes of it behind is right again */
    assert_true(found.rows[0].wrong > 0);
    session_close(&s);
}

static void test_not_finite(void **state)
{
    (void)state;
    struct session s;
    struct gradcheck found;
    session_open(&s, SMALL);
    s.trainer.parameters[0] = NAN;
    assert_int_equal(gradcheck_run(&s.trainer, 8, &found, &s.e), -1);
    assert_int_equal(s.e.kind, ERROR_NUMERIC);
    session_close(&s);
}

static int make_data(void **state)
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
        cmocka_unit_test(test_differentiate), cmocka_unit_test(test_right),
        cmocka_unit_test(test_wrong),         cmocka_unit_test(test_wrong_loss),
        cmocka_unit_test(test_not_finite),
    };
    return cmocka_run_group_tests(tests, make_data, folder_remove);
}
