/* canvas.c: drawing by rectangles, and the file. */
#include "view/canvas.h"

#include "view/output.h"

#include <stdlib.h>
#include <string.h>

enum { MOST_SIDE = 16384 };

int canvas_open(struct canvas *canvas, int w, int h, struct error *e)
{
    *canvas = (struct canvas){.w = w, .h = h};
    if (w > MOST_SIDE || h > MOST_SIDE) {
        return error_set(e, ERROR_LIMIT, "", "the sheet would have %dx%d pixels, more than %d", w,
                         h, MOST_SIDE);
    }
    const size_t bytes = (size_t)w * (size_t)h * 3;
    canvas->rgb = malloc(bytes);
    if (canvas->rgb == NULL) {
        return error_memory(e, bytes);
    }
    memset(canvas->rgb, 255, bytes);
    return 0;
}

void canvas_close(struct canvas *canvas)
{
    free(canvas->rgb);
    canvas->rgb = NULL;
}

void canvas_rectangle(struct canvas *canvas, int x, int y, int w, int h, const uint8_t colour[3])
{
    for (int row = y < 0 ? 0 : y; row < y + h && row < canvas->h; row++) {
        for (int column = x < 0 ? 0 : x; column < x + w && column < canvas->w; column++) {
            memcpy(canvas->rgb + ((size_t)row * (size_t)canvas->w + (size_t)column) * 3, colour, 3);
        }
    }
}

struct pen {
    struct canvas *canvas;
    int x, y;
};

static void draw(void *user, int x, int y, int w, int h)
{
    static const uint8_t ink[3] = {0x20, 0x20, 0x20};
    const struct pen *pen = user;
    canvas_rectangle(pen->canvas, pen->x + x, pen->y + y, w, h, ink);
}

enum { LETTERS = 32 }; /* that are drawn at once */

/* The next letters of a text, made plain; how many. */
static size_t take_letters(const char *text, char plain[LETTERS + 1])
{
    size_t n = 0;
    for (; n < LETTERS && text[n] != '\0'; n++) {
        plain[n] = text[n] >= ' ' && text[n] <= '~' ? text[n] : '?';
    }
    plain[n] = '\0';
    return n;
}

int canvas_text_width(const char *text)
{
    char plain[LETTERS + 1];
    int width = 0;
    for (size_t n; (n = take_letters(text, plain)) > 0; text += n) {
        width += stb_text_width(plain);
    }
    return width;
}

void canvas_text(struct canvas *canvas, int x, int y, const char *text)
{
    char plain[LETTERS + 1];
    for (size_t n; (n = take_letters(text, plain)) > 0; text += n) {
        stb_draw_text(plain, draw, &(struct pen){canvas, x, y});
        x += stb_text_width(plain);
    }
}

void canvas_text_within(struct canvas *canvas, int x, int y, int width, const char *text)
{
    char cut[256];
    snprintf(cut, sizeof cut, "%.250s", text);
    size_t n = strlen(cut);
    while (n > 0 && canvas_text_width(cut) > width) {
        n--;
        snprintf(cut + n, sizeof cut - n, "..");
    }
    if (n > 0) {
        canvas_text(canvas, x, y, cut);
    }
}

static uint8_t level(float value, float low, float high)
{
    const float share = high > low ? (value - low) / (high - low) : 0;
    return (uint8_t)(255 * (share < 0 ? 0 : share > 1 ? 1 : share) + 0.5f);
}

void canvas_image(struct canvas *canvas, int x, int y, int zoom, const float *planes, int c, int h,
                  int w, float low, float high)
{
    const size_t plane = (size_t)h * (size_t)w;
    for (int row = 0; row < h; row++) {
        for (int column = 0; column < w; column++) {
            uint8_t colour[3];
            for (size_t k = 0; k < 3; k++) {
                const size_t at = (c >= 3 ? k : 0) * plane + (size_t)row * (size_t)w;
                colour[k] = level(planes[at + (size_t)column], low, high);
            }
            canvas_rectangle(canvas, x + column * zoom, y + row * zoom, zoom, zoom, colour);
        }
    }
}

int canvas_write(const struct canvas *canvas, const char *path, struct error *e)
{
    int size;
    void *png = stb_encode_png(canvas, &size);
    const struct chunk chunk = {png, png != NULL ? (size_t)size : 0};
    const int status = png == NULL ? error_memory(e, (size_t)canvas->w * (size_t)canvas->h * 3)
                                   : output_write(path, &chunk, 1, e);
    free(png);
    return status;
}
