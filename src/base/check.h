/* check.h: arithmetic on numbers that came from a file. Each returns 0, or -1 on overflow. */
#ifndef CNNTRAIN_BASE_CHECK_H
#define CNNTRAIN_BASE_CHECK_H

#include <stddef.h>

static inline int check_multiply(size_t a, size_t b, size_t *product)
{
    return __builtin_mul_overflow(a, b, product) ? -1 : 0;
}

static inline int check_add(size_t a, size_t b, size_t *sum)
{
    return __builtin_add_overflow(a, b, sum) ? -1 : 0;
}

#endif
