/* real.c: elementary functions by argument reduction and power series (Muller 2016, "Elementary
 * Functions", chapters 3 and 11): the arguments are made so small that a dozen terms suffice. */
#include "base/real.h"

#include <math.h>

/* ln 2 in two parts, the first with 32 bits, so that its products with small whole numbers are
 * exact. */
static const double LN2_HIGH = 0x1.62e42feep-1, LN2_LOW = 0x1.a39ef35793c76p-33;
static const double PI = 0x1.921fb54442d18p+1;

double real_power(double base, long long n)
{
    double result = 1;
    for (; n > 0; n /= 2, base *= base) {
        if (n % 2) {
            result *= base;
        }
    }
    return result;
}

/* x = n ln 2 + r, |r| <= 0.35: e^x = 2^n (1 + r + r^2 / 2! + ... + r^14 / 14!) */
double real_exp(double x)
{
    if (!(x > -700 && x < 700)) {
        return x >= 700 ? HUGE_VAL : x <= -700 ? 0 : x;
    }
    const double n = floor(x / (LN2_HIGH + LN2_LOW) + 0.5);
    const double r = (x - n * LN2_HIGH) - n * LN2_LOW;
    double sum = 1;
    for (int k = 14; k > 0; k--) {
        sum = 1 + r * sum / k;
    }
    return ldexp(sum, (int)n);
}

/* x = 2^n m, m in [sqrt(1/2), sqrt 2): ln m = 2 atanh(s) = 2 (s + s^3 / 3 + s^5 / 5 + ...),
 * s = (m - 1) / (m + 1), |s| <= 0.18 */
double real_log(double x)
{
    int n;
    double m = frexp(x, &n);
    if (m < 0.70710678118654752) {
        m *= 2;
        n--;
    }
    const double s = (m - 1) / (m + 1), square = s * s;
    double sum = 0;
    for (int k = 25; k > 1; k -= 2) {
        sum = square * (1.0 / k + sum);
    }
    return n * LN2_HIGH + (2 * (s + s * sum) + n * LN2_LOW);
}

double real_pow(double x, double p)
{
    if (p == 0 || x == 1) {
        return 1;
    }
    if (p == 1) {
        return x;
    }
    return x > 0 ? real_exp(p * real_log(x)) : 0;
}

/* The sum of sign^k a^(2k) / ((2k + odd)!) * a^odd: the series of cos (odd 0) and of sin (odd 1).
 */
static double circular(double a, int odd)
{
    double sum = 1;
    for (int k = 10; k > 0; k--) {
        sum = 1 - a * a * sum / ((2 * k + odd) * (2 * k - 1 + odd));
    }
    return odd ? a * sum : sum;
}

double real_cos_pi(double x)
{
    if (x > 0.5) {
        return -real_cos_pi(1 - x);
    }
    return x > 0.25 ? circular(PI * (0.5 - x), 1) : circular(PI * x, 0);
}
