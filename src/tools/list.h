/* list.h: `cnntrain --list`: what a config may hold, from the tables that the parser uses. */
#ifndef CNNTRAIN_TOOLS_LIST_H
#define CNNTRAIN_TOOLS_LIST_H

#include <stdio.h>

/* The topics, NULL-terminated; "" means all of them. */
extern const char *const LIST_WORDS[];
#define LIST_HELP                                                                                  \
    "config, layers, activations, initializers, losses,\noptimizers, schedules, augmentations "    \
    "or\nformats"

void list_print(const char *topic, FILE *out);

#endif
