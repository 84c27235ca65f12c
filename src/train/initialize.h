/* initialize.h: fine-tuning: weights to begin with from another model. */
#ifndef CNNTRAIN_TRAIN_INITIALIZE_H
#define CNNTRAIN_TRAIN_INITIALIZE_H

#include "train/trainer.h"

/* `initialize: {from:, layers:}`: take the tensors of the file that have the name and the shape of
 * one of the network's, or of the layers named, into the prepared trainer's parameters; what was
 * taken and what not goes to trainer->taken, line by line. Nothing to do without that key. A layer
 * that is named and cannot be taken whole, or nothing to take at all, is ERROR_MODEL; a layer that
 * the network does not have ERROR_CONFIG. 0 or -1. */
int initialize(struct trainer *trainer, struct error_list *errors);

#endif
