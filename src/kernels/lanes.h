/* lanes.h: 16 lanes as the vectors of one CPU level. The kernel bodies are written once in these
 * terms and compiled once a level, with that level's flags and -DLEVEL=name.
 *
 * A pixel of a tile is 16 floats = PARTS vectors of WIDTH floats. Everything here is static, so the
 * levels share no code. `v_fma` is the only place where a multiplication and an addition may round
 * once: the build says -ffp-contract=off. */
#ifndef CNNTRAIN_KERNELS_LANES_H
#define CNNTRAIN_KERNELS_LANES_H

#include "kernels/kernels.h"

#include <string.h>

#define PASTE2(name, level) name##_##level
#define PASTE(name, level) PASTE2(name, level)
/* The level's own name of a kernel: KERNEL(softmax) is softmax_avx2. */
#define KERNEL(name) PASTE(name, LEVEL)

#define INLINE static inline __attribute__((always_inline, unused))
#define UNROLL _Pragma("GCC unroll 32")

#if defined(__AVX512F__)
#include <immintrin.h>
enum { WIDTH = 16, PARTS = 1, REGISTERS = 32, FUSED = 1 };
typedef __m512 vec;
typedef __m512i ivec;
INLINE vec v_load(const float *p) { return _mm512_load_ps(p); }
INLINE vec v_loadu(const float *p) { return _mm512_loadu_ps(p); }
INLINE void v_store(float *p, vec a) { _mm512_store_ps(p, a); }
INLINE void v_storeu(float *p, vec a) { _mm512_storeu_ps(p, a); }
INLINE void v_stream(float *p, vec a) { _mm512_stream_ps(p, a); } /* past the caches */
INLINE vec v_set(float a) { return _mm512_set1_ps(a); }
INLINE vec v_fma(vec a, vec b, vec c) { return _mm512_fmadd_ps(a, b, c); }
INLINE vec v_sqrt(vec a) { return _mm512_sqrt_ps(a); }
/* a > b ? a : b, so b when either is not a number; likewise v_min */
INLINE vec v_max(vec a, vec b) { return _mm512_max_ps(a, b); }
INLINE vec v_min(vec a, vec b) { return _mm512_min_ps(a, b); }
typedef __mmask16 vmask;
INLINE vmask v_greater(vec a, vec b) { return _mm512_cmp_ps_mask(a, b, _CMP_GT_OQ); }
INLINE vmask v_equal(vec a, vec b) { return _mm512_cmp_ps_mask(a, b, _CMP_EQ_OQ); }
INLINE vec v_select(vmask m, vec yes, vec no) { return _mm512_mask_blend_ps(m, no, yes); }
INLINE vmask v_mask_and_not(vmask a, vmask b) { return (vmask)(a & ~b); }
INLINE vmask v_mask_or(vmask a, vmask b) { return (vmask)(a | b); }
INLINE vmask v_mask_none(void) { return 0; }
INLINE ivec v_to_int(vec a) { return _mm512_cvttps_epi32(a); }
INLINE vec v_from_int(ivec a) { return _mm512_cvtepi32_ps(a); }
INLINE vec v_from_bytes(const uint8_t *p)
{
    return v_from_int(_mm512_cvtepu8_epi32(_mm_loadu_si128((const void *)p)));
}
INLINE ivec v_bits(vec a) { return _mm512_castps_si512(a); }
INLINE vec v_from_bits(ivec a) { return _mm512_castsi512_ps(a); }
INLINE ivec v_iset(int a) { return _mm512_set1_epi32(a); }
INLINE ivec v_iadd(ivec a, ivec b) { return _mm512_add_epi32(a, b); }
INLINE ivec v_iand(ivec a, ivec b) { return _mm512_and_si512(a, b); }
/* p[2 i .. 2 i + 3] of every lane's i: four[j] gets the j-th of the four. Faster than the
 * processor's own gather, which takes every value by itself. */
INLINE void v_gather_fours(const float *p, ivec i, vec four[4])
{
    int at[WIDTH] __attribute__((aligned(64)));
    vec r[4];
    _mm512_store_si512(at, v_iadd(i, i));
    __asm__("" : "+m"(at)); /* loads are cheaper than taking a vector apart */
    UNROLL
    for (int j = 0; j < 4; j++) {
        r[j] = _mm512_castps128_ps512(_mm_loadu_ps(p + at[j]));
        r[j] = _mm512_insertf32x4(r[j], _mm_loadu_ps(p + at[4 + j]), 1);
        r[j] = _mm512_insertf32x4(r[j], _mm_loadu_ps(p + at[8 + j]), 2);
        r[j] = _mm512_insertf32x4(r[j], _mm_loadu_ps(p + at[12 + j]), 3);
    }
    UNROLL
    for (int half = 0; half < 2; half++) {
        const __m512d t = _mm512_castps_pd(half ? _mm512_unpackhi_ps(r[0], r[1])
                                                : _mm512_unpacklo_ps(r[0], r[1]));
        const __m512d u = _mm512_castps_pd(half ? _mm512_unpackhi_ps(r[2], r[3])
                                                : _mm512_unpacklo_ps(r[2], r[3]));
        four[2 * half] = _mm512_castpd_ps(_mm512_unpacklo_pd(t, u));
        four[2 * half + 1] = _mm512_castpd_ps(_mm512_unpackhi_pd(t, u));
    }
}
/* a[0] b[0] a[1] b[1] ... */
INLINE void v_store_pairs(float *p, vec a, vec b)
{
    const ivec low = _mm512_setr_epi32(0, 16, 1, 17, 2, 18, 3, 19, 4, 20, 5, 21, 6, 22, 7, 23);
    v_storeu(p, _mm512_permutex2var_ps(a, low, b));
    v_storeu(p + WIDTH, _mm512_permutex2var_ps(a, v_iadd(low, v_iset(8)), b));
}
INLINE ivec v_imultiply(ivec a, ivec b) { return _mm512_mullo_epi32(a, b); }
INLINE ivec v_shift_left23(ivec a) { return _mm512_slli_epi32(a, 23); }
INLINE ivec v_shift_right23(ivec a) { return _mm512_srai_epi32(a, 23); }
/* For whole numbers without sign, as random ones are (philox_lanes.h): the 64-bit products of the
 * even lanes, each in the place of a pair; the odd lane of each pair in the even one's place (and 0
 * beside it); pairs of an even lane of `even` and one of `odd`; a >= b. */
INLINE ivec v_multiply_even(ivec a, ivec b) { return _mm512_mul_epu32(a, b); }
INLINE ivec v_odd_to_even(ivec a) { return _mm512_srli_epi64(a, 32); }
INLINE ivec v_pairs(ivec even, ivec odd)
{
    return _mm512_mask_shuffle_epi32(even, 0xaaaa, odd, _MM_PERM_CCAA);
}
INLINE ivec v_ixor(ivec a, ivec b) { return _mm512_xor_si512(a, b); }
INLINE vmask v_not_below(ivec a, ivec b) { return _mm512_cmpge_epu32_mask(a, b); }
#elif defined(__AVX2__)
#include <immintrin.h>
enum { WIDTH = 8, PARTS = 2, REGISTERS = 16, FUSED = 1 };
typedef __m256 vec;
typedef __m256i ivec;
INLINE vec v_load(const float *p) { return _mm256_load_ps(p); }
INLINE vec v_loadu(const float *p) { return _mm256_loadu_ps(p); }
INLINE void v_store(float *p, vec a) { _mm256_store_ps(p, a); }
INLINE void v_storeu(float *p, vec a) { _mm256_storeu_ps(p, a); }
INLINE void v_stream(float *p, vec a) { _mm256_stream_ps(p, a); }
INLINE vec v_set(float a) { return _mm256_set1_ps(a); }
INLINE vec v_fma(vec a, vec b, vec c) { return _mm256_fmadd_ps(a, b, c); }
INLINE vec v_sqrt(vec a) { return _mm256_sqrt_ps(a); }
INLINE vec v_max(vec a, vec b) { return _mm256_max_ps(a, b); }
INLINE vec v_min(vec a, vec b) { return _mm256_min_ps(a, b); }
typedef __m256 vmask;
INLINE vmask v_greater(vec a, vec b) { return _mm256_cmp_ps(a, b, _CMP_GT_OQ); }
INLINE vmask v_equal(vec a, vec b) { return _mm256_cmp_ps(a, b, _CMP_EQ_OQ); }
INLINE vec v_select(vmask m, vec yes, vec no) { return _mm256_blendv_ps(no, yes, m); }
INLINE vmask v_mask_and_not(vmask a, vmask b) { return _mm256_andnot_ps(b, a); }
INLINE vmask v_mask_or(vmask a, vmask b) { return _mm256_or_ps(a, b); }
INLINE vmask v_mask_none(void) { return _mm256_setzero_ps(); }
INLINE ivec v_to_int(vec a) { return _mm256_cvttps_epi32(a); }
INLINE vec v_from_int(ivec a) { return _mm256_cvtepi32_ps(a); }
INLINE vec v_from_bytes(const uint8_t *p)
{
    return v_from_int(_mm256_cvtepu8_epi32(_mm_loadl_epi64((const void *)p)));
}
INLINE ivec v_bits(vec a) { return _mm256_castps_si256(a); }
INLINE vec v_from_bits(ivec a) { return _mm256_castsi256_ps(a); }
INLINE ivec v_iset(int a) { return _mm256_set1_epi32(a); }
INLINE ivec v_iadd(ivec a, ivec b) { return _mm256_add_epi32(a, b); }
INLINE ivec v_iand(ivec a, ivec b) { return _mm256_and_si256(a, b); }
INLINE void v_gather_fours(const float *p, ivec i, vec four[4])
{
    int at[WIDTH] __attribute__((aligned(64)));
    vec r[4];
    _mm256_store_si256((void *)at, v_iadd(i, i));
    __asm__("" : "+m"(at));
    UNROLL
    for (int j = 0; j < 4; j++) {
        r[j] = _mm256_insertf128_ps(_mm256_castps128_ps256(_mm_loadu_ps(p + at[j])),
                                    _mm_loadu_ps(p + at[4 + j]), 1);
    }
    UNROLL
    for (int half = 0; half < 2; half++) {
        const __m256d t = _mm256_castps_pd(half ? _mm256_unpackhi_ps(r[0], r[1])
                                                : _mm256_unpacklo_ps(r[0], r[1]));
        const __m256d u = _mm256_castps_pd(half ? _mm256_unpackhi_ps(r[2], r[3])
                                                : _mm256_unpacklo_ps(r[2], r[3]));
        four[2 * half] = _mm256_castpd_ps(_mm256_unpacklo_pd(t, u));
        four[2 * half + 1] = _mm256_castpd_ps(_mm256_unpackhi_pd(t, u));
    }
}
INLINE void v_store_pairs(float *p, vec a, vec b)
{
    const vec low = _mm256_unpacklo_ps(a, b), high = _mm256_unpackhi_ps(a, b);
    v_storeu(p, _mm256_permute2f128_ps(low, high, 0x20));
    v_storeu(p + WIDTH, _mm256_permute2f128_ps(low, high, 0x31));
}
INLINE ivec v_imultiply(ivec a, ivec b) { return _mm256_mullo_epi32(a, b); }
INLINE ivec v_shift_left23(ivec a) { return _mm256_slli_epi32(a, 23); }
INLINE ivec v_shift_right23(ivec a) { return _mm256_srai_epi32(a, 23); }
INLINE ivec v_multiply_even(ivec a, ivec b) { return _mm256_mul_epu32(a, b); }
INLINE ivec v_odd_to_even(ivec a) { return _mm256_srli_epi64(a, 32); }
INLINE ivec v_pairs(ivec even, ivec odd)
{
    return _mm256_blend_epi32(even, _mm256_slli_epi64(odd, 32), 0xaa);
}
INLINE ivec v_ixor(ivec a, ivec b) { return _mm256_xor_si256(a, b); }
INLINE vmask v_not_below(ivec a, ivec b)
{
    return _mm256_castsi256_ps(_mm256_cmpeq_epi32(_mm256_max_epu32(a, b), a));
}
#else
#include <math.h>
enum { WIDTH = 4, PARTS = 4, REGISTERS = 16, FUSED = 0 };
typedef float vec __attribute__((vector_size(16)));
typedef int32_t ivec __attribute__((vector_size(16)));
typedef ivec vmask;
INLINE vec v_loadu(const float *p)
{
    vec a;
    memcpy(&a, p, sizeof a);
    return a;
}
INLINE void v_storeu(float *p, vec a) { memcpy(p, &a, sizeof a); }
INLINE vec v_load(const float *p) { return v_loadu(__builtin_assume_aligned(p, 16)); }
INLINE void v_store(float *p, vec a) { v_storeu(__builtin_assume_aligned(p, 16), a); }
INLINE void v_stream(float *p, vec a) { v_store(p, a); }
INLINE vec v_set(float a) { return (vec){a, a, a, a}; }
INLINE vec v_fma(vec a, vec b, vec c) { return a * b + c; }
INLINE vec v_sqrt(vec a) { return (vec){sqrtf(a[0]), sqrtf(a[1]), sqrtf(a[2]), sqrtf(a[3])}; }
INLINE vmask v_greater(vec a, vec b) { return a > b; }
INLINE vmask v_equal(vec a, vec b) { return a == b; }
INLINE vec v_select(vmask m, vec yes, vec no) { return (vec)((m & (ivec)yes) | (~m & (ivec)no)); }
INLINE vmask v_mask_and_not(vmask a, vmask b) { return a & ~b; }
INLINE vmask v_mask_or(vmask a, vmask b) { return a | b; }
INLINE vmask v_mask_none(void) { return (ivec){0, 0, 0, 0}; }
INLINE vec v_max(vec a, vec b) { return v_select(a > b, a, b); }
INLINE vec v_min(vec a, vec b) { return v_select(a < b, a, b); }
INLINE ivec v_to_int(vec a) { return __builtin_convertvector(a, ivec); }
INLINE vec v_from_int(ivec a) { return __builtin_convertvector(a, vec); }
INLINE vec v_from_bytes(const uint8_t *p) { return (vec){p[0], p[1], p[2], p[3]}; }
INLINE ivec v_bits(vec a) { return (ivec)a; }
INLINE vec v_from_bits(ivec a) { return (vec)a; }
INLINE ivec v_iset(int a) { return (ivec){a, a, a, a}; }
INLINE ivec v_iadd(ivec a, ivec b) { return a + b; }
INLINE ivec v_iand(ivec a, ivec b) { return a & b; }
INLINE void v_gather_fours(const float *p, ivec i, vec four[4])
{
    for (int j = 0; j < 4; j++) {
        four[j] = (vec){p[2 * i[0] + j], p[2 * i[1] + j], p[2 * i[2] + j], p[2 * i[3] + j]};
    }
}
INLINE void v_store_pairs(float *p, vec a, vec b)
{
    for (int k = 0; k < WIDTH; k++) {
        p[2 * k] = a[k];
        p[2 * k + 1] = b[k];
    }
}
INLINE ivec v_imultiply(ivec a, ivec b) { return a * b; }
INLINE ivec v_shift_left23(ivec a) { return a << 23; }
INLINE ivec v_shift_right23(ivec a) { return a >> 23; }
typedef uint64_t uvec64 __attribute__((vector_size(16)));
INLINE ivec v_multiply_even(ivec a, ivec b)
{
    const uvec64 low = {0xffffffff, 0xffffffff};
    return (ivec)(((uvec64)a & low) * ((uvec64)b & low));
}
INLINE ivec v_odd_to_even(ivec a) { return (ivec)((uvec64)a >> 32); }
INLINE ivec v_pairs(ivec even, ivec odd) { return (ivec){even[0], odd[0], even[2], odd[2]}; }
INLINE ivec v_ixor(ivec a, ivec b) { return a ^ b; }
INLINE vmask v_not_below(ivec a, ivec b)
{
    typedef uint32_t whole __attribute__((vector_size(16)));
    return (vmask)((whole)a >= (whole)b);
}
#endif

/* The same value, held in a register: compilers would rather load an operand again for each use. */
INLINE vec v_keep(vec a)
{
#if defined(__AVX2__)
    __asm__("" : "+v"(a));
#endif
    return a;
}

/* The first n lanes of a vector, the rest zero; for the ends of arrays that are not tiles. */
INLINE vec v_load_first(const float *p, size_t n)
{
    float lanes[WIDTH] __attribute__((aligned(64))) = {0};
    memcpy(lanes, p, n * sizeof *p);
    return v_load(lanes);
}

INLINE void v_store_first(float *p, vec a, size_t n)
{
    float lanes[WIDTH] __attribute__((aligned(64)));
    v_store(lanes, a);
    memcpy(p, lanes, n * sizeof *p);
}

/* The sum of the 16 lanes of one pixel, in one tree for every level: halves are added to halves, 8
 * + 8, 4 + 4, 2 + 2, 1 + 1. */
INLINE float lanes_sum(const vec part[PARTS])
{
    float lanes[LANES] __attribute__((aligned(64)));
    UNROLL
    for (int p = 0; p < PARTS; p++) {
        v_store(lanes + p * WIDTH, part[p]);
    }
    UNROLL
    for (int half = LANES / 2; half > 0; half /= 2) {
        UNROLL
        for (int i = 0; i < half; i++) {
            lanes[i] += lanes[i + half];
        }
    }
    return lanes[0];
}

/* lanes_sum of each of 16 pixels at once; part p of pixel i is a[p * stride + i]. */
INLINE void lanes_sum_16(const vec *a, int stride, float sums[LANES])
{
#if defined(__AVX512F__)
    (void)stride;
    /* The same tree, with the halves of two vectors side by side in one, then of four, ... */
    vec t[8], u[4], v[2];
    UNROLL
    for (int i = 0; i < 8; i++) { /* 8 + 8 lanes */
        t[i] = _mm512_shuffle_f32x4(a[2 * i], a[2 * i + 1], 0x44) +
               _mm512_shuffle_f32x4(a[2 * i], a[2 * i + 1], 0xee);
    }
    UNROLL
    for (int i = 0; i < 4; i++) { /* 4 + 4 */
        u[i] = _mm512_shuffle_f32x4(t[2 * i], t[2 * i + 1], 0x88) +
               _mm512_shuffle_f32x4(t[2 * i], t[2 * i + 1], 0xdd);
    }
    UNROLL
    for (int i = 0; i < 2; i++) { /* 2 + 2 */
        v[i] = _mm512_shuffle_ps(u[2 * i], u[2 * i + 1], 0x44) +
               _mm512_shuffle_ps(u[2 * i], u[2 * i + 1], 0xee);
    }
    /* 1 + 1: pixel 4 j + k is now in lane 4 k + j */
    const vec s = _mm512_shuffle_ps(v[0], v[1], 0x88) + _mm512_shuffle_ps(v[0], v[1], 0xdd);
    const ivec order = _mm512_setr_epi32(0, 4, 8, 12, 1, 5, 9, 13, 2, 6, 10, 14, 3, 7, 11, 15);
    v_storeu(sums, _mm512_permutexvar_ps(order, s));
#elif defined(__AVX2__)
    for (int first = 0; first < LANES; first += 8, a += 8) {
        vec t[8], u[4], v[2];
        UNROLL
        for (int i = 0; i < 8; i++) {
            t[i] = a[i] + a[stride + i];
        }
        UNROLL
        for (int i = 0; i < 4; i++) { /* 4 + 4 */
            u[i] = _mm256_permute2f128_ps(t[2 * i], t[2 * i + 1], 0x20) +
                   _mm256_permute2f128_ps(t[2 * i], t[2 * i + 1], 0x31);
        }
        UNROLL
        for (int i = 0; i < 2; i++) { /* 2 + 2 */
            v[i] = _mm256_shuffle_ps(u[2 * i], u[2 * i + 1], 0x44) +
                   _mm256_shuffle_ps(u[2 * i], u[2 * i + 1], 0xee);
        }
        /* 1 + 1: pixel 2 j + k is now in lane 4 k + j */
        const vec s = _mm256_shuffle_ps(v[0], v[1], 0x88) + _mm256_shuffle_ps(v[0], v[1], 0xdd);
        const ivec order = _mm256_setr_epi32(0, 4, 1, 5, 2, 6, 3, 7);
        v_storeu(sums + first, _mm256_permutevar8x32_ps(s, order));
    }
#else
    for (int i = 0; i < LANES; i++) {
        vec part[PARTS];
        UNROLL
        for (int p = 0; p < PARTS; p++) {
            part[p] = a[p * stride + i];
        }
        sums[i] = lanes_sum(part);
    }
#endif
}

/* e^x to 2 ulp, x clamped to [-87.3, 88.7]; NaN stays NaN. x = n ln 2 + r, e^r by its Taylor
 * polynomial of degree 7. */
INLINE vec v_exp(vec x)
{
    const vec magic = v_set(12582912.0f); /* 1.5 * 2^23: adding it rounds to a whole number */
    x = v_min(v_set(88.7f), v_max(v_set(-87.3f), x));
    vec n = v_fma(x, v_set(1.44269504f), magic) - magic;
    vec r = v_fma(n, v_set(-0.693145752f), x); /* ln 2 in two parts, the first exact in 16 bits */
    r = v_fma(n, v_set(-1.42860677e-6f), r);
    vec p = v_set(1.0f / 5040.0f);
    p = v_fma(p, r, v_set(1.0f / 720.0f));
    p = v_fma(p, r, v_set(1.0f / 120.0f));
    p = v_fma(p, r, v_set(1.0f / 24.0f));
    p = v_fma(p, r, v_set(1.0f / 6.0f));
    p = v_fma(p, r, v_set(0.5f));
    p = v_fma(p, r * r, r) + v_set(1.0f);
    return v_from_bits(v_iadd(v_bits(p), v_shift_left23(v_to_int(n))));
}

/* ln(1 + e) for e in [0, 1]: 2 atanh(s), s = e / (2 + e) <= 1/3, by its series. */
INLINE vec v_log1p_unit(vec e)
{
    vec s = e / (e + v_set(2.0f)), s2 = s * s;
    vec p = v_set(2.0f / 17.0f);
    p = v_fma(p, s2, v_set(2.0f / 15.0f));
    p = v_fma(p, s2, v_set(2.0f / 13.0f));
    p = v_fma(p, s2, v_set(2.0f / 11.0f));
    p = v_fma(p, s2, v_set(2.0f / 9.0f));
    p = v_fma(p, s2, v_set(2.0f / 7.0f));
    p = v_fma(p, s2, v_set(2.0f / 5.0f));
    p = v_fma(p, s2, v_set(2.0f / 3.0f));
    return v_fma(p * s2, s, s + s);
}

/* ln x for normal x > 0: x = 2^k m, m in [sqrt(1/2), sqrt 2), then 2 atanh((m - 1) / (m + 1)). NaN
 * stays NaN. */
INLINE vec v_log(vec x)
{
    /* moving sqrt(1/2) to an exponent's edge makes the exponent field count halves from there */
    const ivec edge = v_iset(0x3f3504f3);
    ivec k = v_shift_right23(v_iadd(v_bits(x), v_iset(-0x3f3504f3)));
    ivec m_bits = v_iadd(v_iand(v_iadd(v_bits(x), v_iset(-0x3f3504f3)), v_iset(0x007fffff)), edge);
    vec m = v_from_bits(m_bits), n = v_from_int(k);
    vec f = m - v_set(1.0f), s = f / (f + v_set(2.0f)), s2 = s * s;
    vec p = v_set(2.0f / 11.0f);
    p = v_fma(p, s2, v_set(2.0f / 9.0f));
    p = v_fma(p, s2, v_set(2.0f / 7.0f));
    p = v_fma(p, s2, v_set(2.0f / 5.0f));
    p = v_fma(p, s2, v_set(2.0f / 3.0f));
    vec low = v_fma(n, v_set(1.42860677e-6f), v_fma(p * s2, s, s + s));
    /* the bits above were taken apart as a number's: x - x is 0 for one, and NaN for NaN */
    return v_fma(n, v_set(0.693145752f), low) + (x - x);
}

#endif
