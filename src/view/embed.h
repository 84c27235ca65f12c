/* embed.h: a set as points of a plane, and their picture. */
#ifndef CNNTRAIN_VIEW_EMBED_H
#define CNNTRAIN_VIEW_EMBED_H

#include "view/probe.h"
#include "view/view.h"

struct embedding {
    const struct view *view;
    char title[160], data[400]; /* of the layer and the set, as shown */
    int node;                   /* whose output the points are */
    size_t values;              /* of a point */
    struct dataset set;
    struct subset subset;
    float *points;               /* owned, with all that follows; [n][values] */
    float *at;                   /* [n][2], along the axes */
    float *labels;               /* [n] */
    float *axes;                 /* [2][values], of length 1, at right angles */
    float variance[2], share[2]; /* along each; of all variance */
};

/* As SVG, or as PNG where the name does not end in .svg. ERROR_IO, ERROR_LIMIT. */
int embedding_draw(const struct embedding *m, struct error *e);

#endif
