/* flip.c: from the last byte to the first, the pattern of each bit of the byte at hand. */
#include "base/flip.h"

#include <zlib.h>

int flip_find(uint32_t difference, size_t size, size_t *byte, int *bit)
{
    const z_crc_t *table = get_crc_table();
    uint32_t of[8]; /* what a flip of each bit of the byte at hand makes of the checksum */

    for (int b = 0; b < 8; b++) {
        of[b] = (uint32_t)table[1 << b];
    }
    for (size_t at = size; at-- > 0;) {
        for (int b = 0; b < 8; b++) {
            if (of[b] == difference) {
                *byte = at;
                *bit = b;
                return 0;
            }
            of[b] = of[b] >> 8 ^ (uint32_t)table[of[b] & 0xFF];
        }
    }
    return -1;
}
