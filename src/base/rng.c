/* rng.c: Philox 4x32-10 and what is drawn from it.
 *
 * A round multiplies two words of the counter by constants, keeps the low halves and mixes the high
 * halves with the other two words and the key; the key moves on by the golden ratio and sqrt(3) - 1
 * (Weyl sequences).
 *
 * The normal distribution is the inverse of its distribution function, PPND16 of algorithm AS 241
 * (M. J. Wichura, Applied Statistics 37, 1988), relative accuracy 1e-16, with a logarithm of our
 * own: libm's may differ from one machine to the next, and then so would every model. */
#include "base/rng.h"

#include <assert.h>
#include <math.h>
#include <string.h>

struct philox_words philox(uint64_t seed, uint32_t c0, uint32_t c1, uint32_t c2, uint32_t c3)
{
    uint32_t k0 = (uint32_t)seed, k1 = (uint32_t)(seed >> 32);

    for (int round = 0; round < 10; round++) {
        const uint64_t p0 = UINT64_C(0xD2511F53) * c0;
        const uint64_t p1 = UINT64_C(0xCD9E8D57) * c2;

        c0 = (uint32_t)(p1 >> 32) ^ c1 ^ k0;
        c1 = (uint32_t)p1;
        c2 = (uint32_t)(p0 >> 32) ^ c3 ^ k1;
        c3 = (uint32_t)p0;
        k0 += 0x9E3779B9;
        k1 += 0xBB67AE85;
    }
    return (struct philox_words){{c0, c1, c2, c3}};
}

float rng_uniform(uint32_t word) { return ((float)(word >> 9) + 0.5f) * 0x1p-23f; }

/* ln x for normal, positive x = m 2^e with m in [1/sqrt 2, sqrt 2]:
 * ln m = 2 artanh((m - 1) / (m + 1)), as a series. */
static double logarithm(double x)
{
    uint64_t bits;

    memcpy(&bits, &x, sizeof bits);
    int e = (int)(bits >> 52) - 1023;

    bits = (bits & UINT64_C(0x000FFFFFFFFFFFFF)) | UINT64_C(0x3FF0000000000000);
    double m;

    memcpy(&m, &bits, sizeof m);
    if (m > 0x1.6a09e667f3bcdp+0) {
        m *= 0.5;
        e++;
    }
    const double t = (m - 1) / (m + 1);
    const double square = t * t;
    double sum = 0;

    /* |t| < 0.172: the next term, t^24 / 25, is below 2^-60 of the sum. */
    for (int n = 23; n >= 3; n -= 2) {
        sum = (sum + 1.0 / n) * square;
    }
    /* ln 2 in two parts, so that e times the first is exact. */
    return e * 0x1.62e42feep-1 + (e * 0x1.a39ef35793c76p-33 + (2 * t + 2 * t * sum));
}

/* The rational functions of PPND16, lowest power first: centre, tails, far tails. */
/* clang-format off */
static const double centre_top[8] = {
    3.3871328727963666080e0, 1.3314166789178437745e+2, 1.9715909503065514427e+3,
    1.3731693765509461125e+4, 4.5921953931549871457e+4, 6.7265770927008700853e+4,
    3.3430575583588128105e+4, 2.5090809287301226727e+3};
static const double centre_bottom[8] = {
    1.0, 4.2313330701600911252e+1, 6.8718700749205790830e+2,
    5.3941960214247511077e+3, 2.1213794301586595867e+4, 3.9307895800092710610e+4,
    2.8729085735721942674e+4, 5.2264952788528545610e+3};
static const double near_top[8] = {
    1.42343711074968357734e0, 4.63033784615654529590e0, 5.76949722146069140550e0,
    3.64784832476320460504e0, 1.27045825245236838258e0, 2.41780725177450611770e-1,
    2.27238449892691845833e-2, 7.74545014278341407640e-4};
static const double near_bottom[8] = {
    1.0, 2.05319162663775882187e0, 1.67638483018380384940e0,
    6.89767334985100004550e-1, 1.48103976427480074590e-1, 1.51986665636164571966e-2,
    5.47593808499534494600e-4, 1.05075007164441684324e-9};
static const double far_top[8] = {
    6.65790464350110377720e0, 5.46378491116411436990e0, 1.78482653991729133580e0,
    2.96560571828504891230e-1, 2.65321895265761230930e-2, 1.24266094738807843860e-3,
    2.71155556874348757815e-5, 2.01033439929228813265e-7};
static const double far_bottom[8] = {
    1.0, 5.99832206555887937690e-1, 1.36929880922735805310e-1,
    1.48753612908506148525e-2, 7.86869131145613259100e-4, 1.84631831751005468180e-5,
    1.42151175831644588870e-7, 2.04426310338993978564e-15};
/* clang-format on */

/* c[0] + c[1] x + ... + c[7] x^7 */
static double polynomial(const double c[8], double x)
{
    double sum = c[7];

    for (int i = 6; i >= 0; i--) {
        sum = sum * x + c[i];
    }
    return sum;
}

float rng_normal(uint32_t high, uint32_t low)
{
    /* (k + 1/2) / 2^52 with 52 random bits: exact, never 0 or 1, symmetric about 1/2. */
    const uint64_t k = ((uint64_t)high << 32 | low) >> 12;
    const double p = ((double)k + 0.5) * 0x1p-52;
    const double q = p - 0.5;

    if (fabs(q) <= 0.425) {
        const double r = 0.180625 - q * q;

        return (float)(q * polynomial(centre_top, r) / polynomial(centre_bottom, r));
    }
    const double r = sqrt(-logarithm(q < 0 ? p : 1 - p));
    const double z = r <= 5 ? polynomial(near_top, r - 1.6) / polynomial(near_bottom, r - 1.6)
                            : polynomial(far_top, r - 5) / polynomial(far_bottom, r - 5);

    return (float)(q < 0 ? -z : z);
}

/* The words of one stream, one after the other. */
struct draws {
    uint64_t seed;
    uint32_t where, stream, used;
    uint32_t block;
    struct philox_words words;
};

static uint32_t draw(struct draws *draws)
{
    if (draws->used == 4) {
        draws->words = philox(draws->seed, draws->block++, draws->where, 0, draws->stream);
        draws->used = 0;
    }
    return draws->words.v[draws->used++];
}

/* Uniform in [0, n) for n > 0, unbiased: the products that would favour some results are drawn
 * again (D. Lemire, "Fast random integer generation in an interval", 2019). */
static uint32_t draw_below(struct draws *draws, uint32_t n)
{
    uint64_t product = (uint64_t)draw(draws) * n;

    if ((uint32_t)product < n) {
        const uint32_t reject = -n % n;

        while ((uint32_t)product < reject) {
            product = (uint64_t)draw(draws) * n;
        }
    }
    return (uint32_t)(product >> 32);
}

void rng_shuffle(uint32_t *items, size_t count, uint64_t seed, enum rng_stream stream,
                 uint32_t where)
{
    struct draws draws = {.seed = seed, .where = where, .stream = (uint32_t)stream, .used = 4};

    assert(count <= UINT32_MAX);
    for (size_t i = count; i > 1; i--) {
        const uint32_t j = draw_below(&draws, (uint32_t)i);
        const uint32_t swapped = items[i - 1];

        items[i - 1] = items[j];
        items[j] = swapped;
    }
}
