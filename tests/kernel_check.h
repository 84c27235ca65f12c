/* kernel_check.h: what the kernel tests share: buffers that notice a touch, inputs, and
 * comparisons.
 *
 * A guarded buffer has 64 floats of a NaN with a payload on either side. Writing there is found by
 * guarded_check, reading there shows as a NaN in the result, and under AddressSanitizer both stop
 * on the spot. */
#ifndef CNNTRAIN_TESTS_KERNEL_CHECK_H
#define CNNTRAIN_TESTS_KERNEL_CHECK_H

#include "kernels/kernels.h"
#include "kernels/winograd.h"
#include "reference.h"

#include <stddef.h>
#include <stdint.h>

/* The levels that this machine can run, lowest first; returns how many. */
int check_levels(const struct kernels *levels[KERNEL_LEVELS]);

struct guarded {
    float *data; /* 64-byte aligned, with NaNs to begin with */
    size_t size;
    float *frozen; /* what the data must still be, or NULL */
};
struct guarded guarded_new(size_t size);
/* From here on the data are an input: not to be changed. */
void guarded_freeze(struct guarded *g);
/* The canaries are alive and frozen data unchanged, or the test fails, naming `what`. */
void guarded_check(const struct guarded *g, const char *what);
void guarded_free(struct guarded *g);
/* Copy `size` floats over the data. */
void guarded_copy(struct guarded *g, const float *from);

/* Bring a tile, an output, into the reference's order. */
void guarded_reorder(struct guarded *g);
/* A kernel's window over 16 images, as the reference takes it. */
struct ref_window check_window(const struct window *s);
/* What a convolution that goes this way may be off by, in place of the sums of its terms' absolute
 * values. */
void check_bound(enum winograd_way way, size_t n, double *sums);
/* Labels, as the reference takes them. */
void labels_to_ref(const struct labels *labels, struct ref_labels *ref);

/* SplitMix64 (Steele, Lea, Flood 2014): a small generator for test inputs, unrelated to the
 * product's. */
struct dice {
    uint64_t state;
};
uint64_t dice_bits(struct dice *dice);
/* A whole number in [low, high]. */
int dice_between(struct dice *dice, int low, int high);
/* Uniform in [low, high]. */
float dice_uniform(struct dice *dice, float low, float high);
void dice_fill(struct dice *dice, struct guarded *g, float low, float high);
/* Whole numbers only: every sum of them is exact. */
void dice_fill_integers(struct dice *dice, struct guarded *g, int low, int high);

/* |got - want| <= bound, element by element; NaN never passes. `what` and the level go into the
 * message. */
void check_near(const char *what, const struct kernels *k, size_t n, const float *got,
                const double *want, const double *bound);
/* The same float values (-0 equals 0). */
void check_equal(const char *what, const struct kernels *k, size_t n, const float *got,
                 const double *want);

/* Outputs of fused levels must be the same bytes: the first is kept, the next are compared with it.
 */
struct agreement {
    float *first;
};
void agreement_check(struct agreement *a, const char *what, const struct kernels *k,
                     const struct guarded *g);
void agreement_free(struct agreement *a);

/* malloc that fails the test instead of returning NULL. */
void *check_malloc(size_t bytes);
double *check_doubles(size_t n);

#endif
