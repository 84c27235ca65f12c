/* patch.h: a patch of an explanation, written down. */
#ifndef CNNTRAIN_TEACH_PATCH_H
#define CNNTRAIN_TEACH_PATCH_H

#include "net/explain.h"

/* Append patch, kernel and products side by side, of whole numbers also as the lecture's sum "0 x
 * (-1) + 1 x 1 + ..."; of a large one a list of the strongest terms, or, with `everything`, of all.
 */
void patch_append(const struct explained_patch *patch, int everything, struct text *out);

#endif
