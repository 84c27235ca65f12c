/* flip.h: the bit whose flip explains a wrong CRC-32. The checksum of a message with one bit
 * flipped differs by a pattern that depends on nothing but how far from the end the bit is, and for
 * messages below half a gigabyte each place has its own pattern. */
#ifndef CNNTRAIN_BASE_FLIP_H
#define CNNTRAIN_BASE_FLIP_H

#include <stddef.h>
#include <stdint.h>

/* `difference`: exclusive or of the right and the wrong checksum of `size` bytes. The byte goes to
 * *byte, the bit's number from the least significant to *bit. -1 when no single flip explains it.
 */
int flip_find(uint32_t difference, size_t size, size_t *byte, int *bit);

#endif
