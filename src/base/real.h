/* real.h: elementary functions in double, made of + - * / and exact scaling alone: the same bits
 * whatever the machine and its libm. Good to a few units of the last place; for what is worked out
 * once a step or an epoch (learning rates), not for tensors. */
#ifndef CNNTRAIN_BASE_REAL_H
#define CNNTRAIN_BASE_REAL_H

/* base^n for n >= 0, by squaring. */
double real_power(double base, long long n);
/* e^x; 0 below -700, infinite above 700. */
double real_exp(double x);
/* ln x for normal x > 0. */
double real_log(double x);
/* x^p for x >= 0; 0^0 is 1. */
double real_pow(double x, double p);
/* cos(pi x) for x in [0, 1]. */
double real_cos_pi(double x);

#endif
