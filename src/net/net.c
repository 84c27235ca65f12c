/* net.c: the loops over the layers. */
#include "net/net.h"

#include <math.h>

/* Where layer i's input stands. */
static float *input_of(const struct plan *plan, int i, float *block)
{
    return block + (i == 0 ? plan->input : plan->places[i - 1].y);
}

static void forward_layer(const struct graph *graph, const struct plan *plan, struct run *run,
                          float *block, int i)
{
    if (plan->places[i].runs) {
        const struct node *node = &graph->nodes[i];
        node->type->forward(node, run, input_of(plan, i, block), block + plan->places[i].y);
    }
}

void net_forward(const struct graph *graph, const struct plan *plan, struct run *run, float *block)
{
    run->scratch = block + plan->scratch;
    for (int i = 0; i < graph->count; i++) {
        forward_layer(graph, plan, run, block, i);
    }
}

void net_backward(const struct graph *graph, const struct plan *plan, struct run *run, float *block)
{
    for (int i = graph->count - 1; i >= plan->first_backward; i--) {
        const struct node *node = &graph->nodes[i];
        float *dx = plan->places[i].has_dx ? block + plan->places[i - 1].dy : NULL;
        node->type->backward(node, run, input_of(plan, i, block), block + plan->places[i].y,
                             block + plan->places[i].dy, dx);
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
    run->scratch = block + plan->scratch;
    for (int i = 0; i < graph->count; i++) {
        const struct node *node = &graph->nodes[i];
        *parameter = 1;
        for (int k = 0; k < node->needs.parameter_count; k++) {
            if (!all_finite(node_parameter(node, run, k), node->needs.parameters[k].size)) {
                return node;
            }
        }
        forward_layer(graph, plan, run, block, i);
        *parameter = 0;
        if (!all_finite(block + plan->places[i].y, shape_size(node->out) * LANES)) {
            return node;
        }
    }
    return NULL;
}
