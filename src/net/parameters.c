/* parameters.c: where each tensor stands in the flat vector of all parameters. */
#include "net/builder.h"
#include "net/deferred.h"

/* Find the nodes that defer their gradients, and room for what they leave behind. */
static void place_deferred(struct graph *graph)
{
    for (int i = 0; i < graph->count; i++) {
        struct node *node = &graph->nodes[i];
        node->defers = deferred_can(node);
        if (node->defers) {
            node->deferred = graph->deferred;
            graph->deferred += graph_padded(deferred_size(node));
        }
    }
}

enum { SUMMED, DEFERRED, FIXED, PLACES };

static int place_of(const struct node *node, const struct parameter *p)
{
    return p->fixed ? FIXED : node->defers ? DEFERRED : SUMMED;
}

/* Number the parameters into the flat vector: those that move, the deferred ones last, then the
 * fixed ones. */
void graph_place_parameters(struct graph *graph)
{
    size_t ends[PLACES], at = 0;
    place_deferred(graph);
    for (int place = 0; place < PLACES; place++) {
        for (int i = 0; i < graph->count; i++) {
            struct needs *needs = &graph->nodes[i].needs;
            for (int k = 0; k < needs->parameter_count; k++) {
                if (place_of(&graph->nodes[i], &needs->parameters[k]) == place) {
                    needs->parameters[k].offset = at;
                    at += graph_padded(needs->parameters[k].size);
                }
            }
        }
        ends[place] = at;
    }
    graph->summed = ends[SUMMED];
    graph->moved = ends[DEFERRED];
}
