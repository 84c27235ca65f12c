/* reference_internal.h: what the parts of the reference network share. */
#ifndef CNNTRAIN_TESTS_REFERENCE_INTERNAL_H
#define CNNTRAIN_TESTS_REFERENCE_INTERNAL_H

#include "reference_network.h"

/* Append a layer of one input, by its type and its options in the config (NULL: none); `inputs` is
 * not set. */
void ref_add_layer(struct ref_network *net, const char *type, const struct yaml *options, int c,
                   int h, int w);
/* Give a layer its weights and biases, behind all others. */
void ref_take_parameters(struct ref_network *net, struct ref_layer *layer, size_t weights,
                         int biases);

#endif
