/* picture.h: small pictures for a page: PNG files in data: URIs, so that the page needs no others.
 */
#ifndef CNNTRAIN_REPORT_PICTURE_H
#define CNNTRAIN_REPORT_PICTURE_H

#include "base/text.h"
#include "data/dataset.h"

/* Append "data:image/png;base64,..." of pixels[h][w][channels], 8 bits each; 1 channel: grey, 3:
 * red, green, blue. ERROR_LIMIT. */
int picture_append(struct text *out, const uint8_t *pixels, int w, int h, int channels,
                   struct error *e);
/* The same of an image of a set, as it is stored; of floats the least becomes black and the
 * greatest white. Of other than three channels the first is shown, as grey. What is larger than 64
 * pixels is made smaller. ERROR_LIMIT, or what dataset_failed says. */
int picture_append_sample(struct text *out, const struct dataset *set, size_t sample,
                          struct error *e);

#endif
