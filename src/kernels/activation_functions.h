/* activation_functions.h: the activations as functions of vectors, with their derivatives; for the
 * kernels that do nothing else (activations.c) and for those that do one on their way.
 *
 * relu max(x, 0)                       leaky_relu x or slope x
 * elu x or slope (e^x - 1)             tanh
 * sigmoid 1 / (1 + e^-x)               scaled_tanh 1.7159 tanh(2x / 3)
 * silu x sigmoid(x)                    softplus ln(1 + e^x)
 * gelu x Phi(x), Phi the normal distribution function
 *
 * scaled_tanh: LeCun et al. 1998, appendix A; gelu: Hendrycks and Gimpel 2016, the exact form.
 *
 * A derivative is computed from the output y where it can be, so that the input need not be kept.
 */
#ifndef CNNTRAIN_KERNELS_ACTIVATION_FUNCTIONS_H
#define CNNTRAIN_KERNELS_ACTIVATION_FUNCTIONS_H

#include "kernels/lanes.h"

INLINE vec one(void) { return v_set(1.0f); }

/* tanh x = x P(x^2) / Q(x^2) for |x| <= 9, relative error 2e-8 before rounding (a rational minimax
 * fit by Lawson's iteration), clamped to [-1, 1]. From 9 on, where tanh is 1 within 2^-24, P / Q
 * stays where it is, and x lifts it to the clamp. */
INLINE vec v_tanh(vec x)
{
    vec u = v_min(v_set(81.0f), x * x);
    vec p = v_set(1.3354643e-8f);
    p = v_fma(p, u, v_set(2.0609068e-5f));
    p = v_fma(p, u, v_set(3.4955872e-3f));
    p = v_fma(p, u, v_set(0.13381025f));
    p = v_fma(p, u, one());
    vec q = v_set(7.7765506e-7f);
    q = v_fma(q, u, v_set(3.2856334e-4f));
    q = v_fma(q, u, v_set(0.025876979f));
    q = v_fma(q, u, v_set(0.46714341f));
    q = v_fma(q, u, one());
    return v_min(one(), v_max(v_set(-1.0f), x * p / q));
}

/* By e^x rather than tanh: the tail keeps its digits, and goes to 0, so that silu(x) = x sigmoid(x)
 * does too. */
INLINE vec v_sigmoid(vec x) { return one() / (one() + v_exp(v_set(0.0f) - x)); }

/* The normal distribution function: Abramowitz and Stegun 26.2.17's form with 7.1.26's erf.
 * Absolute error 1e-7, in floats 3e-7. */
INLINE vec v_normal_cdf(vec x)
{
    vec magnitude = v_max(x, v_set(0.0f) - x) * v_set(0.70710678f);
    vec t = one() / v_fma(magnitude, v_set(0.3275911f), one());
    vec p = v_set(1.061405429f);
    p = v_fma(p, t, v_set(-1.453152027f));
    p = v_fma(p, t, v_set(1.421413741f));
    p = v_fma(p, t, v_set(-0.284496736f));
    p = v_fma(p, t, v_set(0.254829592f));
    vec tail = p * t * v_exp(v_set(0.0f) - magnitude * magnitude) * v_set(0.5f);
    return v_select(v_greater(x, v_set(0.0f)), one() - tail, tail);
}

/* clang-format off */
/* Each function, from x; then its derivative, where `y` is the output or, for gelu, silu and
 * softplus, the input. */
#define RELU_FORWARD         v_max(v_set(0.0f), x)
#define RELU_BACKWARD        v_select(v_greater(y, v_set(0.0f)), dy, v_set(0.0f))
#define LEAKY_RELU_FORWARD   v_select(v_greater(x, v_set(0.0f)), x, x * v_set(slope))
#define LEAKY_RELU_BACKWARD  v_select(v_greater(y, v_set(0.0f)), dy, dy * v_set(slope))
#define TANH_FORWARD         v_tanh(x)
#define TANH_BACKWARD        dy * v_fma(v_set(0.0f) - y, y, one())
#define SIGMOID_FORWARD      v_sigmoid(x)
#define SIGMOID_BACKWARD     dy * v_fma(v_set(0.0f) - y, y, y)
#define ELU_FORWARD          v_select(v_greater(x, v_set(0.0f)), x, (v_exp(x) - one()) * v_set(slope))
#define ELU_BACKWARD         v_select(v_greater(y, v_set(0.0f)), dy, dy * (y + v_set(slope)))
#define GELU_FORWARD         x * v_normal_cdf(x)
#define GELU_BACKWARD        dy * v_fma(y, v_exp(v_set(-0.5f) * y * y) * v_set(0.39894228f), v_normal_cdf(y))
#define SILU_FORWARD         x * v_sigmoid(x)
#define SILU_BACKWARD        dy * v_sigmoid(y) * v_fma(y, one() - v_sigmoid(y), one())
#define SOFTPLUS_FORWARD     v_max(v_set(0.0f), x) + v_log1p_unit(v_exp(v_min(x, v_set(0.0f) - x)))
#define SOFTPLUS_BACKWARD    dy * v_sigmoid(y)
#define SCALED_TANH_FORWARD  v_tanh(x * v_set(2.0f / 3.0f)) * v_set(1.7159f)
#define SCALED_TANH_BACKWARD dy * v_fma(v_set(-2.0f / 3.0f / 1.7159f) * y, y, v_set(2.0f / 3.0f * 1.7159f))

/* The functions and derivatives above, by the names of enum activation and of the config; and from
 * which of the two the derivative is. */
#define ACTIVATIONS(X)                   \
    X(RELU, relu, OUTPUT)                \
    X(LEAKY_RELU, leaky_relu, OUTPUT)    \
    X(TANH, tanh, OUTPUT)                \
    X(SIGMOID, sigmoid, OUTPUT)          \
    X(ELU, elu, OUTPUT)                  \
    X(GELU, gelu, INPUT)                 \
    X(SILU, silu, INPUT)                 \
    X(SOFTPLUS, softplus, INPUT)         \
    X(SCALED_TANH, scaled_tanh, OUTPUT)
/* clang-format on */

/* relu_of is the function; relu_back gives dx from what the derivative is from and dy, relu_through
 * from x and dy. */
#define FUNCTIONS_OUTPUT(name, x, slope) name##_of(x, slope)
#define FUNCTIONS_INPUT(name, x, slope) (x)
#define FUNCTIONS(NAME, name, FROM)                                                                \
    INLINE vec name##_of(vec x, float slope)                                                       \
    {                                                                                              \
        (void)slope;                                                                               \
        return NAME##_FORWARD;                                                                     \
    }                                                                                              \
    INLINE vec name##_back(vec y, vec dy, float slope)                                             \
    {                                                                                              \
        (void)slope;                                                                               \
        return NAME##_BACKWARD;                                                                    \
    }                                                                                              \
    INLINE vec name##_through(vec x, vec dy, float slope)                                          \
    {                                                                                              \
        return name##_back(FUNCTIONS_##FROM(name, x, slope), dy, slope);                           \
    }
ACTIVATIONS(FUNCTIONS)

#endif
