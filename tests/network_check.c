/* network_check.c: networks from text. */
#include "network_check.h"

#include "kernel_check.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static int build(struct network_case *c, const char *text, struct shape input)
{
    struct decoder decoder = {&c->arena, &c->errors};
    const struct option row = {.key = "network", .kind = &OPTION_NETWORK};
    c->list = yaml_parse(&c->arena, "t.yaml", text, strlen(text), &c->errors);
    if (!c->list || OPTION_NETWORK.decode(&row, &c->network, c->list, &decoder) != 0) {
        return -1;
    }
    ref_network_build(&c->ref, c->list, input.c, input.h, input.w);
    return graph_build(&c->graph, &c->network, input, &c->arena, &c->errors);
}

/* Sizes as the reference sees them. */
static void compare(const struct network_case *c, const char *text)
{
    assert_int_equal(c->graph.count, c->ref.count);
    assert_int_equal(c->graph.values, c->ref.parameters);
    for (int i = 0; i < c->graph.count; i++) {
        const struct node *node = &c->graph.nodes[i];
        const struct ref_layer *layer = &c->ref.layers[i];
        if (node->out.c != layer->oc || node->out.h != layer->oh || node->out.w != layer->ow) {
            fail_msg("%s: output of '%s' is %dx%dx%d, not %dx%dx%d", text, node->name, node->out.c,
                     node->out.h, node->out.w, layer->oc, layer->oh, layer->ow);
        }
        const size_t sizes[] = {layer->weights, layer->biases, layer->statistics / 2,
                                layer->statistics / 2};
        int count = 0;
        for (int k = 0; k < 4; k++) {
            if (sizes[k] > 0) {
                assert_true(count < node->needs.parameter_count);
                assert_int_equal(node->needs.parameters[count++].size, sizes[k]);
            }
        }
        assert_int_equal(node->needs.parameter_count, count);
    }
}

int network_make(struct network_case *c, const char *text, struct shape input)
{
    *c = (struct network_case){0};
    const int status = build(c, text, input);
    if (status == 0 && *c->ref.fault) {
        fail_msg("%s: accepted, but %s", text, c->ref.fault);
    }
    if (status == 0) {
        compare(c, text);
    } else if (c->errors.total == 0) {
        fail_msg("%s: refused without a word", text);
    }
    return status;
}

void network_free(struct network_case *c)
{
    arena_free(&c->arena);
    *c = (struct network_case){0};
}

/* Both are in the order of layers and their tensors. */
void network_to_ref(const struct network_case *c, const float *flat, double *ref)
{
    for (int i = 0; i < c->graph.count; i++) {
        const struct needs *needs = &c->graph.nodes[i].needs;
        for (int k = 0; k < needs->parameter_count; k++) {
            const struct parameter *p = &needs->parameters[k];
            ref_from_floats(p->size, flat + p->offset, ref);
            ref += p->size;
        }
    }
}

void network_from_ref(const struct network_case *c, const double *ref, float *flat)
{
    for (int i = 0; i < c->graph.count; i++) {
        const struct needs *needs = &c->graph.nodes[i].needs;
        for (int k = 0; k < needs->parameter_count; k++) {
            for (size_t e = 0; e < needs->parameters[k].size; e++) {
                flat[needs->parameters[k].offset + e] = (float)*ref++;
            }
        }
    }
}

void network_positive_variances(const struct network_case *c, float *flat)
{
    for (int i = 0; i < c->graph.count; i++) {
        const struct needs *needs = &c->graph.nodes[i].needs;
        for (int k = 0; k < needs->parameter_count; k++) {
            const struct parameter *p = &needs->parameters[k];
            for (size_t e = 0; e < p->size && p->fixed && p->start == 1; e++) {
                float *value = &flat[p->offset + e];
                *value = *value < 0 ? 0.5f - *value : 0.5f + *value;
            }
        }
    }
}

/* One meeting with one tile. */
static struct meeting meeting_of(const struct run *run, const double *sums, size_t stride)
{
    struct meeting meeting = {.tiles = 1, .sums = sums, .stride = stride};
    for (int lane = 0; lane < LANES; lane++) {
        meeting.samples += run->live[lane] > 0;
    }
    return meeting;
}

/* What passes is anything after a meeting: NaNs, so that whoever reads it is found. */
static void spoil_passing(const struct plan *plan, float *block)
{
    memset(block + plan->kept, 0xff, (plan->floats - plan->kept) * sizeof *block);
}

void network_forward(const struct graph *graph, const struct plan *plan, struct run *run,
                     float *block)
{
    double *sums = check_doubles(graph->sums + 1);
    float *statistics = check_malloc((graph->parameters + 1) * sizeof *statistics);
    memcpy(statistics, run->parameters, graph->parameters * sizeof *statistics);
    run->shared = check_malloc((graph->shared + 1) * sizeof *run->shared);
    net_prepare(graph, run);
    for (int s = 0; s <= plan->cut_count; s++) {
        if (s > 0) {
            spoil_passing(plan, block);
        }
        net_forward_segment(graph, plan, run, block, s, sums);
        if (s < plan->cut_count) {
            const struct meeting meeting = meeting_of(run, sums, graph->sums);
            net_meet(graph, plan, run, s, &meeting, statistics);
        }
    }
    free(statistics);
    free(sums);
}

void network_backward(const struct graph *graph, const struct plan *plan, struct run *run,
                      float *block)
{
    double *sums = check_doubles(graph->sums + 1);
    for (int s = plan->cut_count; s >= 0; s--) {
        if (s < plan->cut_count) {
            spoil_passing(plan, block);
        }
        net_backward_segment(graph, plan, run, block, s, sums);
        if (s > 0) {
            const struct meeting meeting = meeting_of(run, sums, graph->sums);
            net_meet_back(graph, plan, run, s - 1, &meeting);
        }
    }
    free(run->shared);
    free(sums);
}

void network_set_live(struct run *run, int live)
{
    for (int lane = 0; lane < LANES; lane++) {
        run->live[lane] = lane < live ? 1 : 0;
    }
}
