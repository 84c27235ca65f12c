/* canvas.h: a picture that is drawn and written as PNG. */
#ifndef CNNTRAIN_VIEW_CANVAS_H
#define CNNTRAIN_VIEW_CANVAS_H

#include "base/error.h"

#include <stddef.h>
#include <stdint.h>

struct canvas {
    int w, h;
    uint8_t *rgb; /* owned; [h][w][3] */
};
/* White. ERROR_LIMIT. */
int canvas_open(struct canvas *canvas, int w, int h, struct error *e);
void canvas_close(struct canvas *canvas);

enum { TEXT_HEIGHT = 10 }; /* of a line; a letter is about 6 wide */
/* What lies outside the canvas is left out. Letters other than printable ASCII are drawn as '?'. */
void canvas_rectangle(struct canvas *canvas, int x, int y, int w, int h, const uint8_t colour[3]);
void canvas_text(struct canvas *canvas, int x, int y, const char *text);
/* How wide it will be; and as much of a text as `width` has room for, cut with "..". */
int canvas_text_width(const char *text);
void canvas_text_within(struct canvas *canvas, int x, int y, int width, const char *text);
/* An image of floats, [c][h][w], each pixel a square of `zoom`: `low` black, `high` white; three
 * channels or more are red, green, blue, else the first is grey. */
void canvas_image(struct canvas *canvas, int x, int y, int zoom, const float *planes, int c, int h,
                  int w, float low, float high);

/* Replace the file by the picture, atomically. ERROR_IO, ERROR_LIMIT. */
int canvas_write(const struct canvas *canvas, const char *path, struct error *e);

/* stb_image_write.c. The PNG, to be freed, or NULL without memory; the rectangles of a text's
 * letters, relative to its upper left corner; and how far they reach. Texts of up to 32 letters. */
int stb_text_width(const char *text);
void *stb_encode_png(const struct canvas *canvas, int *size);
void stb_draw_text(const char *text, void (*rectangle)(void *user, int x, int y, int w, int h),
                   void *user);

#endif
