/* image.h: picture files as pixels: PNG and JPEG, told by their first bytes, never by a name.
 *
 * What comes out has one channel (grey) or three (red, green, blue), 8 bits each:
 *
 *   - 16 bits a channel become 8: round(v / 257); fewer than 8 are spread over 0..255
 *   - alpha and transparent colours are dropped, not blended: what stands in the file, as the
 *     loaders of PyTorch do
 *   - a palette is looked up, so it always makes three channels
 *   - gamma, colour profiles and the orientation of EXIF are not applied
 *
 * A file is believed only as far as it has been checked: a damaged one is ERROR_DATA with its byte,
 * and no memory is taken that its size could not fill. */
#ifndef CNNTRAIN_DATA_IMAGE_H
#define CNNTRAIN_DATA_IMAGE_H

#include "base/error.h"
#include "base/room.h"

#include <stddef.h>
#include <stdint.h>

enum { IMAGE_SIDE_MAX = 16384, IMAGE_PIXELS_MAX = 1 << 26, IMAGE_FILE_MAX = 64 << 20 };

struct image {
    int c, h, w;
    uint8_t *pixels; /* [h][w][c]; of a decoded image, the decoder's */
};

/* What decoding works with, for one image after the other: one of them for each thread. Only
 * libjpeg takes memory of its own beside it. */
struct image_decoder { /* {0} is a valid start */
    struct room room;
    struct libdeflate_decompressor *inflater; /* NULL: not needed yet */
};
/* Be ready for images that take `room` in all and are packed as PNG files are, so that nothing is
 * allocated for them. Without memory this does nothing. */
void image_decoder_prepare(struct image_decoder *decoder, size_t room);
/* The last image is done with. */
void image_decoder_clear(struct image_decoder *decoder);
void image_decoder_free(struct image_decoder *decoder);

/* Decode a whole file, `size` bytes; `path` is for messages. The pixels last until
 * image_decoder_clear. ERROR_DATA, ERROR_LIMIT. */
int image_decode(struct image *image, const char *path, const void *data, size_t size,
                 struct image_decoder *decoder, struct error *e);

/* For the decoders. */
int image_decode_png(struct image *image, const char *path, const unsigned char *data, size_t size,
                     struct image_decoder *decoder, struct error *e);
int image_decode_jpeg(struct image *image, const char *path, const unsigned char *data, size_t size,
                      struct image_decoder *decoder, struct error *e);
/* Room for c * h * w pixels; sizes are 1..IMAGE_SIDE_MAX, at most IMAGE_PIXELS_MAX together, or it
 * is ERROR_DATA at `offset`. */
int image_check_size(const char *path, long long offset, unsigned long h, unsigned long w,
                     struct error *e);
int image_allocate(struct image *image, int c, int h, int w, struct room *room, struct error *e);

#endif
