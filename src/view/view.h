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
    const char *output;          /* the file */
    struct text *report;         /* what is to be printed */
    struct error_list *warnings; /* what the picture cannot say */
};

/* The weights of a layer. ERROR_USAGE for a layer that is not there or has no filters. */
int view_filters(const struct view *view, const char *layer, struct error *e);
/* What the layers make of an image (view/specimen.h): all maps of one, or with `layer` NULL some
 * of each. */
int view_activations(const struct view *view, const char *image, const char *layer,
                     struct error *e);

/* Where the network looks: a method's map of an image, for the class of that name, or with NULL for
 * the one that the network says. `method` is a member of METHODS (view/method.h) as YAML:
 * "occlusion: 5". ERROR_USAGE, ERROR_DATA. */
int view_saliency(const struct view *view, const char *image, const char *method, const char *class,
                  struct error *e);

/* An image, climbed to from noise, that excites a unit, "LAYER:UNIT", or with "LAYER" one for each
 * of its first 64. ERROR_USAGE. */
int view_maximize(const struct view *view, const char *unit, int steps, struct error *e);
/* The nine images of a set that excite a unit most: where, and what a deconvnet projects back.
 * ERROR_USAGE, ERROR_DATA, ERROR_MODEL. */
int view_top_patches(const struct view *view, const char *unit, const char *data, struct error *e);
/* A set as the last layer sees it, in two dimensions; as SVG where the name ends in .svg.
 * ERROR_DATA, ERROR_MODEL, ERROR_LIMIT. */
int view_embed(const struct view *view, const char *data, struct error *e);

#endif
