/* maps.h: maps of numbers, drawn: each value a square, zero white, positive red, negative blue. */
#ifndef CNNTRAIN_VIEW_MAPS_H
#define CNNTRAIN_VIEW_MAPS_H

#include "net/graph.h"
#include "view/canvas.h"

enum { MAPS_GAP = 6, MAPS_LEGEND_WIDTH = 190 };

/* The greatest magnitude of n values; 1 where all are 0. */
float maps_most(const float *values, size_t n);
/* So many pixels for each value that `size` of them fill at least `wished`, at most `most`. */
int maps_zoom(int size, int wished, int most);

/* [h][w] values, `most` and above in full colour, in a thin frame. */
void maps_draw(struct canvas *canvas, int x, int y, int zoom, const float *map, int h, int w,
               float most);
/* Three planes as red, green, blue, zero grey. */
void maps_draw_colour(struct canvas *canvas, int x, int y, int zoom, const float *planes, int h,
                      int w, float most);
/* An image of one or three planes, 0 black to 1 white. */
void maps_draw_image(struct canvas *canvas, int x, int y, int zoom, const float *pixels,
                     struct shape shape);
/* What the colours mean; MAPS_LEGEND_WIDTH wide. */
void maps_legend(struct canvas *canvas, int x, int y);

/* "C3  conv + tanh  16x10x10" */
void maps_layer_title(char *text, size_t size, const struct graph *graph, int node, int output);

#endif
