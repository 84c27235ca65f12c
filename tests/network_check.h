/* network_check.h: for the tests of src/net: a network from the text of its list, and its double
 * twin. */
#ifndef CNNTRAIN_TESTS_NETWORK_CHECK_H
#define CNNTRAIN_TESTS_NETWORK_CHECK_H

#include "net/graph.h"
#include "reference_network.h"

struct network_case {
    struct arena arena;
    struct error_list errors;
    const struct yaml *list;
    struct network network;
    struct graph graph;
    struct ref_network ref;
};
/* Build both from the text of a list ("- conv: {...}\n- dense: 10\n"), called t.yaml in messages.
 * 0, or -1 with c->errors; a network that only one of the two accepts fails the test. To be freed
 * in either case. */
int network_make(struct network_case *c, const char *text, struct shape input);
void network_free(struct network_case *c);

/* Between the flat vector of the graph, with gaps, and that of the reference, without. */
void network_to_ref(const struct network_case *c, const float *flat, double *ref);
void network_from_ref(const struct network_case *c, const double *ref, float *flat);

#endif
