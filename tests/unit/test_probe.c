/* test_probe.c: view/probe.h: what it sees is what evaluation computes, to the bit; its gradients
 * are those of the network as it is in evaluation, against differences; and rules reach rectifiers
 * only. */
#include "../kernel_check.h"
#include "../network_check.h"
#include "view/probe.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

/* Without kinks, so that differences of floats can be taken over wide steps. */
static const struct {
    const char *text;
    struct shape in;
} NETWORKS[] = {
    {"- conv: {filters: 3, kernel: 3, activation: tanh}\n- avgpool: 2\n- dropout: 0.5\n"
     "- conv: {filters: 4, kernel: 2, activation: softplus}\n- dense: 3\n",
     {2, 8, 8}},
    {"- conv: {filters: 4, kernel: 3, padding: same, bias: false}\n- batchnorm\n- silu\n"
     "- dropout: 0.3\n- residual: [batchnorm, gelu, conv: {filters: 4, kernel: 1}, dropout: 0.2]\n"
     "- gaussian_noise: 0.5\n- concat: [[], [conv: {filters: 2, kernel: 1, activation: tanh}]]\n"
     "- lrn\n- global_avgpool\n- dense: 4\n",
     {1, 6, 5}},
    {"- dropout: 0.5\n- permute: whc\n- layernorm\n- dense: {units: 5, activation: sigmoid}\n"
     "- dense: 2\n- dropout: 0.1\n",
     {2, 3, 4}},
};
enum { NETWORK_COUNT = sizeof NETWORKS / sizeof NETWORKS[0] };

struct probed {
    struct network_case net;
    struct probe probe;
    float *flat, *image;
};

static void probed_make(struct probed *p, int which, const struct kernels *kernels)
{
    struct error e = {.offset = -1};
    struct dice dice = {(uint64_t)which + 1};
    *p = (struct probed){0};
    if (network_make(&p->net, NETWORKS[which].text, NETWORKS[which].in) != 0) {
        fail_msg("%s", p->net.errors.items[0].message);
    }
    const struct graph *graph = &p->net.graph;
    p->flat = block_allocate(graph->parameters * sizeof *p->flat);
    p->image = malloc(shape_size(graph->input) * sizeof *p->image);
    assert_non_null(p->flat);
    assert_non_null(p->image);
    for (size_t i = 0; i < graph->parameters; i++) {
        p->flat[i] = dice_uniform(&dice, -0.6f, 0.6f);
    }
    network_positive_variances(&p->net, p->flat);
    assert_int_equal(probe_open(&p->probe, graph, p->flat, kernels, 1, &e), 0);
    for (int lane = 0; lane < LANES; lane++) {
        for (size_t i = 0; i < shape_size(graph->input); i++) {
            p->image[i] = dice_uniform(&dice, -1, 1);
        }
        probe_put(&p->probe, lane, p->image);
    }
}

static void probed_free(struct probed *p)
{
    probe_close(&p->probe);
    free(p->flat);
    free(p->image);
    network_free(&p->net);
}

static void test_forward(void **state)
{
    (void)state;
    const struct kernels *levels[KERNEL_LEVELS];
    const int count = check_levels(levels);
    for (int i = 0; i < NETWORK_COUNT * count; i++) {
        struct probed p;
        struct plan plan;
        struct error e = {.offset = -1};
        probed_make(&p, i / count, levels[i % count]);
        const struct graph *graph = &p.net.graph;
        assert_int_equal(plan_make(&plan, graph, PLAN_EVALUATION, &p.net.arena, &e), 0);
        float *block = block_allocate(plan.floats * sizeof *block);
        assert_non_null(block);
        struct run run = {.kernels = levels[i % count], .parameters = p.flat};
        memcpy(block + plan.input, probe_output(&p.probe, NETWORK_INPUT),
               shape_size(graph->input) * LANES * sizeof *block);
        net_forward(graph, &plan, &run, block);
        probe_forward(&p.probe, graph->count - 1);
        assert_memory_equal(probe_output(&p.probe, graph->count - 1), block + plan.logits,
                            shape_size(graph->nodes[graph->count - 1].out) * LANES * sizeof *block);
        free(block);
        probed_free(&p);
    }
}

static float value_of(struct probed *p, int node, size_t element, int lane)
{
    probe_forward(&p->probe, node);
    return probe_output(&p->probe, node)[element * LANES + (size_t)lane];
}

/* Steps of 1/64: errors of h^2 and of a float's rounding by h, both below 1e-3 of the greatest. */
static void check_gradient(struct probed *p, int node, size_t element, int lane)
{
    const size_t n = shape_size(p->net.graph.input);
    float *x = probe_output(&p->probe, NETWORK_INPUT), most = 0, worst = 0;
    float *got = malloc(n * sizeof *got);
    assert_non_null(got);
    probe_forward(&p->probe, node);
    probe_clear(&p->probe);
    probe_gradient(&p->probe, node)[element * LANES + (size_t)lane] = 1;
    probe_backward(&p->probe, node, NULL);
    probe_take(probe_gradient(&p->probe, NETWORK_INPUT), n, lane, got);
    for (size_t i = 0; i < n; i++) {
        float *at = x + i * LANES + lane;
        const float centre = *at, h = 1.0f / 64;
        *at = centre + h;
        const float above = value_of(p, node, element, lane);
        *at = centre - h;
        const float below = value_of(p, node, element, lane);
        *at = centre;
        const float want = (above - below) / (2 * h);
        most = fmaxf(most, fabsf(want));
        worst = fmaxf(worst, fabsf(want - got[i]));
    }
    if (!(worst <= 2e-3f * most) || most == 0) {
        fail_msg("node %d: off by %g of %g", node, (double)worst, (double)most);
    }
    free(got);
}

static void test_gradients(void **state)
{
    (void)state;
    const struct kernels *levels[KERNEL_LEVELS];
    const int count = check_levels(levels);
    for (int i = 0; i < NETWORK_COUNT; i++) {
        struct probed p;
        probed_make(&p, i, levels[count - 1]);
        const int last = p.net.graph.count - 1;
        check_gradient(&p, last, 1, 0);
        check_gradient(&p, last, 0, 7);
        check_gradient(&p, last / 2, 2, 15);
        probed_free(&p);
    }
}

static void nothing(const struct node *node, const struct run *run, const float *x, const float *y,
                    const float *dy, float *dx)
{
    (void)run, (void)x, (void)y, (void)dy;
    memset(dx, 0, shape_size(node->in) * LANES * sizeof *dx);
}

/* A rule that stops everything stops what goes through rectifiers, and nothing else. */
static void test_rule(void **state)
{
    (void)state;
    const struct kernels *levels[KERNEL_LEVELS];
    check_levels(levels);
    for (int i = 0; i < NETWORK_COUNT; i++) {
        struct probed p;
        probed_make(&p, i, levels[0]);
        const struct graph *graph = &p.net.graph;
        const size_t n = shape_size(graph->input) * LANES;
        probe_forward(&p.probe, graph->count - 1);
        probe_clear(&p.probe);
        probe_gradient(&p.probe, graph->count - 1)[0] = 1;
        probe_backward(&p.probe, graph->count - 1, nothing);
        float most = 0;
        for (size_t k = 0; k < n; k++) {
            most = fmaxf(most, fabsf(probe_gradient(&p.probe, NETWORK_INPUT)[k]));
        }
        assert_true(i == 2 ? most > 0 : most == 0); /* 2 has none; in the others all goes through */
        probed_free(&p);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_forward),
        cmocka_unit_test(test_gradients),
        cmocka_unit_test(test_rule),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
