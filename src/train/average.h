/* average.h: averages of the weights over the course of training, which often do better than any of
 * them. At most one of the three:
 *
 *   - ema: after each step  a = d a + (1 - d) w  from the initial weights (Polyak and Juditsky
 * 1992; Tarvainen and Valpola 2017). Validation, the best epoch and the model go by the average;
 *     training goes on from w.
 *   - swa: the mean of the weights at the ends of the epochs from `start` (Izmailov et al. 2018).
 * Only the model is this mean, from then on and whatever the validation says.
 *   - lookahead: after every k-th step the slow weights a go towards the fast ones, a += alpha (w -
 *     a), and these go on from there, w = a (Zhang, Lucas, Hinton, Ba 2019). All that goes by the
 *     average under ema goes by the slow weights. With a `power` alpha itself goes from 1 to what
 * the config says, 1 - (1 - alpha) share^power, share being how much of the run is over (Jordan
 * 2024, arXiv 2404.00498, which has power 3).
 *
 * What the optimizer does not move: running statistics of normalisations are the current ones under
 * ema and lookahead; swa takes their mean as it does of weights, where PyTorch would estimate them
 * anew (update_bn). */
#ifndef CNNTRAIN_TRAIN_AVERAGE_H
#define CNNTRAIN_TRAIN_AVERAGE_H

#include <stddef.h>

struct trainer;

/* Floats of trainer->average. */
size_t average_size(const struct trainer *trainer);
/* From the initial weights. */
void average_start(struct trainer *trainer);
/* After a step; by every thread of the parallel region, each of which averages the ranges that it
 * has moved itself. */
void average_step(struct trainer *trainer);
/* Before the average is used: what the optimizer does not move comes up to date. */
void average_settle(struct trainer *trainer);
/* After an epoch, before it is judged. */
void average_epoch(struct trainer *trainer);
/* The weights to judge by, and those of the model unless the best epoch's are wanted. */
float *average_judged(const struct trainer *trainer);
float *average_model(const struct trainer *trainer);

#endif
