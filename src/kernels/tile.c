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

void KERNEL(tile_from_floats)(const float *const images[16], size_t count, float scale, float shift,
                              float *y)
{
    for (size_t i = 0; i < count; i++) {
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
    if (i < count) {
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
