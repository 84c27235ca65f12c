/* connections.h: which input maps each filter of a convolution sees, where it does not see all. */
#ifndef CNNTRAIN_NET_LAYERS_CONNECTIONS_H
#define CNNTRAIN_NET_LAYERS_CONNECTIONS_H

#include "net/layer.h"

/* The option: a word for a known table, or a list of input maps for each filter. */
struct connections {
    const char *word; /* NULL: none, or written out */
    int filters;      /* 0: every filter sees every map */
    int links;        /* of all filters */
    const struct connection {
        int count;
        const int *maps; /* ascending, from 0 */
    } * of;              /* [filters] */
};
extern const struct option_kind OPTION_CONNECTIONS;

/* Whether the table is for so many filters and maps. 0, or -1 with a fault at node->where. */
int connections_check(const struct connections *c, const struct node *node, int filters, int maps,
                      struct error_list *errors);
/* Zero what is not connected in w[filters][maps][taps]. */
void connections_mask(const struct connections *c, int maps, size_t taps, float *w);

#endif
