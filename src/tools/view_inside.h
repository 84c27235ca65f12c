/* view_inside.h: the jobs of cnnview that draw what is inside a model (view/view.h), one of which
 * is asked for. */
#ifndef CNNTRAIN_TOOLS_VIEW_INSIDE_H
#define CNNTRAIN_TOOLS_VIEW_INSIDE_H

#include "tools/cli.h"

struct inside_options {
    const char *filters, *activations, *saliency, *maximize, *top_patches, *embed; /* jobs */
    const char *layer;          /* of activations */
    const char *method, *class; /* of saliency */
    const char *data;           /* of top_patches */
    int steps;                  /* of maximize */
};

/* Whether a job is asked for. */
int inside_is_asked(const struct inside_options *options);
/* Options that are there without the job that they go with, or that it lacks: reported. 0 or
 * ERROR_USAGE. */
int inside_check(const struct cli *cli, const struct inside_options *options, const char *output);
/* Do the job with the model. Returns the exit code. */
int inside_run(const struct cli *cli, const struct inside_options *options, const char *model,
               const char *output, int threads);

#endif
