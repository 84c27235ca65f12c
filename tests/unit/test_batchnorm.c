/* test_batchnorm.c: what layer and network checks, which know one tile, cannot see of batch
 * normalisation: the statistics of several tiles, the last one not full, and the running ones,
 * which move. Against plain sums in double over all live values. */
#include "../kernel_check.h"
#include "../network_check.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

enum { TILES = 3, LAST = 5, CHANNELS = 2, PIXELS = 6 };

struct batch {
    struct network_case net;
    struct run run;
    float x[TILES][CHANNELS * PIXELS * LANES] __attribute__((aligned(64)));
    double *sums;
};

static void batch_make(struct batch *b, const char *text)
{
    struct dice dice = {9};
    *b = (struct batch){.run = {.kernels = kernels_select(NULL), .training = 1}};
    assert_int_equal(network_make(&b->net, text, (struct shape){CHANNELS, 2, 3}), 0);
    for (size_t i = 0; i < sizeof b->x / sizeof(float); i++) {
        (&b->x[0][0])[i] = dice_uniform(&dice, 2, 7);
    }
    float *flat = check_malloc(b->net.graph.parameters * sizeof *flat);
    graph_initialize(&b->net.graph, 1, flat);
    b->run.parameters = flat;
    b->run.shared = check_malloc(b->net.graph.shared * sizeof *b->run.shared);
    b->sums = check_doubles(TILES * b->net.graph.sums);
}

static void batch_free(struct batch *b)
{
    free((void *)(uintptr_t)b->run.parameters);
    free(b->run.shared);
    free(b->sums);
    network_free(&b->net);
}

/* Mean and sum of squares of a channel's live values; returns how many. */
static double moments(const struct batch *b, int c, double *mean, double *squares)
{
    double n = 0;
    *mean = *squares = 0;
    for (int pass = 0; pass < 2; pass++) {
        for (int tile = 0; tile < TILES; tile++) {
            for (int i = 0; i < PIXELS * LANES; i++) {
                const double x = (double)b->x[tile][c * PIXELS * LANES + i];
                if (i % LANES < (tile == TILES - 1 ? LAST : LANES)) {
                    n += !pass;
                    *(pass ? squares : mean) += pass ? (x - *mean) * (x - *mean) : x;
                }
            }
        }
        *mean = pass ? *mean : *mean / n;
    }
    return n;
}

static void meet(struct batch *b, float *parameters)
{
    const struct node *node = b->net.graph.nodes;
    const struct coupling *coupling = node->type->coupling;
    for (int tile = 0; tile < TILES; tile++) {
        network_set_live(&b->run, tile == TILES - 1 ? LAST : LANES);
        coupling->gather(node, &b->run, b->x[tile], b->sums + (size_t)tile * node->needs.sums);
    }
    const struct meeting meeting = {TILES, 2 * LANES + LAST, b->sums, node->needs.sums};
    coupling->meet(node, &b->run, &meeting, parameters);
}

static void check(const char *text, double momentum, double eps)
{
    static struct batch b;
    batch_make(&b, text);
    const struct node *node = b.net.graph.nodes;
    const struct needs *needs = &node->needs;
    const int first = needs->parameter_count - 2;
    float *parameters = check_malloc(b.net.graph.parameters * sizeof *parameters);
    memcpy(parameters, b.run.parameters, b.net.graph.parameters * sizeof *parameters);
    const float *running[2];
    for (int k = 0; k < 2; k++) {
        running[k] = parameters + needs->parameters[first + k].offset;
        assert_string_equal(needs->parameters[first + k].suffix,
                            k ? "running_var" : "running_mean");
        assert_true(running[k][0] == (float)k && running[k][1] == (float)k);
    }
    double want[2][CHANNELS] = {{0, 0}, {1, 1}};
    for (int step = 0; step < 3; step++) {
        meet(&b, parameters);
        for (int c = 0; c < CHANNELS; c++) {
            double mean, squares;
            const double n = moments(&b, c, &mean, &squares);
            want[0][c] += momentum * (mean - want[0][c]);
            want[1][c] += momentum * (squares / (n - 1) - want[1][c]);
            for (int k = 0; k < 2; k++) {
                assert_true(fabs((double)running[k][c] - want[k][c]) < 1e-6 * (1 + want[k][c]));
            }
            float y[CHANNELS * PIXELS * LANES] __attribute__((aligned(64)));
            node->type->forward(node, &b.run, b.x[1], y);
            for (int i = c * PIXELS * LANES; i < (c + 1) * PIXELS * LANES; i++) {
                const double normal = ((double)b.x[1][i] - mean) / sqrt(squares / n + eps);
                assert_true(fabs((double)y[i] - normal) < 2e-6);
            }
        }
    }
    free(parameters);
    batch_free(&b);
}

static void test_statistics(void **state)
{
    (void)state;
    check("- batchnorm\n- dense: 2\n", 0.1, 1e-5);
    check("- batchnorm: {momentum: 0.75, eps: 0.5, affine: false}\n- dense: 2\n", 0.75, 0.5);
    check("- batchnorm: {momentum: 1}\n- dense: 2\n", 1, 1e-5);
    check("- batchnorm: {momentum: 0}\n- dense: 2\n", 0, 1e-5);
}

/* A frozen layer takes the running ones, in training too, and is no cut. */
static void test_frozen(void **state)
{
    (void)state;
    static struct batch b;
    batch_make(&b, "- batchnorm: {freeze: true}\n- dense: 2\n");
    const struct graph *graph = &b.net.graph;
    assert_false(graph->nodes[0].couples);
    assert_int_equal(graph->frozen, 2 * CHANNELS);
    assert_int_equal(graph->values, graph->trained + 4 * CHANNELS);
    struct plan plan;
    struct error e;
    assert_int_equal(plan_make(&plan, graph, 1, &b.net.arena, &e), 0);
    assert_int_equal(plan.cut_count, 0);
    float y[CHANNELS * PIXELS * LANES] __attribute__((aligned(64)));
    graph->nodes[0].type->forward(graph->nodes, &b.run, b.x[0], y);
    for (int i = 0; i < CHANNELS * PIXELS * LANES; i++) { /* mean 0, variance 1 */
        assert_true(fabs((double)y[i] - (double)b.x[0][i] / sqrt(1 + 1e-5)) < 2e-6);
    }
    batch_free(&b);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_statistics),
                                       cmocka_unit_test(test_frozen)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
