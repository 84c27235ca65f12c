/* view.h: what cnnview draws of a trained model. Each function writes one file: a PNG, or, where
 * the name ends in .safetensors, the numbers behind it, as fp32 tensors. Nothing depends on the
 * number of threads. */
#ifndef CNNTRAIN_VIEW_VIEW_H
#define CNNTRAIN_VIEW_VIEW_H

#include "train/model.h"

struct view {
    const struct model *model;
    const struct kernels *kernels;
    int threads;
    const char *output; /* the file */
};

/* The weights of a layer. ERROR_USAGE for a layer that is not there or has no filters. */
int view_filters(const struct view *view, const char *layer, struct error *e);
/* What the layers make of an image (view/specimen.h): all maps of one, or with `layer` NULL some
 * of each. */
int view_activations(const struct view *view, const char *image, const char *layer,
                     struct error *e);

#endif
