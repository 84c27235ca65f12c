/* kernels.h: the arithmetic, as one table of functions per CPU level. Floats and sizes only:
 * nothing here knows networks.
 *
 * A tile is 16 images, one in each lane: a tensor of a tile is [c][h][w][16] floats, 64-byte
 * aligned. So every kernel is plain vector code; nothing is transposed, padded to a vector width,
 * or gathered.
 *
 * Same bytes: each lane does one fixed sequence of operations, whatever the vector width and
 * whatever the blocking. Levels that have fused multiply-add (avx2, avx512) therefore agree to the
 * bit; `generic` rounds twice and is only near them. Sums over lanes are taken in one fixed tree
 * (lanes.h).
 *
 * Glossary: n c h w; oc oh ow (output); kh kw (kernel); x y dx dy w dw b db. Nothing here fails:
 * the plan has checked all shapes. */
#ifndef CNNTRAIN_KERNELS_KERNELS_H
#define CNNTRAIN_KERNELS_KERNELS_H

#include <stddef.h>
#include <stdint.h>

enum { LANES = 16, PEAK_ROUND = 12 * LANES };

/* A window that slides over a map: convolution and pooling. Padding is what is put above and at the
 * left; below and at the right it follows from oh and ow. */
struct window {
    int c, h, w;    /* input */
    int oc, oh, ow; /* output; pooling: oc = c */
    int kh, kw;     /* kernel */
    int stride_h, stride_w;
    int pad_top, pad_left;
    int dilation_h, dilation_w; /* convolution: from one tap to the next; 0 is 1 */
    int groups; /* convolution: of channels that meet only their own outputs; 0 is 1 */
    /* A plain convolution, neither grouped nor dilated, of a team: only share `part` of `parts` of
     * what is made is made now (share.h); scratch is of each member's own. 0: all of it. */
    int part, parts;
    int rectify; /* forward, where conv_rectifies: what is below 0 becomes 0, as by relu */
};

/* A kernel that covers all of its input once: a dense layer. */
static inline int conv_is_dense(const struct window *s)
{
    return s->oh == 1 && s->ow == 1 && s->kh == s->h && s->kw == s->w && s->pad_top == 0 &&
           s->pad_left == 0 && s->groups <= 1;
}

/* What 16 outputs should have been. The target of lane i is share * onehot(first) + (1 - share) *
 * onehot(second): ordinarily share is 1 and second is first; where two samples are mixed, first is
 * the one with the greater share. A dead lane has first = second = -1. */
struct labels {
    int32_t first[LANES], second[LANES];
    float share[LANES];
};

/* What a loss may be told besides; each takes what concerns it. */
struct loss_terms {
    float smoothing;      /* cross_entropy: the share of a target that goes to all classes alike */
    const float *weights; /* cross_entropy, focal: of the classes; NULL: 1 */
    float gamma, j, delta, margin; /* focal, map, huber, hinge */
};

/* loss[lane] and, when dz is not NULL, dz = its gradient by z, times scale, from z[classes][16];
 * both 0 in dead lanes. */
typedef void loss_kernel(const struct loss_terms *, int classes, const float *z,
                         const struct labels *, float scale, float *loss, float *dz);

/* Elementwise functions. `slope` is the option of leaky_relu (slope) and elu (alpha). */
struct activation_kernel {
    /* y = f(x), n vectors of 16; x == y is allowed. */
    void (*forward)(const float *x, float *y, size_t n, float slope);
    /* dx = dy * f'(.), from x or from y as the activation's `reads_y` says; dx == dy is allowed. */
    void (*backward)(const float *xy, const float *dy, float *dx, size_t n, float slope);
    /* y = the mean of f(x) over each window, for windows that tile the map: the bytes of forward
     * and then avgpool_forward, without the way through memory. */
    void (*mean)(const struct window *, const float *x, float *y, float slope);
};

enum activation {
    ACTIVATION_RELU,
    ACTIVATION_LEAKY_RELU,
    ACTIVATION_TANH,
    ACTIVATION_SIGMOID,
    ACTIVATION_ELU,
    ACTIVATION_GELU,
    ACTIVATION_SILU,
    ACTIVATION_SOFTPLUS,
    ACTIVATION_SCALED_TANH,
    ACTIVATION_COUNT,
    ACTIVATION_NONE = ACTIVATION_COUNT
};

/* How a channel is normalised, y = f(z), z = (x - mean) * scale + shift, with f an activation or
 * nothing; and, with d = dy * f'(z), the rest of dx = d * scale + (x - mean) * by_x + rest. */
struct norm {
    float mean, scale, shift;
    float slope; /* f's */
    float by_x, rest;
};

/* For one f. x is what came in, of `pixels` vectors; y need not be kept. */
struct norm_kernel {
    /* x == y is allowed. */
    void (*forward)(size_t pixels, const float *x, const struct norm *, float *y);
    /* The sums of d and of d * (x - mean). */
    void (*sums)(size_t pixels, const float *x, const float *dy, const struct norm *,
                 double sums[2]);
    /* dx, 0 in the lanes where live[16] is 0 and not 1; dx == dy is allowed. */
    void (*backward)(size_t pixels, const float *x, const float *dy, const float *live,
                     const struct norm *, float *dx);
};

/* What an optimizer's kernel is told of a step; `rest` of a memory is 1 - memory, rounded once. The
 * rates are those of this step; `decay` is lr * weight_decay, of a decay that is none of the
 * gradient. */
struct adam {
    float lr, beta1, beta2, epsilon;
    float rest1, rest2;
    float correction1, correction2; /* 1 - beta1^t and sqrt(1 - beta2^t) */
    float decay;
};
struct nadam {
    float beta1, beta2, epsilon;
    float rest1, rest2;
    float correction2;              /* sqrt(1 - beta2^t) */
    float rate_gradient, rate_mean; /* lr times what the schedule of momenta makes of it */
};
struct adagrad {
    float lr, epsilon, initial; /* initial: what the sums begin with */
};
struct rmsprop {
    float lr, alpha, rest, epsilon, momentum;
    int centered;
};
struct adadelta {
    float lr, rho, rest, epsilon;
};
struct lion {
    float lr, beta1, beta2;
    float rest1, rest2;
    float decay;
};

/* Local response normalisation: the window of channel j is j - before .. j + after. */
struct lrn {
    int c, before, after;
    float share, beta, k;
};

/* Pictures, [c][h][w] floats, one image each (data/augmentation.h). */

/* Where the pixel (x, y) of a moved picture comes from: the place (m[0] x + m[1] y + m[2], m[3] x +
 * m[4] y + m[5]) of the picture, both divided by m[6] x + m[7] y + m[8]. Pixels are points at whole
 * numbers; around the picture everything is `fill`. */
struct warp {
    int c, h, w;
    float m[9];
    int nearest; /* take the nearest pixel; else bilinear between the four around the place */
    float fill;
    int mirror; /* outside is the picture once more, mirrored at its outermost pixels; else fill */
    const float *x, *y; /* [h][w]: every pixel's place by itself, instead of m; or NULL */
};

/* What noise is added: x = x + std * n, then clamped to [low, high]. With a, b, c, d the bytes of a
 * Philox word, lowest first, n is one of a + b + c + d - 510, a + b - c - d, a - b + c - d and a -
 * b
 * - c + d, divided by its standard deviation, sqrt(21845): mean 0, variance 1, within 3.46,
 * kurtosis 2.7 (the normal law has 3); all are uncorrelated, those of different words independent.
 * Element 256 g + 64 v + 16 k + l has word v of the counter {2^31 + 16 g + l, sample, epoch,
 * stream}, and the k-th of the four. */
struct noise {
    float std, low, high;
    uint64_t seed;
    uint32_t sample, epoch, stream;
};

struct kernels {
    const char *name;
    int fused; /* multiply-add rounds once: the same bytes as every other fused level */

    /* What the convolution's fast ways know of its weights, into u of conv_prepared(window) floats:
     * share `part` of `parts` of the work, which any threads may do in any order. */
    void (*conv_prepare)(const struct window *, const float *w, int part, int parts, float *u);
    /* y[oc][oh][ow] = b[oc] + sum over c, kh, kw of w[oc][c][kh][kw] * x[c][..][..]
     * (cross-correlation), c running over the channels of oc's group, c / groups of them; b may be
     * NULL. u: from conv_prepare; NULL: by the direct sums. `scratch`: conv_scratch(window) floats.
     */
    void (*conv_forward)(const struct window *, const float *x, const float *w, const float *u,
                         const float *b, float *y, float *scratch);
    /* dx[c][h][w] = sum over oc, kh, kw of w[oc][c][kh][kw] * dy[..]; overwrites dx. */
    void (*conv_backward_input)(const struct window *, const float *dy, const float *w,
                                const float *u, float *dx, float *scratch);
    /* dw = sum over pixels and lanes of dy * x; db = sum of dy (db may be NULL); added to what is
     * there when `add`, else written. */
    void (*conv_backward_weight)(const struct window *, const float *x, const float *dy, int add,
                                 float *dw, float *db, float *scratch);

    /* y[o] = b[o] + sum over i of w[o][i] * x[i], of each tile: x of `in` vectors, those of the
     * next tile x_tile floats behind, and y of `out` vectors, y_tile; b may be NULL. */
    void (*dense_forward)(int in, int out, int tiles, const float *x, size_t x_tile, const float *w,
                          const float *b, float *y, size_t y_tile);
    /* dx[i], for first <= i < end, = sum over o of w[o][i] * dy[o]. */
    void (*dense_backward_input)(int in, int out, int first, int end, const float *dy,
                                 const float *w, float *dx);
    /* x of `in` vectors, turned for the weight gradient: for each 16 inputs, the images below each
     * other; xt: dense_scratch(in) floats. */
    void (*dense_turn)(int in, const float *x, float *xt);
    /* dw = sum over the images of all tiles of dy x^T, db = sum of dy (may be NULL), added or
     * written; xt: that of each tile; dy: of each tile `out` vectors, dy_tile floats from one tile
     * to the next. Each sum is in the order of tiles and images. */
    void (*dense_backward_weight)(int in, int out, int tiles, const float *xt, const float *dy,
                                  size_t dy_tile, int add, float *dw, float *db);

    /* The same forward for one image: x of `in` floats, y of `out` floats. Each sum is that of 16
     * lanes, input i in lane i % 16. */
    void (*dense_single)(int in, int out, const float *x, const float *w, const float *b, float *y);

    /* y[o] = - sum over i of (x[i] - w[o][i])^2, for x of `in` vectors and y of `out` vectors. */
    void (*rbf_forward)(int in, int out, const float *x, const float *w, float *y);
    void (*rbf_backward)(int in, int out, const float *x, const float *dy, const float *w,
                         float *dx);

    /* The greatest value of each window; padding never wins. Backward gives dy to the first
     * greatest in row order. */
    void (*maxpool_forward)(const struct window *, const float *x, float *y);
    void (*maxpool_backward)(const struct window *, const float *x, const float *y, const float *dy,
                             float *dx);
    /* The mean of each window: padding counts as zeros when count_padding, else it is left out of
     * the divisor too. */
    void (*avgpool_forward)(const struct window *, int count_padding, const float *x, float *y);
    void (*avgpool_backward)(const struct window *, int count_padding, const float *dy, float *dx);

    /* Of the `pixels` vectors of a channel, in the lanes where live[16] is 1 and not 0: how many
     * values, their mean, and the sum of squares about it. */
    void (*moments)(size_t pixels, const float *x, const float *live, double moments[3]);
    /* Batch normalisation of a channel and the activation behind it. */
    const struct norm_kernel *norm; /* [ACTIVATION_COUNT + 1]: by the activation, which is
                                       ACTIVATION_RELU, ACTIVATION_LEAKY_RELU, ACTIVATION_NONE */

    /* Lane by lane, of n vectors: mean[16], and inverse[16] = 1 / sqrt(variance + eps). */
    void (*lane_moments)(size_t n, const float *x, float eps, float *mean, float *inverse);
    /* Of a channel: y = (x - mean) * inverse * weight + bias; weight and bias are one for all
     * pixels (step 0) or one for each (step 1). x == y is allowed. */
    void (*lane_normalize)(size_t pixels, const float *x, const float *mean, const float *inverse,
                           const float *weight, const float *bias, int step, float *y);
    /* With z the normalised x: sum[16] += dy * weight, product[16] += dy * weight * z; and the
     * gradients by weight and bias, written or added, unless they are NULL. */
    void (*lane_normalize_sums)(size_t pixels, const float *x, const float *dy, const float *mean,
                                const float *inverse, const float *weight, int step, int add,
                                float *dweight, float *dbias, float *sum, float *product);
    /* dx = inverse * (dy * weight - sum / n - z * product / n); dx == dy is allowed. */
    void (*lane_normalize_backward)(size_t pixels, const float *x, const float *dy,
                                    const float *mean, const float *inverse, const float *weight,
                                    int step, const float *sum, const float *product, size_t n,
                                    float *dx);
    /* y = x / s^beta, s = k + share * sum of the window's squares; x and y are o->c channels. */
    void (*lrn_forward)(const struct lrn *o, size_t pixels, const float *x, float *y);
    /* `scratch`: as large as x. */
    void (*lrn_backward)(const struct lrn *o, size_t pixels, const float *x, const float *dy,
                         float *dx, float *scratch);

    const struct activation_kernel *activation; /* [ACTIVATION_COUNT] */

    /* Dropout: y = x * mask, where element e of sample s is kept when its Philox word (rng.h:
     * counter {e / 4, s, epoch, stream}, word e % 4) is at least rate * 2^32, and then scaled by 1
     * / (1 - rate). The mask is made anew in backward, with x = dy. x == y is allowed. `samples`:
     * 16 sample numbers. */
    void (*dropout)(const float *x, float *y, size_t n, float rate, uint64_t seed,
                    const uint32_t *samples, uint32_t epoch, uint32_t stream);

    /* The same for whole maps of `size` vectors: map m is what element m is there. */
    void (*spatial_dropout)(const float *x, float *y, size_t maps, size_t size, float rate,
                            uint64_t seed, const uint32_t *samples, uint32_t epoch,
                            uint32_t stream);
    /* Normal random numbers N, one an element, from the same words: y = x + std N, or, with
     * `multiply`, y = x (1 + std N). x == y is allowed. */
    void (*normal_noise)(const float *x, float *y, size_t n, float std, int multiply, uint64_t seed,
                         const uint32_t *samples, uint32_t epoch, uint32_t stream);

    /* Softmax over `classes` vectors, each lane by itself, stable: p = exp(z - max) / sum. z == p
     * is allowed. */
    void (*softmax)(int classes, const float *z, float *p);
    /* The losses (formulas: loss.c, loss_outputs.c). */
    loss_kernel *cross_entropy, *focal, *map, *mse, *mae, *huber, *hinge;

    /* y[i] += x[i], for i < n, a multiple of 16. */
    void (*add)(size_t n, const float *x, float *y);
    /* The same, and relu of it: y[i] = max(y[i] + x[i], 0). */
    void (*add_rectified)(size_t n, const float *x, float *y);
    /* y = x, n of any number, y of any alignment, past the caches: for a y that several cores have
     * read. They may read it again when this thread has called stream_end and met them. */
    void (*stream)(size_t n, const float *x, float *y);
    void (*stream_end)(void);
    /* sum[i] = shards (1 to 64 of them) added in a fixed binary tree; shard s stands at shards + s
     * * stride; n is any number. */
    void (*reduce)(size_t n, const float *shards, int count, size_t stride, float *sum);
    /* x between -limit and limit; x * factor. */
    void (*clip)(float limit, size_t n, float *x);
    void (*scale)(float factor, size_t n, float *x);
    /* g += l2 * w + l1 * sign(w), the sign of 0 being 0. */
    void (*penalize)(float l1, float l2, size_t n, const float *w, float *g);
    /* average = keep * average + rest * w */
    void (*average)(float keep, float rest, size_t n, const float *w, float *average);
    /* One step over n parameters, in place; PyTorch's formulas (torch.optim). g is read, the rest
     * are the optimizer's memories. */
    void (*sgd)(float lr, float momentum, int nesterov, size_t n, float *w, const float *g,
                float *v);
    void (*adam)(const struct adam *, size_t n, float *w, const float *g, float *m, float *v);
    void (*amsgrad)(const struct adam *, size_t n, float *w, const float *g, float *m, float *v,
                    float *greatest);
    void (*nadam)(const struct nadam *, size_t n, float *w, const float *g, float *m, float *v);
    void (*adagrad)(const struct adagrad *, size_t n, float *w, const float *g, float *sum);
    /* `velocity` is touched when momentum is above 0, `mean` when centered. */
    void (*rmsprop)(const struct rmsprop *, size_t n, float *w, const float *g, float *square,
                    float *velocity, float *mean);
    void (*adadelta)(const struct adadelta *, size_t n, float *w, const float *g, float *square,
                     float *change);
    void (*lion)(const struct lion *, size_t n, float *w, const float *g, float *m);

    /* Lay `count` values of each of 16 images side by side: y[i * 16 + lane] = images[lane][i] *
     * scale + shift. */
    void (*tile_from_bytes)(const uint8_t *const images[16], size_t count, float scale, float shift,
                            float *y);
    void (*tile_from_floats)(const float *const images[16], size_t count, float scale, float shift,
                             float *y);
    /* One image by itself: y[i] = image[i] * scale + shift, with the bits that it has in a tile; y
     * need not be aligned. */
    void (*image_from_bytes)(const uint8_t *image, size_t count, float scale, float shift,
                             float *y);
    void (*image_from_floats)(const float *image, size_t count, float scale, float shift, float *y);

    /* y[i] = x[index[i]], or `fill` where the index is negative; y need not be aligned. */
    void (*pick)(size_t n, const int32_t *index, float fill, const float *x, float *y);

    /* Move a picture, in place; whole numbers in m, within the picture, move values unchanged. x
     * has room for whole vectors of 16; `scratch`: resample_scratch(c, h, w) floats. */
    void (*resample)(const struct warp *, float *x, float *scratch);
    /* x = x * scale + shift, then clamped to [low, high]; n a multiple of 16, x 64-byte aligned. */
    void (*adjust)(size_t n, float scale, float shift, float low, float high, float *x);
    /* x = share * x + (1 - share) * other; n a multiple of 16, both 64-byte aligned. */
    void (*blend)(size_t n, float share, const float *other, float *x);
    /* x = low + (high - low) ((x - low) / (high - low))^exponent, clamped; high > low. */
    void (*power)(size_t n, float exponent, float low, float high, float *x);
    /* Smooth a plane, in place, with weights[2 radius + 1] along both axes; around it is its mirror
     * image (without its edge), or zeros. `scratch`: blur_scratch(h, w) floats, 64-byte aligned. */
    void (*blur)(int h, int w, const float *weights, int radius, int mirror, float *x,
                 float *scratch);
    /* n a multiple of 16, x 64-byte aligned. */
    void (*noise)(const struct noise *, size_t n, float *x);

    /* `rounds` * PEAK_ROUND multiply-adds and nothing else: what a core can do at most. Returns a
     * number that depends on them. */
    float (*peak)(size_t rounds);
};

enum kernel_level { KERNELS_GENERIC, KERNELS_AVX2, KERNELS_AVX512, KERNEL_LEVELS };

/* The table of a level, or NULL when it was not built for this machine's architecture. Pure: a test
 * holds all levels at once. */
const struct kernels *kernels_resolve(enum kernel_level level);
/* The highest level that this CPU and its operating system support (CPUID and XGETBV). */
enum kernel_level cpu_level(void);
/* The highest level up to `cap` that can be used here; `cap` is what CNNTRAIN_CPU says: "generic",
 * "avx2", "avx512"; NULL or "" means no cap. Returns NULL when `cap` names no level. */
const struct kernels *kernels_select(const char *cap);

/* Scratch sizes, in floats: the same for all levels. */
size_t conv_scratch(const struct window *);
size_t conv_prepared(const struct window *);
/* In which of its three ways a convolution takes fewer multiplications than the direct sum (enum
 * shortcut, or-ed). */
enum { SHORTCUT_FORWARD = 1, SHORTCUT_INPUT = 2, SHORTCUT_WEIGHT = 4 };
int conv_shortcuts(const struct window *);
/* Whether conv_forward does what `rectify` asks for. From shapes alone. */
int conv_rectifies(const struct window *);
size_t dense_scratch(int in);
size_t resample_scratch(int c, int h, int w);
enum { BLUR_RADIUS = 60 }; /* the greatest */
size_t blur_scratch(int h, int w);

#endif
