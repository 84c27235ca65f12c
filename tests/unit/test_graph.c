/* test_graph.c: the network list, joined: names, activations given as options, shapes, counts,
 * initialisers, and every fault with its place. Output sizes and parameter counts of all networks
 * here are also held against the reference's (network_check.c). */
#include "../kernel_check.h"
#include "graph_check.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static const char LENET5[] = "- conv: {name: C1, filters: 6, kernel: 5, activation: tanh}\n"
                             "- avgpool: {name: S2, size: 2}\n"
                             "- conv: {name: C3, filters: 16, kernel: 5, activation: tanh}\n"
                             "- avgpool: {name: S4, size: 2}\n"
                             "- conv: {name: C5, filters: 120, kernel: 5, activation: tanh}\n"
                             "- dense: {name: F6, units: 84, activation: tanh}\n"
                             "- dense: {name: output, units: 10}\n";

/* The figures of the paper's table, with full connections in C3. */
static void test_lenet5(void **state)
{
    (void)state;
    static const struct {
        const char *name;
        struct shape out;
        int parameters;
        double multiply_adds;
    } WANT[] = {
        {"C1", {6, 28, 28}, 156, 117600},  {"C1.tanh", {6, 28, 28}, 0, 0},
        {"S2", {6, 14, 14}, 0, 0},         {"C3", {16, 10, 10}, 2416, 240000},
        {"C3.tanh", {16, 10, 10}, 0, 0},   {"S4", {16, 5, 5}, 0, 0},
        {"C5", {120, 1, 1}, 48120, 48000}, {"C5.tanh", {120, 1, 1}, 0, 0},
        {"F6", {84, 1, 1}, 10164, 10080},  {"F6.tanh", {84, 1, 1}, 0, 0},
        {"output", {10, 1, 1}, 850, 840},
    };
    const struct graph *graph = make(LENET5, (struct shape){1, 32, 32});
    assert_int_equal(graph->count, sizeof WANT / sizeof *WANT);
    for (int i = 0; i < graph->count; i++) {
        const struct node *node = &graph->nodes[i];
        int parameters = 0;
        for (int k = 0; k < node->needs.parameter_count; k++) {
            parameters += (int)node->needs.parameters[k].size;
        }
        assert_string_equal(node->name, WANT[i].name);
        assert_int_equal(node->index, i);
        assert_memory_equal(&node->out, &WANT[i].out, sizeof node->out);
        assert_int_equal(parameters, WANT[i].parameters);
        assert_true(node->needs.multiply_adds == WANT[i].multiply_adds);
        assert_int_equal(node->attached, strchr(node->name, '.') != NULL);
    }
    assert_int_equal(graph->trained, 61706);
    assert_true(graph->multiply_adds == 416520);
    struct error_list errors = {0};
    assert_int_equal(graph_check_classes(graph, 10, &errors), 0);
}

/* C3 with the paper's connections: 1,516 parameters; what is not connected is zero, and the config
 * says so again. */
static void test_connections(void **state)
{
    (void)state;
    const char *text = "- conv: {filters: 16, kernel: 5, connections: lenet5}\n"
                       "- conv: {filters: 3, kernel: [1, 2], bias: false, connections: [[0, 15], "
                       "[3], [1, 2, 14]]}\n"
                       "- dense: 10\n";
    const struct graph *graph = make(text, (struct shape){6, 14, 14});
    assert_int_equal(graph->nodes[0].count, 1516);
    assert_int_equal(graph->nodes[0].needs.parameters[0].size, 2400);
    assert_int_equal(graph->nodes[1].count, 12);
    assert_int_equal(graph->trained, 1516 + 12 + graph->nodes[2].count);
    assert_true(graph->nodes[0].needs.parameters[0].fan_in == 25 * 60 / 16.0);
    float *flat = check_malloc(graph->parameters * sizeof *flat);
    graph_initialize(graph, 3, flat);
    int zeros = 0;
    for (int i = 0; i < 2400; i++) {
        zeros += flat[graph->nodes[0].needs.parameters[0].offset + (size_t)i] == 0;
    }
    assert_int_equal(zeros, 900);
    free(flat);
    struct text out = {0};
    OPTION_NETWORK.emit(NULL, &net.network, &out, -2);
    assert_non_null(strstr(out.data, "connections: lenet5,"));
    assert_non_null(strstr(out.data, "connections: [[0, 15], [3], [1, 2, 14]],"));
    text_free(&out);
    const struct shape in = {6, 9, 9};
    refuse_with("- conv: {filters: 15, kernel: 3, connections: lenet5}\n- dense: 2\n", in, 1, 3,
                "conv 'conv1': connections of 16 filters, but it has 15");
    refuse_with("- conv: {filters: 1, kernel: 3, connections: [[0, 6]]}\n- dense: 2\n", in, 1, 3,
                "conv 'conv1': its filter 0 is connected to input map 6, but there are 6 maps");
    refuse("- conv: {filters: 16, kernel: 3, connections: lenet5}\n- dense: 2\n", 1, 3,
           "is connected to input map 2, but there are 1 maps");
    refuse("- conv: {filters: 1, kernel: 3, connections: lenet}\n", 1, 46,
           "'connections' must be lenet5, or a list with the input maps of each filter");
    refuse("- conv: {filters: 1, kernel: 3, connections: [0]}\n", 1, 47,
           "each filter needs a list of the input maps that it sees, from 0");
    refuse("- conv: {filters: 1, kernel: 3, connections: [[]]}\n", 1, 47,
           "each filter needs a list");
    refuse("- conv: {filters: 1, kernel: 3, connections: [[-1]]}\n", 1, 48,
           "an input map must be a whole number from 0 to 65535");
    refuse("- conv: {filters: 1, kernel: 3, connections: [[1, 1]]}\n", 1, 51,
           "a filter's input maps must ascend: 1 comes behind 1");
}

/* Tensors follow each other at multiples of 16 floats, and nothing overlaps. */
static void test_flat_vector(void **state)
{
    (void)state;
    const struct graph *graph = make(LENET5, (struct shape){1, 32, 32});
    size_t end = 0;
    for (int i = 0; i < graph->count; i++) {
        for (int k = 0; k < graph->nodes[i].needs.parameter_count; k++) {
            const struct parameter *p = &graph->nodes[i].needs.parameters[k];
            assert_int_equal(p->offset, (end + 15) / 16 * 16);
            assert_string_equal(p->suffix, k ? "bias" : "weight");
            end = p->offset + p->size;
        }
    }
    assert_int_equal(graph->parameters, (end + 15) / 16 * 16);
    const struct parameter *c3 = graph->nodes[3].needs.parameters,
                           *f6 = graph->nodes[8].needs.parameters;
    assert_int_equal(c3->rank, 4);
    assert_memory_equal(c3->dims, ((int[]){16, 6, 5, 5}), 4 * sizeof(int));
    assert_int_equal(f6->rank, 2);
    assert_memory_equal(f6->dims, ((int[]){84, 120}), 2 * sizeof(int));
    assert_int_equal(f6[1].rank, 1);
    assert_int_equal(f6[1].dims[0], 84);
}

/* Frozen tensors stand behind those that move, and are counted apart. */
static void test_frozen(void **state)
{
    (void)state;
    const struct graph *graph = make("- conv: {filters: 2, kernel: 3, freeze: true}\n"
                                     "- dense: {units: 20, freeze: false}\n"
                                     "- dense: {units: 2, bias: false, freeze: true}\n",
                                     (struct shape){1, 8, 8});
    const struct parameter *conv = graph->nodes[0].needs.parameters,
                           *dense = graph->nodes[1].needs.parameters,
                           *last = graph->nodes[2].needs.parameters;
    assert_int_equal(dense[0].offset, 0);
    assert_int_equal(dense[1].offset, 20 * 72);
    assert_int_equal(graph->moved, 20 * 72 + 32);
    assert_int_equal(conv[0].offset, graph->moved);
    assert_int_equal(conv[1].offset, graph->moved + 32);
    assert_int_equal(last[0].offset, graph->moved + 48);
    assert_int_equal(graph->parameters, graph->moved + 48 + 48);
    assert_true(conv[0].fixed && conv[1].fixed && last[0].fixed);
    assert_false(dense[0].fixed || dense[1].fixed);
    assert_false(graph->nodes[0].trained || graph->nodes[2].trained);
    assert_true(graph->nodes[1].trained);
    assert_int_equal(graph->trained, 20 * 72 + 20);
    assert_int_equal(graph->frozen, 20 + 40);
    assert_int_equal(graph->values, graph->trained + graph->frozen);
    refuse("- conv: {filters: 2, kernel: 3, freeze: true}\n- dense: {units: 2, freeze: true}\n", 1,
           1, "the network has nothing to train: all of its weights are frozen");
}

/* The k-th of its type, from 1; named layers count, activations given as options do not. */
static void test_names(void **state)
{
    (void)state;
    const struct graph *graph =
        make("- conv: {filters: 2, kernel: 3, activation: relu}\n"
             "- conv: {name: middle, filters: 2, kernel: 1, activation: relu}\n"
             "- relu\n"
             "- conv: {filters: 2, kernel: 1, activation: {type: leaky_relu, slope: 0.2}}\n"
             "- relu:\n"
             "- dense: 2\n",
             (struct shape){1, 8, 8});
    static const char *const NAMES[] = {"conv1", "conv1.relu", "middle",           "middle.relu",
                                        "relu1", "conv3",      "conv3.leaky_relu", "relu2",
                                        "dense1"};
    assert_int_equal(graph->count, sizeof NAMES / sizeof *NAMES);
    for (int i = 0; i < graph->count; i++) {
        assert_string_equal(graph->nodes[i].name, NAMES[i]);
    }
}

/* What an emitted config says of each layer reads back to the same, with defaults and names. */
static void test_resolved(void **state)
{
    (void)state;
    make("- conv: {filters: 2, kernel: 3, activation: relu}\n- maxpool: 2\n- dense: 2\n",
         (struct shape){1, 8, 8});
    struct text text = {0};
    OPTION_NETWORK.emit(NULL, &net.network, &text, -2);
    assert_string_equal(
        text.data, "\n- conv: {filters: 2, kernel: 3, stride: 1, padding: 0, "
                   "dilation: 1, groups: 1, bias: "
                   "true, activation: relu, init: he, freeze: false, name: conv1}"
                   "\n- maxpool: {size: 2, stride: 2, padding: 0, name: maxpool1}"
                   "\n- dense: {units: 2, bias: true, init: xavier, freeze: false, name: dense1}");
    text_free(&text);
}

/* The lecture's: 10 steps of 128 features, 32 filters over 3 of them; as a map of height 1, and as
 * a file of [n][128][10] gives it. */
static void test_sequence(void **state)
{
    (void)state;
    static const struct shape INPUTS[] = {{128, 1, 10}, {1, 128, 10}};
    for (int i = 0; i < 2; i++) {
        make("- conv1d: {filters: 32, kernel: 3}\n- dense: 2\n", INPUTS[i]);
        const struct node *node = &net.graph.nodes[0];
        const struct parameter *weight = &node->needs.parameters[0];
        assert_int_equal(node->out.c, 32);
        assert_int_equal(node->out.h, 1);
        assert_int_equal(node->out.w, 8);
        assert_int_equal(weight->size + node->needs.parameters[1].size, 12320);
        assert_int_equal(weight->rank, 3);
        assert_true(weight->dims[0] == 32 && weight->dims[1] == 128 && weight->dims[2] == 3);
        assert_true(weight->fan_in == 384 && weight->fan_out == 96);
    }
    make("- conv: {filters: 8, kernel: 3, groups: 4}\n- dense: 2\n", (struct shape){4, 5, 5});
    assert_true(net.graph.nodes[0].needs.parameters[0].fan_in == 9); /* of one group */
    assert_true(net.graph.nodes[0].needs.parameters[0].fan_out == 72);
}

static void test_initializer_by_the_next_activation(void **state)
{
    (void)state;
    static const struct {
        const char *between;
        const struct initializer *init;
    } CASES[] = {
        {"- relu\n", &INITIALIZER_he},
        {"- tanh\n", &INITIALIZER_xavier},
        {"- leaky_relu\n", &INITIALIZER_he},
        {"- sigmoid\n", &INITIALIZER_xavier},
        {"- elu\n", &INITIALIZER_he},
        {"- scaled_tanh\n", &INITIALIZER_xavier},
        {"- gelu\n", &INITIALIZER_he},
        {"- silu\n", &INITIALIZER_he},
        {"- softplus\n", &INITIALIZER_he},
        {"", &INITIALIZER_xavier},
        {"- maxpool: 2\n- dropout: 0.5\n- relu\n",
         &INITIALIZER_he},                         /* what has no weights is looked through */
        {"- tanh\n- relu\n", &INITIALIZER_xavier}, /* the next, not the last */
        {"- conv: {filters: 1, kernel: 1}\n- relu\n", &INITIALIZER_xavier},
    };
    for (size_t i = 0; i < sizeof CASES / sizeof *CASES; i++) {
        char text[200];
        snprintf(text, sizeof text, "- conv: {filters: 2, kernel: 3}\n%s- dense: 2\n",
                 CASES[i].between);
        const struct graph *graph = make(text, (struct shape){1, 8, 8});
        assert_string_equal(init_of(graph, 0)->member.name, CASES[i].init->member.name);
        assert_string_equal(init_of(graph, graph->count - 1)->member.name, "xavier");
    }
    const struct graph *graph =
        make("- conv: {filters: 2, kernel: 3, activation: tanh, init: lecun}\n"
             "- dense: {units: 3, activation: gelu}\n"
             "- dense: {units: 3, init: zeros}\n- relu\n",
             (struct shape){1, 8, 8});
    assert_string_equal(init_of(graph, 0)->member.name, "lecun");
    assert_string_equal(init_of(graph, 2)->member.name, "he");
    assert_string_equal(init_of(graph, 4)->member.name, "zeros");
}

struct moments {
    double mean, variance, most;
};

static struct moments moments_of(size_t n, const float *values)
{
    struct moments m = {0};
    for (size_t i = 0; i < n; i++) {
        m.mean += (double)values[i] / (double)n;
        m.most = fmax(m.most, fabs((double)values[i]));
    }
    for (size_t i = 0; i < n; i++) {
        m.variance += ((double)values[i] - m.mean) * ((double)values[i] - m.mean) / (double)n;
    }
    return m;
}

/* Mean and variance of n draws, within five standard errors: 5 sigma / sqrt(n),
 * 5 variance sqrt(2 / n) (normal). */
static void check_moments(const char *what, size_t n, const float *values, double variance,
                          double most)
{
    const struct moments m = moments_of(n, values);
    if (fabs(m.mean) > 5 * sqrt(variance / (double)n) ||
        fabs(m.variance - variance) > 5 * variance * sqrt(2.0 / (double)n) || m.most > most ||
        m.most < 0.5 * most) {
        fail_msg("%s: mean %g, variance %g, not %g, greatest %g of %g", what, m.mean, m.variance,
                 variance, m.most, most);
    }
}

/* A dense layer of 100 inputs and 200 outputs; a convolution from 4 channels to 8 by 5 x 5, which
 * has the same fans. */
static void test_initial_values(void **state)
{
    (void)state;
    static const struct {
        const char *init;
        double variance, most;
    } CASES[] = {
        {"he", 2.0 / 100, 6 * M_SQRT2 / 10},
        {"lecun", 1.0 / 100, 6.0 / 10},
        {"xavier", 2.0 / 300, 0.14142136}, /* sqrt(6 / 300) = 0.141421356, its square over 3 */
        {"zeros", 0, 0},
    };
    for (size_t i = 0; i < 2 * sizeof CASES / sizeof *CASES; i++) {
        const char *init = CASES[i / 2].init;
        char text[200];
        if (i % 2) {
            snprintf(text, sizeof text, "- conv: {filters: 8, kernel: 5, init: %s}\n- dense: 2\n",
                     init);
        } else {
            snprintf(text, sizeof text, "- dense: {units: 200, init: %s}\n- dense: 2\n", init);
        }
        const struct graph *graph = make(text, (struct shape){4, 5, 5});
        float *flat = check_malloc(graph->parameters * sizeof *flat);
        memset(flat, 0xff, graph->parameters * sizeof *flat);
        graph_initialize(graph, 42, flat);
        const struct parameter *p = graph->nodes[0].needs.parameters;
        check_moments(text, p[0].size, flat + p[0].offset, CASES[i / 2].variance,
                      CASES[i / 2].most);
        for (size_t k = 0; k < p[1].size; k++) {
            assert_true(flat[p[1].offset + k] == 0);
        }
        free(flat);
    }
}

/* As many filters as there are channels, and half as many, twice as many. */
static void test_dirac(void **state)
{
    (void)state;
    static const int FILTERS[] = {4, 2, 8};
    for (size_t i = 0; i < 3; i++) {
        char text[200];
        snprintf(text, sizeof text,
                 "- conv: {filters: %d, kernel: [3, 5], init: dirac}\n- dense: 2\n", FILTERS[i]);
        const struct graph *graph = make(text, (struct shape){4, 5, 5});
        float *flat = check_malloc(graph->parameters * sizeof *flat);
        memset(flat, 0xff, graph->parameters * sizeof *flat);
        graph_initialize(graph, 42, flat);
        const float *w = flat + graph->nodes[0].needs.parameters[0].offset;
        int others = 0;
        for (int k = 0; k < FILTERS[i] * 4 * 15; k++) {
            const int filter = k / 60, channel = k / 15 % 4;
            if (filter < 4) {
                assert_true(w[k] == (channel == filter && k % 15 == 7));
            }
            others += w[k] != 0 && w[k] != 1;
        }
        assert_int_equal(others, FILTERS[i] > 4 ? (FILTERS[i] - 4) * 60 : 0);
        free(flat);
    }
    const struct graph *graph =
        make("- dense: {units: 3, init: dirac}\n- dense: 2\n", (struct shape){3, 1, 1});
    float *flat = check_malloc(graph->parameters * sizeof *flat);
    graph_initialize(graph, 42, flat);
    for (int k = 0; k < 9; k++) {
        assert_true(flat[graph->nodes[0].needs.parameters[0].offset + k] == (k % 4 == 0));
    }
    free(flat);
}

/* A function of seed and tensor; gaps are zero. */
static void test_initial_values_depend_on_seed_and_tensor(void **state)
{
    (void)state;
    const struct graph *graph = make(
        "- dense: {units: 3}\n- dense: {units: 3}\n- dense: {units: 3}\n", (struct shape){3, 1, 1});
    const size_t n = graph->parameters, second = graph->nodes[1].needs.parameters[0].offset;
    const size_t third = graph->nodes[2].needs.parameters[0].offset;
    float *a = check_malloc(n * sizeof *a), *b = check_malloc(n * sizeof *b);
    memset(a, 0xff, n * sizeof *a);
    memset(b, 0, n * sizeof *b);
    graph_initialize(graph, 42, a);
    graph_initialize(graph, 42, b);
    assert_memory_equal(a, b, n * sizeof *a);
    graph_initialize(graph, 43, b);
    assert_memory_not_equal(a + second, b + second, 9 * sizeof *a);
    assert_memory_not_equal(a + second, a + third, 9 * sizeof *a);
    for (int i = 0; i < graph->count; i++) {
        const struct parameter *p = graph->nodes[i].needs.parameters;
        for (size_t k = p->offset + p->size; k < p->offset + 16; k++) {
            assert_true(a[k] == 0);
        }
    }
    free(a);
    free(b);
}

static void test_bad_lists(void **state)
{
    (void)state;
    refuse("conv: {filters: 1, kernel: 1}\n", 1, 1,
           "'network' must be a list of layers, got a mapping");
    refuse("[]\n", 1, 1, "'network' needs at least one layer");
    refuse("- relu\n- conv: {filters: 1, kernel: 1}\n  dense: 2\n", 3, 3,
           "one layer per item, got 2");
    refuse("- dense: 2\n- [relu]\n", 2, 3, "expected a layer name, got a list");
    refuse("- dense: 2\n-\n", 2, 2, "empty layer");
    refuse("- conf: {filters: 6}\n", 1, 3, "unknown layer 'conf'; did you mean 'conv'?");
    refuse("- relu: {nmae: x}\n", 1, 10, "unknown key 'nmae' in relu; did you mean 'name'?");
    refuse("- dense: {units: 2, activation: dense}\n", 1, 33, "unknown activation 'dense'");
    refuse("- dense: {units: 2, activation: rleu}\n", 1, 33,
           "unknown activation 'rleu'; did you mean 'relu'?");
    refuse("- conv: {filters: 0, kernel: 3}\n", 1, 19, "'filters' must be");
    refuse("- conv: {kernel: 3}\n", 1, 9, "missing key 'filters' in conv");
    refuse("- dropout: 1\n", 1, 12, "'rate' must be");
    refuse("- maxpool: {size: 2, padding: sane}\n", 1, 31, "'padding' must be");
}

static void test_too_many_layers(void **state)
{
    (void)state;
    struct text text = {0};
    for (int i = 0; i < 1025; i++) {
        text_append(&text, "- relu\n");
    }
    refuse(text.data, 1025, 3, "more than 1024 layers");
    text_free(&text);
}

static void test_all_faults_in_one_pass(void **state)
{
    (void)state;
    refuse("- conv: {filters: x, kernel: 3}\n- relo\n- dense: 0\n", 1, 19, "'filters' must be");
    assert_int_equal(net.errors.total, 3);
    assert_int_equal(net.errors.items[1].line, 2);
    assert_int_equal(net.errors.items[2].line, 3);
}

static void test_bad_names(void **state)
{
    (void)state;
    refuse("- dense: {units: 2, name: a.b}\n", 1, 3,
           "layer name 'a.b': only letters, digits, '_' and '-', at most 64");
    refuse("- dense: {units: 2, name: a b}\n", 1, 3, "layer name 'a b'");
    refuse("- dense: {units: 2, name: \"../x\"}\n", 1, 3, "layer name '../x'");
    refuse("- dense: {units: 2, name: "
           "nnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnn}\n",
           1, 3, "at most 64");
    refuse("- relu: {name: x}\n- dense: {units: 2, name: x}\n", 2, 3, "two layers are called 'x'");
    refuse("- relu: {name: dense1}\n- dense: 2\n", 2, 3, "two layers are called 'dense1'");
    refuse("- dense: {units: 2, activation: {type: relu, name: x}}\n", 1, 40,
           "an activation that belongs to 'dense1' has no name of its own");
}

static void test_bad_shapes(void **state)
{
    (void)state;
    refuse("- conv: {filters: 2, kernel: 9}\n- dense: 2\n", 1, 3,
           "conv 'conv1': its kernel 9x9 is larger than its input 1x8x8 with padding 0x0; the "
           "output would be empty");
    refuse("- avgpool: 4\n- maxpool: {size: [1, 3], name: P}\n- dense: 2\n", 2, 3,
           "maxpool 'P': its window 1x3 is larger than its input 1x2x2");
    refuse("- conv: {filters: 1, kernel: [3, 2], padding: [1, 2]}\n- dense: 2\n", 1, 3,
           "conv 'conv1': padding 1x2 must be smaller than its kernel 3x2");
    refuse("- maxpool: {size: 2, padding: 2}\n- dense: 2\n", 1, 3,
           "padding 2x2 must be smaller than its window 2x2");
    refuse("- conv: {filters: 2, kernel: 9}\n- conv: {filters: 2, kernel: 99}\n", 1, 3,
           "kernel 9x9"); /* what follows is unknown */
    assert_int_equal(net.errors.total, 1);
    refuse("- relu\n- maxpool: 2\n", 1, 1, "the network has nothing to train");
}

static void test_limits(void **state)
{
    (void)state;
    const struct shape large = {3, 256, 256};
    refuse_with("- conv: {filters: 65536, kernel: 1}\n- dense: 2\n", large, 1, 3,
                "conv 'conv1': its output 65536x256x256 is over the limit of 65536 a dimension, "
                "2147483647 in all");
    refuse_with("- conv: {filters: 1, kernel: [1024, 1], padding: [1023, 0]}\n- dense: 2\n",
                (struct shape){1, 65000, 1}, 1, 3, "its output 1x66023x1 is over the limit");
    refuse_with("- dense: 65536\n- dense: 65536\n", large, 1, 3,
                "needs 12884901888 parameters; a network may have 2147483647");
    refuse_with("- dense: 30000\n- dense: 40000\n- dense: 30000\n", (struct shape){1, 1, 1}, 3, 3,
                "dense 'dense3' needs 1200000000 parameters");
    /* a kernel whose size alone does not fit an int */
    refuse_with(
        "- conv: {filters: 65536, kernel: 1}\n- conv: {filters: 1, kernel: 1024, padding: 1023}\n",
        (struct shape){1, 1, 1}, 2, 3, "needs 68719476736 parameters");
    refuse_with("- dense: 2\n", (struct shape){1, 65536, 65536}, 1, 1,
                "the input 1x65536x65536 is over the limit");
}

static void test_classes(void **state)
{
    (void)state;
    struct error_list errors = {0};
    const struct graph *graph =
        make("- conv: {filters: 3, kernel: 7}\n- relu\n", (struct shape){1, 8, 8});
    assert_int_equal(graph_check_classes(graph, 12, &errors), 0);
    assert_int_equal(graph_check_classes(graph, 3, &errors), -1);
    assert_string_equal(
        errors.items[0].message,
        "the network ends in relu 'relu1' with output 3x2x2, 12 values, but there are 3 classes");
    assert_int_equal(errors.items[0].line, 2);
    assert_int_equal(errors.items[0].column, 3);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_lenet5),
        TEST(test_flat_vector),
        TEST(test_connections),
        TEST(test_frozen),
        TEST(test_names),
        TEST(test_resolved),
        TEST(test_sequence),
        TEST(test_initializer_by_the_next_activation),
        TEST(test_initial_values),
        TEST(test_dirac),
        TEST(test_initial_values_depend_on_seed_and_tensor),
        TEST(test_bad_lists),
        TEST(test_too_many_layers),
        TEST(test_all_faults_in_one_pass),
        TEST(test_bad_names),
        TEST(test_bad_shapes),
        TEST(test_limits),
        TEST(test_classes),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
