/* codes.h: what the units of an output layer stand for: a code of +1 and -1 for each class. */
#ifndef CNNTRAIN_NET_LAYERS_CODES_H
#define CNNTRAIN_NET_LAYERS_CODES_H

#include "config/option.h"

/* The option: a word for known codes, or a bitmap for each unit, '#' being +1 and '.' -1. */
struct codes {
    const char *word; /* NULL: written out */
    int count, length;
    const char *const *of; /* [count], each of `length` characters */
};
extern const struct option_kind OPTION_CODES;

/* w[count][length] = +1 or -1. */
void codes_fill(const struct codes *codes, float *w);

#endif
