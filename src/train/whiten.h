/* whiten.h: weights that begin as what decorrelates the patches of the training images (`init:
 * whiten`): the principal components of what the kernel sees, each divided by the square root of
 * its variance, so that on the training images all filters answer with a mean square of about 1 and
 * independently of each other (Coates and Ng 2012; Page 2018; Jordan 2024, arXiv 2404.00498,
 * section 3.1). The first half of the filters are the components with the greatest variance, the
 * second half their opposites, since relu and its like keep one side only. */
#ifndef CNNTRAIN_TRAIN_WHITEN_H
#define CNNTRAIN_TRAIN_WHITEN_H

#include "train/trainer.h"

/* Whether the layers that ask for it can have it: they read the network's input, with every channel
 * for every filter, and have no more filters than there are components and opposites. 0, or -1 with
 * a fault at the layer. */
int whiten_check(const struct graph *graph, struct error_list *errors);
/* Fill their weights from the first images of the training set; always the same for the same set.
 * 0, or -1 without memory. */
int whiten(struct trainer *trainer, struct error *e);

#endif
