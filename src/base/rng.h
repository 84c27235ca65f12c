/* rng.h: randomness without state. Philox 4x32-10 (Salmon, Moraes, Dror, Shaw, "Parallel random
 * numbers: as easy as 1, 2, 3", SC 2011) maps a 128-bit counter and a 64-bit key to 128 random
 * bits. The key is the run's seed; the counter says what the number is for. So every random number
 * is a pure function of (seed, stream, where), and neither threads nor a resumed run can change
 * one. */
#ifndef CNNTRAIN_BASE_RNG_H
#define CNNTRAIN_BASE_RNG_H

#include <stddef.h>
#include <stdint.h>

/* What a number is for; the last word of the counter, its low 8 bits. The numbers are part of the
 * same-bytes promise. */
enum rng_stream {
    RNG_INIT = 1,    /* counter: block of 4 elements, parameter tensor, 0 */
    RNG_SHUFFLE = 2, /* counter: draw, epoch, 0 */
    RNG_SPLIT = 3,   /* counter: draw, class, 0 */
    RNG_DROPOUT =
        4, /* counter: block of 4 elements, sample, epoch; stream word also holds the node << 8 */
    RNG_LIMIT = 5,    /* counter: draw, class, 0 */
    RNG_BALANCE = 6,  /* counter: draw, epoch * classes + class, 0 */
    RNG_AUGMENT = 7,  /* counter: draw, or 2^31 + block of elements, sample, epoch; stream word also
                         holds the step of the list << 8 */
    RNG_MAXIMIZE = 8, /* counter: element, unit, 0; or step, 0, 1 */
    RNG_GRADCHECK = 9 /* counter: draw, row of the table, 0; or twin, parameter, 1 */
};

struct philox_words {
    uint32_t v[4];
};
struct philox_words philox(uint64_t seed, uint32_t c0, uint32_t c1, uint32_t c2, uint32_t c3);

/* Uniform in (0, 1), from the upper 23 bits, exact in float: (k + 0.5) / 2^23. (With 24 bits k +
 * 0.5 would be rounded, and 1 would come out.) */
float rng_uniform(uint32_t word);
/* Standard normal from two words, by the inverse distribution function (Wichura, AS 241, 1988);
 * only + - * / and sqrt, so every machine gets the same bytes. */
float rng_normal(uint32_t high, uint32_t low);
/* Fisher-Yates over items[0..count), unbiased, from the given stream and the counter's second word.
 */
void rng_shuffle(uint32_t *items, size_t count, uint64_t seed, enum rng_stream stream,
                 uint32_t where);

#endif
