/* beta.c: quantiles of Beta(a, a). Its distribution function is
 *
 *     F(x) = 1/B  integral from 0 to x of t^(a-1) (1-t)^(a-1) dt
 *
 * and F(1/2) = 1/2, so the half up to there is integrated numerically (midpoints) and scaled. For a
 * < 1 the density is infinite at 0; with t = v^(1/a) it becomes (1 - v^(1/a))^(a-1) / a, which is
 * smooth. */
#include "data/beta.h"

#include <math.h>

enum { CELLS = 16384 };

/* The density at the variable v of the integral, up to a factor. */
static double density(double v, double a)
{
    return a < 1 ? pow(1 - pow(v, 1 / a), a - 1) : pow(v * (1 - v), a - 1);
}

void beta_make(struct beta *beta, double a)
{
    const double end = a < 1 ? pow(0.5, a) : 0.5, cell = end / CELLS;
    double whole = 0, sum = 0, before = 0;
    for (int i = 0; i < CELLS; i++) {
        whole += density((i + 0.5) * cell, a);
    }
    int entry = 0;
    for (int i = 0; i < CELLS; i++) {
        before = sum;
        sum += density((i + 0.5) * cell, a) / whole * BETA_STEPS;
        for (; entry < BETA_STEPS && entry < sum; entry++) {
            const double v = (i + (entry - before) / (sum - before)) * cell;
            beta->quantile[entry] = (float)(a < 1 ? pow(v, 1 / a) : v);
        }
    }
    for (; entry <= BETA_STEPS; entry++) {
        beta->quantile[entry] = 0.5f;
    }
}

float beta_quantile(const struct beta *beta, float u)
{
    const float half = u < 0.5f ? u : 1 - u, place = half * 2 * BETA_STEPS;
    const int i = (int)place < BETA_STEPS ? (int)place : BETA_STEPS - 1;
    const float low = beta->quantile[i], high = beta->quantile[i + 1];
    const float x = low + (place - (float)i) * (high - low);
    return u < 0.5f ? x : 1 - x;
}
