/* lesson.h: one value of a layer's output, as a lecture works it out: the patch, the kernel, each
 * product, the sum, the bias; the numbers are the network's own. What a layer does is told by its
 * type (net/explain.h); here it is written down, and compared with what the layer computes. */
#ifndef CNNTRAIN_TEACH_LESSON_H
#define CNNTRAIN_TEACH_LESSON_H

#include "net/explain.h"
#include "net/graph.h"

/* What to explain. */
struct lesson {
    const struct graph *graph;
    const float *parameters; /* the flat vector */
    const struct kernels *kernels;
    const float *input; /* a tile, the image in lane 0 */
    const struct node *node;
    struct spot at;
    int greatest;   /* not at->y, at->x but where the channel's output is greatest */
    int everything; /* every channel and term, however many */
};

/* Append the text. ERROR_LIMIT; ERROR_INTERNAL when the steps do not come to what the layer
 * computes. */
int lesson_append(const struct lesson *lesson, struct text *out, struct error *e);
/* The names of the types that can be explained: "conv, maxpool or dense". */
void lesson_types(char *text, size_t size);

#endif
