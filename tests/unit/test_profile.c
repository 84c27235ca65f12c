/* test_profile.c: a profile's rows are all of the time of all threads, every layer has its own, the
 * work is counted right, and the weights are those of a run that nobody measured. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "trainer_check.h"

/* Layers that couple the samples, that have no weights, that pass their input through. */
#define NETWORK                                                                                    \
    "  - conv: {name: first, filters: 2, kernel: 3, padding: same}\n"                              \
    "  - batchnorm\n"                                                                              \
    "  - conv: {name: frozen, filters: 2, kernel: 3, activation: tanh, freeze: true}\n"            \
    "  - residual: [conv: {name: within, filters: 2, kernel: 1}]\n"                                \
    "  - dropout: 0.2\n"                                                                           \
    "  - dense:"

static char *config(const char *more)
{
    char *text = text_with(
        CONFIG_TEXT, "  - conv: {filters: 2, kernel: 3, activation: tanh}\n  - dense:", NETWORK);
    char *all = text_with(text, "  epochs: 3\n", more);
    free(text);
    return all;
}

static struct profile *measured(struct session *s, struct profile *p)
{
    const struct trainer *t = &s->trainer;
    if (profile_open(p, &t->model.graph, t->kernels, t->threads, &s->e) != 0) {
        fail_msg("%s", s->e.message);
    }
    s->trainer.profile = p;
    return p;
}

/* To the nanosecond, for every thread. */
static void check_whole(const struct profile *p)
{
    const int rows = 2 * p->nodes + PROFILE_PHASES;
    double seconds = 0;
    for (int i = 0; i < p->threads; i++) {
        uint64_t sum = 0;
        for (int row = 0; row < rows; row++) {
            sum += p->watches[i].rows[row];
        }
        assert_true(sum == p->watches[i].last - p->start);
        seconds += 1e-9 * (double)sum / p->threads;
    }
    assert_true(seconds > 0 && fabs(profile_seconds(p) - seconds) < 1e-9);
}

static const struct node *node_called(const struct graph *graph, const char *name)
{
    for (int i = 0; i < graph->count; i++) {
        if (strcmp(graph->nodes[i].name, name) == 0) {
            return &graph->nodes[i];
        }
    }
    fail_msg("no layer '%s'", name);
    return NULL;
}

/* A run with a profile: its rows, its table, and the bytes it leaves. */
static void check_run(const char *more)
{
    struct session plain, s;
    struct profile p;
    struct text table = {0};
    char *text = config(more);
    session_start(&plain, text);
    session_run(&plain);
    const size_t bytes = plain.trainer.model.graph.parameters * sizeof(float);
    float *weights = malloc(bytes);
    assert_non_null(weights);
    memcpy(weights, plain.trainer.parameters, bytes);
    session_close(&plain);

    session_start(&s, text);
    measured(&s, &p);
    session_run(&s);
    const struct graph *graph = &s.trainer.model.graph;
    assert_memory_equal(weights, s.trainer.parameters, bytes);
    check_whole(&p);
    assert_true(p.peak_one > 0 && p.peak_all > 0);
    assert_int_equal(p.images, 3 * 30); /* 40 images, a quarter of which validates */
    for (int i = 0; i < graph->count; i++) {
        assert_true(profile_row(&p, net_row(i, NET_FORWARD)) > 0);
        assert_true((profile_row(&p, net_row(i, NET_BACKWARD)) > 0) ==
                    s.trainer.plan.places[i].learns);
    }
    profile_append(&p, graph, &s.trainer.plan, &table);
    for (int i = 0; i < graph->count; i++) {
        assert_non_null(strstr(table.data, graph->nodes[i].name));
    }
    assert_non_null(strstr(table.data, "\nall layers "));
    assert_non_null(strstr(table.data, "\nvalidation "));
    assert_non_null(strstr(table.data, "\nlog and files "));
    assert_non_null(strstr(table.data, "\noptimizer "));
    assert_non_null(strstr(table.data, " 100.00%\n"));
    text_free(&table);
    profile_close(&p);
    session_close(&s);
    free(weights);
    free(text);
}

static void test_run(void **state)
{
    (void)state;
    data_write("a", 3);
    check_run("  epochs: 3\n");
    check_run("  epochs: 3\n  accumulate: 2\n  clip_norm: 1\n  ema: 0.9\n"
              "  regularize: {max_norm: 1}\n");
}

/* `number` of the columns of a layer's row behind its type. */
static double column(const char *table, const char *name, int number)
{
    char wanted[64];
    snprintf(wanted, sizeof wanted, "\n%s", name);
    const char *at = strstr(table, wanted);
    assert_non_null(at);
    at += strlen(wanted) + strcspn(at + strlen(wanted), "0123456789");
    for (int i = 0; i < number; i++) {
        at += strcspn(at, " \n");
        at += strspn(at, " ");
    }
    return strtod(at, NULL);
}

/* Speeds are of the work that the plan asks for, once for each direction of backward. */
static void test_speeds(void **state)
{
    (void)state;
    struct session s;
    struct profile p;
    struct text table = {0};
    data_write("a", 3);
    char *text = config("  epochs: 3\n");
    session_start(&s, text);
    measured(&s, &p);
    profile_start(&p);
    const struct graph *graph = &s.trainer.model.graph;
    const int first = node_called(graph, "first")->index,
              frozen = node_called(graph, "frozen")->index;
    assert_int_equal((int)graph->nodes[first].needs.multiply_adds, 9 * 2 * 36);
    assert_int_equal((int)graph->nodes[frozen].needs.multiply_adds, 9 * 2 * 2 * 16);
    for (int k = 0; k < 2; k++) { /* thread 0 took 2 ms forward and 4 ms back, of two threads */
        p.watches[0].rows[net_row(first, k)] = p.watches[0].rows[net_row(frozen, k)] = 2000000u
                                                                                       << k;
    }
    p.images = 1000000;
    p.peak_all = 1e12;
    profile_append(&p, graph, &s.trainer.plan, &table);
    const double first_adds = 648e6, frozen_adds = 576e6;
    assert_true(fabs(column(table.data, "first", 0) - 1.0) < 1e-9);
    assert_true(fabs(column(table.data, "first", 1) - 2e-9 * first_adds / 1e-3) < 0.06);
    assert_true(fabs(column(table.data, "first", 2) - first_adds / 1e-3 / 1e10) < 0.06);
    /* the first layer has no gradient by its input, the frozen one none by its weights */
    assert_true(fabs(column(table.data, "first", 4) - 2e-9 * first_adds / 2e-3) < 0.06);
    assert_true(fabs(column(table.data, "frozen", 4) - 2e-9 * frozen_adds / 2e-3) < 0.06);
    assert_true(fabs(column(table.data, "first", 6) - 3.0) < 1e-9);
    assert_true(fabs(column(table.data, "first", 7) - 50.0) < 1e-9);
    text_free(&table);
    profile_close(&p);
    session_close(&s);
    free(text);
}

static void test_rehearsal(void **state)
{
    (void)state;
    struct session s;
    struct profile p;
    data_write("a", 3);
    char *text = config("  epochs: 1\n");
    session_open(&s, text);
    measured(&s, &p);
    assert_int_equal(trainer_rehearse(&s.trainer, 0.05, &s.e), 0);
    check_whole(&p);
    assert_true(profile_seconds(&p) >= 0.05);
    /* 30 images in batches of 8: the last has 6 */
    assert_true(p.steps >= 1 && p.images <= 8 * p.steps && p.images >= 6 * p.steps);
    /* also without a profile, and in less time than a step takes */
    s.trainer.profile = NULL;
    assert_int_equal(trainer_rehearse(&s.trainer, 0, &s.e), 0);
    profile_close(&p);
    session_close(&s);
    free(text);
}

static int count_tile(void *user, const struct evaluated_tile *tile)
{
    *(int *)user += tile->live;
    return 0;
}

static void test_evaluation(void **state)
{
    (void)state;
    struct session s;
    struct profile p;
    struct text table = {0};
    int seen = 0;
    data_write("a", 3);
    char *text = config("  epochs: 1\n");
    session_open(&s, text);
    measured(&s, &p);
    struct evaluator *evaluator = &s.trainer.evaluator;
    const struct graph *graph = evaluator->graph;
    evaluator->profile = &p;
    assert_int_equal(evaluate(evaluator, &s.trainer.train, count_tile, &seen), 0);
    assert_int_equal(seen, 30);
    assert_int_equal(p.images, 30);
    check_whole(&p);
    for (int i = 0; i < graph->count; i++) {
        assert_true((profile_row(&p, net_row(i, NET_FORWARD)) > 0) ==
                    evaluator->plan.places[i].runs);
        assert_true(profile_row(&p, net_row(i, NET_BACKWARD)) == 0);
    }
    profile_append(&p, graph, &evaluator->plan, &table);
    assert_null(strstr(table.data, "backward"));
    assert_null(strstr(table.data, "dropout"));
    assert_non_null(strstr(table.data, "\nfirst "));
    text_free(&table);
    profile_close(&p);
    session_close(&s);
    free(text);
}

static void test_none(void **state)
{
    (void)state;
    profile_start(NULL);
    profile_all(NULL, PROFILE_OTHER);
    profile_count(NULL, 1, 1);
    assert_null(profile_watch(NULL));
    profile_lap(NULL, NULL, PROFILE_OTHER);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_run), cmocka_unit_test(test_speeds), cmocka_unit_test(test_rehearsal),
        cmocka_unit_test(test_evaluation), cmocka_unit_test(test_none)};
    return cmocka_run_group_tests(tests, folder_make, folder_remove);
}
