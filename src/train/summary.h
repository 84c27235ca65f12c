/* summary.h: the network as a table. */
#ifndef CNNTRAIN_TRAIN_SUMMARY_H
#define CNNTRAIN_TRAIN_SUMMARY_H

#include "train/trainer.h"

/* Append: per layer its name, type, output shape, parameters, multiply-adds; totals. */
void summary_append_layers(const struct graph *graph, struct text *out);
/* Append: per layer its name, type, output shape, parameters, multiply-adds; totals; the data, the
 * steps, the memory of the run. */
void summary_append(const struct trainer *trainer, struct text *out);
/* Append what --verbose adds: seed and data checksums, normalisation, how a batch is cut, a
 * worker's memory. */
void summary_append_details(const struct trainer *trainer, struct text *out);

#endif
