/* network_check.h: for the tests of src/net: a network from the text of its list, and its double
 * twin. */
#ifndef CNNTRAIN_TESTS_NETWORK_CHECK_H
#define CNNTRAIN_TESTS_NETWORK_CHECK_H

#include "net/net.h"
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
/* Random parameters with variances that can be some: at least 0.5. */
void network_positive_variances(const struct network_case *c, float *flat);

/* A batch of one tile through all segments and meetings, there and back; running statistics do not
 * move. Between the two calls run->shared is theirs. */
void network_forward(const struct graph *graph, const struct plan *plan, struct run *run,
                     float *block);
void network_backward(const struct graph *graph, const struct plan *plan, struct run *run,
                      float *block);
/* The first `live` lanes hold a sample. */
void network_set_live(struct run *run, int live);

#endif
