/* regularize.h: what keeps weights small: a penalty on their size, added to the loss that the
 * optimizer sees, and a bound on the weights of each unit.
 *
 *     l1: lambda |w|_1            gradient lambda sign(w), 0 at 0
 *     l2: lambda / 2 |w|^2        gradient lambda w         (both: elastic net, Zou and Hastie
 * 2005) max_norm: |w| <= c for the incoming weights of each unit or filter, by scaling them down
 * after the step (Srivastava et al. 2014, section 5.1)
 *
 * Biases and the parameters of norms are left alone, unless `biases` asks for a penalty on them. */
#ifndef CNNTRAIN_NET_REGULARIZE_H
#define CNNTRAIN_NET_REGULARIZE_H

#include "config/option.h"

struct regularize {
    float l1, l2, max_norm; /* 0: none */
    int biases;
    int given; /* in the config, even if all of it is 0 */
};
/* For OPTION_GROUP: of the whole network, and of a layer, for which it then takes the place of the
 * network's. */
extern const struct group REGULARIZE_GROUP;

#endif
