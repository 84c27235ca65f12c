/* beta.h: the Beta(alpha, alpha) distribution, by a table of its quantiles: one uniform number
 * gives one share, without rejections and without a power each time. */
#ifndef CNNTRAIN_DATA_BETA_H
#define CNNTRAIN_DATA_BETA_H

#include "data/augmentation.h"

#define BETA_LEAST 0.01
#define BETA_MOST 100

enum { BETA_STEPS = 512 };
struct beta {
    float quantile[BETA_STEPS + 1]; /* of probability i / (2 BETA_STEPS); the rest by symmetry */
};
/* For alpha within BETA_LEAST .. BETA_MOST. */
void beta_make(struct beta *beta, double alpha);
/* The quantile of u in (0, 1), between the entries of the table; in [0, 1]. */
float beta_quantile(const struct beta *beta, float u);

#endif
