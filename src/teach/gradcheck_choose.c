/* gradcheck_choose.c: which elements a gradient check looks at, and what it makes of them. */
#include "teach/gradcheck_internal.h"

#include "base/rng.h"

#include <math.h>

/* A first step for biases too, which may all be near 0. */
static const double LEAST_STEP = 0.1;

/* ---- what is checked ---- */

/* 1 for the elements of a parameter that have a gradient, 0 for those that are zero for ever. */
static int find_used(const struct node *node, int k, float *used, size_t *count)
{
    const struct parameter *p = &node->needs.parameters[k];
    *count = 0;
    for (size_t i = 0; i < p->size; i++) {
        used[i] = 1;
    }
    if (k == 0 && node->type->mask) {
        node->type->mask(node, used);
    }
    for (size_t i = 0; i < p->size; i++) {
        *count += used[i] > 0;
    }
    return *count > 0;
}

static int is_chosen(const struct checker *c, int from, size_t at)
{
    for (int i = from; i < c->count; i++) {
        if (c->elements[i].at == at) {
            return 1;
        }
    }
    return 0;
}

/* Up to `elements` of n numbers that may be chosen (`used`, NULL: all), and the greatest of `g`. */
static void choose(struct checker *c, struct element like, const float *used, const float *g,
                   size_t n, size_t count, int elements)
{
    const int from = c->count;
    const size_t base = like.at;
    size_t greatest = n;
    for (size_t i = 0; i < n; i++) {
        if ((!used || used[i] > 0) && (greatest == n || fabsf(g[i]) > fabsf(g[greatest]))) {
            greatest = i;
        }
    }
    for (uint32_t draw = 0; c->count - from < elements && (size_t)(c->count - from) < count;
         draw++) {
        const struct philox_words words =
            philox(c->t->model.settings.seed, draw, (uint32_t)like.row, 0, RNG_GRADCHECK);
        size_t at = draw ? (size_t)((((uint64_t)words.v[0] << 32) | words.v[1]) % n) : greatest;
        while ((used && !(used[at] > 0)) || is_chosen(c, from, base + at)) {
            at = (at + 1) % n;
        }
        like.at = base + at;
        like.gradient = (double)g[at];
        c->elements[c->count++] = like;
    }
}

static double root_mean_square(const float *values, size_t n)
{
    double squares = 0;
    for (size_t i = 0; i < n; i++) {
        squares += (double)values[i] * (double)values[i];
    }
    return sqrt(squares / (double)n);
}

static void choose_outputs(struct checker *c, struct gradcheck_row *row, int elements, float *used)
{
    const size_t n = (size_t)c->t->model.classes.count * LANES;
    for (size_t i = 0; i < n; i++) {
        used[i] = c->run.live[i % LANES];
        row->size += used[i] > 0;
    }
    *row = (struct gradcheck_row){.layer = "loss",
                                  .tensor = "outputs",
                                  .size = row->size,
                                  .typical = root_mean_square(c->dz, n)};
    choose(c, (struct element){.start = 0.5}, used, c->dz, n, row->size, elements);
}

void gradcheck_choose(struct checker *c, struct gradcheck *check, int elements, float *used)
{
    choose_outputs(c, &check->rows[check->count++], elements, used);
    for (int i = 0; i < c->graph->count; i++) {
        const struct node *node = &c->graph->nodes[i];
        for (int k = 0; k < node->needs.parameter_count; k++) {
            const struct parameter *p = &node->needs.parameters[k];
            if (p->fixed && node->trained) {
                continue; /* a running statistic */
            }
            struct gradcheck_row *row = &check->rows[check->count];
            *row = (struct gradcheck_row){.layer = node->name,
                                          .tensor = p->suffix,
                                          .size = p->size,
                                          .frozen = !node->trained};
            if (node->trained) {
                row->typical = root_mean_square(c->gradients + p->offset, p->size);
            }
            if (node->trained && find_used(node, k, used, &row->size)) {
                const double rms = root_mean_square(c->t->parameters + p->offset, p->size);
                choose(c,
                       (struct element){.row = check->count,
                                        .node = node,
                                        .at = p->offset,
                                        .start = fmax(rms, LEAST_STEP)},
                       used, c->gradients + p->offset, p->size, row->size, elements);
            }
            check->count++;
        }
    }
}

/* ---- verdicts ---- */

void gradcheck_judge(struct gradcheck *check, const struct element *element)
{
    struct gradcheck_row *row = &check->rows[element->row];
    const double found = element->gradient, numeric = element->numeric.value;
    const double error = element->numeric.error, deviation = fabs(found - numeric);
    const double size = fmax(fabs(found), fabs(numeric));
    const double tolerance = 3 * error + 1e-4 * size + 1e-5 * row->typical;
    row->checked++;
    row->kinks += element->crossed > 0;
    row->used = fmax(row->used, deviation > 0 ? deviation / tolerance : 0);
    if (!(deviation <= tolerance)) {
        row->wrong++;
    } else if (error > 0.02 * size) {
        row->faint++;
        return;
    }
    row->absolute = fmax(row->absolute, deviation);
    row->relative = fmax(row->relative, size > 0 ? deviation / size : 0);
}
