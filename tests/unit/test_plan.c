/* test_plan.c: tensors that share memory never meet. Random networks, each checked in two ways that
 * know nothing of how the plan finds its places:
 *
 * A walk. Every float of the block carries the number of the tensor that was written there last; a
 * walk through forward, loss and backward demands that whatever is read is still all there, and
 * that no layer writes over what it reads while it works, except where its type allows it.
 *
 * The arithmetic itself. It gives the same bytes as in a block where nothing is shared, by nodes
 * that do their own work only. */
#include "../kernel_check.h"
#include "../network_check.h"
#include "net/net.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

enum { CLASSES = 3 };

/* ---- random networks ---- */

static void append_activation(struct dice *dice, struct text *text, const char *before)
{
    int count = 0;
    while (ACTIVATIONS.members[count]) {
        count++;
    }
    text_append(text, "%s%s", before, ACTIVATIONS.members[dice_between(dice, 0, count - 1)]->name);
}

static void append_items(struct dice *dice, struct text *text, int count, int depth);

/* Layers within a layer, at most two deep. A body without weights keeps the shape; others may not.
 */
static void append_block(struct dice *dice, struct text *text, int depth)
{
    switch (dice_between(dice, 0, 4)) {
    case 0:
        append_activation(dice, text, "residual: [dropout: 0.5, ");
        text_append(text, "%s]",
                    dice_between(dice, 0, 1) ? ", avgpool: {size: 3, stride: 1, padding: 1}" : "");
        break;
    case 1:
        text_append(text, "residual: {body: [");
        append_items(dice, text, dice_between(dice, 1, 3), depth + 1);
        text_append(text, "], shortcut: conv}");
        break;
    case 2:
        append_activation(dice, text, "residual: {body: [concat: [[], [");
        text_append(text, "]], avgpool: {size: 2, stride: %d, padding: same}], shortcut: pool}",
                    dice_between(dice, 1, 2));
        break;
    case 3:
        text_append(text, "concat: [");
        for (int k = 0; k < 2; k++) {
            text_append(text, "[");
            append_activation(dice, text,
                              "conv: {filters: 2, kernel: 3, padding: same, activation: ");
            text_append(text, "}], [%s], ", dice_between(dice, 0, 1) ? "dropout: 0.5" : "");
        }
        append_activation(dice, text, "[");
        text_append(text, "]]");
        break;
    default:
        text_append(text, "repeat: {times: 2, block: [");
        append_items(dice, text, dice_between(dice, 1, 2), depth + 1);
        text_append(text, "]}");
    }
}

/* A layer that fits any map of at least 2 x 2. */
static void append_item(struct dice *dice, struct text *text, int flat, int depth)
{
    static const char *const NORMS[] = {"batchnorm", "batchnorm: {affine: false}",
                                        "batchnorm: {freeze: true}"};
    const int kind = dice_between(dice, 0, 9);
    if (kind < 2 && !flat) {
        text_append(text, "conv: {filters: %d, kernel: %d, padding: same, stride: %d",
                    dice_between(dice, 1, 5), dice_between(dice, 1, 3),
                    dice_between(dice, 1, 5) / 5 + 1);
        text_append(text, "%s", dice_between(dice, 0, 3) ? "" : ", freeze: true");
        if (dice_between(dice, 0, 1)) {
            append_activation(dice, text, ", activation: ");
        }
        text_append(text, "}");
    } else if (kind < 4 && !flat) {
        text_append(text, "%s: {size: 2, stride: %d, padding: same}",
                    kind == 2 ? "maxpool" : "avgpool", dice_between(dice, 1, 2));
    } else if (kind == 4) {
        text_append(text, "dropout: 0.25");
    } else if (kind == 9) {
        text_append(text, "%s", NORMS[dice_between(dice, 0, 2)]);
    } else if (kind > 6 && !flat && depth < 2) {
        append_block(dice, text, depth);
    } else if (flat && (kind == 3 || kind == 1)) {
        text_append(text, "dense: {units: %d}", dice_between(dice, 1, 20));
    } else {
        append_activation(dice, text, "");
    }
}

static void append_items(struct dice *dice, struct text *text, int count, int depth)
{
    for (int i = 0; i < count; i++) {
        text_append(text, "%s", i ? ", " : "");
        append_item(dice, text, 0, depth);
    }
}

static void append_layer(struct dice *dice, struct text *text, int flat)
{
    text_append(text, "- ");
    append_item(dice, text, flat, 0);
    text_append(text, "\n");
}

static void make_random(struct network_case *c, uint64_t seed)
{
    struct dice dice = {seed};
    struct text text = {0};
    const int before = dice_between(&dice, 0, 8), behind = dice_between(&dice, 0, 3),
              after = dice_between(&dice, 0, 2);
    for (int i = 0; i < before; i++) {
        append_layer(&dice, &text, 0);
    }
    for (int i = 0; i < behind; i++) {
        append_layer(&dice, &text, 1);
    }
    text_append(&text, "- dense: %d\n", CLASSES);
    for (int i = 0; i < after; i++) {
        append_activation(&dice, &text, "- ");
        text_append(&text, "\n%s", dice_between(&dice, 0, 1) ? "- dropout: 0.5\n" : "");
    }
    const struct shape in = {dice_between(&dice, 1, 3), dice_between(&dice, 1, 6),
                             dice_between(&dice, 1, 6)};
    if (network_make(c, text.data, in) != 0) {
        fail_msg("%s: %s", text.data, c->errors.items[0].message);
    }
    text_free(&text);
}

/* ---- the walk ---- */

/* A tensor, or the scratch memory: where it stands, and what it is called in messages. */
struct region {
    size_t at, size;
    int tag;
};

struct walk {
    const struct graph *graph;
    const struct plan *plan;
    int *tags; /* one a float of the block */
    int step;  /* tags of scratch memory, never the same twice */
};

/* Outputs have tags 1 (the input) to n + 1, gradients by them n + 2 and on. */
static struct region region_y(const struct walk *w, int i)
{
    if (i < 0) {
        return (struct region){w->plan->input, shape_size(w->graph->input) * LANES, 1};
    }
    const struct place *place = &w->plan->places[i];
    struct region r = {place->y, shape_size(w->graph->nodes[i].out) * LANES, i + 2};
    if (!place->runs) {
        const struct region x = region_y(
            w, w->graph->nodes[i].inputs[0]); /* passed through: it must be where the input is */
        assert_int_equal(r.at, x.at);
        r.tag = x.tag;
    }
    return r;
}

static struct region region_dy(const struct walk *w, int i)
{
    return (struct region){w->plan->places[i].dy, shape_size(w->graph->nodes[i].out) * LANES,
                           w->graph->count + 2 + i};
}

static void reads(const struct walk *w, struct region r, const char *what, int i)
{
    for (size_t k = 0; k < r.size; k++) {
        if (w->tags[r.at + k] != r.tag) {
            fail_msg("layer %d (%s) reads %s, where tensor %d was overwritten by %d", i,
                     w->graph->nodes[i].type->member.name, what, r.tag, w->tags[r.at + k]);
        }
    }
}

static void writes(const struct walk *w, struct region r)
{
    assert_int_equal(r.at % LANES, 0);
    assert_true(r.at + r.size <= w->plan->floats);
    for (size_t k = 0; k < r.size; k++) {
        w->tags[r.at + k] = r.tag;
    }
}

/* Whether two tensors may be in use by a layer at once: apart, or the very same memory where the
 * type works in place. */
static void apart(struct region a, struct region b, int in_place)
{
    const int overlap = a.at < b.at + b.size && b.at < a.at + a.size;
    assert_true(!overlap || (in_place && a.at == b.at && a.size == b.size));
}

static struct region use_scratch(struct walk *w, int i)
{
    const struct region scratch = {w->plan->scratch, w->graph->nodes[i].needs.scratch,
                                   100000 + w->step++};
    writes(w, scratch);
    return scratch;
}

static void walk_forward(struct walk *w, int i)
{
    const struct node *node = &w->graph->nodes[i];
    const struct region y = region_y(w, i);
    for (int k = 0; k < node->input_count && w->plan->places[i].runs; k++) {
        const struct region x = region_y(w, node->inputs[k]);
        reads(w, x, "x", i);
        const struct region scratch = use_scratch(w, i);
        apart(x, y, k == 0 && node->type->flags & LAYER_IN_PLACE);
        apart(scratch, x, 0);
        apart(scratch, y, 0);
        writes(w, y);
    }
}

/* Where the gradient by an input goes: to its place, or beside it and then added. */
static void walk_gradient(struct walk *w, int i, int k, struct region dy, int first)
{
    const struct node *node = &w->graph->nodes[i];
    const struct edge *edge = &w->plan->places[i].inputs[k];
    const struct region sum = region_dy(w, node->inputs[k]);
    const struct region scratch = {w->plan->scratch, node->needs.scratch, 0};
    const unsigned flags = node->type->flags;
    assert_int_equal(edge->gradient, first ? GRADIENT_WRITE : GRADIENT_ADD);
    const struct region dx = {edge->dx, sum.size, first ? sum.tag : 200000 + w->step++};
    if (first) {
        assert_int_equal(dx.at, sum.at);
    } else {
        reads(w, sum, "the gradient so far", i);
        apart(dx, sum, 0);
    }
    apart(dx, dy, k == 0 && first && flags & (LAYER_IN_PLACE | LAYER_DX_IN_PLACE));
    apart(dx, scratch, 0);
    if (flags & LAYER_READS_X) {
        apart(dx, region_y(w, node->inputs[k]), 0);
    }
    if (flags & LAYER_READS_Y) {
        apart(dx, region_y(w, i), 0);
    }
    writes(w, dx);
    writes(w, sum);
}

/* `learns`: which nodes have gradients; `found`: which of them have come so far. */
static void walk_backward(struct walk *w, int i, const int *learns, int *found)
{
    const struct node *node = &w->graph->nodes[i];
    const struct region y = region_y(w, i), dy = region_dy(w, i);
    for (int k = node->input_count - 1; k >= 0; k--) {
        const int input = node->inputs[k];
        const struct region scratch = use_scratch(w, i);
        reads(w, dy, "dy", i);
        apart(scratch, dy, 0);
        if (node->type->flags & LAYER_READS_X) {
            reads(w, region_y(w, input), "x", i);
            apart(scratch, region_y(w, input), 0);
        }
        if (node->type->flags & LAYER_READS_Y) {
            reads(w, y, "y", i);
            apart(scratch, y, 0);
        }
        if (input == NETWORK_INPUT || !learns[input]) {
            assert_int_equal(w->plan->places[i].inputs[k].gradient, GRADIENT_SKIP);
        } else {
            walk_gradient(w, i, k, dy, !found[input]);
            found[input] = 1;
        }
    }
}

/* The nodes that are trained, or stand behind one that is. */
static void find_learning(const struct graph *graph, int *learns)
{
    for (int i = 0; i < graph->count; i++) {
        learns[i] = graph->nodes[i].trained;
        for (int k = 0; k < graph->nodes[i].input_count; k++) {
            const int input = graph->nodes[i].inputs[k];
            assert_true(input < i);
            learns[i] = learns[i] || (input != NETWORK_INPUT && learns[input]);
        }
    }
}

static int readers_of(const struct graph *graph, int i)
{
    int readers = 0;
    for (int k = 0; k < graph->count; k++) {
        for (int j = 0; j < graph->nodes[k].input_count; j++) {
            readers += graph->nodes[k].inputs[j] == i;
        }
    }
    return readers;
}

/* Whether a node runs: not what is for training only, nor an activation that its one reader does,
 * or its input. */
static int absorbed_so_far, done_so_far;
static int runs_alone(const struct graph *graph, const struct plan *plan, int i, int training)
{
    int absorbed = 0, done = 0;
    for (int k = 0; k < graph->count; k++) {
        absorbed += plan->places[k].absorbed == &graph->nodes[i];
        done += plan->places[k].does == &graph->nodes[i];
    }
    if (absorbed + done > 0) {
        absorbed_so_far += absorbed;
        done_so_far += done;
        assert_int_equal(absorbed + done, 1);
        assert_true(graph->nodes[i].type->flags & LAYER_ACTIVATION);
    }
    if (absorbed > 0) {
        assert_int_equal(training, 0);
        assert_int_equal(readers_of(graph, i), 1);
    }
    if (done > 0) { /* what is in between passes its input on */
        int maker = graph->nodes[i].inputs[0];
        for (; plan->places[maker].does != &graph->nodes[i]; maker = graph->nodes[maker].inputs[0]) {
            assert_false(plan->places[maker].runs);
            assert_int_equal(readers_of(graph, maker), 1);
            assert_true(graph->nodes[maker].inputs[0] != NETWORK_INPUT);
        }
        assert_int_equal(readers_of(graph, maker), 1);
    }
    return !absorbed && !done && (training || !(graph->nodes[i].type->flags & LAYER_TRAINING_ONLY));
}

/* Before the work of node i: where all tiles have met, what passes is lost. */
static void forget_passing(struct walk *w, int i)
{
    for (size_t k = w->plan->kept; k < w->plan->floats && w->graph->nodes[i].couples; k++) {
        w->tags[k] = -7;
    }
}

static void check_walk(const struct graph *graph, const struct plan *plan, int training)
{
    struct walk w = {
        .graph = graph, .plan = plan, .tags = check_malloc(plan->floats * sizeof(int))};
    const int n = graph->count;
    memset(w.tags, 0, plan->floats * sizeof(int));
    assert_int_equal(plan->floats % LANES, 0);
    writes(&w, region_y(&w, -1));
    int cuts = 0;
    for (int i = 0; i < n; i++) {
        if (training && graph->nodes[i].couples) {
            assert_int_equal(plan->cuts[cuts++], i);
        }
        assert_int_equal(plan->places[i].runs, runs_alone(graph, plan, i, training));
        if (training) {
            forget_passing(&w, i);
        }
        walk_forward(&w, i);
    }
    assert_int_equal(plan->cut_count, cuts);
    assert_true(plan->kept <= plan->floats && (cuts > 0 || plan->kept == plan->floats));
    reads(&w, region_y(&w, n - 1), "the logits", n - 1);
    assert_int_equal(plan->logits, region_y(&w, n - 1).at);
    if (training) {
        int learns[200], found[200] = {0};
        assert_true(n <= 200);
        find_learning(graph, learns);
        const struct region dlogits = region_dy(&w, n - 1);
        assert_int_equal(plan->dlogits, dlogits.at);
        apart(region_y(&w, n - 1), dlogits, 0);
        writes(&w, dlogits);
        for (int i = n - 1; i >= 0; i--) {
            assert_int_equal(plan->places[i].learns, learns[i]);
            if (learns[i] && plan->places[i].runs) {
                forget_passing(&w, i);
                walk_backward(&w, i, learns, found);
            } else if (learns[i]) { /* the node before finds its own gradient here */
                assert_int_equal(plan->places[i].dy, plan->places[graph->nodes[i].inputs[0]].dy);
                found[graph->nodes[i].inputs[0]] = 1;
                writes(&w, region_dy(&w, graph->nodes[i].inputs[0]));
            }
        }
    }
    free(w.tags);
}

static void test_nothing_needed_is_overwritten(void **state)
{
    (void)state;
    for (uint64_t seed = 1; seed <= 2000; seed++) {
        struct network_case c;
        struct plan plan;
        struct error e;
        make_random(&c, seed);
        for (int training = 0; training < 2; training++) {
            assert_int_equal(plan_make(&plan, &c.graph, training, &c.arena, &e), 0);
            assert_int_equal(plan.training, training);
            check_walk(&c.graph, &plan, training);
        }
        network_free(&c);
    }
    assert_true(absorbed_so_far > 20 && done_so_far > 20);
}

/* ---- the same bytes ---- */

static size_t take(size_t *used, size_t floats)
{
    const size_t at = *used;
    *used += (floats + LANES - 1) / LANES * LANES;
    return at;
}

/* A plan in which every tensor has memory of its own. */
static void plan_apart(struct plan *plan, const struct graph *graph, int training,
                       struct arena *arena)
{
    size_t used = 0, scratch = 0;
    int learns[200];
    *plan = (struct plan){.training = training};
    plan->places = arena_alloc(arena, (size_t)graph->count * sizeof *plan->places);
    plan->input = take(&used, shape_size(graph->input) * LANES);
    find_learning(graph, learns);
    for (int i = 0; i < graph->count; i++) {
        const struct node *node = &graph->nodes[i];
        const size_t size = shape_size(node->out) * LANES;
        const int runs = training || !(node->type->flags & LAYER_TRAINING_ONLY);
        const size_t x = node->inputs[0] < 0 ? plan->input : plan->places[node->inputs[0]].y;
        plan->places[i] =
            (struct place){.y = runs ? take(&used, size) : x,
                           .dy = take(&used, size),
                           .runs = runs,
                           .learns = training && learns[i],
                           .inputs = arena_alloc(arena, (size_t)node->input_count *
                                                            sizeof *plan->places[i].inputs)};
        scratch = scratch > node->needs.scratch ? scratch : node->needs.scratch;
    }
    plan->logits = plan->places[graph->count - 1].y;
    plan->dlogits = plan->places[graph->count - 1].dy;
    int found[200] = {0};
    for (int i = graph->count - 1; i >= 0; i--) {
        const struct node *node = &graph->nodes[i];
        for (int k = node->input_count - 1; k >= 0; k--) {
            const int input = node->inputs[k];
            if (input >= 0 && learns[input]) {
                plan->places[i].inputs[k] =
                    found[input]++
                        ? (struct edge){GRADIENT_ADD, take(&used, shape_size(node->ins[k]) * LANES)}
                        : (struct edge){GRADIENT_WRITE, plan->places[input].dy};
            }
        }
    }
    plan->scratch = take(&used, scratch);
    plan->floats = plan->kept = used;
    plan->cuts = arena_alloc(arena, (size_t)graph->count * sizeof *plan->cuts);
    for (int i = 0; i < graph->count; i++) {
        const int freeze = ((const struct layer_options *)graph->nodes[i].options)->freeze;
        if (training && graph->nodes[i].type->coupling && !freeze) {
            plan->cuts[plan->cut_count++] = i;
        }
    }
}

/* Logits, and gradients where there are any: from the input to the output and back. */
static void run_plan(const struct graph *graph, const struct plan *plan, const float *x,
                     const float *flat, const float *dlogits, float *logits,
                     struct guarded *gradients)
{
    struct guarded block = guarded_new(plan->floats);
    struct run run = {.kernels = kernels_select(NULL),
                      .training = plan->training,
                      .seed = 1,
                      .parameters = flat,
                      .gradients = gradients->data};
    memset(gradients->data, 0xff, gradients->size * sizeof(float));
    memcpy(block.data + plan->input, x, shape_size(graph->input) * LANES * sizeof(float));
    network_set_live(&run, LANES);
    network_forward(graph, plan, &run, block.data);
    memcpy(logits, block.data + plan->logits, CLASSES * LANES * sizeof(float));
    if (plan->training) {
        memcpy(block.data + plan->dlogits, dlogits, CLASSES * LANES * sizeof(float));
        network_backward(graph, plan, &run, block.data);
    } else {
        free(run.shared);
    }
    guarded_check(&block, "the worker's block");
    guarded_check(gradients, "gradients");
    guarded_free(&block);
}

static void test_same_bytes_as_apart(void **state)
{
    int pairs = 0;
    (void)state;
    for (uint64_t seed = 1; seed <= 150; seed++) {
        struct network_case c;
        struct error e;
        make_random(&c, seed);
        struct dice dice = {seed};
        struct guarded x = guarded_new(shape_size(c.graph.input) * LANES),
                       flat = guarded_new(c.graph.parameters);
        struct guarded dlogits = guarded_new(CLASSES * LANES);
        dice_fill(&dice, &x, -1, 1);
        dice_fill(&dice, &flat, -1, 1);
        network_positive_variances(&c, flat.data);
        dice_fill(&dice, &dlogits, -1, 1);
        for (int training = 0; training < 2; training++) {
            struct plan plan, naive;
            float logits[CLASSES * LANES], want[CLASSES * LANES];
            struct guarded gradients = guarded_new(c.graph.parameters),
                           want_gradients = guarded_new(c.graph.parameters);
            assert_int_equal(plan_make(&plan, &c.graph, training, &c.arena, &e), 0);
            plan_apart(&naive, &c.graph, training, &c.arena);
            assert_true(plan.floats <= naive.floats);
            for (int i = 0; i < c.graph.count; i++) {
                pairs += plan.places[i].does != NULL;
            }
            run_plan(&c.graph, &plan, x.data, flat.data, dlogits.data, logits, &gradients);
            run_plan(&c.graph, &naive, x.data, flat.data, dlogits.data, want, &want_gradients);
            assert_memory_equal(logits, want, sizeof want);
            assert_memory_equal(gradients.data, want_gradients.data,
                                gradients.size * sizeof(float));
            assert_true(all_finite(logits, CLASSES * LANES));
            guarded_free(&gradients);
            guarded_free(&want_gradients);
        }
        guarded_free(&x);
        guarded_free(&flat);
        guarded_free(&dlogits);
        network_free(&c);
    }
    assert_true(pairs > 5);
}

/* LeNet-5: what sharing is worth, so that a plan that shares less is noticed. In evaluation no more
 * than the two greatest neighbours and the scratch are ever needed. */
static void test_size(void **state)
{
    (void)state;
    struct network_case c;
    struct plan training, evaluation, naive;
    struct error e;
    assert_int_equal(
        network_make(&c,
                     "- conv: {filters: 6, kernel: 5, activation: tanh}\n- avgpool: 2\n"
                     "- conv: {filters: 16, kernel: 5, activation: tanh}\n- avgpool: 2\n"
                     "- conv: {filters: 120, kernel: 5, activation: tanh}\n"
                     "- dense: {units: 84, activation: tanh}\n- dense: 10\n",
                     (struct shape){1, 32, 32}),
        0);
    assert_int_equal(plan_make(&training, &c.graph, 1, &c.arena, &e), 0);
    assert_int_equal(plan_make(&evaluation, &c.graph, 0, &c.arena, &e), 0);
    plan_apart(&naive, &c.graph, 1, &c.arena);
    assert_true(training.floats * 10 <= naive.floats * 7);
    size_t pair = 0, scratch = 0;
    for (int i = 0; i < c.graph.count; i++) {
        const struct node *node = &c.graph.nodes[i];
        const int in_place = node->type->flags & LAYER_IN_PLACE;
        const size_t in = shape_size(node->in),
                     here = (in_place ? in : in + shape_size(node->out)) * LANES;
        pair = pair > here ? pair : here;
        scratch = scratch > node->needs.scratch ? scratch : node->needs.scratch;
    }
    assert_true(evaluation.floats <= pair + scratch);
    network_free(&c);
}

/* With batch normalisation each tile of a batch keeps the input of each convolution and of each
 * normalisation, and what comes in between; gradients, scratch and the outputs of the last segment
 * pass. */
static void test_passing(void **state)
{
    (void)state;
    struct network_case c;
    struct plan plan;
    struct error e;
    assert_int_equal(
        network_make(&c,
                     "- conv: {filters: 8, kernel: 3, padding: same}\n- batchnorm\n- relu\n"
                     "- conv: {filters: 16, kernel: 3, padding: same}\n- batchnorm\n- relu\n"
                     "- dense: 10\n",
                     (struct shape){4, 8, 8}),
        0);
    assert_int_equal(plan_make(&plan, &c.graph, PLAN_TRAINING, &c.arena, &e), 0);
    assert_int_equal(plan.cut_count, 2);
    /* input, conv, batchnorm and relu, conv; the gradient that waits at each cut takes the place of
     * what is no longer wanted */
    const size_t kept = (4 + 8 + 8 + 16) * 64 * LANES, gradient = 16 * 64 * LANES;
    assert_true(plan.kept >= kept && plan.kept <= kept + gradient);
    assert_true(plan.scratch >= plan.kept && plan.dlogits >= plan.kept && plan.logits >= plan.kept);
    network_free(&c);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_nothing_needed_is_overwritten),
        cmocka_unit_test(test_same_bytes_as_apart),
        cmocka_unit_test(test_size),
        cmocka_unit_test(test_passing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
