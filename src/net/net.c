/* net.c: the loops over the nodes. */
#include "net/deferred.h"
#include "net/net_node.h"

#include <math.h>

/* Where the output of a node stands, or the input tile. */
static float *output_of(const struct plan *plan, const struct run *run, int node, float *block)
{
    if (node == NETWORK_INPUT && run->entered) {
        return run->entered;
    }
    return net_at(plan, run, block, node == NETWORK_INPUT ? plan->input : plan->places[node].y);
}

void node_forward(const struct graph *graph, const struct plan *plan, struct run *run, float *block,
                  int i, int k)
{
    const struct node *node = &graph->nodes[i];
    const struct node *absorbed = plan->places[i].absorbed;
    const float *x = output_of(plan, run, node->inputs[k], block);
    float *y = output_of(plan, run, i, block);
    run->input = k;
    run->does = plan->places[i].does;
    if (absorbed) {
        node->type->forward_through(node, absorbed, run, x, y);
    } else {
        node->type->forward(node, run, x, y);
    }
}

int node_forward_tiles(const struct graph *graph, const struct plan *plan, struct run *runs,
                       float *first, float *second, int tiles, int i)
{
    const struct node *node = &graph->nodes[i];
    if (!node->type->forward_tiles || plan->places[i].absorbed) {
        return 0;
    }
    const float *x = output_of(plan, &runs[0], node->inputs[0], first);
    float *y = output_of(plan, &runs[0], i, first);
    runs[0].input = 0;
    runs[0].does = plan->places[i].does;
    node->type->forward_tiles(node, &runs[0], tiles, x,
                              (size_t)(output_of(plan, &runs[1], node->inputs[0], second) - x), y,
                              (size_t)(output_of(plan, &runs[1], i, second) - y));
    return 1;
}

static void forward_node(const struct graph *graph, const struct plan *plan, struct run *run,
                         float *block, int i)
{
    for (int k = 0; k < graph->nodes[i].input_count && plan->places[i].runs; k++) {
        node_forward(graph, plan, run, block, i, k);
    }
}

void net_prepare(const struct graph *graph, const struct run *run)
{
    enum { PARTS = 8 };
    if (!graph->prepares) {
        return;
    }
#pragma omp for schedule(static, 1) /* equal parts: no number is drawn for them */
    for (int k = 0; k < graph->count * PARTS; k++) {
        const struct node *node = &graph->nodes[k / PARTS];
        if (node->type->prepare && node->needs.shared > 0) {
            node->type->prepare(node, run, k % PARTS, PARTS);
        }
    }
}

int net_segment_end(const struct graph *graph, const struct plan *plan, int segment)
{
    return segment < plan->cut_count ? plan->cuts[segment] : graph->count;
}

void net_forward_segment(const struct graph *graph, const struct plan *plan, struct run *run,
                         float *block, int segment, double *sums)
{
    const int end = net_segment_end(graph, plan, segment);
    run->scratch = net_at(plan, run, block, plan->scratch);
    for (int i = segment ? plan->cuts[segment - 1] : 0; i < end; i++) {
        forward_node(graph, plan, run, block, i);
        if (plan->places[i].runs) {
            stopwatch_lap(run->watch, net_row(i, NET_FORWARD));
        }
    }
    if (end < graph->count) {
        node_gather(graph, plan, run, block, end, sums);
        stopwatch_lap(run->watch, net_row(end, NET_FORWARD));
    }
}

void net_forward(const struct graph *graph, const struct plan *plan, struct run *run, float *block)
{
    net_forward_segment(graph, plan, run, block, 0, NULL);
}

void net_meet(const struct graph *graph, const struct plan *plan, const struct run *run, int cut,
              const struct meeting *meeting, float *parameters)
{
    const struct node *node = &graph->nodes[plan->cuts[cut]];
    node->type->coupling->meet(node, run, meeting, parameters);
    stopwatch_lap(run->watch, net_row(plan->cuts[cut], NET_FORWARD));
}

void node_backward(const struct graph *graph, const struct plan *plan, struct run *run,
                   float *block, int i, int k)
{
    const struct node *node = &graph->nodes[i];
    const struct place *place = &plan->places[i];
    const struct edge *edge = &place->inputs[k];
    float *dx = edge->gradient == GRADIENT_SKIP ? NULL : net_at(plan, run, block, edge->dx);
    run->input = k;
    run->does = place->does;
    if (node_defers(node, run)) {
        deferred_keep(node, run, output_of(plan, run, node->inputs[k], block),
                      net_at(plan, run, block, place->dy));
    }
    node->type->backward(node, run, output_of(plan, run, node->inputs[k], block),
                         net_at(plan, run, block, place->y), net_at(plan, run, block, place->dy),
                         dx);
}

void node_add(const struct graph *graph, const struct plan *plan, const struct run *run,
              float *block, int i, int k)
{
    const struct node *node = &graph->nodes[i];
    size_t first;
    const size_t end = run_share(run, shape_size(node->ins[k]), &first), at = first * LANES;
    run->kernels->add((end - first) * LANES,
                      net_at(plan, run, block, plan->places[i].inputs[k].dx) + at,
                      net_at(plan, run, block, plan->places[node->inputs[k]].dy) + at);
}

static void backward_node(const struct graph *graph, const struct plan *plan, struct run *run,
                          float *block, int i)
{
    for (int k = graph->nodes[i].input_count - 1; k >= 0; k--) {
        node_backward(graph, plan, run, block, i, k);
        if (plan->places[i].inputs[k].gradient == GRADIENT_ADD) {
            node_add(graph, plan, run, block, i, k);
        }
    }
}

void node_gather(const struct graph *graph, const struct plan *plan, struct run *run, float *block,
                 int i, double *sums)
{
    const struct node *node = &graph->nodes[i];
    node->type->coupling->gather(node, run, output_of(plan, run, node->inputs[0], block), sums);
}

void node_gather_back(const struct graph *graph, const struct plan *plan, struct run *run,
                      float *block, int i, double *sums)
{
    const struct node *node = &graph->nodes[i];
    run->does = plan->places[i].does;
    node->type->coupling->gather_back(node, run, output_of(plan, run, node->inputs[0], block),
                                      net_at(plan, run, block, plan->places[i].dy), sums);
}

void net_backward_segment(const struct graph *graph, const struct plan *plan, struct run *run,
                          float *block, int segment, double *sums)
{
    const int first = segment ? plan->cuts[segment - 1] : -1,
              end = net_segment_end(graph, plan, segment);
    run->scratch = net_at(plan, run, block, plan->scratch);
    for (int i = end < graph->count ? end : end - 1; i > first; i--) {
        if (plan->places[i].learns && plan->places[i].runs) {
            backward_node(graph, plan, run, block, i);
            stopwatch_lap(run->watch, net_row(i, NET_BACKWARD));
        }
    }
    if (segment && plan->places[first].learns) {
        node_gather_back(graph, plan, run, block, first, sums);
        stopwatch_lap(run->watch, net_row(first, NET_BACKWARD));
    }
}

void net_backward(const struct graph *graph, const struct plan *plan, struct run *run, float *block)
{
    net_backward_segment(graph, plan, run, block, 0, NULL);
}

void net_meet_back(const struct graph *graph, const struct plan *plan, const struct run *run,
                   int cut, const struct meeting *meeting)
{
    const struct node *node = &graph->nodes[plan->cuts[cut]];
    if (plan->places[plan->cuts[cut]].learns) {
        node->type->coupling->meet_back(node, run, meeting);
        stopwatch_lap(run->watch, net_row(plan->cuts[cut], NET_BACKWARD));
    }
}

int all_finite(const float *values, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        if (!isfinite(values[i])) {
            return 0;
        }
    }
    return 1;
}

const struct node *net_find_not_finite(const struct graph *graph, const struct plan *plan,
                                       struct run *run, float *block, int *parameter)
{
    run->scratch = net_at(plan, run, block, plan->scratch);
    for (int i = 0; i < graph->count; i++) {
        const struct node *node = &graph->nodes[i];
        *parameter = 1;
        for (int k = 0; k < node->needs.parameter_count; k++) {
            if (!all_finite(node_parameter(node, run, k), node->needs.parameters[k].size)) {
                return node;
            }
        }
        forward_node(graph, plan, run, block, i);
        *parameter = 0;
        if (!all_finite(output_of(plan, run, i, block), shape_size(node->out) * LANES)) {
            return node;
        }
    }
    return NULL;
}
