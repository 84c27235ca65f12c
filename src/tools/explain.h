/* explain.h: `cnnview --explain`: one value of a layer's output, or the softmax and cost of the
 * network's loss, worked out. */
#ifndef CNNTRAIN_TOOLS_EXPLAIN_H
#define CNNTRAIN_TOOLS_EXPLAIN_H

#include "tools/cli.h"

/* As given; NULL or -1: not. */
struct explain_options {
    const char *type;   /* of the layer: "conv"; or the loss: "cross_entropy" */
    const char *config; /* whose initial weights and training set serve */
    const char *model;  /* or whose weights do */
    const char *layer;  /* its name; NULL: the first of the type */
    const char *at;     /* "y,x", or "x" of a sequence; NULL: where the channel is greatest */
    const char *image;  /* as of view/specimen.h, or, of a config's training set, N */
    int channel;        /* of the output */
    const struct cli_texts *set; /* --set of the config */
    int everything, threads;
};

/* Print it. Returns the exit code. */
int explain(const struct cli *cli, const struct explain_options *options);

#endif
