/* layer_check.h: one layer, as a config's list has it, on one input shape and every level, on
 * three legs:
 *
 *   1. float forward against the double reference;
 *   2. the reference's backward against central differences of its forward, element by element;
 *   3. float backward against the reference's.
 *
 * So no leg stands on itself: a gradient check alone passes on a forward that is wrong.
 *
 * Tolerances. Sums of products: 4 float epsilons of the sum of the absolute products, which comes
 * from the same reference fed with absolute values. Activations: 4 (forward) and 10 (backward)
 * epsilons of 1 + |y| or |dy|; test_kernels_activations.c is tighter. Max pooling forward: 0.
 * Differences: a step of 1e-3, fourth order: its error is below 1e-12 for all functions here. */
#ifndef CNNTRAIN_TESTS_LAYER_CHECK_H
#define CNNTRAIN_TESTS_LAYER_CHECK_H

#include "kernel_check.h"
#include "net/layer.h"

/* `item` is what stands behind the "- " of the list. With 16, 1 and 5 live images in the tile. */
void layer_check(struct dice *dice, const char *item, struct shape in);
/* Inputs of three whole numbers, most of them equal to a neighbour; exact; without differences,
 * which know nothing of ties. For max pooling. */
void layer_check_ties(struct dice *dice, const char *item, struct shape in);

#endif
