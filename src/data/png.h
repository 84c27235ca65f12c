/* png.h: a PNG file on its way from bytes to pixels: the walk over its chunks (png_chunks.c), the
 * rows that they hold packed (png_data.c), the pixels (png.c, by stb_image). */
#ifndef CNNTRAIN_DATA_PNG_H
#define CNNTRAIN_DATA_PNG_H

#include "data/image.h"

#include <stddef.h>
#include <stdint.h>

enum png_colour { PNG_GREY = 0, PNG_RGB = 2, PNG_PALETTE = 3, PNG_GREY_ALPHA = 4, PNG_RGBA = 6 };

struct png {
    const char *path; /* for messages; the caller's, as is `data` */
    const unsigned char *data;
    size_t size;
    uint32_t w, h;
    int depth, colour, interlaced;
    const unsigned char *palette; /* entries * 3 bytes, in `data`; NULL: none */
    int entries;
    size_t first_idat; /* where the first IDAT chunk begins in the file */
    size_t packed;     /* bytes in all of them */
};

/* Walk over all chunks and check structure, order, lengths, CRC-32; fill the struct. ERROR_DATA. */
int png_walk(struct png *png, const char *path, const unsigned char *data, size_t size,
             struct error *e);
/* The bytes of the image data before compression. */
uint64_t png_raw_size(const struct png *png);
/* Inflate `packed`, the contents of all IDAT chunks in one, into `raw`, png_raw_size bytes: it
 * holds the rows that the header promises, no more and no less, each with a known filter, and ends
 * with the right checksum. ERROR_DATA. */
int png_inflate(const struct png *png, const unsigned char *packed, unsigned char *raw,
                struct image_decoder *decoder, struct error *e);

/* stb_image.c: pixels of a stream that has been checked: `components` a pixel, of 8 bits, or of 16
 * when `deep`, in `room`; NULL with a reason when it cannot be, which is "outofmem" without memory.
 */
void *stb_decode(const unsigned char *stream, int size, int deep, int *components,
                 struct room *room, const char **reason);

#endif
