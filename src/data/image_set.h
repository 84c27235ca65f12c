/* image_set.h: from a list of image files to a set: what the formats of image files share. */
#ifndef CNNTRAIN_DATA_IMAGE_SET_H
#define CNNTRAIN_DATA_IMAGE_SET_H

#include "data/dataset.h"
#include "data/image_list.h"

/* Make `names`, which are sorted, the names of the set's classes, or find each among those that it
 * must have: number[i] is then the label of the i-th. `path` of the i-th, for messages, is
 * "FOLDER/NAME" where `folder` is not NULL, else FILE. ERROR_DATA or how->kind, ERROR_LIMIT. */
int image_set_classes(struct dataset *set, const struct texts *names, const struct loading *how,
                      const char *folder, int32_t *number, struct error *e);
/* Decode the images of set->list, all of them once, and hold as many as memory allows. Fills c, h,
 * w, bytes, labels, count. ERROR_DATA, ERROR_LIMIT. */
int image_set_load(struct dataset *set, const struct loading *how, struct error *e);
/* The CRC-32 of all pixels, one image behind the other. */
uint32_t image_set_crc32(const struct dataset *set);

#endif
