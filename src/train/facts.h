/* facts.h: what a model knows of its training, in model.bin's metadata under "training", as JSON:
 *
 *   {"best":0.0412,"best_epoch":12,"epochs":15,"monitor":"val_loss","steps":12660,
 *    "stopped_early":false,"train":{"crc32":"1a2b3c4d","images":54000,"of":60000,
 *    "shape":[1,28,28]},"validation":{...}}
 *
 * `best`, `best_epoch` and `monitor` are null where nothing was compared, `validation` without a
 * validation set. A set's checksum is that of shape, pixels and labels as they are in memory, so it
 * is the same for the same images in other files; `images` were used, `of` are in the set. */
#ifndef CNNTRAIN_TRAIN_FACTS_H
#define CNNTRAIN_TRAIN_FACTS_H

#include "base/text.h"

struct trainer;
struct model;

struct set_facts {
    long long images, of; /* images 0: there is no such set */
    int c, h, w;
    uint32_t crc32;
};

struct facts {
    int known; /* 0: a model of a version that did not write them */
    long long epochs, steps;
    long long best_epoch; /* 0: nothing was compared, or no epoch counted */
    char monitor[32];     /* what it was compared by */
    double best;
    int stopped_early;
    struct set_facts train, validation;
};

/* As they are now, between two epochs. */
void facts_find(struct facts *facts, const struct trainer *trainer);
/* The JSON, to free with free(); NULL without memory. */
char *facts_to_json(const struct facts *facts);
/* 0, or -1 when it is nothing that facts_to_json writes. */
int facts_from_json(struct facts *facts, const char *json);
/* Append some lines for people: how long it was trained, with what seed, on what. */
void facts_append(const struct model *model, struct text *out);

#endif
