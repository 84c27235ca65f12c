/* evaluate.h: a network over a set of samples, no training. Tiles are computed in parallel and
 * visited in order, so sums have one order. */
#ifndef CNNTRAIN_TRAIN_EVALUATE_H
#define CNNTRAIN_TRAIN_EVALUATE_H

#include "data/augment.h"
#include "data/input.h"
#include "net/loss.h"
#include "net/mosaic.h"
#include "train/profile.h"

struct evaluator {
    const struct graph *graph;
    const struct input *input;
    const struct choice *loss; /* of LOSSES */
    const float *parameters;   /* may be set to others of this graph */
    const struct kernels *kernels;
    int classes, threads;
    int together; /* tiles that a worker takes at once, node by node */
    struct plan plan;
    float *memory;      /* owned: the workers' blocks and the results of two rounds of tiles */
    float *folded;      /* owned: parameters with normalisations folded in; NULL: there are none */
    float *shared;      /* owned: what the nodes prepared of their weights */
    struct team *teams; /* owned, [threads]: each worker's view */
    struct profile *profile; /* the caller's, to be set after evaluator_open; or NULL */
    /* With evaluator_single: */
    const struct mosaic *mosaic;
    struct plan single;
    float *single_memory; /* owned: the block, the image, the logits as a tile has them */
    /* With evaluator_augment: */
    const struct augmenter *augmenter;
    int draws;
    float *augmented; /* owned: what each worker needs for it */
};
/* `parameters` may change between calls of evaluate. ERROR_LIMIT. */
int evaluator_open(struct evaluator *evaluator, const struct graph *graph,
                   const struct input *input, const struct choice *loss, const float *parameters,
                   const struct kernels *kernels, int classes, int threads, struct arena *arena,
                   struct error *e);
/* Evaluate a set of one image by itself (net/mosaic.h), in a fraction of a tile's time; the same
 * but for rounding. Sets of more are not touched. ERROR_LIMIT. */
int evaluator_single(struct evaluator *evaluator, struct arena *arena, struct error *e);
/* Test-time augmentation: outputs and losses become means over `draws` of each image: the image as
 * it is, and draws - 1 of the augmenter's, the same in every run. The augmenter's set is the one
 * that will be evaluated, and it must outlive the evaluator. ERROR_LIMIT. */
int evaluator_augment(struct evaluator *evaluator, const struct augmenter *augmenter, int draws,
                      struct error *e);
/* Bytes of its memory that an evaluation of so many samples uses. */
size_t evaluator_uses(const struct evaluator *evaluator, size_t samples);
void evaluator_close(struct evaluator *evaluator);

/* One tile's results: samples first .. first + live - 1 of the subset; p[class * 16 + lane] what
 * the outputs say (net/loss.h), loss[lane], labels[lane]. */
struct evaluated_tile {
    size_t first;
    int live, correct; /* how many are right: the greatest output, the lowest class in a tie */
    const float *p, *loss;
    const int32_t *labels;
    double weight[LANES]; /* what each counts in the mean loss */
};
/* Visit every tile, in order, one at a time; from any of the threads, while others compute what
 * comes next. `visit` returns 0 to go on; another value ends the evaluation and is returned. */
int evaluate(const struct evaluator *evaluator, const struct subset *subset,
             int (*visit)(void *user, const struct evaluated_tile *tile), void *user);

/* How many of a tile's live samples have their greatest output at their label; ties go to the
 * lowest class. */
int tile_correct(const float *z, int classes, const int32_t *labels, int live);

#endif
