/* half.h: the two 16-bit floating-point types of model files, made 32 bits wide. Every value of
 * them is a float, so nothing is rounded. */
#ifndef CNNTRAIN_BASE_HALF_H
#define CNNTRAIN_BASE_HALF_H

#include <stdint.h>

/* IEEE 754 binary16: 1 sign, 5 exponent, 10 fraction bits; with subnormals, infinities and NaNs. */
float float_from_half(uint16_t bits);
/* bfloat16: the upper half of a float. */
float float_from_bfloat16(uint16_t bits);

#endif
