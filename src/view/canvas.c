/* canvas.c: drawing by rectangles, and the file. */
#include "view/canvas.h"

#include "base/file.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

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

void canvas_text(struct canvas *canvas, int x, int y, const char *text)
{
    char plain[40];
    size_t n = 0;
    for (; text[n] != '\0' && n + 1 < sizeof plain; n++) {
        plain[n] = text[n] >= ' ' && text[n] <= '~' ? text[n] : '?';
    }
    plain[n] = '\0';
    stb_draw_text(plain, draw, &(struct pen){canvas, x, y});
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
    char folder[1024];
    int size;
    const char *slash = strrchr(path, '/');
    const size_t length = slash == NULL ? 0 : slash == path ? 1 : (size_t)(slash - path);
    if (length >= sizeof folder) {
        errno = ENAMETOOLONG;
        return error_errno(e, ERROR_IO, path, "cannot write");
    }
    snprintf(folder, sizeof folder, "%.*s", (int)length, path);
    const int dir = open(length > 0 ? folder : ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (dir < 0) {
        return error_errno(e, ERROR_IO, path, "cannot write");
    }
    void *png = stb_encode_png(canvas, &size);
    const struct chunk chunk = {png, png != NULL ? (size_t)size : 0};
    const int status =
        png == NULL ? error_memory(e, (size_t)canvas->w * (size_t)canvas->h * 3)
                    : file_replace(dir, slash != NULL ? slash + 1 : path, path, &chunk, 1, e);
    free(png);
    close(dir);
    return status;
}
