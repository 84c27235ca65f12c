/* test_lesson.c: a walk gives what a plan gives, node for node; held branches stay; an explanation
 * that does not come to what the layer, or the loss, computes is a fault. The texts themselves are
 * looked at in tests/system/teach.py. */
#include "../kernel_check.h"
#include "../network_check.h"
#include "teach/lesson.h"
#include "teach/lesson_loss.h"
#include "teach/walk.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static const char NETWORK[] = "- conv: {filters: 3, kernel: 3, padding: 1, activation: relu}\n"
                              "- batchnorm\n"
                              "- residual: [conv: {filters: 3, kernel: 1}, dropout: 0.5, elu]\n"
                              "- maxpool: 2\n"
                              "- dense: 4\n";
static const struct shape IN = {2, 6, 8};

struct bench {
    struct network_case net;
    struct plan plan;
    struct run run;
    struct walk walk;
    struct error e;
    float *parameters, *block, *shared;
};

static float *floats(size_t n)
{
    float *values = block_allocate((n + 16) * sizeof *values);
    assert_non_null(values);
    memset(values, 0, (n + 16) * sizeof *values);
    return values;
}

static void bench_open(struct bench *b, int training)
{
    memset(b, 0, sizeof *b);
    assert_int_equal(network_make(&b->net, NETWORK, IN), 0);
    const struct graph *graph = &b->net.graph;
    assert_int_equal(plan_make(&b->plan, graph, training ? PLAN_TRAINING : PLAN_EVALUATION,
                               &b->net.arena, &b->e),
                     0);
    assert_int_equal(walk_open(&b->walk, graph, &b->net.arena, &b->e), 0);
    b->parameters = floats(graph->parameters);
    b->block = floats(b->plan.floats);
    b->shared = floats(graph->shared);
    graph_initialize(graph, 3, b->parameters);
    struct dice dice = {.state = 5};
    for (size_t i = 0; i < shape_size(IN) * LANES; i++) {
        b->block[b->plan.input + i] = dice_uniform(&dice, -1, 1);
    }
    b->run = (struct run){.kernels = kernels_select(NULL),
                          .training = training,
                          .seed = 9,
                          .parameters = b->parameters,
                          .shared = b->shared};
    network_set_live(&b->run, 13);
}

static void bench_close(struct bench *b)
{
    walk_close(&b->walk);
    free(b->parameters);
    free(b->block);
    free(b->shared);
    network_free(&b->net);
}

/* ---- walks ---- */

static void test_walk(void **state)
{
    (void)state;
    for (int training = 0; training < 2; training++) {
        struct bench b;
        bench_open(&b, training);
        const struct graph *graph = &b.net.graph;
        float *input = floats(shape_size(IN) * LANES);
        memcpy(input, b.block + b.plan.input, shape_size(IN) * LANES * sizeof *input);
        walk_forward(&b.walk, &b.run, b.parameters, input, 0, NULL);
        if (training) {
            network_forward(graph, &b.plan, &b.run, b.block);
            free(b.run.shared); /* its own */
            b.run.shared = b.shared;
        } else {
            net_forward(graph, &b.plan, &b.run, b.block);
        }
        const int last = graph->count - 1;
        assert_memory_equal(b.walk.y[last], b.block + b.plan.logits, 4 * LANES * sizeof(float));
        /* from the middle on, with another weight behind it: as from the start */
        struct walk part;
        assert_int_equal(walk_open(&part, graph, &b.net.arena, &b.e), 0);
        b.parameters[graph->nodes[last].needs.parameters[0].offset] += 1;
        walk_forward(&part, &b.run, b.parameters, input, last, &b.walk);
        assert_ptr_equal(part.y[0], b.walk.y[0]);
        assert_memory_not_equal(part.y[last], b.walk.y[last], 4 * LANES * sizeof(float));
        assert_int_equal(part.crossed, 0);
        walk_close(&part);
        free(input);
        bench_close(&b);
    }
}

/* Branches: where nothing moved, the outputs are the same; what crosses a kink keeps its side. */
static void test_hold(void **state)
{
    (void)state;
    struct bench b;
    bench_open(&b, 1);
    const struct graph *graph = &b.net.graph;
    float *input = floats(shape_size(IN) * LANES);
    memcpy(input, b.block + b.plan.input, shape_size(IN) * LANES * sizeof *input);
    struct walk held;
    assert_int_equal(walk_open(&held, graph, &b.net.arena, &b.e), 0);
    walk_forward(&b.walk, &b.run, b.parameters, input, 0, NULL);
    walk_forward(&held, &b.run, b.parameters, input, 0, &b.walk);
    assert_int_equal(held.crossed, 0);
    for (int i = 0; i < graph->count; i++) {
        const size_t n = shape_size(graph->nodes[i].out) * LANES;
        for (size_t k = 0; k < n; k++) {
            assert_float_equal(held.y[i][k], b.walk.y[i][k], 1e-5f);
        }
    }
    /* the bias of the first layer far down: relu keeps all values that were above 0 */
    const size_t bias = graph->nodes[0].needs.parameters[1].offset;
    for (int c = 0; c < 3; c++) {
        b.parameters[bias + (size_t)c] -= 100;
    }
    walk_forward(&held, &b.run, b.parameters, input, 0, &b.walk);
    size_t above = 0;
    const size_t n = shape_size(graph->nodes[0].out) * LANES;
    for (size_t k = 0; k < n; k++) {
        const float before = b.walk.y[1][k], after = held.y[1][k];
        above += before > 0 && k % LANES < 13; /* live lanes only are counted */
        assert_true(before > 0 ? after < -50 : after == 0);
    }
    assert_true(held.crossed >= above && above > 0);
    walk_close(&held);
    free(input);
    bench_close(&b);
}

/* ---- lessons ---- */

static void wrong_explain(const struct node *node, const struct run *run, const float *x,
                          const struct spot *at, struct explanation *e)
{
    ((const struct layer_type *)(const void *)family_find(&LAYERS, "conv"))
        ->explain(node, run, x, at, e);
    explain_row(e, "output", e->rows[e->row_count - 1].value + 0.001);
}

static void test_comparison(void **state)
{
    (void)state;
    struct bench b;
    struct text text = {0};
    bench_open(&b, 0);
    struct lesson lesson = {.graph = &b.net.graph,
                            .parameters = b.parameters,
                            .kernels = b.run.kernels,
                            .input = b.block + b.plan.input,
                            .node = &b.net.graph.nodes[0],
                            .at = {2, 3, 4}};
    assert_int_equal(lesson_append(&lesson, &text, &b.e), 0);
    assert_non_null(strstr(text.data, "output channel 2, row 3, column 4"));
    assert_non_null(strstr(text.data, "then relu: max(x, 0)"));
    struct layer_type wrong = *b.net.graph.nodes[0].type;
    wrong.explain = wrong_explain;
    b.net.graph.nodes[0].type = &wrong;
    assert_int_equal(lesson_append(&lesson, &text, &b.e), -1);
    assert_int_equal(b.e.kind, ERROR_INTERNAL);
    assert_non_null(strstr(b.e.message, "conv 'conv1' computes "));
    text_free(&text);
    bench_close(&b);
}

static void wrong_predict(const struct kernels *kernels, int classes, const float *z, float *p)
{
    kernels->softmax(classes, z, p);
    p[LANES] += 0.001f;
}

static void test_loss_comparison(void **state)
{
    (void)state;
    struct bench b;
    struct text text = {0};
    bench_open(&b, 0);
    const struct loss_type *right = (const void *)family_find(&LOSSES, "cross_entropy");
    struct loss_type wrong = *right;
    wrong.predict = wrong_predict;
    struct texts names = {4, (const char *[]){"a", "b", "c", "d"}};
    struct loss_lesson lesson = {.graph = &b.net.graph,
                                 .parameters = b.parameters,
                                 .kernels = b.run.kernels,
                                 .input = b.block + b.plan.input,
                                 .loss = right,
                                 .classes = &names,
                                 .label = 1};
    assert_int_equal(loss_lesson_append(&lesson, &text, &b.e), 0);
    assert_non_null(strstr(text.data, "the network's own probabilities  equal but for"));
    assert_non_null(strstr(text.data, "cross-entropy: -ln of it"));
    lesson.loss = &wrong;
    assert_int_equal(loss_lesson_append(&lesson, &text, &b.e), -1);
    assert_int_equal(b.e.kind, ERROR_INTERNAL);
    assert_non_null(
        strstr(b.e.message, "cross_entropy computes other probabilities than its steps"));
    text_free(&text);
    bench_close(&b);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_walk),
        cmocka_unit_test(test_hold),
        cmocka_unit_test(test_comparison),
        cmocka_unit_test(test_loss_comparison),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
