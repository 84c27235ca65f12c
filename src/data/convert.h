/* convert.h: sets that are in memory, made into other channels or sizes. */
#ifndef CNNTRAIN_DATA_CONVERT_H
#define CNNTRAIN_DATA_CONVERT_H

#include "data/dataset.h"

/* From [n][h][w][c] as read to [n][c][h][w]. ERROR_LIMIT. */
int convert_to_planes(struct dataset *set, struct error *e);
/* What `how` says of channels and size, as for images of files: grey to colour and back, resized
 * where the fit resizes. Channel counts other than 1 and 3, and floats, stay as they are: who wants
 * another number of channels will see that it is not; resizing them is ERROR_DATA. */
int convert_images(struct dataset *set, const struct loading *how, struct error *e);

#endif
