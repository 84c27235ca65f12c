/* levels.c: which levels were built, which this CPU can run, and which the user allows. Compiled
 * without any -m flag: it must run everywhere. With GENERIC_ONLY (and LEVELS=generic for make) the
 * generic level alone is built, for tests that look at everything but kernels. */
#include "kernels/conv_margins.h"
#include "kernels/conv_spread.h"
#include "kernels/winograd.h"

#include <string.h>

extern const struct kernels kernels_generic;
#if defined __x86_64__ && !defined GENERIC_ONLY
extern const struct kernels kernels_avx2, kernels_avx512;
#endif

static const struct kernels *const LEVELS[KERNEL_LEVELS] = {
    [KERNELS_GENERIC] = &kernels_generic,
#if defined __x86_64__ && !defined GENERIC_ONLY
    [KERNELS_AVX2] = &kernels_avx2,
    [KERNELS_AVX512] = &kernels_avx512,
#endif
};

const struct kernels *kernels_resolve(enum kernel_level level)
{
    return level >= 0 && level < KERNEL_LEVELS ? LEVELS[level] : NULL;
}

/* The compiler's runtime asks CPUID and, for the register state that the operating system saves,
 * XGETBV. */
enum kernel_level cpu_level(void)
{
#if defined __x86_64__ && !defined GENERIC_ONLY
    __builtin_cpu_init();
    if (__builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw") &&
        __builtin_cpu_supports("avx512vl") && __builtin_cpu_supports("avx512dq") &&
        __builtin_cpu_supports("fma")) {
        return KERNELS_AVX512;
    }
    if (__builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma")) {
        return KERNELS_AVX2;
    }
#endif
    return KERNELS_GENERIC;
}

const struct kernels *kernels_select(const char *cap)
{
    enum kernel_level level = cpu_level();
    if (cap && *cap) {
        static const char *const NAMES[KERNEL_LEVELS] = {"generic", "avx2", "avx512"};
        enum kernel_level allowed = 0;
        while (allowed < KERNEL_LEVELS && strcmp(NAMES[allowed], cap) != 0) {
            allowed++;
        }
        if (allowed == KERNEL_LEVELS) {
            return NULL;
        }
        level = allowed < level ? allowed : level;
    }
    return LEVELS[level];
}

static size_t larger(size_t a, size_t b) { return a > b ? a : b; }

/* n vectors as a matrix of lanes, in blocks of 16 x 16. */
static size_t transposed(size_t n) { return (n + LANES - 1) / LANES * LANES * LANES; }

/* The widened copies that the convolutions read: input rows with padding columns, gradient rows
 * with margins; what Winograd's way needs. */
static size_t plain_scratch(const struct window *s)
{
    int left, right;
    conv_margins(s, &left, &right);
    const size_t x = (size_t)s->c * s->h * ((size_t)(s->ow - 1) * s->stride_w + s->kw);
    const size_t dy = (size_t)s->oc * s->oh * ((size_t)left + s->ow + right);
    const size_t winograd = larger(winograd_scratch(s, winograd_way(s)), winograd_input_scratch(s));
    return larger(winograd,
                  larger(larger(x, dy) * LANES, transposed((size_t)s->c * s->kh * s->kw)));
}

size_t conv_scratch(const struct window *s)
{
    const struct window one = window_of_group(s);
    return is_dilated(s) ? spread_scratch(&one) : plain_scratch(&one);
}

size_t conv_prepared(const struct window *s)
{
    const struct window one = window_of_group(s);
    return is_dilated(s) ? 0 : (size_t)window_groups(s) * winograd_all_weights(&one);
}

int conv_shortcuts(const struct window *s)
{
    const struct window one = window_of_group(s);
    if (is_dilated(s)) {
        return 0;
    }
    return (winograd_way(&one) != WINOGRAD_NONE ? SHORTCUT_FORWARD : 0) |
           (winograd_input_way(&one) != WINOGRAD_NONE ? SHORTCUT_INPUT : 0) |
           (winograd_weight_way(&one) != WINOGRAD_NONE ? SHORTCUT_WEIGHT : 0);
}

int conv_rectifies(const struct window *s)
{
    return !is_dilated(s) && window_groups(s) == 1 && !conv_is_dense(s) &&
           winograd_way(s) != WINOGRAD_ROWS;
}

size_t dense_scratch(int in) { return transposed((size_t)in); }

/* A row, and a framed copy of the picture: one pixel before, two behind, each with the one below.
 */
size_t resample_scratch(int c, int h, int w)
{
    const size_t row = ((size_t)w + LANES - 1) / LANES * LANES;
    const size_t pairs = (size_t)c * ((size_t)h + 2) * ((size_t)w + 3) * 2;
    return row + (pairs + LANES - 1) / LANES * LANES;
}

/* The rows, each of whole vectors, and one with its surroundings. */
size_t blur_scratch(int h, int w)
{
    const size_t row = ((size_t)w + LANES - 1) / LANES * LANES;
    return ((size_t)h + 1) * row + 2 * BLUR_RADIUS + LANES;
}
