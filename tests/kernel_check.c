/* kernel_check.c: guarded buffers, dice and comparisons for the kernel tests. */
#include "kernel_check.h"

#include <float.h>
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#if defined(__has_feature)
#if __has_feature(address_sanitizer)
#define UNDER_ASAN 1
#endif
#elif defined(__SANITIZE_ADDRESS__)
#define UNDER_ASAN 1
#endif
#ifdef UNDER_ASAN
#include <sanitizer/asan_interface.h>
#else
#define ASAN_POISON_MEMORY_REGION(address, size) ((void)(address), (void)(size))
#define ASAN_UNPOISON_MEMORY_REGION(address, size) ((void)(address), (void)(size))
#endif

enum { CANARY = 64 };
static const uint32_t CANARY_BITS = 0x7fc5cafe;

void *check_malloc(size_t bytes)
{
    void *p = aligned_alloc(64, (bytes / 64 + 1) * 64);
    if (!p) {
        fail_msg("no memory for %zu bytes", bytes);
    }
    return p;
}

double *check_doubles(size_t n)
{
    double *p = check_malloc(n * sizeof *p);
    memset(p, 0, n * sizeof *p);
    return p;
}

int check_levels(const struct kernels *levels[KERNEL_LEVELS])
{
    int count = 0;
    for (int level = 0; level <= (int)cpu_level(); level++) {
        const struct kernels *k = kernels_resolve((enum kernel_level)level);
        if (k) {
            levels[count++] = k;
        }
    }
    assert_true(count > 0);
    return count;
}

static void fill_canary(float *p, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        memcpy(p + i, &CANARY_BITS, sizeof CANARY_BITS);
    }
}

static void guard(const struct guarded *g, int closed)
{
    float *const sides[] = {g->data - CANARY, g->data + g->size};
    for (int i = 0; i < 2; i++) {
        if (closed) {
            ASAN_POISON_MEMORY_REGION(sides[i], CANARY * sizeof(float));
        } else {
            ASAN_UNPOISON_MEMORY_REGION(sides[i], CANARY * sizeof(float));
        }
    }
}

struct guarded guarded_new(size_t size)
{
    float *all = check_malloc((size + 2 * CANARY) * sizeof *all);
    fill_canary(all, size + 2 * CANARY);
    const struct guarded g = {.data = all + CANARY, .size = size};
    guard(&g, 1);
    return g;
}

void guarded_freeze(struct guarded *g)
{
    free(g->frozen);
    g->frozen = check_malloc(g->size * sizeof *g->frozen);
    memcpy(g->frozen, g->data, g->size * sizeof *g->frozen);
}

static void check_canary(const float *side, const char *where, const char *what)
{
    for (int i = 0; i < CANARY; i++) {
        if (memcmp(side + i, &CANARY_BITS, sizeof CANARY_BITS) != 0) {
            fail_msg("%s: wrote %s its end, float %d", what, where, i);
        }
    }
}

void guarded_check(const struct guarded *g, const char *what)
{
    guard(g, 0);
    check_canary(g->data - CANARY, "before", what);
    check_canary(g->data + g->size, "behind", what);
    guard(g, 1);
    if (g->frozen && memcmp(g->frozen, g->data, g->size * sizeof *g->data) != 0) {
        fail_msg("%s: an input was changed", what);
    }
}

void guarded_free(struct guarded *g)
{
    if (g->data) {
        guard(g, 0);
        free(g->data - CANARY);
    }
    free(g->frozen);
    *g = (struct guarded){0};
}

void guarded_copy(struct guarded *g, const float *from)
{
    memcpy(g->data, from, g->size * sizeof *g->data);
}

void guarded_reorder(struct guarded *g)
{
    double *d = check_doubles(g->size);
    ref_from_tile(g->size / LANES, g->data, d);
    for (size_t i = 0; i < g->size; i++) {
        g->data[i] = (float)d[i];
    }
    free(d);
}

/* clang-format off */
struct ref_window check_window(const struct window *s)
{
    return (struct ref_window){
        .n = LANES, .c = s->c, .h = s->h, .w = s->w, .oc = s->oc, .oh = s->oh, .ow = s->ow,
        .kh = s->kh, .kw = s->kw, .stride_h = s->stride_h, .stride_w = s->stride_w,
        .pad_top = s->pad_top, .pad_left = s->pad_left,
        .dilation_h = s->dilation_h, .dilation_w = s->dilation_w, .groups = s->groups,
    };
}
/* clang-format on */

/* The sum of absolute terms, as a tolerance. The last word is for a sum of terms that underflow. */
static void to_bound(size_t n, double *sums)
{
    for (size_t i = 0; i < n; i++) {
        sums[i] = 4 * (double)FLT_EPSILON * sums[i] + (double)FLT_MIN;
    }
}

/* The same where neighbours are mixed: along the columns, or along both axes. */
static void to_common_bound(size_t n, double *sums, double epsilons)
{
    double most = 0;
    for (size_t i = 0; i < n; i++) {
        most = sums[i] > most ? sums[i] : most;
    }
    for (size_t i = 0; i < n; i++) {
        sums[i] = epsilons * (double)FLT_EPSILON * most;
    }
}

void check_bound(enum winograd_way way, size_t n, double *sums)
{
    if (way == WINOGRAD_NONE) {
        to_bound(n, sums);
    } else {
        to_common_bound(n, sums, way == WINOGRAD_COLUMNS ? 16 : 24);
    }
}

uint64_t dice_bits(struct dice *dice)
{
    uint64_t z = dice->state += UINT64_C(0x9e3779b97f4a7c15);
    z = (z ^ (z >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
    z = (z ^ (z >> 27)) * UINT64_C(0x94d049bb133111eb);
    return z ^ (z >> 31);
}

int dice_between(struct dice *dice, int low, int high)
{
    return low + (int)(dice_bits(dice) % (uint64_t)(high - low + 1));
}

float dice_uniform(struct dice *dice, float low, float high)
{
    return low + (high - low) * (float)(dice_bits(dice) >> 40) * 0x1p-24f;
}

void dice_fill(struct dice *dice, struct guarded *g, float low, float high)
{
    for (size_t i = 0; i < g->size; i++) {
        g->data[i] = dice_uniform(dice, low, high);
    }
}

void dice_fill_integers(struct dice *dice, struct guarded *g, int low, int high)
{
    for (size_t i = 0; i < g->size; i++) {
        g->data[i] = (float)dice_between(dice, low, high);
    }
}

void check_near(const char *what, const struct kernels *k, size_t n, const float *got,
                const double *want, const double *bound)
{
    for (size_t i = 0; i < n; i++) {
        const double difference = got[i] - want[i];
        if (!(fabs(difference) <= bound[i])) {
            fail_msg("%s, %s: [%zu of %zu] is %.9g, not %.9g: off by %.3g, allowed %.3g", what,
                     k->name, i, n, (double)got[i], want[i], difference, bound[i]);
        }
    }
}

void check_equal(const char *what, const struct kernels *k, size_t n, const float *got,
                 const double *want)
{
    for (size_t i = 0; i < n; i++) {
        if (!(got[i] == want[i])) {
            fail_msg("%s, %s: [%zu of %zu] is %.9g, not %.9g", what, k->name, i, n, (double)got[i],
                     want[i]);
        }
    }
}

void agreement_check(struct agreement *a, const char *what, const struct kernels *k,
                     const struct guarded *g)
{
    if (!k->fused) {
        return;
    }
    if (!a->first) {
        a->first = check_malloc(g->size * sizeof *a->first);
        memcpy(a->first, g->data, g->size * sizeof *a->first);
        return;
    }
    for (size_t i = 0; i < g->size; i++) {
        if (memcmp(a->first + i, g->data + i, sizeof *a->first) != 0) {
            fail_msg("%s, %s: [%zu of %zu] is %.9g, another fused level says %.9g", what, k->name,
                     i, g->size, (double)g->data[i], (double)a->first[i]);
        }
    }
}

void labels_to_ref(const struct labels *labels, struct ref_labels *ref)
{
    for (int lane = 0; lane < LANES; lane++) {
        ref->first[lane] = labels->first[lane];
        ref->second[lane] = labels->second[lane];
        ref->share[lane] = (double)labels->share[lane];
    }
}

void agreement_free(struct agreement *a)
{
    free(a->first);
    a->first = NULL;
}
