/* mosaic.h: one image by itself. A tile has 16 images in its lanes (kernels/kernels.h); with only
 * one, each of its maps is cut into up to 16 patches, and a lane is a patch. So all kernels work on
 * it as they are, and it costs little more than a sixteenth of a tile.
 *
 *   - A layer that works place by place (LAYER_POINTWISE) does not know the difference.
 *   - One that slides a window (LAYER_SLIDES) sees its lane's patch with what lies around it, which
 *     is brought there first: from the patches beside it, or what stands for places beyond the map.
 *   - One that is a product with a matrix (node->dense) works on the plain vector.
 *   - Any other gets the image as a tile of 16 equal ones: right, and as dear as that.
 *
 * What comes out is that of the tile but for rounding: sums of another order, and convolutions that
 * may go another way (kernels/winograd.h). The same bytes on all levels that fuse multiply-adds. */
#ifndef CNNTRAIN_NET_MOSAIC_H
#define CNNTRAIN_NET_MOSAIC_H

#include "net/plan.h"

/* Values from one place to another, map by map: y[i] = x[index[i]], or `fill` where that is
 * negative. */
struct relay {
    int maps;
    size_t from, to; /* values of a map of x and of y */
    float fill;
    int32_t *index; /* [to] */
};

struct mosaic {
    struct graph graph; /* that of `make`, for plan_make and net_forward; its nodes see patches */
    struct relay in;    /* from the image, [c][h][w], to what enters */
    struct relay out;   /* from the logits to those of a tile, [classes][16], all lanes alike */
};

/* For an evaluation of `graph`, which must outlive it, with the graph's own parameters, folded or
 * not. All memory is the arena's. 0, or -1 when there is none. */
int mosaic_make(struct mosaic *mosaic, const struct graph *graph, struct arena *arena,
                struct error *e);
void mosaic_relay(const struct relay *relay, const struct kernels *kernels, const float *x,
                  float *y);

#endif
