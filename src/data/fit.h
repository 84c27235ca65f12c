/* fit.h: how an image fills the network's input: the values of `data.input.fit`, and the conversion
 * of a decoded image to a set's channels and size.
 *
 *   pad        as it is, centred, zeros around it; it may not be larger
 *   stretch    resized to the input, whatever that does to its shape
 *   crop       the largest part of the input's shape around its middle, resized
 *   letterbox  resized as far as it fits, centred, zeros around it
 *
 * Where zeros cannot be shared out evenly, the odd row or column goes below or right. */
#ifndef CNNTRAIN_DATA_FIT_H
#define CNNTRAIN_DATA_FIT_H

#include "data/image.h"

/* What of an image goes where in the input, in whole pixels. */
struct placement {
    int from_y, from_x, from_h, from_w;
    int to_y, to_x, to_h, to_w;
};
struct fit {
    const char *name;
    int resizes; /* to the input's size, which must then be given */
    /* An image of h x w in an input of input_h x input_w. 0, or -1 when it cannot be done. */
    int (*place)(int h, int w, int input_h, int input_w, struct placement *placement);
};
/* NULL-terminated names, for the option; the first is the default. */
extern const char *const FIT_NAMES[];
/* NULL when there is none. */
const struct fit *fit_find(const char *name);

/* What the images of a set are made into; 0: as the first of them is. */
struct target {
    int c, h, w;
    const struct fit *fit;
};
/* Lay the image into planes[c][h][w] of the target, none of whose sizes is 0. Grey becomes three
 * equal channels; three become grey as (19595 R + 38470 G + 7471 B) / 65536, rounded (ITU-R
 * BT.601 luma, as Pillow). What it takes of `room` may be cleared then. ERROR_DATA, ERROR_LIMIT. */
int image_fit(const struct image *image, const struct target *target, const char *path,
              uint8_t *planes, struct room *room, struct error *e);

/* Resize bytes [from_h][from_w][c], c being 1 or 3, rows `stride` bytes apart, to [h][w][c], by a
 * triangle filter that widens as the image shrinks ("bilinear, antialiased"): resize.c.
 * ERROR_LIMIT. */
struct pixels {
    const uint8_t *at;
    size_t stride;
    int c, h, w;
};
int image_resize(const struct pixels *from, int h, int w, uint8_t *to, struct room *room,
                 struct error *e);

#endif
