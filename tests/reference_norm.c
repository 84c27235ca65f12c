/* reference_norm.c: normalisations in double: the values of a set to mean 0 and variance 1, then
 * scaled and shifted. They differ in what a set is: a channel of all images, or some channels of
 * one image. */
#include "reference_norm.h"

#include "reference.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

struct moments {
    double count, mean, inverse;
    double dy, product; /* means of dy * weight, and of that times the normalised x */
};

static size_t elements(const struct ref_norm *o) { return (size_t)o->n * o->c * o->pixels; }

static int image_of(const struct ref_norm *o, size_t i)
{
    return (int)(i / ((size_t)o->c * o->pixels));
}

static int channel_of(const struct ref_norm *o, size_t i) { return (int)(i / o->pixels % o->c); }

static int set_of(const struct ref_norm *o, size_t i)
{
    return o->groups ? image_of(o, i) * o->groups + channel_of(o, i) / (o->c / o->groups)
                     : channel_of(o, i);
}

/* Which weight belongs to a value. */
static size_t weight_of(const struct ref_norm *o, size_t i)
{
    return o->each ? i % ((size_t)o->c * o->pixels) : (size_t)channel_of(o, i);
}

/* Whether it counts: of a whole batch, the first images only. */
static int counts(const struct ref_norm *o, size_t i)
{
    return o->groups || !o->live || image_of(o, i) < o->live;
}

static struct moments *find_moments(const struct ref_norm *o, const double *x)
{
    const int sets = o->groups ? o->n * o->groups : o->c;
    struct moments *m = calloc((size_t)sets, sizeof *m);
    if (!m) {
        abort();
    }
    for (size_t i = 0; i < elements(o); i++) {
        m[set_of(o, i)].count += counts(o, i);
        m[set_of(o, i)].mean += counts(o, i) ? x[i] : 0;
    }
    for (int s = 0; s < sets; s++) {
        m[s].mean = o->running ? o->running[s] : m[s].mean / m[s].count;
    }
    for (size_t i = 0; i < elements(o); i++) {
        const double d = x[i] - m[set_of(o, i)].mean;
        m[set_of(o, i)].inverse += counts(o, i) ? d * d : 0;
    }
    for (int s = 0; s < sets; s++) {
        const double variance = o->running ? o->running[o->c + s] : m[s].inverse / m[s].count;
        m[s].inverse = 1 / sqrt(variance + o->eps);
    }
    return m;
}

void ref_norm_forward(const struct ref_norm *o, const double *x, const double *weight,
                      const double *bias, double *y)
{
    struct moments *m = find_moments(o, x);
    for (size_t i = 0; i < elements(o); i++) {
        const struct moments *own = &m[set_of(o, i)];
        y[i] = (x[i] - own->mean) * own->inverse;
        y[i] = weight ? y[i] * weight[weight_of(o, i)] + bias[weight_of(o, i)] : y[i];
    }
    free(m);
}

void ref_norm_backward(const struct ref_norm *o, const double *x, const double *weight,
                       const double *dy, double *dweight, double *dbias, double *dx)
{
    struct moments *m = find_moments(o, x);
    for (size_t i = 0; i < elements(o); i++) {
        struct moments *own = &m[set_of(o, i)];
        const size_t w = weight_of(o, i);
        const double normal = (x[i] - own->mean) * own->inverse;
        const double d = counts(o, i) ? dy[i] * (weight ? weight[w] : 1) : 0;
        own->dy += o->running ? 0 : d / own->count;
        own->product += o->running ? 0 : d * normal / own->count;
        if (dweight && weight && counts(o, i)) {
            dweight[w] += dy[i] * normal;
            dbias[w] += dy[i];
        }
    }
    for (size_t i = 0; dx && i < elements(o); i++) {
        const struct moments *own = &m[set_of(o, i)];
        const double normal = (x[i] - own->mean) * own->inverse;
        const double d = dy[i] * (weight ? weight[weight_of(o, i)] : 1);
        dx[i] = counts(o, i) ? own->inverse * (d - own->dy - normal * own->product) : 0;
    }
    free(m);
}

/* The value at a channel, 0 outside; `i` is a place of channel 0. */
static double at_channel(const struct ref_lrn *o, const double *x, size_t i, int channel)
{
    return channel >= 0 && channel < o->c ? x[i + (size_t)channel * o->pixels] : 0;
}

static double lrn_scale(const struct ref_lrn *o, const double *x, size_t i, int channel)
{
    double sum = 0;
    for (int k = 0; k < o->size; k++) {
        sum += pow(at_channel(o, x, i, channel - o->size / 2 + k), 2);
    }
    return o->k + o->alpha / o->size * sum;
}

void ref_lrn_forward(const struct ref_lrn *o, int n, const double *x, double *y)
{
    for (int image = 0; image < n; image++) {
        for (size_t pixel = 0; pixel < o->pixels; pixel++) {
            const size_t i = (size_t)image * o->c * o->pixels + pixel;
            for (int c = 0; c < o->c; c++) {
                y[i + c * o->pixels] = at_channel(o, x, i, c) / pow(lrn_scale(o, x, i, c), o->beta);
            }
        }
    }
}

/* Output by output: what it gives to each input of its window. */
void ref_lrn_backward(const struct ref_lrn *o, int n, const double *x, const double *dy, double *dx)
{
    memset(dx, 0, (size_t)n * o->c * o->pixels * sizeof *dx);
    for (int image = 0; image < n; image++) {
        for (size_t pixel = 0; pixel < o->pixels; pixel++) {
            const size_t i = (size_t)image * o->c * o->pixels + pixel;
            for (int c = 0; c < o->c; c++) {
                const double s = lrn_scale(o, x, i, c), d = at_channel(o, dy, i, c);
                dx[i + c * o->pixels] += d / pow(s, o->beta);
                for (int k = 0; k < o->size; k++) {
                    const int other = c - o->size / 2 + k;
                    if (other >= 0 && other < o->c) {
                        dx[i + other * o->pixels] -= d * at_channel(o, x, i, c) * o->beta *
                                                     pow(s, -o->beta - 1) * 2 * o->alpha / o->size *
                                                     at_channel(o, x, i, other);
                    }
                }
            }
        }
    }
}

/* Input by input: which output it belongs to; -1 for those that no window reaches. */
static long output_at(const struct ref_window *s, size_t i, int *channel)
{
    const int x = (int)(i % s->w) / s->kw, y = (int)(i / s->w % s->h) / s->kh;
    const size_t plane = i / s->w / s->h;
    *channel = (int)(plane % s->c);
    return x < s->ow && y < s->oh ? (long)((plane * s->oh + y) * s->ow + x) : -1;
}

void ref_subsample_forward(const struct ref_window *s, const double *x, const double *w,
                           const double *b, double *y)
{
    int c;
    for (size_t o = 0; o < (size_t)s->n * s->c * s->oh * s->ow; o++) {
        y[o] = b[o / s->ow / s->oh % s->c];
    }
    for (size_t i = 0; i < (size_t)s->n * s->c * s->h * s->w; i++) {
        const long o = output_at(s, i, &c);
        if (o >= 0) {
            y[o] += w[c] * x[i];
        }
    }
}

void ref_subsample_backward(const struct ref_window *s, const double *x, const double *w,
                            const double *dy, double *dw, double *db, double *dx)
{
    int c;
    for (size_t o = 0; db && o < (size_t)s->n * s->c * s->oh * s->ow; o++) {
        db[o / s->ow / s->oh % s->c] += dy[o];
    }
    for (size_t i = 0; i < (size_t)s->n * s->c * s->h * s->w; i++) {
        const long o = output_at(s, i, &c);
        if (dw && o >= 0) {
            dw[c] += dy[o] * x[i];
        }
        if (dx) {
            dx[i] = o >= 0 ? dy[o] * w[c] : 0;
        }
    }
}
