/* lesson_loss.c: see lesson_loss.h. In double and apart from the kernels. */
#include "teach/lesson_loss.h"

#include "teach/numbers.h"
#include "teach/walk.h"

#include <float.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

/* Of more than MOST_WHOLE classes only the MOST_SHOWN most probable and the right one are written
 * down. Larger outputs than MOST_PLAIN are shifted, as e^z would be too large for any float. */
enum { MOST_WHOLE = 20, MOST_SHOWN = 10, MOST_PLAIN = 80, ROUNDINGS = 64 };

/* Outputs z[classes][16] and probabilities p[classes][16], of lane 0. */
struct outcome {
    const struct loss_lesson *lesson;
    const float *z, *p;
    int classes;
    double shift, sum; /* of e^(z - shift) */
};

static double z_of(const struct outcome *o, int k) { return (double)o->z[(size_t)k * LANES]; }

static const char *name_of(const struct outcome *o, int k, char *buffer, size_t size)
{
    const char *name = o->lesson->classes->values[k];
    return text_escape(buffer, size, name, strlen(name));
}

static double softmax_of(const struct outcome *o, int k)
{
    return exp(z_of(o, k) - o->shift) / o->sum;
}

static int add_up(struct outcome *o, struct error *e)
{
    double greatest = z_of(o, 0);
    for (int k = 0; k < o->classes; k++) {
        if (!isfinite(z_of(o, k))) {
            return error_set(e, ERROR_NUMERIC, NULL, "output %d is not finite", k);
        }
        greatest = z_of(o, k) > greatest ? z_of(o, k) : greatest;
    }
    o->shift = greatest > MOST_PLAIN ? greatest : 0;
    for (int k = 0; k < o->classes; k++) {
        o->sum += exp(z_of(o, k) - o->shift);
    }
    return 0;
}

/* Whether fewer than MOST_SHOWN classes come before class k, the more probable ones first. */
static int among_first(const struct outcome *o, int k)
{
    int before = 0;
    for (int i = 0; i < o->classes && before < MOST_SHOWN; i++) {
        before += z_of(o, i) > z_of(o, k) || (z_of(o, i) == z_of(o, k) && i < k);
    }
    return before < MOST_SHOWN;
}

static void append_table(const struct outcome *o, struct text *out)
{
    const struct loss_lesson *l = o->lesson;
    const int all = l->everything || o->classes <= MOST_WHOLE;
    char name[400], z[32], power[32], share[32];
    int left_out = 0;
    text_append(out, "%-20s %14s %14s %14s\n", "class", "z", o->shift != 0 ? "e^(z - m)" : "e^z",
                "softmax");
    for (int k = 0; k < o->classes; k++) {
        if (!all && k != l->label && !among_first(o, k)) {
            left_out++;
            continue;
        }
        text_append(out, "%-20s %14s %14s %14s\n", name_of(o, k, name, sizeof name),
                    number_print(z, z_of(o, k)), number_print(power, exp(z_of(o, k) - o->shift)),
                    number_print(share, softmax_of(o, k)));
    }
    if (left_out > 0) {
        text_append(out, "and %d less probable ones (--verbose: all)\n", left_out);
    }
    text_append(out, "%-20s %14s %14s %14d\n", "sum of all", "", number_print(power, o->sum), 1);
}

/* What the loss itself has made of them. */
static int compare(const struct outcome *o, struct text *out, struct error *e)
{
    double most = 0;
    for (int k = 0; k < o->classes; k++) {
        most = fmax(most, fabs(softmax_of(o, k) - (double)o->p[(size_t)k * LANES]));
    }
    if (!(most <= ROUNDINGS * (double)FLT_EPSILON)) {
        return error_set(e, ERROR_INTERNAL, NULL,
                         "%s computes other probabilities than its steps: they are %.9g apart",
                         o->lesson->loss->member.name, most);
    }
    text_append(
        out, "the network's own probabilities  equal but for the rounding of floats, %.1e\n", most);
    return 0;
}

static void append_cost(const struct outcome *o, struct text *out)
{
    const struct loss_lesson *l = o->lesson;
    char name[400], number[32];
    /* the probability may be too small for a double; its logarithm is not */
    const double cost = log(o->sum) - (z_of(o, l->label) - o->shift);
    text_append(out, "\n%-32s %14s\n", "right class", name_of(o, l->label, name, sizeof name));
    text_append(out, "%-32s %14s\n", "its probability",
                number_print(number, softmax_of(o, l->label)));
    text_append(out, "%-32s %14s\n", "cross-entropy: -ln of it", number_print(number, cost));
}

int loss_lesson_append(const struct loss_lesson *l, struct text *out, struct error *e)
{
    struct arena arena = {0};
    struct walk walk;
    struct run run = {.kernels = l->kernels, .parameters = l->parameters};
    const struct node *last = &l->graph->nodes[l->graph->count - 1];
    struct outcome o = {.lesson = l, .classes = last->out.c};
    float *p = block_allocate((size_t)o.classes * LANES * sizeof *p);
    int status = walk_open(&walk, l->graph, &arena, e);
    if (status == 0 && p == NULL) {
        status = error_memory(e, (size_t)o.classes * LANES * sizeof *p);
    }
    if (status == 0) {
        walk_forward(&walk, &run, NULL, l->input, 0, NULL);
        o.z = walk.y[last->index];
        o.p = p;
        l->loss->predict(l->kernels, o.classes, o.z, p);
        status = add_up(&o, e);
    }
    if (status == 0) {
        text_append(out,
                    "%s: softmax of the %d outputs z of '%s', and the cost\n"
                    "softmax = e^z / sum of e^z over all classes\n",
                    l->loss->member.name, o.classes, last->name);
        text_append(out, o.shift != 0
                             ? "m, the greatest z, is taken from each: the quotient is the "
                               "same, and e^z not too large\n\n"
                             : "\n");
        append_table(&o, out);
        status = compare(&o, out, e);
    }
    if (status == 0 && l->label >= 0) {
        append_cost(&o, out);
    }
    free(p);
    walk_close(&walk);
    arena_free(&arena);
    return status;
}
