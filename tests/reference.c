/* reference.c: the formulas, one by one; slow, and meant to be read. */
#include "reference.h"

#include <assert.h>
#include <math.h>
#include <string.h>

static int or_one(int option) { return option ? option : 1; }

/* Elements of one image. */
static size_t x_size(const struct ref_window *s) { return (size_t)s->c * s->h * s->w; }

static size_t y_size(const struct ref_window *s) { return (size_t)s->oc * s->oh * s->ow; }

/* Where one product w * x that belongs to an output y stands in the three arrays, in image 0. */
struct term {
    size_t x, w, y;
};

/* A walk over all products of one image: output by output, each with its taps that lie inside the
 * map. */
struct walk {
    int o, oy, ox, c, ky, kx;
};

static int walk_advance(const struct ref_window *s, struct walk *i)
{
    int *const digits[] = {&i->kx, &i->ky, &i->c, &i->ox, &i->oy, &i->o};
    const int limits[] = {s->kw, s->kh, s->c / or_one(s->groups), s->ow, s->oh, s->oc};
    for (int d = 0; d < 6; d++) {
        if (++*digits[d] < limits[d]) {
            return 1;
        }
        *digits[d] = 0;
    }
    return 0;
}

/* Whether this tap lies inside the map; if so, *term says where. */
static int walk_term(const struct ref_window *s, const struct walk *i, struct term *term)
{
    const int y = i->oy * s->stride_h - s->pad_top + i->ky * or_one(s->dilation_h);
    const int x = i->ox * s->stride_w - s->pad_left + i->kx * or_one(s->dilation_w);
    if (y < 0 || y >= s->h || x < 0 || x >= s->w) {
        return 0;
    }
    const int group_c = s->c / or_one(s->groups), group_oc = s->oc / or_one(s->groups);
    const int channel = i->o / group_oc * group_c + i->c;
    term->x = ((size_t)channel * s->h + y) * s->w + x;
    term->w = (((size_t)i->o * group_c + i->c) * s->kh + i->ky) * s->kw + i->kx;
    term->y = ((size_t)i->o * s->oh + i->oy) * s->ow + i->ox;
    return 1;
}

void ref_conv_forward(const struct ref_window *s, const double *x, const double *w, const double *b,
                      double *y)
{
    for (size_t i = 0; i < s->n * y_size(s); i++) {
        y[i] = b ? b[i / ((size_t)s->oh * s->ow) % s->oc] : 0;
    }
    struct walk i = {0};
    struct term at;
    do {
        for (int n = 0, inside = walk_term(s, &i, &at); inside && n < s->n; n++) {
            y[n * y_size(s) + at.y] += w[at.w] * x[n * x_size(s) + at.x];
        }
    } while (walk_advance(s, &i));
}

void ref_conv_backward_input(const struct ref_window *s, const double *dy, const double *w,
                             double *dx)
{
    memset(dx, 0, s->n * x_size(s) * sizeof *dx);
    struct walk i = {0};
    struct term at;
    do {
        for (int n = 0, inside = walk_term(s, &i, &at); inside && n < s->n; n++) {
            dx[n * x_size(s) + at.x] += w[at.w] * dy[n * y_size(s) + at.y];
        }
    } while (walk_advance(s, &i));
}

void ref_conv_backward_weight(const struct ref_window *s, const double *x, const double *dy,
                              double *dw, double *db)
{
    struct walk i = {0};
    struct term at;
    do {
        for (int n = 0, inside = walk_term(s, &i, &at); inside && n < s->n; n++) {
            dw[at.w] += dy[n * y_size(s) + at.y] * x[n * x_size(s) + at.x];
        }
    } while (walk_advance(s, &i));
    for (size_t k = 0; db && k < s->n * y_size(s); k++) {
        db[k / ((size_t)s->oh * s->ow) % s->oc] += dy[k];
    }
}

void ref_dense_forward(int n, int in, int out, const double *x, const double *w, const double *b,
                       double *y)
{
    for (int s = 0; s < n; s++) {
        for (int o = 0; o < out; o++) {
            double sum = b ? b[o] : 0;
            for (int i = 0; i < in; i++) {
                sum += w[(size_t)o * in + i] * x[(size_t)s * in + i];
            }
            y[(size_t)s * out + o] = sum;
        }
    }
}

void ref_dense_backward_input(int n, int in, int out, const double *dy, const double *w, double *dx)
{
    for (int s = 0; s < n; s++) {
        for (int i = 0; i < in; i++) {
            double sum = 0;
            for (int o = 0; o < out; o++) {
                sum += w[(size_t)o * in + i] * dy[(size_t)s * out + o];
            }
            dx[(size_t)s * in + i] = sum;
        }
    }
}

void ref_dense_backward_weight(int n, int in, int out, const double *x, const double *dy,
                               double *dw, double *db)
{
    for (int s = 0; s < n; s++) {
        for (int o = 0; o < out; o++) {
            const double d = dy[(size_t)s * out + o];
            for (int i = 0; i < in; i++) {
                dw[(size_t)o * in + i] += d * x[(size_t)s * in + i];
            }
            if (db) {
                db[o] += d;
            }
        }
    }
}

/* The places of the map that window (oy, ox) of plane `plane` covers, in row order; returns how
 * many. `at` holds kh * kw. */
static int pool_places(const struct ref_window *s, size_t plane, int oy, int ox, size_t *at)
{
    int count = 0;
    for (int ky = 0; ky < s->kh; ky++) {
        for (int kx = 0; kx < s->kw; kx++) {
            const int y = oy * s->stride_h + ky - s->pad_top,
                      x = ox * s->stride_w + kx - s->pad_left;
            if (y >= 0 && y < s->h && x >= 0 && x < s->w) {
                at[count++] = (plane * s->h + y) * s->w + x;
            }
        }
    }
    assert(count > 0);
    return count;
}

enum { MOST_PLACES = 1024 };

/* The first greatest of the places. */
static size_t pool_greatest(const double *x, const size_t *at, int count)
{
    size_t best = at[0];
    for (int i = 1; i < count; i++) {
        if (x[at[i]] > x[best]) {
            best = at[i];
        }
    }
    return best;
}

/* What pooling does with one window: the four operations differ only here. */
enum pool { MAX_FORWARD, MAX_BACKWARD, MEAN_FORWARD, MEAN_BACKWARD };

static void pool_window(enum pool pool, const double *x, const size_t *at, int count, int divisor,
                        double *out, const double *dout, double *dx)
{
    switch (pool) {
    case MAX_FORWARD:
        *out = x[pool_greatest(x, at, count)];
        break;
    case MAX_BACKWARD:
        dx[pool_greatest(x, at, count)] += *dout;
        break;
    case MEAN_FORWARD:
        *out = 0;
        for (int i = 0; i < count; i++) {
            *out += x[at[i]] / divisor;
        }
        break;
    case MEAN_BACKWARD:
        for (int i = 0; i < count; i++) {
            dx[at[i]] += *dout / divisor;
        }
        break;
    }
}

static void pool_all(enum pool pool, const struct ref_window *s, int count_padding, const double *x,
                     double *y, const double *dy, double *dx)
{
    size_t at[MOST_PLACES], out = 0;
    assert(s->kh * s->kw <= MOST_PLACES && s->oc == s->c);
    if (dx) {
        memset(dx, 0, s->n * x_size(s) * sizeof *dx);
    }
    for (size_t plane = 0; plane < (size_t)s->n * s->c; plane++) {
        for (int oy = 0; oy < s->oh; oy++) {
            for (int ox = 0; ox < s->ow; ox++, out++) {
                const int count = pool_places(s, plane, oy, ox, at);
                const int divisor = count_padding ? s->kh * s->kw : count;
                pool_window(pool, x, at, count, divisor, y ? y + out : NULL, dy ? dy + out : NULL,
                            dx);
            }
        }
    }
}

void ref_maxpool_forward(const struct ref_window *s, const double *x, double *y)
{
    pool_all(MAX_FORWARD, s, 0, x, y, NULL, NULL);
}

void ref_maxpool_backward(const struct ref_window *s, const double *x, const double *dy, double *dx)
{
    pool_all(MAX_BACKWARD, s, 0, x, NULL, dy, dx);
}

void ref_avgpool_forward(const struct ref_window *s, int count_padding, const double *x, double *y)
{
    pool_all(MEAN_FORWARD, s, count_padding, x, y, NULL, NULL);
}

void ref_avgpool_backward(const struct ref_window *s, int count_padding, const double *dy,
                          double *dx)
{
    pool_all(MEAN_BACKWARD, s, count_padding, NULL, NULL, dy, dx);
}

static double normal_cdf(double x) { return 0.5 * erfc(-x * M_SQRT1_2); }

static double normal_density(double x) { return 0.5 * M_2_SQRTPI * M_SQRT1_2 * exp(-0.5 * x * x); }

static double logistic(double x) { return 1 / (1 + exp(-x)); }

#define FUNCTION(NAME, FORMULA)                                                                    \
    static double NAME(double x, double slope)                                                     \
    {                                                                                              \
        (void)slope;                                                                               \
        return FORMULA;                                                                            \
    }
FUNCTION(relu, x > 0 ? x : 0)
FUNCTION(relu_slope, x > 0 ? 1 : 0)
FUNCTION(leaky_relu, x > 0 ? x : slope * x)
FUNCTION(leaky_relu_slope, x > 0 ? 1 : slope)
FUNCTION(hyperbolic, tanh(x))
FUNCTION(hyperbolic_slope, 1 / (cosh(x) * cosh(x)))
FUNCTION(sigmoid, logistic(x))
FUNCTION(sigmoid_slope, logistic(x) * logistic(-x))
FUNCTION(elu, x > 0 ? x : slope * expm1(x))
FUNCTION(elu_slope, x > 0 ? 1 : slope * exp(x))
FUNCTION(gelu, x *normal_cdf(x))
FUNCTION(gelu_slope, normal_cdf(x) + x * normal_density(x))
FUNCTION(silu, x *logistic(x))
FUNCTION(silu_slope, logistic(x) + x * logistic(x) * logistic(-x))
FUNCTION(softplus, x > 0 ? x + log1p(exp(-x)) : log1p(exp(x)))
FUNCTION(softplus_slope, logistic(x))
FUNCTION(scaled_tanh, 1.7159 * tanh(2 * x / 3))
FUNCTION(scaled_tanh_slope, 1.7159 * 2 / 3 / (cosh(2 * x / 3) * cosh(2 * x / 3)))

const struct ref_activation *ref_activation(const char *name)
{
    static const struct ref_activation ALL[] = {
        {"relu", relu, relu_slope},
        {"leaky_relu", leaky_relu, leaky_relu_slope},
        {"tanh", hyperbolic, hyperbolic_slope},
        {"sigmoid", sigmoid, sigmoid_slope},
        {"elu", elu, elu_slope},
        {"gelu", gelu, gelu_slope},
        {"silu", silu, silu_slope},
        {"softplus", softplus, softplus_slope},
        {"scaled_tanh", scaled_tanh, scaled_tanh_slope},
    };
    for (size_t i = 0; i < sizeof ALL / sizeof *ALL; i++) {
        if (strcmp(ALL[i].name, name) == 0) {
            return &ALL[i];
        }
    }
    return NULL;
}

void ref_adam(const struct ref_adam *a, int step, size_t n, double *w, const double *g, double *m,
              double *v)
{
    for (size_t i = 0; i < n; i++) {
        m[i] = a->beta1 * m[i] + (1 - a->beta1) * g[i];
        v[i] = a->beta2 * v[i] + (1 - a->beta2) * g[i] * g[i];
        const double mean = m[i] / (1 - pow(a->beta1, step)),
                     square = v[i] / (1 - pow(a->beta2, step));
        w[i] -= a->lr * mean / (sqrt(square) + a->epsilon);
    }
}

void ref_sgd(double lr, double momentum, int nesterov, size_t n, double *w, const double *g,
             double *v)
{
    for (size_t i = 0; i < n; i++) {
        v[i] = momentum * v[i] + g[i];
        w[i] -= lr * (nesterov ? g[i] + momentum * v[i] : v[i]);
    }
}

void ref_from_tile(size_t count, const float *tile, double *array)
{
    for (size_t i = 0; i < count * REF_LANES; i++) {
        array[i % REF_LANES * count + i / REF_LANES] = tile[i];
    }
}

void ref_to_tile(size_t count, const double *array, float *tile)
{
    for (size_t i = 0; i < count * REF_LANES; i++) {
        tile[i] = (float)array[i % REF_LANES * count + i / REF_LANES];
    }
}

void ref_from_floats(size_t n, const float *from, double *to)
{
    for (size_t i = 0; i < n; i++) {
        to[i] = from[i];
    }
}

void ref_absolute(size_t n, const double *from, double *to)
{
    for (size_t i = 0; i < n; i++) {
        to[i] = fabs(from[i]);
    }
}
