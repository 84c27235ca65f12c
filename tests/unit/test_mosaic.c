/* test_mosaic.c: one image as patches, against the same network in double precision, which knows
 * neither tiles nor patches: every layer type in all its examples, windows over maps of many sizes,
 * whole networks; every level, fused ones with the same bytes.
 *
 * Tolerance: for each node of the network 4 epsilons of the greatest output (or 1), as in
 * test_net.c, and 10 for convolutions that go by Winograd's way; measured: 1.5 and 6.0. */
#include "../kernel_check.h"
#include "../network_check.h"
#include "net/fold.h"
#include "net/mosaic.h"
#include "net/net.h"

#include <float.h>
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

/* A network, its parameters as floats and doubles, an image, and what comes out of it. */
struct mosaic_case {
    struct network_case net;
    const char *text;
    struct mosaic mosaic;
    struct plan plan;
    struct guarded image, flat, folded;
    double *bound, **values;
};

static void case_make(struct mosaic_case *c, struct dice *dice, const char *text, struct shape in)
{
    struct error e;
    *c = (struct mosaic_case){.text = text};
    if (network_make(&c->net, text, in) != 0) {
        fail_msg("%s: %s", text, c->net.errors.items[0].message);
    }
    assert_int_equal(mosaic_make(&c->mosaic, &c->net.graph, &c->net.arena, &e), 0);
    assert_int_equal(plan_make(&c->plan, &c->mosaic.graph, PLAN_FOLDED, &c->net.arena, &e), 0);
    c->image = guarded_new(shape_size(in));
    c->flat = guarded_new(c->net.graph.parameters);
    c->folded = guarded_new(c->net.graph.parameters);
    double *w = check_doubles(c->net.ref.parameters);
    for (size_t i = 0; i < c->net.ref.parameters; i++) {
        w[i] = (double)dice_uniform(dice, -1, 1);
    }
    memset(c->flat.data, 0, c->flat.size * sizeof(float));
    network_from_ref(&c->net, w, c->flat.data);
    network_positive_variances(&c->net, c->flat.data);
    for (int i = 0; i < c->net.graph.count; i++) {
        const struct node *node = &c->net.graph.nodes[i];
        if (node->type->mask) {
            node->type->mask(node, c->flat.data + node->needs.parameters[0].offset);
        }
    }
    network_to_ref(&c->net, c->flat.data, w);
    net_fold(&c->net.graph, c->flat.data, c->folded.data);
    dice_fill(dice, &c->image, -1, 1);
    guarded_freeze(&c->image);
    guarded_freeze(&c->folded);
    c->values = ref_network_values(&c->net.ref, 1);
    ref_from_floats(c->image.size, c->image.data, c->values[0]);
    ref_network_forward(&c->net.ref, 1, NULL, w, c->values);
    free(w);
}

static void case_free(struct mosaic_case *c)
{
    ref_network_free(c->values);
    guarded_free(&c->image);
    guarded_free(&c->flat);
    guarded_free(&c->folded);
    network_free(&c->net);
}

/* The outputs of one level, in the first lane of `y`. */
static void forward(const struct mosaic_case *c, const struct kernels *k, struct guarded *y)
{
    struct guarded block = guarded_new(c->plan.floats);
    struct run run = {.kernels = k, .folded = 1, .parameters = c->folded.data};
    mosaic_relay(&c->mosaic.in, k, c->image.data, block.data + c->plan.input);
    net_forward(&c->mosaic.graph, &c->plan, &run, block.data);
    mosaic_relay(&c->mosaic.out, k, block.data + c->plan.logits, y->data);
    guarded_check(&block, c->text);
    guarded_check(&c->image, c->text);
    guarded_check(&c->folded, c->text);
    guarded_check(y, c->text);
    guarded_free(&block);
}

/* `tolerance`: epsilons of the greatest output for each node. */
static void check(struct dice *dice, const char *text, struct shape in, double tolerance)
{
    const struct kernels *levels[KERNEL_LEVELS];
    const int count = check_levels(levels);
    struct mosaic_case c;
    struct agreement same = {NULL};
    case_make(&c, dice, text, in);
    const size_t n = shape_size(c.net.graph.nodes[c.net.graph.count - 1].out);
    const double *want = c.values[c.net.ref.count];
    double most = 1;
    for (size_t i = 0; i < n; i++) {
        most = fmax(most, fabs(want[i]));
    }
    for (int l = 0; l < count; l++) {
        struct guarded y = guarded_new(n * LANES);
        forward(&c, levels[l], &y);
        agreement_check(&same, text, levels[l], &y);
        for (size_t i = 0; i < n; i++) {
            const double error = fabs((double)y.data[i * LANES] - want[i]);
            if (!(error <= tolerance * c.net.graph.count * (double)FLT_EPSILON * most)) {
                fail_msg("%s of %dx%dx%d, %s: output %zu is %g, not %g", text, in.c, in.h, in.w,
                         levels[l]->name, i, (double)y.data[i * LANES], want[i]);
            }
        }
        guarded_free(&y);
    }
    agreement_free(&same);
    case_free(&c);
}

static void test_every_example_of_every_type(void **state)
{
    (void)state;
    struct dice dice = {1};
    int types = 0;
    for (const struct member *const *member = LAYERS.members; *member; member++, types++) {
        const struct layer_type *type = (const void *)*member;
        for (const struct layer_example *example = type->examples; example->options; example++) {
            char text[400];
            snprintf(text, sizeof text, "- %s%s%s\n- batchnorm\n", type->member.name,
                     *example->options ? ": " : "", example->options);
            check(&dice, text, example->in, 4);
        }
    }
    assert_true(types > 20);
}

static const struct shape MAPS[] = {{1, 1, 1},   {2, 2, 3},   {1, 5, 4},   {3, 8, 8},  {2, 7, 7},
                                    {1, 10, 10}, {2, 13, 13}, {2, 14, 14}, {4, 16, 9}, {1, 28, 28},
                                    {4, 32, 32}, {1, 1, 40},  {2, 33, 2}};
enum { MAP_COUNT = sizeof MAPS / sizeof *MAPS };

/* Each of the layers over each map; those that do not fit it are left out. */
static int sweep(struct dice *dice, const char *const *items, int count, double tolerance)
{
    int done = 0;
    for (int i = 0; i < count * MAP_COUNT; i++) {
        struct network_case net;
        char text[200];
        snprintf(text, sizeof text, "- %s\n- batchnorm\n", items[i / MAP_COUNT]);
        const int status = network_make(&net, text, MAPS[i % MAP_COUNT]);
        network_free(&net);
        if (status == 0) {
            check(dice, text, MAPS[i % MAP_COUNT], tolerance);
            done++;
        }
    }
    return done;
}

static void test_convolutions(void **state)
{
    (void)state;
    static const char *const ITEMS[] = {
        "conv: {filters: 4, kernel: 3, padding: same}",
        "conv: {filters: 5, kernel: 3}",
        "conv: {filters: 6, kernel: 5}",
        "conv: {filters: 8, kernel: 5, padding: 2}",
        "conv: {filters: 3, kernel: 1}",
        "conv: {filters: 2, kernel: [2, 4], padding: [1, 2], bias: false}",
        "conv: {filters: 4, kernel: 3, stride: 2, padding: 1}",
        "conv: {filters: 3, kernel: 2, stride: [3, 1], padding: same}",
        "conv: {filters: 3, kernel: 3, dilation: 2, padding: 2}",
        "conv: {filters: 4, kernel: 3, groups: 2, padding: 1, stride: 2}",
        "conv: {filters: 1, kernel: 7, padding: 6}",
    };
    struct dice dice = {2};
    assert_true(sweep(&dice, ITEMS, sizeof ITEMS / sizeof *ITEMS, 10) > 80);
}

static void test_pooling(void **state)
{
    (void)state;
    static const char *const MEANS[] = {
        "avgpool: 2",
        "avgpool: {size: 3, stride: 2, padding: 1}",
        "avgpool: {size: 3, stride: 2, padding: 1, count_padding: false}",
        "avgpool: {size: 1, stride: 2}",
        "avgpool: {size: 2, padding: same}",
        "global_avgpool",
        "subsample: 2",
    };
    static const char *const GREATEST[] = {
        "maxpool: 2",
        "maxpool: {size: 3, stride: 2}",
        "maxpool: {size: 3, stride: 2, padding: 1}",
        "maxpool: {size: 2, stride: 1, padding: same}",
        "maxpool: {size: [3, 2], stride: [1, 4]}",
        "global_maxpool",
    };
    struct dice dice = {3};
    assert_true(sweep(&dice, MEANS, sizeof MEANS / sizeof *MEANS, 4) > 50);
    assert_true(sweep(&dice, GREATEST, sizeof GREATEST / sizeof *GREATEST, 4) > 50);
}

static void test_networks(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        struct shape in;
    } NETWORKS[] = {
        {"- conv: {filters: 6, kernel: 5, activation: tanh}\n- avgpool: 2\n"
         "- conv: {filters: 16, kernel: 5, activation: tanh}\n- avgpool: 2\n"
         "- conv: {filters: 20, kernel: 5, activation: tanh}\n- dense: {units: 84, activation: "
         "tanh}\n- dropout: 0.2\n- dense: 10\n",
         {1, 32, 32}},
        {"- conv: {filters: 8, kernel: 3, padding: same}\n- batchnorm\n- relu\n- maxpool: 2\n"
         "- residual: [conv: {filters: 8, kernel: 3, padding: same}, batchnorm, relu]\n"
         "- residual: {body: [batchnorm, relu, conv: {filters: 12, kernel: 3, padding: 1, stride: "
         "2}], shortcut: conv}\n- lrn\n- concat: [[], [conv: {filters: 2, kernel: 1}], [maxpool: "
         "{size: 3, stride: 1, padding: 1}]]\n- global_avgpool\n- dense: 10\n",
         {3, 28, 28}},
        {"- permute: wch\n- conv1d: {filters: 6, kernel: 3, activation: relu}\n- maxpool1d: 2\n"
         "- groupnorm: 2\n- flatten\n- dense: 3\n",
         {1, 9, 28}},
        {"- conv1d: {filters: 6, kernel: 3}\n- avgpool1d: 2\n- conv: {filters: 4, kernel: [1, 3], "
         "stride: [1, 2]}\n- reshape: [6, 4]\n- layernorm\n",
         {1, 9, 28}},
        {"- dense: {units: 30, activation: gelu}\n- dense: {units: 17, activation: silu}\n"
         "- dense: {units: 5, bias: false}\n- batchnorm\n- sigmoid\n",
         {1, 5, 5}},
    };
    struct dice dice = {4};
    for (size_t i = 0; i < sizeof NETWORKS / sizeof *NETWORKS; i++) {
        check(&dice, NETWORKS[i].text, NETWORKS[i].in, 4);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_every_example_of_every_type),
        cmocka_unit_test(test_convolutions),
        cmocka_unit_test(test_pooling),
        cmocka_unit_test(test_networks),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
