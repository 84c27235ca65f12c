/* examine.h: what a run's model does with the run's own images. */
#ifndef CNNTRAIN_TEACH_EXAMINE_H
#define CNNTRAIN_TEACH_EXAMINE_H

#include "teach/patient.h"

/* With model and data: evaluate it on the validation set, or without one on the training set, and
 * watch its rectifiers on up to 1,024 images of the training set. ERROR_LIMIT, ERROR_DATA. */
int examine(struct patient *patient, struct error *e);

#endif
