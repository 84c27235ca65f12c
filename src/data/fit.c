/* fit.c: see fit.h. */
#include "data/fit.h"

#include <assert.h>
#include <string.h>

/* part * number / whole, rounded to the nearest, at least 1. */
static int share(int part, int number, int whole)
{
    const long long twice = 2 * (long long)part * number + whole;
    const int rounded = (int)(twice / (2 * (long long)whole));
    return rounded > 1 ? rounded : 1;
}

static int place_pad(int h, int w, int input_h, int input_w, struct placement *p)
{
    if (h > input_h || w > input_w) {
        return -1;
    }
    *p = (struct placement){0, 0, h, w, (input_h - h) / 2, (input_w - w) / 2, h, w};
    return 0;
}

static int place_stretch(int h, int w, int input_h, int input_w, struct placement *p)
{
    *p = (struct placement){0, 0, h, w, 0, 0, input_h, input_w};
    return 0;
}

static int place_crop(int h, int w, int input_h, int input_w, struct placement *p)
{
    const int wide = (long long)w * input_h > (long long)h * input_w;
    const int part_h = wide ? h : share(w, input_h, input_w);
    const int part_w = wide ? share(h, input_w, input_h) : w;
    *p = (struct placement){.from_h = part_h < h ? part_h : h,
                            .from_w = part_w < w ? part_w : w,
                            .to_h = input_h,
                            .to_w = input_w};
    p->from_y = (h - p->from_h) / 2;
    p->from_x = (w - p->from_w) / 2;
    return 0;
}

static int place_letterbox(int h, int w, int input_h, int input_w, struct placement *p)
{
    const int wide = (long long)w * input_h > (long long)h * input_w;
    const int to_h = wide ? share(h, input_w, w) : input_h;
    const int to_w = wide ? input_w : share(w, input_h, h);
    *p = (struct placement){.from_h = h,
                            .from_w = w,
                            .to_h = to_h < input_h ? to_h : input_h,
                            .to_w = to_w < input_w ? to_w : input_w};
    p->to_y = (input_h - p->to_h) / 2;
    p->to_x = (input_w - p->to_w) / 2;
    return 0;
}

#define FIT(name, resizes) {#name, resizes, place_##name},
static const struct fit FITS[] = {
#include "data/fits.def"
};
#undef FIT

#define FIT(name, resizes) #name,
const char *const FIT_NAMES[] = {
#include "data/fits.def"
    NULL,
};
#undef FIT

const struct fit *fit_find(const char *name)
{
    for (size_t i = 0; i < sizeof FITS / sizeof *FITS; i++) {
        if (strcmp(FITS[i].name, name) == 0) {
            return &FITS[i];
        }
    }
    return NULL;
}

/* The placed part of the image. */
static struct pixels part_of(const struct image *image, const struct placement *p)
{
    const size_t stride = (size_t)image->w * (size_t)image->c;
    const size_t at = (size_t)p->from_y * stride + (size_t)p->from_x * (size_t)image->c;
    return (struct pixels){image->pixels + at, stride, image->c, p->from_h, p->from_w};
}

/* Grey to three channels, or three to grey, rows without gaps. */
static void convert(const struct pixels *from, uint8_t *to)
{
    for (int y = 0; y < from->h; y++) {
        const uint8_t *pixel = from->at + (size_t)y * from->stride;
        for (int x = 0; x < from->w; x++) {
            if (from->c == 1) {
                to[0] = to[1] = to[2] = *pixel++;
                to += 3;
            } else {
                *to++ =
                    (uint8_t)((19595u * pixel[0] + 38470u * pixel[1] + 7471u * pixel[2] + 32768u) >>
                              16);
                pixel += 3;
            }
        }
    }
}

static void lay(const struct pixels *from, const struct placement *p, const struct target *target,
                uint8_t *planes)
{
    const size_t w = (size_t)target->w, plane = (size_t)target->h * w;
    if (from->h < target->h || from->w < target->w) {
        memset(planes, 0, plane * (size_t)target->c);
    }
    for (int y = 0; y < from->h; y++) {
        const uint8_t *pixel = from->at + (size_t)y * from->stride;
        uint8_t *row = planes + (size_t)(p->to_y + y) * w + (size_t)p->to_x;
        if (from->c == 1) {
            memcpy(row, pixel, (size_t)from->w);
            continue;
        }
        for (int x = 0; x < from->w; x++, pixel += 3) {
            row[x] = pixel[0];
            row[plane + (size_t)x] = pixel[1];
            row[2 * plane + (size_t)x] = pixel[2];
        }
    }
}

int image_fit(const struct image *image, const struct target *target, const char *path,
              uint8_t *planes, struct room *room, struct error *e)
{
    struct placement p;
    assert((image->c == 1 || image->c == 3) && (target->c == 1 || target->c == 3));
    if (target->fit->place(image->h, image->w, target->h, target->w, &p) != 0) {
        return error_set(e, ERROR_DATA, path,
                         "image is %dx%d, the input %dx%d; fit: %s cannot make it smaller",
                         image->h, image->w, target->h, target->w, target->fit->name);
    }
    const size_t c = (size_t)target->c, part = (size_t)p.from_h * (size_t)p.from_w * c;
    const size_t placed = (size_t)p.to_h * (size_t)p.to_w * c;
    const int converts = image->c != target->c;
    const int resizes = p.from_h != p.to_h || p.from_w != p.to_w;
    uint8_t *converted = converts ? room_take(room, part) : NULL;
    uint8_t *resized = resizes ? room_take(room, placed) : NULL;
    struct pixels pixels = part_of(image, &p);
    if ((converts && converted == NULL) || (resizes && resized == NULL)) {
        return error_memory(e, part + placed);
    }
    if (converts) {
        convert(&pixels, converted);
        pixels = (struct pixels){converted, (size_t)p.from_w * c, target->c, p.from_h, p.from_w};
    }
    if (resizes) {
        TRY(image_resize(&pixels, p.to_h, p.to_w, resized, room, e));
        pixels = (struct pixels){resized, (size_t)p.to_w * c, target->c, p.to_h, p.to_w};
    }
    lay(&pixels, &p, target, planes);
    return 0;
}
