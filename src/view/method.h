/* method.h: what a saliency method is: it says of each place of an image how it bears on the score
 * of a class, which is the class's logit: a probability is near 1 for any image that the network is
 * sure of, and would then show nothing. */
#ifndef CNNTRAIN_VIEW_METHOD_H
#define CNNTRAIN_VIEW_METHOD_H

#include "config/option.h"
#include "view/probe.h"
#include "view/specimen.h"
#include "view/view.h"

/* What a method is told. */
struct question {
    const struct view *view;
    struct probe *probe; /* with gradients; the image is in all lanes and has gone forward */
    const struct specimen *specimen;
    int class;
};

struct method {
    struct member member; /* name, help, option rows */
    int per_channel;      /* the map has a plane for each channel of the image, else one */
    int from_rectifiers;  /* it differs from the gradient in what rectifiers pass back */
    /* Fill map[c or 1][h][w]. ERROR_USAGE where its options do not fit the network, ERROR_LIMIT. */
    int (*find)(const void *options, const struct question *question, float *map, struct error *e);
};
extern const struct family METHODS; /* methods.def; members are struct method */

/* The gradient of the class's score goes back from the logits to everything before them. */
void method_backward(const struct question *question, rectifier_rule *rule);

/* A network that has no rectifier: a rule for them changes nothing in it. */
int method_is_without_rectifiers(const struct graph *graph);

/* The rule of Zeiler and Fergus 2014, for their pictures of units as well: methods/backward.c. */
rectifier_rule deconvnet_rule;

#endif
