/* differences.h: a derivative from differences, with an estimate of its error. */
#ifndef CNNTRAIN_TEACH_DIFFERENCES_H
#define CNNTRAIN_TEACH_DIFFERENCES_H

/* (f(x + h) - f(x - h)) / 2h for a step of about h, and in *noise what the rounding of f may have
 * put into it. */
typedef double central_difference(void *user, double h, double *noise);

struct derivative {
    double value, error;
};

/* Central differences with the steps h, h/2, h/4, ..., extrapolated to 0 (Richardson 1911; Ridders
 * 1982, "Accurate computation of F'(x) and F'(x) F''(x)"): a central difference errs by c2 h^2 + c4
 * h^4 + ..., so two of them make one without the first term, and so on. Of all values the one is
 * taken whose error is least: the greater of what it differs by from the two that it was made of,
 * of what its like of the next steps differs from it beyond the noise, and of the noise, which
 * doubles from step to step. */
struct derivative differentiate(central_difference *difference, void *user, double h);

#endif
