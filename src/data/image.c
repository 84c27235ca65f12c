/* image.c: which decoder a file is for, and what all of them need. */
#include "data/image.h"

#include <libdeflate.h>
#include <string.h>

static const struct image_format {
    const char *name, *magic;
    size_t length; /* of the magic */
    int (*decode)(struct image *image, const char *path, const unsigned char *data, size_t size,
                  struct image_decoder *decoder, struct error *e);
} FORMATS[] = {
    {"PNG", "\x89PNG", 4, image_decode_png},
    {"JPEG", "\xff\xd8\xff", 3, image_decode_jpeg},
};

/* What people take for a picture that we can read, by its first bytes. */
static const struct {
    const char *magic;
    size_t at, length;
    const char *what;
} OTHERS[] = {
    {"GIF8", 0, 4, "a GIF image"},
    {"BM", 0, 2, "a BMP image"},
    {"II*\0", 0, 4, "a TIFF image"},
    {"MM\0*", 0, 4, "a TIFF image"},
    {"WEBP", 8, 4, "a WebP image"},
    {"8BPS", 0, 4, "a Photoshop image"},
    {"#?RADIANCE", 0, 10, "a Radiance image"},
    {"ftypheic", 4, 8, "an HEIC image"},
    {"ftypavif", 4, 8, "an AVIF image"},
    {"\0\0\1\0", 0, 4, "an icon"},
    {"P5", 0, 2, "a PGM image"},
    {"P6", 0, 2, "a PPM image"},
    {"\x1f\x8b", 0, 2, "gzip data"},
    {"PK\3\4", 0, 4, "a zip archive"},
    {"%PDF", 0, 4, "a PDF document"},
    {"version https://git-lfs", 0, 23, "a Git LFS pointer: run git lfs pull"},
    {"<", 0, 1, "HTML, SVG or XML (a bad download?)"},
};

static int fault_not_image(const char *path, const unsigned char *data, size_t size,
                           struct error *e)
{
    const char *what = NULL;
    for (size_t i = 0; what == NULL && i < sizeof OTHERS / sizeof *OTHERS; i++) {
        if (size >= OTHERS[i].at + OTHERS[i].length &&
            memcmp(data + OTHERS[i].at, OTHERS[i].magic, OTHERS[i].length) == 0) {
            what = OTHERS[i].what;
        }
    }
    return error_at_offset(e, ERROR_DATA, path, 0, "not a PNG or JPEG image%s%s",
                           what != NULL ? ": looks like " : "", what != NULL ? what : "");
}

int image_decode(struct image *image, const char *path, const void *data, size_t size,
                 struct image_decoder *decoder, struct error *e)
{
    *image = (struct image){0};
    if (size == 0) {
        return error_at_offset(e, ERROR_DATA, path, 0, "file is empty");
    }
    if (size > IMAGE_FILE_MAX) {
        return error_set(e, ERROR_DATA, path, "larger than %d MiB", IMAGE_FILE_MAX >> 20);
    }
    for (size_t i = 0; i < sizeof FORMATS / sizeof *FORMATS; i++) {
        if (size >= FORMATS[i].length && memcmp(data, FORMATS[i].magic, FORMATS[i].length) == 0) {
            if (FORMATS[i].decode(image, path, data, size, decoder, e) == 0) {
                return 0;
            }
            *image = (struct image){0};
            return -1;
        }
    }
    return fault_not_image(path, data, size, e);
}

void image_decoder_clear(struct image_decoder *decoder) { room_clear(&decoder->room); }

void image_decoder_prepare(struct image_decoder *decoder, size_t room)
{
    room_reserve(&decoder->room, room);
    if (decoder->inflater == NULL) {
        decoder->inflater = libdeflate_alloc_decompressor();
    }
}

void image_decoder_free(struct image_decoder *decoder)
{
    room_free(&decoder->room);
    if (decoder->inflater != NULL) {
        libdeflate_free_decompressor(decoder->inflater);
    }
    *decoder = (struct image_decoder){0};
}

int image_check_size(const char *path, long long offset, unsigned long h, unsigned long w,
                     struct error *e)
{
    if (h == 0 || w == 0) {
        return error_at_offset(e, ERROR_DATA, path, offset, "zero-sized image");
    }
    if (h > IMAGE_SIDE_MAX || w > IMAGE_SIDE_MAX) {
        return error_at_offset(e, ERROR_DATA, path, offset, "%s %lu is larger than %d",
                               w > IMAGE_SIDE_MAX ? "width" : "height", w > IMAGE_SIDE_MAX ? w : h,
                               IMAGE_SIDE_MAX);
    }
    if (h * w > IMAGE_PIXELS_MAX) {
        return error_at_offset(e, ERROR_DATA, path, offset, "%lux%lu: more than %d pixels", w, h,
                               IMAGE_PIXELS_MAX);
    }
    return 0;
}

int image_allocate(struct image *image, int c, int h, int w, struct room *room, struct error *e)
{
    const size_t size = (size_t)c * (size_t)h * (size_t)w;
    image->c = c;
    image->h = h;
    image->w = w;
    image->pixels = room_take(room, size);
    return image->pixels != NULL ? 0 : error_memory(e, size);
}
