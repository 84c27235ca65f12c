/* palette.h: what colour a number has. */
#ifndef CNNTRAIN_VIEW_PALETTE_H
#define CNNTRAIN_VIEW_PALETTE_H

#include <stdint.h>

/* Signed values, -1 to 1: zero is white, positive red, negative blue, so that a picture says where
 * zero is. */
void palette_signed(float share, uint8_t colour[3]);
/* 0 to 1, black to white. */
void palette_grey(float share, uint8_t colour[3]);
/* How a share of heat, 0 to 1, colours a grey pixel: below a twelfth not at all, then yellow, then
 * red. */
void palette_heat(float share, uint8_t colour[3]);
/* One of `count` classes: colours that differ, dark enough to be seen on white. */
void palette_class(int class, int count, uint8_t colour[3]);

#endif
