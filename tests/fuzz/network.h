/* network.h: random networks, for targets that need one that works: layers and options are chosen
 * by the input, out of the tables that the parser reads, so a new type is there by itself. */
#ifndef CNNTRAIN_TESTS_FUZZ_NETWORK_H
#define CNNTRAIN_TESTS_FUZZ_NETWORK_H

#include "fuzz/fuzz.h"
#include "train/model.h"

/* A whole config for a network that takes `input` and tells `classes` classes. Some of its values
 * are wrong. */
void network_config(struct dice *dice, struct shape input, int classes, struct text *out);

/* A model of such a config, the parameters included, as train/model.h would have loaded it; to be
 * freed with model_free. -1, and nothing to free, when the config is refused or its network takes
 * more than `parameters` floats or `work` multiply-adds. */
int network_make(struct model *model, struct dice *dice, size_t parameters, double work);

#endif
