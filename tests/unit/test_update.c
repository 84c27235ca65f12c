/* test_update.c: which parameters are treated alike, as a config says it; and one step by hand:
 * what clipping, penalties and bounds do to known gradients. What a run begins with. */
#include "trainer_check.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static int make_folder(void **state)
{
    const int status = folder_make(state);
    data_write("a", 1);
    return status;
}

/* The config of trainer_check.h with other layers and more in `train`. */
static void open_with(struct session *s, const char *layers, const char *train)
{
    char more[400];
    snprintf(more, sizeof more, "  batch_size: 30\n  optimizer: {type: sgd, lr: 1}\n%s", train);
    char *one = text_with(CONFIG_TEXT,
                          "  - conv: {filters: 2, kernel: 3, activation: tanh}\n"
                          "  - dense: {units: 3}\n",
                          layers);
    char *two = text_with(one, "  batch_size: 8\n  optimizer: {type: adam, lr: 0.01}\n", more);
    session_open(s, two);
    free(one);
    free(two);
}

static void test_one_piece(void **state)
{
    (void)state;
    struct session s;
    session_open(&s, CONFIG_TEXT);
    const struct update *update = &s.trainer.update;
    assert_int_equal(update->piece_count, 1);
    assert_int_equal(update->pieces[0].begin, 0);
    assert_int_equal(update->pieces[0].end, s.trainer.model.graph.parameters);
    assert_int_equal(update->pieces[0].weights, 1);
    assert_int_equal(update->bounded_count, 0);
    assert_int_equal(update_squares(&s.trainer), 0);
    session_close(&s);
}

/* A layer that defers stands behind those that do not, wherever it is in the network, and the
 * pieces with it; all threads' ranges are all of it, none twice. */
static void test_ranges(void **state)
{
    (void)state;
    struct session s;
    open_with(&s,
              "  - dense: {units: 100, regularize: {l2: 1}}\n  - reshape: [1, 10, 10]\n"
              "  - conv: {filters: 2, kernel: 3}\n  - dense: {units: 3, regularize: {l2: 2}}\n",
              "");
    const struct graph *graph = &s.trainer.model.graph;
    const struct update *update = &s.trainer.update;
    assert_true(graph->summed > 0 && graph->nodes[0].needs.parameters[0].offset == graph->summed);
    for (int i = 0; i < update->piece_count; i++) {
        assert_int_equal(update->pieces[i].begin, i ? update->pieces[i - 1].end : 0);
    }
    assert_int_equal(update->pieces[update->piece_count - 1].end, graph->moved);
    for (int threads = 1; threads <= 7; threads++) {
        int times[4000] = {0};
        assert_true(graph->moved <= 8000 && graph->moved > 2 * UPDATE_RANGE);
#pragma omp parallel num_threads(threads)
        for (struct update_range r = {.stretch = -1}; update_next(update, &r);) {
            for (size_t i = 0; i < r.n; i++) {
#pragma omp atomic
                times[(r.first + i) / 2]++;
            }
        }
        for (size_t i = 0; i < graph->moved; i++) {
            assert_int_equal(times[i / 2], 2);
        }
    }
    session_close(&s);
}

/* Weights apart from biases where an optimizer's decay or a penalty wants it. */
static void test_pieces(void **state)
{
    (void)state;
    struct session s;
    open_with(&s,
              "  - conv: {filters: 2, kernel: 3}\n"
              "  - dense: {units: 5, regularize: {l1: 0.5, max_norm: 3}}\n"
              "  - dense: {units: 4, freeze: true}\n"
              "  - dense: {units: 3, regularize: {l2: 0.25, biases: true}}\n",
              "  regularize: {l2: 0.125, max_norm: 2}\n  clip_norm: 1\n");
    const struct update *update = &s.trainer.update;
    static const struct {
        float l1, l2;
    } WANT[] = {{0, 0.125f}, {0, 0}, {0.5f, 0}, {0, 0}, {0, 0.25f}};
    assert_int_equal(update->piece_count, 5);
    for (int i = 0; i < 5; i++) {
        const struct piece *piece = &update->pieces[i];
        assert_true(piece->l1 == WANT[i].l1 && piece->l2 == WANT[i].l2);
        assert_int_equal(piece->begin, i ? update->pieces[i - 1].end : 0);
        assert_int_equal(piece->weights, 1);
    }
    assert_int_equal(update->pieces[4].end, s.trainer.model.graph.moved);
    assert_int_equal(update->bounded_count, 2);
    assert_int_equal(update->bounded[0].rows, 2);
    assert_int_equal(update->bounded[0].row, 9);
    assert_true(update->bounded[0].most == 2 && update->bounded[1].most == 3);
    assert_int_equal(update->bounded[1].rows, 5);
    assert_int_equal(update->stretch_count, 3); /* what is summed, and two layers that defer */
    for (int i = 0; i < 3; i++) {
        const struct stretch *stretch = &update->stretches[i];
        assert_int_equal(stretch->begin, update->pieces[i > 0 ? 2 * i : 0].begin);
        assert_int_equal(stretch->end, update->pieces[i < 2 ? 2 * i + 1 : 4].end);
        assert_int_equal(stretch->number, i);
    }
    assert_int_equal(update_squares(&s.trainer), 3);
    session_close(&s);
}

/* Of a team, whose members alone read what they move of the first layer, and have the images each
 * for itself; but not where these are made anew, nor what the second layer has. */
static void test_own(void **state)
{
    (void)state;
    for (int augments = 0; augments < 2; augments++) {
        struct session s;
        open_with(&s, "  - dense: {units: 3000}\n  - dense: {units: 3}\n",
                  augments ? "augment: [flip: horizontal]\n" : "");
        const struct trainer *t = &s.trainer;
        assert_true(trainer_teams(t, t->batch_tiles, t->shards));
        assert_int_equal(t->update.stretch_count, 2);
        assert_int_equal(t->update.stretches[0].own, 1);
        assert_int_equal(t->update.stretches[1].own, 0);
        assert_int_equal(t->entered_copies, augments ? 0 : 2);
        assert_true((t->entered == NULL) == (augments == 1));
        session_close(&s);
    }
    struct session s;
    open_with(&s, "  - dense: {units: 300}\n  - dense: {units: 3}\n", "");
    assert_int_equal(s.trainer.update.stretches[0].own, 0);
    assert_int_equal(s.trainer.entered_copies, 0);
    session_close(&s);
}

static void test_decay_spares(void **state)
{
    (void)state;
    struct session s;
    char *text = text_with(CONFIG_TEXT, "{type: adam, lr: 0.01}", "adamw");
    session_open(&s, text);
    assert_int_equal(s.trainer.update.piece_count, 4);
    for (int i = 0; i < 4; i++) {
        assert_int_equal(s.trainer.update.pieces[i].weights, i % 2 == 0);
    }
    session_close(&s);
    free(text);
}

/* One step of sgd with lr 1 from weights 0.5 and gradients as given, in two shards where there are
 * two. */
static void step_from(struct session *s, const float *gradient, int count)
{
    struct trainer *t = &s->trainer;
    const size_t moved = t->model.graph.moved, split = t->shards == 2 ? t->model.graph.summed : 0;
    for (size_t i = 0; i < moved; i++) {
        t->parameters[i] = 0.5f;
        t->gradient[i] = i < (size_t)count ? gradient[i] - (i < split) : 0;
        if (i < split) {
            t->shard_gradients[i] = i < (size_t)count ? 1 : 0;
        }
    }
    update_begin(t);
#pragma omp parallel num_threads(3)
    update_step(t, t->shards);
}

/* Of weights whose gradient is deferred, and of some that are summed. */
static void check_step(const char *train, const float *gradient, const double *want, int count)
{
    static const char *const NETWORKS[] = {"  - dense: {units: 3}\n",
                                           "  - conv: {filters: 2, kernel: 3}\n  - dense: 3\n"};
    for (int k = 0; k < 2; k++) {
        struct session s;
        open_with(&s, NETWORKS[k], train);
        assert_true(s.trainer.model.graph.summed >= (size_t)(k * count));
        step_from(&s, gradient, count);
        for (int i = 0; i < count; i++) {
            const double w = (double)s.trainer.parameters[i];
            if (fabs(w - want[i]) > 1e-6) {
                fail_msg("%s, %s: weight %d is %.9g, not %.9g", NETWORKS[k], train, i, w, want[i]);
            }
        }
        session_close(&s);
    }
}

static void test_steps(void **state)
{
    (void)state;
    static const float G[] = {3, -4, 0};
    check_step("  clip_norm: 0\n", G, (const double[]){-2.5, 4.5, 0.5}, 3);
    check_step("  clip_norm: 10\n", G, (const double[]){-2.5, 4.5, 0.5}, 3);
    check_step("  clip_norm: 2.5\n", G, (const double[]){-1, 2.5, 0.5}, 3);
    check_step("  clip_value: 3.5\n", G, (const double[]){-2.5, 4, 0.5}, 3);
    /* each number first, then the whole: 3, -3 of norm 4.24 */
    check_step("  clip_value: 3\n  clip_norm: 3\n", G,
               (const double[]){0.5 - 2.1213203, 0.5 + 2.1213203, 0.5}, 3);
    /* clipped before the penalty is added */
    check_step("  clip_norm: 2.5\n  regularize: {l1: 0.25, l2: 0.5}\n", G,
               (const double[]){-1.5, 2, 0}, 3);
}

/* Each row by itself; one within the bound stays as it is. */
static void test_max_norm(void **state)
{
    (void)state;
    struct session s;
    open_with(&s, "  - dense: {units: 3}\n", "  regularize: {max_norm: 2}\n");
    const size_t row = s.trainer.update.bounded[0].row;
    float gradient[3000] = {0};
    assert_true(3 * row <= 3000 && row > 16);
    for (size_t i = row; i < 2 * row; i++) {
        gradient[i] = 0.5f; /* the second row becomes 0 but for one weight */
    }
    gradient[row] = -0.5f;
    step_from(&s, gradient, (int)(3 * row));
    for (size_t i = 0; i < row; i++) {
        const double bounded = fmin(0.5, 2 / sqrt((double)row));
        assert_true(fabs((double)s.trainer.parameters[i] - bounded) < 1e-6);
        assert_true(s.trainer.parameters[row + i] == (i == 0 ? 1 : 0));
        assert_true(fabs((double)s.trainer.parameters[2 * row + i] - bounded) < 1e-6);
    }
    session_close(&s);
}

/* The first step of Adam with a tiny eps is as large as the rate, whatever the gradient: were it
 * counted as the second, its means would be corrected by less. */
static void test_first_step(void **state)
{
    (void)state;
    struct session s;
    char *text = text_with(CONFIG_TEXT, "lr: 0.01}", "lr: 0.01, eps: 1e-12}");
    session_open(&s, text);
    step_from(&s, (const float[]){3, -4, 1e-3f}, 3);
    for (int i = 0; i < 3; i++) {
        const double step = 0.5 - (double)s.trainer.parameters[i];
        assert_true(fabs(fabs(step) - 0.01) < 1e-5 && (step < 0) == (i == 1));
    }
    session_close(&s);
    free(text);
}

/* Tensors of the same shape begin with numbers of their own, within each of them as well. */
static void test_beginnings(void **state)
{
    (void)state;
    static const char *const INITS[] = {"he", "lecun", "xavier"};
    for (int k = 0; k < 3; k++) {
        struct session s;
        char layers[300];
        snprintf(layers, sizeof layers,
                 "  - dense: {units: 36, init: %s}\n  - dense: {units: 36, init: %s}\n"
                 "  - dense: {units: 3}\n",
                 INITS[k], INITS[k]);
        open_with(&s, layers, "");
        assert_int_equal(trainer_start(&s.trainer, &s.dir, &s.e), 0);
        const float *tensors[3];
        int count = 0;
        for (int i = 0; i < s.trainer.model.graph.count; i++) {
            const struct node *node = &s.trainer.model.graph.nodes[i];
            if (node->needs.parameter_count > 0) {
                assert_true(count < 3);
                tensors[count++] = s.trainer.parameters + node->needs.parameters[0].offset;
            }
        }
        assert_int_equal(count, 3);
        const float *w = tensors[0], *next = tensors[1];
        for (int i = 0; i < 36 * 36; i++) {
            assert_true(w[i] != next[i] && w[i] != 0);
            assert_true(i < 4 || w[i] != w[i - 4]);
            assert_true(i == 0 || w[i] != w[i - 1]);
        }
        session_close(&s);
    }
}

/* The order of the samples is another one in each epoch, and the same whenever it is asked for. */
static void test_order(void **state)
{
    (void)state;
    struct session s;
    uint32_t first[30], second[30];
    session_start(&s, CONFIG_TEXT);
    struct trainer *t = &s.trainer;
    assert_int_equal(t->epoch_samples, 30);
    trainer_shuffle(t);
    memcpy(first, t->order, sizeof first);
    t->position.epoch = 1;
    trainer_shuffle(t);
    memcpy(second, t->order, sizeof second);
    assert_memory_not_equal(first, second, sizeof first);
    t->position.epoch = 0;
    trainer_shuffle(t);
    assert_memory_equal(t->order, first, sizeof first);
    session_close(&s);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_one_piece),  cmocka_unit_test(test_pieces),
        cmocka_unit_test(test_own),        cmocka_unit_test(test_decay_spares),
        cmocka_unit_test(test_steps),      cmocka_unit_test(test_max_norm),
        cmocka_unit_test(test_first_step), cmocka_unit_test(test_ranges),
        cmocka_unit_test(test_beginnings), cmocka_unit_test(test_order),
    };
    return cmocka_run_group_tests(tests, make_folder, folder_remove);
}
