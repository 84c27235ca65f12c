/* test_net.c: whole small networks, through the plan and both loops, against the same network in
 * double precision; the double network's gradients against central differences of its loss;
 * evaluation; and where a number that is not finite is found.
 *
 * Tolerance of the floats: rounding errors of a network of depth d grow about as d times those of
 * its sums, which have up to 4 epsilons each; 4 d epsilons of the greatest value of a tensor are
 * allowed for all of it. Measured: 0.7 of that at most. */
#include "../kernel_check.h"
#include "../network_check.h"
#include "net/fold.h"
#include "net/loss.h"
#include "net/net.h"

#include <float.h>
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

enum { CLASSES = 3 };
static const double EPSILON = FLT_EPSILON;

struct example {
    const char *text;
    struct shape in;
};

static struct example examples[64] = {
    {"- conv: {filters: 3, kernel: 3, activation: tanh}\n"
     "- avgpool: 2\n"
     "- conv: {filters: 4, kernel: 2, padding: 1, activation: relu}\n"
     "- maxpool: {size: 2, stride: 1}\n"
     "- dropout: 0.25\n"
     "- dense: 3\n",
     {1, 8, 7}},
    {"- dropout: 0.1\n"
     "- conv: {filters: 2, kernel: [2, 3], stride: 2, bias: false, activation: gelu}\n"
     "- dropout: 0.5\n"
     "- dense: {units: 7, activation: {type: leaky_relu, slope: 0.2}}\n"
     "- dropout: 0.5\n"
     "- softplus\n"
     "- dense: {units: 5, bias: false, activation: scaled_tanh}\n"
     "- dense: 3\n"
     "- sigmoid\n",
     {2, 7, 7}},
    {"- maxpool: {size: 3, stride: 2, padding: same}\n"
     "- elu: 0.5\n"
     "- conv: {filters: 3, kernel: 3, padding: same}\n"
     "- silu\n"
     "- silu\n"
     "- avgpool: {size: 2, stride: 1, padding: 1, count_padding: false}\n"
     "- tanh\n"
     "- relu\n"
     "- conv: {filters: 3, kernel: [5, 4]}\n",
     {2, 7, 6}},
    {"- dense: 3\n", {1, 2, 2}},
    {"- residual: {body: [conv: {filters: 3, kernel: 3, padding: 1, activation: relu}, dropout: "
     "0.3, "
     "conv: {filters: 3, kernel: 3, padding: 1, bias: false}], shortcut: conv}\n"
     "- tanh\n"
     "- residual: [maxpool: {size: 3, stride: 1, padding: 1}, residual: [tanh, conv: {filters: 3, "
     "kernel: 1, freeze: true}], gelu]\n"
     "- concat: [[], [conv: {filters: 2, kernel: 3, padding: same, activation: tanh}], [residual: "
     "[elu, dropout: 0.5]]]\n"
     "- dropout: 0.2\n"
     "- residual: {body: [conv: {filters: 9, kernel: 3, stride: 2, padding: 1}], shortcut: pool}\n"
     "- tanh\n"
     "- dense: 3\n",
     {2, 4, 5}},
    {"- concat: [[dropout: 0.5], [residual: [tanh, dropout: 0.4]], [conv: {filters: 1, kernel: "
     "1}]]\n"
     "- repeat: {times: 2, block: [residual: [conv: {filters: 5, kernel: 3, padding: 1, "
     "activation: "
     "silu}], concat: [[conv: {filters: 2, kernel: 1}], [avgpool: {size: 1}, conv: {filters: 3, "
     "kernel: [1, 3], padding: same}]]]}\n"
     "- sigmoid\n"
     "- dense: 3\n",
     {2, 3, 4}},
    {"- conv: {filters: 3, kernel: 3, padding: 1, bias: false}\n"
     "- batchnorm\n"
     "- relu\n"
     "- residual: {body: [conv: {filters: 4, kernel: 3, padding: 1, stride: 2}, batchnorm: "
     "{affine: "
     "false}, tanh, batchnorm], shortcut: conv}\n"
     "- dropout: 0.2\n"
     "- dense: 3\n",
     {2, 5, 4}},
    {"- batchnorm: {affine: false}\n- batchnorm\n- concat: [[conv: {filters: 2, kernel: 2}], "
     "[conv: "
     "{filters: 3, kernel: 2}, batchnorm: {eps: 0.01}, gelu]]\n- dense: 3\n",
     {2, 3, 4}},
    {"- conv: {filters: 2, kernel: 3}\n- batchnorm\n- relu\n"
     "- residual: {body: [conv: {filters: 3, kernel: 3, stride: 2, padding: 1}], shortcut: pool}\n"
     "- relu\n- dense: 3\n",
     {2, 4, 5}},
};
static int example_count;

/* Besides, the examples of the types that are made of other layers. */
static int add_examples(void **state)
{
    static char texts[16][400];
    int added = 0;
    (void)state;
    while (examples[example_count].text) {
        example_count++;
    }
    for (const struct member *const *member = LAYERS.members; *member; member++) {
        const struct layer_type *type = (const void *)*member;
        for (int i = 0; type->expand && type->examples[i].options; i++, added++) {
            assert_true(added < 16);
            snprintf(texts[added], sizeof texts[added], "- %s: %s\n- dense: 3\n", type->member.name,
                     type->examples[i].options);
            examples[example_count++] = (struct example){texts[added], type->examples[i].in};
        }
    }
    assert_true(added >= 6);
    return 0;
}

struct net_case {
    struct network_case net;
    uint32_t samples[LANES];
    struct labels labels;
    struct ref_labels labels_d;
    struct ref_draws draws;
    float *x, *flat;
    double *w, **values, *logits, *dlogits, *dw, loss[LANES];
};

/* Loss and values of the double network. */
static void solve(struct net_case *c, const struct ref_draws *draws)
{
    ref_network_forward(&c->net.ref, LANES, draws, c->w, c->values);
    ref_cross_entropy(&(struct ref_terms){0}, LANES, CLASSES, c->logits, &c->labels_d, 1.0 / LANES,
                      c->loss, c->dlogits);
}

/* Inputs and weights by the number `seed`. */
static void draw(struct net_case *c, uint64_t seed)
{
    struct dice dice = {seed};
    const size_t in = shape_size(c->net.graph.input);
    const float most = c->net.ref.count < 12 ? 1 : 0.5f; /* deep networks saturate */
    for (size_t i = 0; i < in * LANES; i++) {
        c->x[i] = dice_uniform(&dice, -1, 1);
    }
    memset(c->flat, 0, c->net.graph.parameters * sizeof *c->flat);
    for (size_t i = 0; i < c->net.ref.parameters; i++) {
        c->w[i] = (double)dice_uniform(&dice, -most, most);
    }
    network_from_ref(&c->net, c->w, c->flat);
    network_positive_variances(&c->net, c->flat);
    network_to_ref(&c->net, c->flat, c->w);
    ref_from_tile(in, c->x, c->values[0]);
    solve(c, &c->draws);
}

/* A network whose values all keep away from kinks, so that neither a difference nor a rounding
 * error crosses one. */
static void case_make(struct net_case *c, const struct example *example, int live)
{
    *c = (struct net_case){.draws = {.seed = 77, .epoch = 5, .samples = c->samples, .live = live}};
    if (network_make(&c->net, example->text, example->in) != 0) {
        fail_msg("%s", c->net.errors.items[0].message);
    }
    for (int lane = 0; lane < LANES; lane++) {
        c->samples[lane] = (uint32_t)(lane < live ? 3 * lane + 1 : 1);
        c->labels.first[lane] = c->labels.second[lane] = lane < live ? lane % CLASSES : -1;
        c->labels.share[lane] = 1;
    }
    labels_to_ref(&c->labels, &c->labels_d);
    c->x = check_malloc(shape_size(example->in) * LANES * sizeof *c->x);
    c->flat = check_malloc(c->net.graph.parameters * sizeof *c->flat);
    c->w = check_doubles(c->net.ref.parameters);
    c->dw = check_doubles(c->net.ref.parameters);
    c->values = ref_network_values(&c->net.ref, LANES);
    c->logits = c->values[c->net.ref.count];
    c->dlogits = check_doubles(CLASSES * LANES);
    uint64_t seed = 1;
    for (draw(c, seed); ref_network_kink(&c->net.ref, LANES, c->values) < 1e-5; draw(c, ++seed)) {
        assert_true(seed < 200);
    }
    ref_network_backward(&c->net.ref, LANES, &c->draws, c->w, c->values, c->dlogits, c->dw, NULL);
}

static void case_free(struct net_case *c)
{
    ref_network_free(c->values);
    free(c->x);
    free(c->flat);
    free(c->w);
    free(c->dw);
    free(c->dlogits);
    network_free(&c->net);
}

static double total_loss(const struct net_case *c)
{
    double sum = 0;
    for (int lane = 0; lane < LANES; lane++) {
        sum += c->loss[lane] / LANES;
    }
    return sum;
}

static double greatest(size_t n, const double *values)
{
    double most = 0;
    for (size_t i = 0; i < n; i++) {
        most = fmax(most, fabs(values[i]));
    }
    return most;
}

/* Of large networks every third parameter: all tensors, but for biases of one or two numbers, and a
 * third of the time. Steps of 1e-7: the error of a difference is 1e-14 (h^2) and 1e-9 (rounding),
 * or 1e-7 of the greatest in deep networks; no kink is as near. */
static void test_double_gradients(void **state)
{
    (void)state;
    for (int i = 0; i < example_count; i++) {
        struct net_case c;
        case_make(&c, &examples[i], LANES);
        const double bound = 2e-8 + 1e-7 * greatest(c.net.ref.parameters, c.dw);
        const size_t count = c.net.ref.parameters, step = count > 150 ? 3 : 1;
        for (size_t k = 0; k < count; k += step) {
            const double h = 1e-7, centre = c.w[k];
            c.w[k] = centre + h;
            solve(&c, &c.draws);
            const double above = total_loss(&c);
            c.w[k] = centre - h;
            solve(&c, &c.draws);
            const double slope = (above - total_loss(&c)) / (2 * h);
            c.w[k] = centre;
            if (!(fabs(slope - c.dw[k]) <= bound)) {
                fail_msg("network %d: dw[%zu] is %.12g, differences say %.12g", i, k, c.dw[k],
                         slope);
            }
        }
        case_free(&c);
    }
}

/* got[i] near want[i], by the greatest of want. */
static void check_tensor(const char *what, const struct kernels *k, int depth, size_t n,
                         const double *got, const double *want)
{
    const double bound = 4 * depth * EPSILON * greatest(n, want);
    for (size_t i = 0; i < n; i++) {
        if (!(fabs(got[i] - want[i]) <= bound)) {
            fail_msg("%s, %s: [%zu of %zu] is %.9g, not %.9g: off by %.3g, allowed %.3g", what,
                     k->name, i, n, got[i], want[i], got[i] - want[i], bound);
        }
    }
}

static void check_parameters(const struct net_case *c, const struct kernels *k, const double *dw)
{
    for (int i = 0; i < c->net.ref.count; i++) {
        const struct ref_layer *layer = &c->net.ref.layers[i];
        if (layer->weights && !c->net.graph.nodes[i].trained) {
            continue;
        }
        /* together: a bias's gradient may be a small difference of large ones */
        check_tensor("weights and biases", k, c->net.ref.count, layer->weights + layer->biases,
                     dw + layer->weight, c->dw + layer->weight);
    }
}

static void check_training(struct net_case *c, const struct kernels *k, struct agreement *same)
{
    struct plan plan;
    struct error e;
    assert_int_equal(plan_make(&plan, &c->net.graph, 1, &c->net.arena, &e), 0);
    struct guarded block = guarded_new(plan.floats),
                   gradients = guarded_new(c->net.graph.parameters);
    float loss[LANES] __attribute__((aligned(64)));
    double *logits = check_doubles(CLASSES * LANES), *dw = check_doubles(c->net.ref.parameters);
    struct run run = {.kernels = k,
                      .training = 1,
                      .seed = c->draws.seed,
                      .epoch = c->draws.epoch,
                      .parameters = c->flat,
                      .gradients = gradients.data};
    memcpy(run.samples, c->samples, sizeof run.samples);
    network_set_live(&run, c->draws.live);
    const struct loss_type *type = (const void *)family_find(&LOSSES, "cross_entropy");
    /* a second tile in the same block: nothing of the first may be left there, and its gradients
     * are added */
    for (int tile = 0; tile < 2; tile++) {
        run.add = tile > 0;
        memcpy(block.data + plan.input, c->x,
               shape_size(c->net.graph.input) * LANES * sizeof(float));
        network_forward(&c->net.graph, &plan, &run, block.data);
        ref_from_tile(CLASSES, block.data + plan.logits, logits);
        type->evaluate(&(struct loss_options){{0}}, k, CLASSES, block.data + plan.logits,
                       &c->labels, 0.5f / LANES, loss, block.data + plan.dlogits);
        network_backward(&c->net.graph, &plan, &run, block.data);
        guarded_check(&block, "the worker's block");
        guarded_check(&gradients, "gradients");
    }
    network_to_ref(&c->net, gradients.data, dw);
    check_tensor("logits", k, c->net.ref.count, CLASSES * LANES, logits, c->logits);
    check_parameters(c, k, dw);
    agreement_check(same, "gradients", k, &gradients);
    guarded_free(&block);
    guarded_free(&gradients);
    free(logits);
    free(dw);
}

static void test_training(void **state)
{
    (void)state;
    const struct kernels *levels[KERNEL_LEVELS];
    const int count = check_levels(levels);
    for (int i = 0; i < example_count * 3; i++) {
        static const int LIVE[] = {LANES, 1, 9};
        struct net_case c;
        struct agreement same = {0};
        case_make(&c, &examples[i / 3], LIVE[i % 3]);
        for (int l = 0; l < count; l++) {
            check_training(&c, levels[l], &same);
        }
        agreement_free(&same);
        case_free(&c);
    }
}

/* One tile forward and back; what is not written stays NaN. */
static struct guarded gradients_of(struct net_case *c)
{
    struct plan plan;
    struct error e;
    assert_int_equal(plan_make(&plan, &c->net.graph, 1, &c->net.arena, &e), 0);
    struct guarded block = guarded_new(plan.floats), gradients = guarded_new(c->net.graph.moved);
    struct run run = {.kernels = kernels_select(NULL),
                      .training = 1,
                      .parameters = c->flat,
                      .gradients = gradients.data};
    memcpy(block.data + plan.input, c->x, shape_size(c->net.graph.input) * LANES * sizeof(float));
    net_forward(&c->net.graph, &plan, &run, block.data);
    for (int i = 0; i < CLASSES * LANES; i++) {
        block.data[plan.dlogits + i] = (float)(i % 7) - 3;
    }
    net_backward(&c->net.graph, &plan, &run, block.data);
    guarded_check(&gradients, "gradients of what moves");
    guarded_free(&block);
    return gradients;
}

/* A frozen layer has no gradients, and the others have the same as if it were not. */
static void test_frozen(void **state)
{
    (void)state;
    static const char NETWORK[] = "- conv: {filters: 3, kernel: 3%s}\n- relu\n"
                                  "- conv: {filters: 2, kernel: 2%s}\n- dense: {units: 4%s}\n"
                                  "- tanh\n- dense: 3\n";
    static const int BIT[] = {0, 3, 1, 2, 3, 3}; /* of each node; 3: never frozen */
    for (int frozen = 1; frozen < 8; frozen++) {
        struct net_case cases[2];
        struct guarded gradients[2];
        char text[300];
        for (int i = 0; i < 2; i++) {
            const char *words[3];
            for (int k = 0; k < 3; k++) {
                words[k] = i && frozen >> k & 1 ? ", freeze: true" : "";
            }
            snprintf(text, sizeof text, NETWORK, words[0], words[1], words[2]);
            case_make(&cases[i], &(struct example){text, {1, 6, 6}}, LANES);
            gradients[i] = gradients_of(&cases[i]);
        }
        for (int n = 0; n < cases[0].net.graph.count; n++) {
            const struct needs *one = &cases[0].net.graph.nodes[n].needs,
                               *two = &cases[1].net.graph.nodes[n].needs;
            for (int k = 0; k < one->parameter_count; k++) {
                assert_int_equal(two->parameters[k].fixed, frozen >> BIT[n] & 1);
                if (!two->parameters[k].fixed) {
                    assert_memory_equal(gradients[0].data + one->parameters[k].offset,
                                        gradients[1].data + two->parameters[k].offset,
                                        one->parameters[k].size * sizeof(float));
                }
            }
        }
        for (int i = 0; i < 2; i++) {
            guarded_free(&gradients[i]);
            case_free(&cases[i]);
        }
    }
}

/* Evaluation: nothing is dropped, and neither gradients nor samples are needed. */
static void test_evaluation(void **state)
{
    (void)state;
    const struct kernels *levels[KERNEL_LEVELS];
    const int count = check_levels(levels);
    for (int i = 0; i < example_count * count; i++) {
        struct net_case c;
        struct plan plan, training;
        struct error e;
        case_make(&c, &examples[i / count], LANES);
        solve(&c, NULL);
        assert_int_equal(plan_make(&plan, &c.net.graph, 0, &c.net.arena, &e), 0);
        assert_int_equal(plan_make(&training, &c.net.graph, 1, &c.net.arena, &e), 0);
        assert_true(plan.floats <= training.floats);
        struct guarded block = guarded_new(plan.floats);
        double *logits = check_doubles(CLASSES * LANES);
        struct run run = {.kernels = levels[i % count], .parameters = c.flat};
        memcpy(block.data + plan.input, c.x, shape_size(c.net.graph.input) * LANES * sizeof(float));
        net_forward(&c.net.graph, &plan, &run, block.data);
        guarded_check(&block, "the worker's block");
        ref_from_tile(CLASSES, block.data + plan.logits, logits);
        check_tensor("logits", levels[i % count], c.net.ref.count, CLASSES * LANES, logits,
                     c.logits);
        guarded_free(&block);
        free(logits);
        case_free(&c);
    }
}

/* Normalisations folded into the layer before them, and relu done by it: the same outputs, and they
 * do not run. */
static void test_folded(void **state)
{
    (void)state;
    int folds = 0, rectified = 0;
    for (int i = 0; i < example_count; i++) {
        struct net_case c;
        struct plan plan;
        struct error e;
        case_make(&c, &examples[i], LANES);
        solve(&c, NULL);
        assert_int_equal(plan_make(&plan, &c.net.graph, PLAN_FOLDED, &c.net.arena, &e), 0);
        struct guarded block = guarded_new(plan.floats),
                       folded = guarded_new(c.net.graph.parameters);
        double *logits = check_doubles(CLASSES * LANES);
        net_fold(&c.net.graph, c.flat, folded.data);
        struct run run = {.kernels = kernels_select(NULL), .folded = 1, .parameters = folded.data};
        memcpy(block.data + plan.input, c.x, shape_size(c.net.graph.input) * LANES * sizeof(float));
        net_forward(&c.net.graph, &plan, &run, block.data);
        guarded_check(&block, "the worker's block");
        guarded_check(&folded, "folded parameters");
        ref_from_tile(CLASSES, block.data + plan.logits, logits);
        check_tensor("logits", run.kernels, c.net.ref.count, CLASSES * LANES, logits, c.logits);
        for (int n = 0; n < c.net.graph.count; n++) {
            const struct node *node = &c.net.graph.nodes[n];
            folds += node->folded;
            rectified += node->rectifies && plan.places[n].does;
            assert_true(!node->folded || (!plan.places[n].runs && node->type->channel_map &&
                                          c.net.graph.nodes[node->inputs[0]].type->init));
        }
        guarded_free(&block);
        guarded_free(&folded);
        free(logits);
        case_free(&c);
    }
    assert_int_equal(folds, 5);
    assert_int_equal(rectified, 5);
}

/* Not where the layer before has another reader, or an activation. */
static void test_not_folded(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        int folds;
    } CASES[] = {
        {"- conv: {filters: 3, kernel: 1}\n- batchnorm\n- dense: 3\n- batchnorm\n", 2},
        {"- conv: {filters: 3, kernel: 1, activation: tanh}\n- batchnorm\n- dense: 3\n", 0},
        {"- conv: {filters: 3, kernel: 1}\n- residual: [batchnorm]\n- dense: 3\n", 0},
        {"- batchnorm\n- dense: 3\n", 0},
        {"- conv: {filters: 3, kernel: 1}\n- groupnorm: 3\n- batchnorm\n- dense: 3\n", 0},
    };
    for (size_t i = 0; i < sizeof CASES / sizeof *CASES; i++) {
        struct network_case c;
        assert_int_equal(network_make(&c, CASES[i].text, (struct shape){1, 4, 4}), 0);
        assert_int_equal(c.graph.folds, CASES[i].folds);
        network_free(&c);
    }
}

static void find(struct net_case *c, const char *name, int is_parameter)
{
    struct plan plan;
    struct error e;
    int parameter = -1;
    assert_int_equal(plan_make(&plan, &c->net.graph, 1, &c->net.arena, &e), 0);
    struct guarded block = guarded_new(plan.floats);
    struct run run = {
        .kernels = kernels_select(NULL), .training = 1, .seed = 77, .parameters = c->flat};
    memcpy(block.data + plan.input, c->x, shape_size(c->net.graph.input) * LANES * sizeof(float));
    const struct node *node =
        net_find_not_finite(&c->net.graph, &plan, &run, block.data, &parameter);
    if (name) {
        assert_non_null(node);
        assert_string_equal(node->name, name);
        assert_int_equal(parameter, is_parameter);
    } else {
        assert_null(node);
    }
    guarded_check(&block, "the worker's block");
    guarded_free(&block);
}

static void test_not_finite(void **state)
{
    (void)state;
    struct net_case c;
    case_make(&c, &examples[0], LANES);
    find(&c, NULL, 0);
    const struct node *conv2 = &c.net.graph.nodes[3],
                      *dense = &c.net.graph.nodes[c.net.graph.count - 1];
    float *bias = c.flat + dense->needs.parameters[1].offset,
          *weight = c.flat + conv2->needs.parameters[0].offset;
    bias[2] = NAN;
    find(&c, "dense1", 1);
    weight[5] = -INFINITY;
    find(&c, "conv2", 1);
    weight[5] = FLT_MAX; /* finite, but the sums are not */
    weight[6] = FLT_MAX;
    weight[4] = FLT_MAX;
    for (int i = 0; i < 56 * LANES; i++) {
        c.x[i] = 1;
    }
    find(&c, "conv2", 0);
    c.x[3] = NAN;
    find(&c, "conv1", 0);
    case_free(&c);
}

static void test_all_finite(void **state)
{
    (void)state;
    float values[3] = {1, -FLT_MAX, 0};
    assert_true(all_finite(values, 3));
    values[2] = NAN;
    assert_false(all_finite(values, 3));
    assert_true(all_finite(values, 2));
    values[0] = -INFINITY;
    assert_false(all_finite(values, 2));
    assert_true(all_finite(values, 0));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_double_gradients), cmocka_unit_test(test_training),
        cmocka_unit_test(test_folded),           cmocka_unit_test(test_not_folded),
        cmocka_unit_test(test_frozen),           cmocka_unit_test(test_evaluation),
        cmocka_unit_test(test_not_finite),       cmocka_unit_test(test_all_finite),
    };
    return cmocka_run_group_tests(tests, add_examples, NULL);
}
