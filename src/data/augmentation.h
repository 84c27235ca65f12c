/* augmentation.h: the family of augmentations: what a step of the config's `augment` list does to
 * one image. One file in augmentations/ and one line in augmentations.def make a new one.
 *
 * A step either moves pixels (geometry) or changes their values. Moves that follow each other are
 * composed into one map, so that an image is resampled once, whatever the number of moves.
 *
 * Pixels are the stored values as floats: 0..255 for byte images, not rounded in between. `low` and
 * `high` are the ends of their range, black and white; options that speak of values are shares of
 * that range (a `fill` of 0 is black, 1 white). What changes values clamps them to the range, as
 * pipelines on bytes do. */
#ifndef CNNTRAIN_DATA_AUGMENTATION_H
#define CNNTRAIN_DATA_AUGMENTATION_H

#include "base/rng.h"
#include "config/option.h"
#include "kernels/kernels.h"

/* The random numbers of one step for one image: a pure function of (seed, epoch, sample, step). */
struct draws {
    uint64_t seed;
    uint32_t sample, epoch, stream; /* stream: RNG_AUGMENT | number of the step << 8 */
    uint32_t block;
    int used;
    struct philox_words words;
};

/* An option that is drawn anew for each image, uniform in [low, high]. */
struct range {
    double low, high;
};
/* Kinds for a `struct range`, written as [low, high] or as one number x: of a spread, -x to x; of a
 * factor, 1 - x to 1 + x; of an amount, just x. Bounds are those of the two ends. */
extern const struct option_kind OPTION_SPREAD, OPTION_FACTOR, OPTION_AMOUNT;

/* Uniform in (0, 1). */
float draws_uniform(struct draws *draws);
/* Uniform in the range; exactly its value where both ends are the same. */
double draws_range(struct draws *draws, struct range range);
/* A whole number, uniform in [0, n). */
int draws_below(struct draws *draws, int n);
/* Four words for the pixels or values 4 i .. 4 i + 3, apart from all that the others draw. */
struct philox_words draws_block(const struct draws *draws, size_t i);

/* A list of steps as decoded. */
enum { MOST_STEPS = 100, MOST_DEPTH = 2 }; /* of a list; of lists within the config's */
struct augmentations {
    int count;
    struct choice *steps; /* in the arena */
    const struct yaml *where;
};
extern const struct option_kind OPTION_AUGMENT; /* field: struct augmentations */

/* An image on its way. */
struct picture {
    const struct kernels *kernels;
    int c, h, w;
    size_t size;   /* c * h * w, rounded up to whole vectors */
    float *planes; /* [c][h][w], 64-byte aligned, `size` floats */
    float low, high;
    float *scratch; /* for resampling or smoothing one of this size, 64-byte aligned */
};

static inline float picture_clamp(const struct picture *picture, float x)
{
    return x < picture->low ? picture->low : x > picture->high ? picture->high : x;
}
/* The grey of pixel i: of the red, green and blue of a colour, as PyTorch has it, else the mean of
 * the channels. */
float picture_grey(const struct picture *picture, size_t i);
/* Fill a rectangle, what there is of it, with a share of the range. */
void picture_erase(const struct picture *picture, int top, int left, int height, int width,
                   float fill);

/* Weights of a smoothing with standard deviation `sigma`, three of them on either side. */
struct gaussian {
    int radius; /* 0 where sigma is 0 */
    float weights[2 * BLUR_RADIUS + 1];
};
#define SIGMA_MAX 20 /* BLUR_RADIUS / 3 */
struct gaussian gaussian_of(double sigma);

/* Where the pixel (x, y) of the picture after a move comes from in the picture before it: at
 * (m[0] x + m[1] y + m[2], m[3] x + m[4] y + m[5]), both divided by m[6] x + m[7] y + m[8]. */
struct map {
    double m[9];
};
/* Exact for whole quarter turns, and the same on every machine. */
void sine_cosine(double degrees, double *sine, double *cosine);
static const struct map MAP_IDENTITY = {{1, 0, 0, 0, 1, 0, 0, 0, 1}};
/* The linear map (a b; c d) about the picture's centre, which stays where it is. */
struct map map_about_centre(int h, int w, double a, double b, double c, double d);

struct augmentation {
    struct member member; /* name, help, rows; options begin with a struct augmentation_options */
    const char *remedy;   /* against overfitting, besides being an augmentation: "noise" */
    unsigned flags;
    /* What no single row can check: 0, or -1 with a fault at choice->where; and what is worked out
     * once, into the options. May be NULL. */
    int (*check)(const struct choice *choice, struct error_list *errors);
    /* One of the four, or the two that come last. */
    struct map (*move)(const void *options, struct draws *draws, int h, int w);
    /* A move that is no map: how far to the right ([h][w]) and down (the same again) of a pixel of
     * the result its place in the picture lies. picture->scratch is free, its planes are not. */
    void (*bend)(const void *options, struct draws *draws, const struct picture *picture,
                 float *field);
    void (*paint)(const void *options, struct draws *draws, struct picture *picture);
    /* Mix another image in; returns the share that the label keeps. */
    float (*mix)(const void *options, struct draws *draws, struct picture *picture,
                 const float *other);
    /* A list of its own, and which of its steps are taken: chosen[i] becomes 1. */
    const struct augmentations *(*list)(const void *options);
    void (*choose)(const void *options, struct draws *draws, unsigned char *chosen);
};
enum augmentation_flags {
    AUGMENT_WHOLE_PIXELS =
        1,             /* a move of the picture onto itself: neither fill nor interpolation */
    AUGMENT_OWN_P = 2, /* makes use of `p` itself */
    AUGMENT_COLOUR = 4 /* for pictures of three channels or more: red, green, blue */
};

/* First field of every options struct. */
struct augmentation_options {
    float p;
};
#define AUGMENT_P_ROW(likely)                                                                      \
    {                                                                                              \
        .key = "p", .kind = &OPTION_NUMBER, .offset = 0, .fallback = likely, .low = 0, .high = 1,  \
        .keyed = 1, .help = "how likely an image gets it"                                          \
    }

/* First field of the options of a move without AUGMENT_WHOLE_PIXELS. */
struct move_options {
    struct augmentation_options augmentation;
    float fill;
    const char *fill_mode;     /* one of FILL_MODES; NULL: the first */
    const char *interpolation; /* one of INTERPOLATIONS; NULL: any will do */
};
extern const char *const FILL_MODES[];     /* constant, reflect */
extern const char *const INTERPOLATIONS[]; /* bilinear, nearest */
#define AUGMENT_FILL_MODE_ROW                                                                      \
    {                                                                                              \
        .key = "fill_mode", .kind = &OPTION_WORD,                                                  \
        .offset = offsetof(struct move_options, fill_mode), .fallback = "constant",                \
        .extra = FILL_MODES, .keyed = 1,                                                           \
        .help = "what comes in from outside: `fill`, or the picture's mirror image"                \
    }
#define AUGMENT_FILL_ROW                                                                           \
    {                                                                                              \
        .key = "fill", .kind = &OPTION_NUMBER, .offset = offsetof(struct move_options, fill),      \
        .fallback = "0", .low = 0, .high = 1, .keyed = 1,                                          \
        .help = "what comes in from outside: 0 black, 1 white"                                     \
    }
#define AUGMENT_INTERPOLATION_ROW                                                                  \
    {                                                                                              \
        .key = "interpolation", .kind = &OPTION_WORD,                                              \
        .offset = offsetof(struct move_options, interpolation), .fallback = "bilinear",            \
        .extra = INTERPOLATIONS, .keyed = 1, .help = "how values between pixels are made"          \
    }

extern const struct family AUGMENTATIONS; /* augmentations.def; members are struct augmentation */

#endif
