/* unit.h: layers and units as a command line names them: "C3", "C3:5". A layer's name is the one in
 * the summary; its unit is a channel of its output, counted from 0, and in the last layer a class
 * may be named too. */
#ifndef CNNTRAIN_VIEW_UNIT_H
#define CNNTRAIN_VIEW_UNIT_H

#include "train/model.h"

struct unit {
    int node;   /* the layer */
    int output; /* the node whose output is the layer's: its activation, where it has one */
    int channel;
    char name[160]; /* the layer's, for titles */
};

/* `option` is the option's name, for messages: "--filters C9: error: no layer 'C9' ...; did you
 * mean 'C3'?". ERROR_USAGE. */
int unit_find_layer(struct unit *unit, const struct model *model, const char *option,
                    const char *layer, struct error *e);
/* "LAYER:UNIT"; or "LAYER" alone, with a channel of -1, where `all` is not 0. */
int unit_find(struct unit *unit, const struct model *model, const char *option, const char *text,
              int all, struct error *e);
/* The layer that a node belongs to: itself, or the one that it is attached to. */
void unit_of_node(struct unit *unit, const struct graph *graph, int node);

#endif
