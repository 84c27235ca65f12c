/* flat.c: kernels over flat vectors: adding two tensors, adding the shards of a gradient, writing
 * what other threads read. */
#include "kernels/bodies.h"

enum { MOST_SHARDS = 64 };

/* The shards of one vector, added in a binary tree: neighbours, then neighbours of those. */
INLINE vec tree(const float *at, int count, size_t stride, size_t n)
{
    vec v[MOST_SHARDS];
    UNROLL
    for (int s = 0; s < count; s++) {
        v[s] = n >= WIDTH ? v_loadu(at + (size_t)s * stride)
                          : v_load_first(at + (size_t)s * stride, n);
    }
    UNROLL
    for (int step = 1; step < count; step *= 2) {
        UNROLL
        for (int s = 0; s + step < count; s += 2 * step) {
            v[s] = v[s] + v[s + step];
        }
    }
    return v[0];
}

void KERNEL(add)(size_t n, const float *x, float *y)
{
    for (size_t i = 0; i < n; i += WIDTH) {
        v_store(y + i, v_load(y + i) + v_load(x + i));
    }
}

void KERNEL(add_rectified)(size_t n, const float *x, float *y)
{
    for (size_t i = 0; i < n; i += WIDTH) {
        v_store(y + i, v_max(v_set(0.0f), v_load(y + i) + v_load(x + i)));
    }
}

/* Whole lines, from y's first on. A plain store would wait until each core that has read its line
 * has forgotten it. */
void KERNEL(stream)(size_t n, const float *x, float *y)
{
    const size_t off = (uintptr_t)y / sizeof *y % LANES, begin = off ? LANES - off : 0;
    size_t i = begin < n ? begin : n;
    memcpy(y, x, i * sizeof *y);
    for (; i + LANES <= n; i += LANES) {
        UNROLL
        for (int part = 0; part < LANES; part += WIDTH) {
            v_stream(y + i + part, v_loadu(x + i + part));
        }
    }
    memcpy(y + i, x + i, (n - i) * sizeof *y);
}

/* Such stores are in no order with others. */
void KERNEL(stream_end)(void)
{
#if defined(__AVX2__)
    _mm_sfence();
#endif
}

/* `count` is a constant where it is a usual one. */
INLINE void reduce(size_t n, const float *shards, int count, size_t stride, float *sum)
{
    size_t i = 0;
    for (; i + WIDTH <= n; i += WIDTH) {
        v_storeu(sum + i, tree(shards + i, count, stride, WIDTH));
    }
    if (i < n) {
        v_store_first(sum + i, tree(shards + i, count, stride, n - i), n - i);
    }
}

void KERNEL(reduce)(size_t n, const float *shards, int count, size_t stride, float *sum)
{
    if (count == 2) {
        reduce(n, shards, 2, stride, sum);
    } else if (count == 4) {
        reduce(n, shards, 4, stride, sum);
    } else {
        reduce(n, shards, count, stride, sum);
    }
}
