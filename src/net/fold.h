/* fold.h: normalisations that are part of the layer before them in evaluation. */
#ifndef CNNTRAIN_NET_FOLD_H
#define CNNTRAIN_NET_FOLD_H

#include "net/graph.h"

/* Find them, while the graph is built; `readers`: room for a number a node. */
void graph_find_folds(struct graph *graph, int *readers);
/* Parameters for a plan of PLAN_FOLDED, with run->folded: graph->parameters floats. Once for many
 * tiles. */
void net_fold(const struct graph *graph, const float *parameters, float *folded);

#endif
