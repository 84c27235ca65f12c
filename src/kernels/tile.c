/* tile.c: 16 stored images side by side: from image-major storage to lanes, normalised in the same
 * pass. */
#include "kernels/bodies.h"

typedef uint8_t bytes16 __attribute__((vector_size(16)));

/* Rows to columns: interleaving row i with row i + 8, four times over, transposes 16 x 16. */
INLINE void transpose(bytes16 rows[LANES])
{
    UNROLL
    for (int pass = 0; pass < 4; pass++) {
        bytes16 next[LANES];
        UNROLL
        for (int i = 0; i < LANES / 2; i++) {
            next[2 * i] = __builtin_shufflevector(rows[i], rows[i + 8], 0, 16, 1, 17, 2, 18, 3, 19,
                                                  4, 20, 5, 21, 6, 22, 7, 23);
            next[2 * i + 1] = __builtin_shufflevector(rows[i], rows[i + 8], 8, 24, 9, 25, 10, 26,
                                                      11, 27, 12, 28, 13, 29, 14, 30, 15, 31);
        }
        memcpy(rows, next, sizeof next);
    }
}

void KERNEL(tile_from_bytes)(const uint8_t *const images[16], size_t count, float scale,
                             float shift, float *y)
{
    for (size_t i = 0; i < count; i += sizeof(bytes16)) {
        const size_t n = count - i < sizeof(bytes16) ? count - i : sizeof(bytes16);
        bytes16 block[LANES] = {{0}};
        for (int lane = 0; lane < LANES; lane++) {
            if (n == sizeof(bytes16)) {
                memcpy(&block[lane], images[lane] + i, sizeof(bytes16));
            } else {
                memcpy(&block[lane], images[lane] + i, n);
            }
        }
        transpose(block);
        for (size_t k = 0; k < n; k++) {
            const uint8_t *pixel = (const uint8_t *)&block[k];
            UNROLL
            for (int p = 0; p < PARTS; p++) {
                v_store(y + (i + k) * LANES + p * WIDTH,
                        v_fma(v_from_bytes(pixel + p * WIDTH), v_set(scale), v_set(shift)));
            }
        }
    }
}

#if defined(__AVX512F__)
/* 16 x 16 floats, as transpose() does it with bytes. */
INLINE void transpose_floats(vec rows[LANES])
{
    const ivec low = _mm512_setr_epi32(0, 16, 1, 17, 2, 18, 3, 19, 4, 20, 5, 21, 6, 22, 7, 23);
    const ivec high = v_iadd(low, v_iset(8));
    UNROLL
    for (int pass = 0; pass < 4; pass++) {
        vec next[LANES];
        UNROLL
        for (int i = 0; i < LANES / 2; i++) {
            next[2 * i] = _mm512_permutex2var_ps(rows[i], low, rows[i + 8]);
            next[2 * i + 1] = _mm512_permutex2var_ps(rows[i], high, rows[i + 8]);
        }
        memcpy(rows, next, sizeof next);
    }
}
#endif

void KERNEL(tile_from_floats)(const float *const images[16], size_t count, float scale, float shift,
                              float *y)
{
    size_t begin = 0;
#if defined(__AVX512F__)
    for (; begin + LANES <= count; begin += LANES) {
        vec rows[LANES];
        UNROLL
        for (int lane = 0; lane < LANES; lane++) {
            rows[lane] = v_loadu(images[lane] + begin);
        }
        transpose_floats(rows);
        UNROLL
        for (int k = 0; k < LANES; k++) {
            v_store(y + (begin + (size_t)k) * LANES, v_fma(rows[k], v_set(scale), v_set(shift)));
        }
    }
#endif
    for (size_t i = begin; i < count; i++) {
        float raw[LANES] __attribute__((aligned(64)));
        for (int lane = 0; lane < LANES; lane++) {
            raw[lane] = images[lane][i];
        }
        UNROLL
        for (int p = 0; p < PARTS; p++) {
            v_store(y + i * LANES + p * WIDTH,
                    v_fma(v_load(raw + p * WIDTH), v_set(scale), v_set(shift)));
        }
    }
}

/* The same arithmetic, value by value, so that an image laid by itself has the bits of a tile's. */
void KERNEL(image_from_bytes)(const uint8_t *image, size_t count, float scale, float shift,
                              float *y)
{
    size_t i = 0;
    for (; i + WIDTH <= count; i += WIDTH) {
        v_storeu(y + i, v_fma(v_from_bytes(image + i), v_set(scale), v_set(shift)));
    }
    if (i < count && count >= WIDTH) { /* the last ones once more, with those before them */
        i = count - WIDTH;
        v_storeu(y + i, v_fma(v_from_bytes(image + i), v_set(scale), v_set(shift)));
    } else if (i < count) {
        uint8_t rest[WIDTH] = {0};
        memcpy(rest, image + i, count - i);
        v_store_first(y + i, v_fma(v_from_bytes(rest), v_set(scale), v_set(shift)), count - i);
    }
}

void KERNEL(image_from_floats)(const float *image, size_t count, float scale, float shift, float *y)
{
    size_t i = 0;
    for (; i + WIDTH <= count; i += WIDTH) {
        v_storeu(y + i, v_fma(v_loadu(image + i), v_set(scale), v_set(shift)));
    }
    if (i < count) {
        v_store_first(y + i, v_fma(v_load_first(image + i, count - i), v_set(scale), v_set(shift)),
                      count - i);
    }
}
