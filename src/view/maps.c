/* maps.c: see maps.h. */
#include "view/maps.h"

#include "view/palette.h"

#include <math.h>

static const uint8_t FRAME[3] = {205, 205, 205};

float maps_most(const float *values, size_t n)
{
    float most = 0;
    for (size_t i = 0; i < n; i++) {
        most = fabsf(values[i]) > most ? fabsf(values[i]) : most;
    }
    return most > 0 ? most : 1;
}

int maps_zoom(int size, int wished, int most)
{
    const int zoom = (wished + size - 1) / size;
    return zoom < most ? zoom : most;
}

static void frame(struct canvas *canvas, int x, int y, int w, int h)
{
    canvas_rectangle(canvas, x - 1, y - 1, w + 2, h + 2, FRAME);
}

void maps_draw(struct canvas *canvas, int x, int y, int zoom, const float *map, int h, int w,
               float most)
{
    frame(canvas, x, y, w * zoom, h * zoom);
    for (int row = 0; row < h; row++) {
        for (int column = 0; column < w; column++) {
            uint8_t colour[3];
            palette_signed(map[(size_t)row * (size_t)w + (size_t)column] / most, colour);
            canvas_rectangle(canvas, x + column * zoom, y + row * zoom, zoom, zoom, colour);
        }
    }
}

void maps_draw_colour(struct canvas *canvas, int x, int y, int zoom, const float *planes, int h,
                      int w, float most)
{
    frame(canvas, x, y, w * zoom, h * zoom);
    canvas_image(canvas, x, y, zoom, planes, 3, h, w, -most, most);
}

void maps_draw_image(struct canvas *canvas, int x, int y, int zoom, const float *pixels,
                     struct shape shape)
{
    frame(canvas, x, y, shape.w * zoom, shape.h * zoom);
    canvas_image(canvas, x, y, zoom, pixels, shape.c, shape.h, shape.w, 0, 1);
}

void maps_legend(struct canvas *canvas, int x, int y)
{
    enum { STEPS = 41, STEP = 2 };
    canvas_text(canvas, x, y, "negative");
    x += 50;
    frame(canvas, x, y, STEPS * STEP, 7);
    for (int i = 0; i < STEPS; i++) {
        uint8_t colour[3];
        palette_signed((float)(i - STEPS / 2) / (STEPS / 2), colour);
        canvas_rectangle(canvas, x + i * STEP, y, STEP, 7, colour);
    }
    canvas_text(canvas, x + STEPS * STEP + 6, y, "positive");
}

void maps_layer_title(char *text, size_t size, const struct graph *graph, int node, int output)
{
    const struct node *layer = &graph->nodes[node], *last = &graph->nodes[output];
    snprintf(text, size, "%.100s  %s%s%s  %dx%dx%d", layer->name, layer->type->member.name,
             output != node ? " + " : "", output != node ? last->type->member.name : "",
             last->out.c, last->out.h, last->out.w);
}
