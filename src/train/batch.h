/* batch.h: what the ways through a batch have in common: that of a thread with tiles of its own
 * (batch.c), and that of a team (batch_team.c). All are called by the threads of a parallel region.
 */
#ifndef CNNTRAIN_TRAIN_BATCH_H
#define CNNTRAIN_TRAIN_BATCH_H

#include "train/trainer.h"

/* A batch on its way through the network. A part is what a tile does between two meetings: with n
 * cuts, n parts forward, one through the last segment, the loss and back, and n parts back. */
struct batch {
    struct trainer *trainer;
    const uint32_t *index; /* its samples */
    size_t n;
    int tiles, shards, parts;
    int add; /* to the gradients of the step's batches before it */
};

/* The first of the tiles of shard s, and where its gradients go. */
int batch_shard_begin(const struct batch *batch, int s);
float *batch_shard_gradients(const struct batch *batch, int s);
/* Lay a tile's samples into `x`, where the network wants its input, and their labels. */
void batch_tile_begin(const struct batch *batch, int tile, float *x, struct labels *labels);
/* What the network's layers are told of a tile. */
struct run batch_run(const struct batch *batch, int tile);
/* From the outputs of a tile to its loss and the gradient by them. */
void batch_loss(const struct batch *batch, int tile, const float *z, float *dz);
/* Put together what the tiles brought at the end of a part. By one thread. */
void batch_meet(const struct batch *batch, int part);
/* All tiles through all parts, into the gradients of the shards; a team's way, by each of its
 * members. Deferred gradients wait in its view, trainer->teams, of which it has one. */
void batch_team_gradients(const struct batch *batch);

#endif
