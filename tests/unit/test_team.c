/* test_team.c: tiles that a team of threads shares out have the bytes that a thread alone makes of
 * them: outputs and gradients of networks with every kind of node, of windows that go each
 * convolution's ways, by rows or by channels; gradients that are deferred, too. Whole runs, with
 * batch normalisation: system/same_bytes.py. */
#include "../kernel_check.h"
#include "../network_check.h"
#include "net/deferred.h"
#include "net/team.h"

#include <math.h>
#include <omp.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

enum { TILES = 3, SHARDS = 2, CLASSES = 3, MOST_THREADS = 7 };
static const int SHARD[TILES] = {0, 1, 1};

static const struct {
    const char *text;
    struct shape in;
} NETWORKS[] = {
    {"- conv: {filters: 6, kernel: 5, activation: tanh}\n- avgpool: 2\n"
     "- conv: {filters: 16, kernel: 5, activation: relu}\n- maxpool: 2\n"
     "- conv: {filters: 7, kernel: 4, activation: gelu}\n- dropout: 0.3\n- dense: 3\n",
     {1, 28, 28}},
    {"- conv: {filters: 32, kernel: 3, padding: same}\n- relu\n"
     "- conv: {filters: 33, kernel: 3, padding: same}\n- maxpool: {size: 3, stride: 2}\n"
     "- conv: {filters: 64, kernel: 3, padding: 1}\n- avgpool: {size: 3, stride: 2}\n"
     "- conv: {filters: 16, kernel: 5, padding: same}\n- dense: {units: 37, bias: false}\n"
     "- lrn\n- dense: 3\n",
     {3, 17, 16}},
    {"- conv: {filters: 5, kernel: 3, stride: 2, padding: 1, bias: false}\n- residual: [conv: "
     "{filters: 5, kernel: 3, padding: 1}, relu]\n- residual: {body: [conv: {filters: 9, kernel: "
     "3, stride: 2, padding: 1}], shortcut: pool}\n- concat: [[], [conv: {filters: 4, kernel: "
     "1}], [conv: {filters: 9, kernel: 3, padding: 2, dilation: 2}], [conv: {filters: 18, kernel: "
     "3, padding: 1, groups: 3}]]\n- layernorm\n- global_avgpool\n- dense: 3\n",
     {2, 12, 11}},
    {"- conv: {filters: 8, kernel: 3, padding: same, freeze: true}\n- conv: {filters: 3, kernel: "
     "2, connections: [[0, 2, 7], [1], [0, 1, 2]]}\n- dense: 3\n- dense: {units: 3, freeze: "
     "true}\n",
     {1, 9, 9}},
};
enum { NETWORK_COUNT = sizeof NETWORKS / sizeof *NETWORKS };

/* What comes out: the blocks' logits and the shards' gradients. */
struct results {
    float *blocks, *gradients, *shared;
    size_t block_floats, gradient_floats;
    struct deferred deferred; /* what it has nothing for is not deferred */
};

struct team_case {
    struct network_case net;
    struct plan plan;
    float *parameters, *images, *dlogits;
    const struct kernels *kernels;
};

static float *random_floats(struct dice *dice, size_t n)
{
    float *x = block_allocate((n + 1) * sizeof *x);
    assert_non_null(x);
    for (size_t i = 0; i < n; i++) {
        x[i] = dice_uniform(dice, -1, 1);
    }
    return x;
}

static void case_make(struct team_case *c, int network, const struct kernels *kernels)
{
    struct dice dice = {(uint64_t)network + 1};
    struct error e;
    *c = (struct team_case){.kernels = kernels};
    if (network_make(&c->net, NETWORKS[network].text, NETWORKS[network].in) != 0) {
        fail_msg("%s", c->net.errors.items[0].message);
    }
    assert_int_equal(plan_make(&c->plan, &c->net.graph, PLAN_TRAINING, &c->net.arena, &e), 0);
    c->parameters = random_floats(&dice, c->net.graph.parameters);
    c->images = random_floats(&dice, TILES * shape_size(c->net.graph.input) * LANES);
    c->dlogits = random_floats(&dice, (size_t)TILES * CLASSES * LANES);
}

static void case_free(struct team_case *c)
{
    free(c->parameters);
    free(c->images);
    free(c->dlogits);
    network_free(&c->net);
}

static struct results results_new(const struct team_case *c, int blocks, int defers)
{
    struct dice dice = {98}, gaps = {99}; /* what is between the gradients stays */
    const size_t block = c->plan.floats * (size_t)blocks, gradient = c->net.graph.moved * SHARDS;
    const size_t deferred = (defers ? c->net.graph.deferred : 0) * TILES * MOST_THREADS;
    return (struct results){
        .blocks = random_floats(&dice, block),
        .gradients = random_floats(&gaps, gradient),
        .shared = random_floats(&dice, c->net.graph.shared),
        .block_floats = block,
        .gradient_floats = gradient,
        .deferred = {deferred ? random_floats(&dice, deferred) : NULL, TILES, 0}};
}

static void results_free(struct results *r)
{
    free(r->blocks);
    free(r->gradients);
    free(r->shared);
    free(r->deferred.floats);
}

static struct run run_of(const struct team_case *c, const struct results *r, int tile)
{
    struct run run = {.kernels = c->kernels,
                      .training = 1,
                      .seed = 7,
                      .parameters = c->parameters,
                      .shared = r->shared,
                      .gradients = r->gradients + (size_t)SHARD[tile] * c->net.graph.moved,
                      .add = tile > 0 && SHARD[tile] == SHARD[tile - 1],
                      .deferred = r->deferred.floats ? &r->deferred : NULL,
                      .tile = tile};
    for (int lane = 0; lane < LANES; lane++) {
        run.samples[lane] = (uint32_t)(tile * LANES + lane);
        run.live[lane] = 1;
    }
    return run;
}

static float *block_of(const struct team_case *c, const struct results *r, int tile)
{
    return r->blocks + (size_t)tile * c->plan.floats;
}

static void lay_images(const struct team_case *c, const struct results *r)
{
    const size_t size = shape_size(c->net.graph.input) * LANES;
    for (int tile = 0; tile < TILES; tile++) {
        memcpy(block_of(c, r, tile) + c->plan.input, c->images + (size_t)tile * size,
               size * sizeof(float));
    }
}

/* From one tile's logits, which are kept, to its gradient. */
static void lay_gradient(const struct team_case *c, const struct results *r, int tile,
                         float *logits)
{
    float *block = block_of(c, r, tile);
    const size_t size = CLASSES * LANES;
    memcpy(logits + (size_t)tile * size, block + c->plan.logits, size * sizeof *logits);
    memcpy(block + c->plan.dlogits, c->dlogits + (size_t)tile * size, size * sizeof *logits);
}

/* What is deferred has its place in the first shard. */
static void find_deferred(const struct team_case *c, const struct results *r,
                          const struct deferred *deferred, int me, int threads)
{
    struct run run = run_of(c, r, 0);
    if (run.deferred) {
        run.deferred = deferred;
        deferred_backward(&c->net.graph, &run, TILES, me, threads);
    }
}

static void alone(const struct team_case *c, const struct results *r, float *logits)
{
    struct run first = run_of(c, r, 0);
    net_prepare(&c->net.graph, &first);
    lay_images(c, r);
    for (int tile = 0; tile < TILES; tile++) {
        struct run run = run_of(c, r, tile);
        net_forward(&c->net.graph, &c->plan, &run, block_of(c, r, tile));
        lay_gradient(c, r, tile, logits);
        net_backward(&c->net.graph, &c->plan, &run, block_of(c, r, tile));
    }
    find_deferred(c, r, &r->deferred, 0, 1);
}

/* `own`: each member has its own of what is deferred. */
static void together(const struct team_case *c, const struct results *r, int threads, int own,
                     int whole, float *logits)
{
    lay_images(c, r);
#pragma omp parallel num_threads(threads)
    {
        struct team team = {.threads = omp_get_num_threads(),
                            .me = omp_get_thread_num(),
                            .tiles = TILES,
                            .whole = whole,
                            .blocks = r->blocks,
                            .deferred = r->deferred};
        if (own) {
            team.deferred = deferred_own(&r->deferred, &c->net.graph, team.me);
            team.deferred.common = whole ? r->deferred.floats : NULL;
        }
        for (int tile = 0; tile < TILES; tile++) {
            team.runs[tile] = run_of(c, r, tile);
            team.runs[tile].deferred = r->deferred.floats ? &team.deferred : NULL;
            team.shard[tile] = SHARD[tile];
        }
        net_prepare(&c->net.graph, &team.runs[0]);
        net_forward_team(&c->net.graph, &c->plan, &team, 0);
        team_step(&team, 0);
        for (int tile = 0; tile < TILES; tile++) {
            if (team_owns(&team, tile)) {
                lay_gradient(c, r, tile, logits);
            }
        }
        net_backward_team(&c->net.graph, &c->plan, &team, 0);
        find_deferred(c, r, &team.deferred, team.me, team.threads);
    }
}

static void test_same_bytes(void **state)
{
    (void)state;
    const struct kernels *levels[KERNEL_LEVELS];
    const int count = check_levels(levels);
    for (int i = 0; i < 4 * NETWORK_COUNT * count; i++) {
        const int network = i / 4 / count, defers = i % 4 > 0, own = i % 4 > 1, whole = i % 4 > 2;
        const struct kernels *level = levels[i / 4 % count];
        enum { LOGITS = TILES * CLASSES * LANES };
        struct team_case c;
        float logits[LOGITS];
        case_make(&c, network, level);
        struct results want = results_new(&c, TILES, defers);
        alone(&c, &want, logits);
        for (int threads = 1; threads <= MOST_THREADS; threads += threads < 3 ? 1 : 4) {
            float got_logits[LOGITS];
            struct results got = results_new(&c, threads > TILES ? threads : TILES, defers);
            together(&c, &got, threads, own, whole, got_logits);
            if (memcmp(logits, got_logits, sizeof logits) != 0) {
                fail_msg("network %d, %s, %d threads: other outputs", network, level->name,
                         threads);
            }
            if (memcmp(want.gradients, got.gradients, want.gradient_floats * sizeof(float)) != 0) {
                fail_msg("network %d, %s, %d threads: other gradients", network, level->name,
                         threads);
            }
            results_free(&got);
        }
        results_free(&want);
        case_free(&c);
    }
}

/* Those of all tiles at once are the sum of the shards'. */
static void test_deferred(void **state)
{
    (void)state;
    int compared = 0;
    for (int network = 0; network < NETWORK_COUNT; network++) {
        struct team_case c;
        float logits[TILES * CLASSES * LANES];
        case_make(&c, network, kernels_select(NULL));
        const struct graph *graph = &c.net.graph;
        struct results shards = results_new(&c, TILES, 0), all = results_new(&c, TILES, 1);
        alone(&c, &shards, logits);
        alone(&c, &all, logits);
        for (int i = 0; i < graph->count; i++) {
            const struct node *node = &graph->nodes[i];
            for (int k = 0; k < node->needs.parameter_count && node->defers; k++) {
                const struct parameter *p = &node->needs.parameters[k];
                assert_true(p->offset >= graph->summed && p->offset < graph->moved);
                for (size_t at = p->offset; at < p->offset + p->size; at++, compared++) {
                    const float want = shards.gradients[at] + shards.gradients[graph->moved + at];
                    assert_true(fabsf(all.gradients[at] - want) <= 1e-4f * (1 + fabsf(want)));
                }
            }
        }
        results_free(&shards);
        results_free(&all);
        case_free(&c);
    }
    assert_true(compared > 1000);
}

/* Not for a handful of multiplications, nor for one thread. */
static void test_pays(void **state)
{
    (void)state;
    struct team_case c;
    case_make(&c, 1, kernels_select(NULL));
    assert_true(team_pays(&c.net.graph, 2));
    assert_false(team_pays(&c.net.graph, 1));
    assert_false(team_pays(&c.net.graph, 1000));
    case_free(&c);
}

/* A first layer of many weights is read less than the values of few images; one of few weights, or
 * of many images, is not. */
static void test_reads_less(void **state)
{
    static const struct {
        const char *text;
        int tiles, less;
    } CASES[] = {
        {"- dense: {units: 256, activation: relu}\n- dense: 3\n", 4, 1}, /* 200,704; 66,560 */
        {"- dense: {units: 256, activation: relu}\n- dense: 3\n", 12, 1},
        {"- dense: {units: 256, activation: relu}\n- dense: 3\n", 13, 0}, /* 216,320 */
        {"- dense: {units: 256, freeze: true}\n- dense: 3\n", 1, 0},
        {"- conv: {filters: 32, kernel: 3}\n- dense: 64\n- dense: 3\n", 1, 0},
    };
    (void)state;
    for (size_t i = 0; i < sizeof CASES / sizeof *CASES; i++) {
        struct network_case c;
        assert_int_equal(network_make(&c, CASES[i].text, (struct shape){1, 28, 28}), 0);
        if (team_reads_less(&c.graph, CASES[i].tiles) != CASES[i].less) {
            fail_msg("%s with %d tiles", CASES[i].text, CASES[i].tiles);
        }
        network_free(&c);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_same_bytes),
        cmocka_unit_test(test_deferred),
        cmocka_unit_test(test_pays),
        cmocka_unit_test(test_reads_less),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
