/* specimen.h: the image that is looked at, as the network gets it and as people see it. */
#ifndef CNNTRAIN_VIEW_SPECIMEN_H
#define CNNTRAIN_VIEW_SPECIMEN_H

#include "train/model.h"

struct specimen {
    struct shape shape;
    float *x;      /* [c][h][w], normalised; owned */
    float *pixels; /* [c][h][w], 0 black to 1 white */
    int label;     /* of an image of a set; else -1 */
};

/* `argument`: a PNG or JPEG file, "-" for the standard input, or TESTSET:N, the N-th image (from
 * 0) of a set as cnneval takes it. It becomes what the model takes. ERROR_DATA, ERROR_MODEL,
 * ERROR_LIMIT. */
int specimen_load(struct specimen *specimen, const struct model *model, const char *argument,
                  const struct kernels *kernels, int threads, struct error *e);
void specimen_free(struct specimen *specimen);

/* What pixels 0 (black) to 1 (white) a normalised image of bytes had, [c][h][w]. */
void specimen_pixels(const struct input *input, const float *x, float *pixels);
/* A set that the model can be asked about, as cnneval loads it; to be freed in any case. */
int specimen_set(struct dataset *set, const struct model *model, const char *path, int threads,
                 struct error *e);

#endif
