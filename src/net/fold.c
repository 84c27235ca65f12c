/* fold.c: in evaluation a normalisation with fixed statistics is y = scale * x + shift for each
 * channel; behind a layer that is linear in a weight and a bias of each output channel, it becomes
 * part of them: weight' = scale * weight, bias' = scale * bias + shift. Jacob et al. 2018, section
 * 3.2. */
#include "net/fold.h"

#include <string.h>

/* A layer with an initialiser has a weight [oc][...] first, and perhaps a bias [oc] behind it. */
static int is_linear(const struct node *node) { return node->type->init != 0; }

void graph_find_folds(struct graph *graph, int *readers)
{
    for (int i = 0; i < graph->count; i++) {
        readers[i] = 0;
        for (int k = 0; k < graph->nodes[i].input_count; k++) {
            const int input = graph->nodes[i].inputs[k];
            readers[input < 0 ? i : input] += input >= 0;
        }
    }
    for (int i = 0; i < graph->count; i++) {
        struct node *norm = &graph->nodes[i];
        const int input = norm->inputs[0];
        if (norm->type->channel_map && input >= 0 && readers[input] == 1 &&
            is_linear(&graph->nodes[input])) {
            norm->folded = 1;
            graph->nodes[input].folds = 1;
            graph->nodes[input].folded_bias = norm->needs.parameters[0].offset;
            graph->folds++;
        }
    }
}

static void fold(const struct graph *graph, const struct node *norm, const float *parameters,
                 float *folded)
{
    const struct node *node = &graph->nodes[norm->inputs[0]];
    const struct parameter *weight = &node->needs.parameters[0];
    const float *bias =
        node->needs.parameter_count > 1 ? parameters + node->needs.parameters[1].offset : NULL;
    const size_t each = weight->size / (size_t)norm->in.c;
    for (int c = 0; c < norm->in.c; c++) {
        double scale, shift;
        norm->type->channel_map(norm, parameters, c, &scale, &shift);
        for (size_t e = weight->offset + (size_t)c * each;
             e < weight->offset + (size_t)(c + 1) * each; e++) {
            folded[e] = (float)(scale * (double)parameters[e]);
        }
        folded[node->folded_bias + (size_t)c] =
            (float)(shift + (bias ? scale * (double)bias[c] : 0));
    }
}

void net_fold(const struct graph *graph, const float *parameters, float *folded)
{
    memcpy(folded, parameters, graph->parameters * sizeof *folded);
    for (int i = 0; i < graph->count; i++) {
        if (graph->nodes[i].folded) {
            fold(graph, &graph->nodes[i], parameters, folded);
        }
    }
}
