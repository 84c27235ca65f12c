/* transpose.h: the transpose of WIDTH x WIDTH numbers in registers: rows become columns in as many
 * rounds as WIDTH has doublings, each exchanging halves, quarters, ... of two vectors. */
#ifndef CNNTRAIN_KERNELS_TRANSPOSE_H
#define CNNTRAIN_KERNELS_TRANSPOSE_H

#include "kernels/lanes.h"

#if defined(__AVX512F__)
#define AS_PAIRS(a) _mm512_castps_pd(a)
#define AS_VEC(a) _mm512_castpd_ps(a)
INLINE void v_transpose(vec r[WIDTH])
{
    vec t[WIDTH];
    UNROLL
    for (int i = 0; i < WIDTH; i += 2) { /* single numbers of rows i and i + 1 */
        t[i] = _mm512_unpacklo_ps(r[i], r[i + 1]);
        t[i + 1] = _mm512_unpackhi_ps(r[i], r[i + 1]);
    }
    UNROLL
    for (int i = 0; i < WIDTH; i += 4) { /* pairs: r[i + k] has column 4 j + k of four rows */
        r[i] = AS_VEC(_mm512_unpacklo_pd(AS_PAIRS(t[i]), AS_PAIRS(t[i + 2])));
        r[i + 1] = AS_VEC(_mm512_unpackhi_pd(AS_PAIRS(t[i]), AS_PAIRS(t[i + 2])));
        r[i + 2] = AS_VEC(_mm512_unpacklo_pd(AS_PAIRS(t[i + 1]), AS_PAIRS(t[i + 3])));
        r[i + 3] = AS_VEC(_mm512_unpackhi_pd(AS_PAIRS(t[i + 1]), AS_PAIRS(t[i + 3])));
    }
    UNROLL
    for (int k = 0; k < 4; k++) { /* fours, and fours of fours */
        const vec a = _mm512_shuffle_f32x4(r[k], r[k + 4], 0x88);
        const vec b = _mm512_shuffle_f32x4(r[k + 8], r[k + 12], 0x88);
        const vec c = _mm512_shuffle_f32x4(r[k], r[k + 4], 0xdd);
        const vec d = _mm512_shuffle_f32x4(r[k + 8], r[k + 12], 0xdd);
        r[k] = _mm512_shuffle_f32x4(a, b, 0x88);
        r[k + 8] = _mm512_shuffle_f32x4(a, b, 0xdd);
        r[k + 4] = _mm512_shuffle_f32x4(c, d, 0x88);
        r[k + 12] = _mm512_shuffle_f32x4(c, d, 0xdd);
    }
}
#elif defined(__AVX2__)
#define AS_PAIRS(a) _mm256_castps_pd(a)
#define AS_VEC(a) _mm256_castpd_ps(a)
INLINE void v_transpose(vec r[WIDTH])
{
    vec t[WIDTH];
    UNROLL
    for (int i = 0; i < WIDTH; i += 2) {
        t[i] = _mm256_unpacklo_ps(r[i], r[i + 1]);
        t[i + 1] = _mm256_unpackhi_ps(r[i], r[i + 1]);
    }
    UNROLL
    for (int i = 0; i < WIDTH; i += 4) {
        r[i] = AS_VEC(_mm256_unpacklo_pd(AS_PAIRS(t[i]), AS_PAIRS(t[i + 2])));
        r[i + 1] = AS_VEC(_mm256_unpackhi_pd(AS_PAIRS(t[i]), AS_PAIRS(t[i + 2])));
        r[i + 2] = AS_VEC(_mm256_unpacklo_pd(AS_PAIRS(t[i + 1]), AS_PAIRS(t[i + 3])));
        r[i + 3] = AS_VEC(_mm256_unpackhi_pd(AS_PAIRS(t[i + 1]), AS_PAIRS(t[i + 3])));
    }
    UNROLL
    for (int k = 0; k < 4; k++) {
        const vec low = r[k], high = r[k + 4];
        r[k] = _mm256_permute2f128_ps(low, high, 0x20);
        r[k + 4] = _mm256_permute2f128_ps(low, high, 0x31);
    }
}
#else
INLINE void v_transpose(vec r[WIDTH])
{
    vec t[WIDTH];
    for (int i = 0; i < WIDTH; i++) {
        t[i] = (vec){r[0][i], r[1][i], r[2][i], r[3][i]};
    }
    memcpy(r, t, sizeof t);
}
#endif

/* to[lane][16] of 16 pixels from[16][lane], of which `live` exist; the others are zero. */
INLINE void transpose_pixels(const float *from, int live, float *to)
{
    UNROLL
    for (int part = 0; part < LANES; part += WIDTH) {
        UNROLL
        for (int first = 0; first < LANES; first += WIDTH) {
            vec rows[WIDTH];
            UNROLL
            for (int i = 0; i < WIDTH; i++) {
                rows[i] =
                    first + i < live ? v_load(from + (first + i) * LANES + part) : v_set(0.0f);
            }
            v_transpose(rows);
            UNROLL
            for (int i = 0; i < WIDTH; i++) {
                v_store(to + (part + i) * LANES + first, rows[i]);
            }
        }
    }
}

#endif
