/* half.c: a half's value is (-1)^s * 2^(e - 15) * (1 + f / 1024), or (-1)^s * 2^-14 * f / 1024 when
 * e is 0: a subnormal, which as a float is an ordinary number. */
#include "base/half.h"

#include <string.h>

static float float_from_bits(uint32_t bits)
{
    float value;

    memcpy(&value, &bits, sizeof value);
    return value;
}

float float_from_half(uint16_t bits)
{
    const uint32_t sign = (uint32_t)(bits & 0x8000) << 16;
    uint32_t exponent = bits >> 10 & 31, fraction = bits & 0x3FF;

    if (exponent == 31) {
        return float_from_bits(sign | 0x7F800000 | fraction << 13);
    }
    if (exponent == 0) {
        if (fraction == 0) {
            return float_from_bits(sign);
        }
        exponent = 1;
        while ((fraction & 0x400) == 0) { /* until its leading 1 is the hidden one */
            fraction <<= 1;
            exponent--; /* may wrap below 0: the sum below is right modulo 2^32 */
        }
        fraction &= 0x3FF;
    }
    return float_from_bits(sign | (exponent + 127 - 15) << 23 | fraction << 13);
}

float float_from_bfloat16(uint16_t bits) { return float_from_bits((uint32_t)bits << 16); }
