/* differences.c: see differences.h. */
#include "teach/differences.h"

#include <float.h>
#include <math.h>

enum { STEPS = 9 };
static const double EXACT = 1e-6; /* a relative error that needs no further step */

struct derivative differentiate(central_difference *difference, void *user, double h)
{
    double before[STEPS] = {0}, now[STEPS];
    struct derivative best = {0, INFINITY};
    int order = 0; /* of the best: how often it was extrapolated */
    for (int i = 0; i < STEPS; i++, h /= 2) {
        double noise, power = 4;
        now[0] = difference(user, h, &noise);
        for (int j = 1; j <= i; j++, power *= 4) {
            now[j] = (power * now[j - 1] - before[j - 1]) / (power - 1);
            const double error =
                fmax(noise, fmax(fabs(now[j] - now[j - 1]), fabs(now[j] - before[j - 1])));
            if (j == order) { /* what a smaller step does not bear out agreed by chance */
                best.error = fmax(best.error, fabs(now[j] - best.value) - noise);
            }
            if (error < best.error) {
                best = (struct derivative){now[j], error};
                order = j;
            }
        }
        if (best.error <= EXACT * fabs(best.value) || noise > 2 * best.error) {
            break;
        }
        for (int j = 0; j <= i; j++) {
            before[j] = now[j];
        }
    }
    return best;
}
