/* test_graph_blocks.c: layers within layers: residual, concat, repeat. Names, who reads whom,
 * shapes, what the resolved config says, initialisers, and every fault with its place. Sizes are
 * also held against the reference's (network_check.c). */
#include "graph_check.h"

#include "../kernel_check.h"

#include <stdlib.h>

struct want_node {
    const char *name;
    int input_count, inputs[3], depth;
    struct shape out;
};

static void check_nodes(const struct graph *graph, const struct want_node *want, int count)
{
    int edges = 0;
    assert_int_equal(graph->count, count);
    for (int i = 0; i < count; i++) {
        const struct node *node = &graph->nodes[i];
        assert_string_equal(node->name, want[i].name);
        assert_int_equal(node->input_count, want[i].input_count);
        assert_memory_equal(node->inputs, want[i].inputs, (size_t)node->input_count * sizeof(int));
        assert_int_equal(node->depth, want[i].depth);
        assert_memory_equal(&node->out, &want[i].out, sizeof node->out);
        for (int k = 0; k < node->input_count; k++) {
            const struct shape *in =
                node->inputs[k] < 0 ? &graph->input : &graph->nodes[node->inputs[k]].out;
            assert_memory_equal(&node->ins[k], in, sizeof *in);
        }
        edges += node->input_count;
    }
    assert_int_equal(graph->edges, edges);
}

/* Who reads whom; running numbers count layers as the config has them, outer ones first; what a
 * shortcut adds has its block's name. */
static void test_blocks(void **state)
{
    (void)state;
    static const struct want_node WANT[] = {
        {"conv1", 1, {-1}, 1, {4, 4, 4}},          {"conv1.relu", 1, {0}, 1, {4, 4, 4}},
        {"dropout1", 1, {1}, 2, {4, 4, 4}},        {"residual2", 2, {2, 1}, 1, {4, 4, 4}},
        {"residual1.conv", 1, {-1}, 1, {4, 4, 4}}, {"residual1", 2, {3, 4}, 0, {4, 4, 4}},
        {"conv2", 1, {5}, 1, {2, 4, 4}},           {"concat1", 3, {5, 6, 5}, 0, {10, 4, 4}},
        {"conv3", 1, {7}, 1, {12, 2, 2}},          {"sum.avgpool", 1, {7}, 1, {10, 2, 2}},
        {"sum", 2, {8, 9}, 0, {12, 2, 2}},         {"conv4", 1, {10}, 0, {1, 2, 2}},
        {"relu1", 1, {11}, 0, {1, 2, 2}},          {"conv5", 1, {12}, 0, {1, 2, 2}},
        {"relu2", 1, {13}, 0, {1, 2, 2}},
    };
    const char *text =
        "- residual:\n"
        "    body:\n"
        "      - conv: {filters: 4, kernel: 3, padding: 1, stride: 2, activation: relu}\n"
        "      - residual: [dropout: 0.5]\n"
        "    shortcut: conv\n"
        "- concat: [[], [conv: {filters: 2, kernel: 1}], []]\n"
        "- residual: {name: sum, body: [conv: {filters: 12, kernel: 3, padding: 1, stride: 2}], "
        "shortcut: pool}\n"
        "- repeat: {times: 2, block: [conv: {filters: 1, kernel: 1}, relu]}\n";
    check_nodes(make(text, (struct shape){1, 8, 8}), WANT, sizeof WANT / sizeof *WANT);
    struct text out = {0};
    OPTION_NETWORK.emit(NULL, &net.network, &out, -2);
    assert_non_null(strstr(out.data, "\n- repeat: {block: [conv: {filters: 1, kernel: 1"));
    char *copy = check_malloc(out.length + 1);
    memcpy(copy, out.data + 1, out.length);
    check_nodes(make(copy, (struct shape){1, 8, 8}), WANT, sizeof WANT / sizeof *WANT);
    struct text again = {0};
    OPTION_NETWORK.emit(NULL, &net.network, &again, -2);
    assert_string_equal(again.data, out.data);
    text_free(&out);
    text_free(&again);
    free(copy);
}

/* What the copies find out for themselves is not written for the list that they are copies of. */
static void test_repeated_pools(void **state)
{
    (void)state;
    static const char *const TEXTS[][2] = {
        {"- repeat: {times: 2, block: [maxpool: 2, avgpool: {size: 1}]}\n- dense: 2\n",
         "maxpool: {size: 2, padding: 0}"},
        {"- reshape: [8, 8]\n- repeat: {times: 2, block: [maxpool1d: 2]}\n- dense: 2\n",
         "maxpool1d: {size: 2, padding: 0}"},
    };
    for (size_t i = 0; i < sizeof TEXTS / sizeof *TEXTS; i++) {
        struct text out = {0}, again = {0};
        make(TEXTS[i][0], (struct shape){1, 8, 8});
        OPTION_NETWORK.emit(NULL, &net.network, &out, -2);
        assert_non_null(strstr(out.data, TEXTS[i][1]));
        char *copy = check_malloc(out.length + 1);
        memcpy(copy, out.data + 1, out.length);
        make(copy, (struct shape){1, 8, 8});
        OPTION_NETWORK.emit(NULL, &net.network, &again, -2);
        assert_string_equal(again.data, out.data);
        text_free(&out);
        text_free(&again);
        free(copy);
    }
}

static void test_bad_blocks(void **state)
{
    (void)state;
    refuse("- residual: []\n", 1, 13, "'body' needs at least one layer");
    refuse("- residual: relu\n", 1, 13, "'body' must be a list of layers, got text");
    refuse("- residual\n", 1, 3, "missing key 'body' in residual");
    refuse("- residual: [tanh, relo]\n", 1, 20, "unknown layer 'relo'; did you mean 'relu'?");
    refuse("- residual:\n    - conv: {filters: 2, kernel: 9}\n- dense: 2\n", 2, 7,
           "conv 'conv1': its kernel 9x9 is larger than its input 1x8x8");
    refuse("- residual:\n    - relu: {nmae: x}\n", 2, 14, "unknown key 'nmae' in relu");
    refuse("- relu\n- residual: [conv: {filters: 2, kernel: 3, padding: 1}]\n- dense: 2\n", 2, 3,
           "residual 'residual1': its body gives 2x8x8, which cannot be added to 1x8x8; try "
           "'shortcut: conv' or 'shortcut: pool'");
    refuse("- conv: {filters: 3, kernel: 1}\n- residual: [conv: {filters: 2, kernel: 1}]\n", 2, 3,
           "cannot be added to 3x8x8; try 'shortcut: conv'");
    refuse("- conv: {filters: 3, kernel: 1}\n- residual: {body: [conv: {filters: 2, kernel: 1}], "
           "shortcut: pool}\n",
           2, 3, "which cannot be added to 3x8x8; 'shortcut: conv' would do");
    refuse("- residual: [conv: {filters: 1, kernel: 3}]\n- dense: 2\n", 1, 3,
           "its body gives 1x6x6, which cannot be added to 1x8x8; no stride leads there: mend the "
           "body's padding");
    refuse("- residual: {body: [conv: {filters: 1, kernel: 3}], shortcut: conv}\n- dense: 2\n", 1,
           3, "no stride leads there");
    refuse("- residual: {body: [relu], shortcut: cnv}\n", 1, 38,
           "unknown shortcut 'cnv'; did you mean 'conv'?");
    refuse("- concat: [[relu]]\n", 1, 11, "'branches' must be 2 to 64 lists of layers, got 1");
    refuse("- concat: [relu, tanh]\n", 1, 12, "'branches' must be a list of layers, got text");
    refuse("- concat: relu\n", 1, 11, "'branches' must be a list of lists of layers, got text");
    refuse("- concat: [[], [maxpool: 2]]\n- dense: 2\n", 1, 3,
           "concat 'concat1': its first branch gives 1x8x8, its branch 2 1x4x4: heights and widths "
           "must be the same");
    refuse("- repeat: {times: 2, block: []}\n", 1, 29, "'block' needs at least one layer");
    refuse("- repeat: {times: 0, block: [relu]}\n", 1, 19, "'times' must be 1 to 1024, got 0");
    refuse("- repeat: [relu]\n", 1, 11, "missing key 'times' in repeat");
    refuse("- repeat: {times: 2, block: [dense: {units: 2, name: x}]}\n", 1, 30,
           "two layers are called 'x': a layer that is repeated cannot have a name");
    refuse("- repeat: {times: 1024, block: [relu, relu]}\n- dense: 2\n", 1, 33,
           "more than 1024 layers");
    refuse("- repeat: {times: 1024, block: [repeat: {times: 1024, block: [repeat: {times: 1024, "
           "block: [residual: [tanh]]}]}]}\n",
           1, 93, "more than 1024 layers");
}

/* Weights in a body see through the sum; with several readers the first one counts. */
static void test_initializers_in_blocks(void **state)
{
    (void)state;
    const struct graph *graph = make(
        "- residual: {body: [conv: {filters: 2, kernel: 1}], shortcut: conv}\n- relu\n"
        "- residual: [conv: {filters: 2, kernel: 1}]\n- tanh\n"
        "- repeat: {times: 2, block: [conv: {filters: 2, kernel: 1}, concat: [[relu], [tanh]]]}\n"
        "- dense: 2\n",
        (struct shape){1, 4, 4});
    static const char *const INITS[] = {"he", "he", "", "",   "xavier", "", "", "he",
                                        "",   "",   "", "he", "",       "", "", "xavier"};
    assert_int_equal(graph->count, sizeof INITS / sizeof *INITS);
    for (int i = 0; i < graph->count; i++) {
        if (graph->nodes[i].type->init) {
            assert_string_equal(init_of(graph, i)->member.name, INITS[i]);
        } else {
            assert_string_equal("", INITS[i]);
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_blocks),
        TEST(test_initializers_in_blocks),
        TEST(test_repeated_pools),
        TEST(test_bad_blocks),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
