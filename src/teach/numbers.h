/* numbers.h: numbers in columns, for people: whole ones as such, others with as many decimals as
 * tell something, all of a table alike. */
#ifndef CNNTRAIN_TEACH_NUMBERS_H
#define CNNTRAIN_TEACH_NUMBERS_H

#include "base/text.h"

struct style {
    int decimals; /* -1: with a power of ten */
    int width;    /* of the longest */
};

/* The style of n numbers. */
struct style style_of(const double *values, size_t n);
/* One that serves both. */
struct style style_both(struct style a, struct style b);
/* A number in its style, not padded; `buffer` holds at least 32 bytes; returned. */
char *style_print(char *buffer, const struct style *style, double value);
/* A result by itself: whole, or seven digits. */
char *number_print(char *buffer, double value);

#endif
