/* lesson.c: see lesson.h. */
#include "teach/lesson.h"

#include "teach/numbers.h"
#include "teach/patch.h"
#include "teach/walk.h"

#include <float.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

/* More channels than MOST_WHOLE are not all written down, only the WHOLE strongest; of as many as
 * MOST_SUMS the sums are. */
enum { MOST_WHOLE = 4, WHOLE = 3, MOST_SUMS = 24, ROUNDINGS = 256 };

static double output_at(const struct node *node, const float *y, const struct spot *at)
{
    return (double)y[(((size_t)at->channel * node->out.h + at->y) * node->out.w + at->x) * LANES];
}

/* Where the output of a channel is greatest: the first such place. */
static void find_greatest(const struct node *node, const float *y, struct spot *at)
{
    struct spot best = {at->channel, 0, 0}, here = best;
    for (here.y = 0; here.y < node->out.h; here.y++) {
        for (here.x = 0; here.x < node->out.w; here.x++) {
            best = output_at(node, y, &here) > output_at(node, y, &best) ? here : best;
        }
    }
    *at = best;
}

static void append_heading(const struct lesson *l, const struct spot *at, struct text *out)
{
    const struct node *n = l->node;
    text_append(out, "%s '%s', %dx%dx%d -> %dx%dx%d: output channel %d", n->type->member.name,
                n->name, n->in.c, n->in.h, n->in.w, n->out.c, n->out.h, n->out.w, at->channel);
    if (n->out.h > 1 || n->out.w > 1) {
        text_append(out, ", row %d, column %d%s", at->y, at->x,
                    l->greatest ? ", where that channel is greatest" : "");
    }
    text_append(out, "\n");
}

/* ---- patches ---- */

/* The channel of the i-th strongest patch. */
static int strongest(const struct explanation *x, int rank)
{
    for (int i = 0; i < x->patch_count; i++) {
        int stronger = 0;
        for (int k = 0; k < x->patch_count; k++) {
            const double a = fabs(x->patches[k].sum), b = fabs(x->patches[i].sum);
            stronger += a > b || (a == b && k < i);
        }
        if (stronger == rank) {
            return i;
        }
    }
    return 0;
}

static void append_sums(const struct explanation *x, struct text *out)
{
    char number[32];
    text_append(out, "sums of all channels:\n");
    for (int i = 0; i < x->patch_count && i < MOST_SUMS; i++) {
        text_append(out, "%s%6d:%14s", i % 4 ? "" : "  ", x->patches[i].channel,
                    number_print(number, x->patches[i].sum));
        text_append(out, i % 4 == 3 ? "\n" : "");
    }
    const int shown = x->patch_count < MOST_SUMS ? x->patch_count : MOST_SUMS;
    text_append(out, shown % 4 ? "\n" : "");
    if (shown < x->patch_count) {
        text_append(out, "  and %d more\n", x->patch_count - shown);
    }
}

static void append_patches(const struct explanation *x, int everything, struct text *out)
{
    const int all = everything || x->patch_count <= MOST_WHOLE;
    const int count = all ? x->patch_count : WHOLE;
    if (!all) {
        text_append(out, "%d input channels; the %d with the strongest sums (--verbose: all):\n\n",
                    x->patch_count, WHOLE);
    }
    for (int i = 0; i < count; i++) {
        char number[32];
        const struct explained_patch *patch = &x->patches[all ? i : strongest(x, i)];
        patch_append(patch, everything, out);
        if (x->patch_count > 1) {
            text_append(out, "  sum of channel %d: %s\n", patch->channel,
                        number_print(number, patch->sum));
        }
        text_append(out, "\n");
    }
    if (!all) {
        append_sums(x, out);
        text_append(out, "\n");
    }
}

/* ---- steps ---- */

static void append_rows(const struct explanation *x, struct text *out)
{
    char number[32];
    for (int i = 0; i < x->row_count; i++) {
        text_append(out, "%-32s %14s\n", x->rows[i].what, number_print(number, x->rows[i].value));
    }
}

/* What the layer itself has made of it. */
static int compare(const struct node *node, const struct explanation *x, double real,
                   struct text *out, struct error *e)
{
    const double found = x->rows[x->row_count - 1].value;
    const double allowed = ROUNDINGS * (double)FLT_EPSILON * (x->magnitude + fabs(found));
    char number[32];
    text_append(out, "%-32s %14s", "the network's own output", number_print(number, real));
    if (!(fabs(found - real) <= allowed)) {
        return error_set(e, ERROR_INTERNAL, NULL,
                         "%s '%s' computes %.9g, but its steps come to %.9g",
                         node->type->member.name, node->name, real, found);
    }
    if (found == real) {
        text_append(out, "   equal\n");
    } else {
        text_append(out, "   equal but for the rounding of floats, %.1e\n", fabs(found - real));
    }
    return 0;
}

static int append_steps(const struct lesson *l, const struct walk *walk, const struct run *run,
                        const struct spot *at, struct text *out, struct error *e)
{
    struct arena arena = {0};
    struct explanation x = {.arena = &arena};
    int status;
    l->node->type->explain(l->node, run, walk_input(walk, l->node, 0), at, &x);
    if (x.failed) {
        status = error_memory(e, 1024);
    } else {
        text_append(out, x.patch_count > 0 ? "%s\n\n" : "%s\n", x.rule);
        append_patches(&x, l->everything, out);
        append_rows(&x, out);
        status = compare(l->node, &x, output_at(l->node, walk->y[l->node->index], at), out, e);
    }
    arena_free(&arena);
    return status;
}

int lesson_append(const struct lesson *lesson, struct text *out, struct error *e)
{
    struct arena arena = {0};
    struct walk walk;
    struct run run = {.kernels = lesson->kernels, .parameters = lesson->parameters};
    struct lesson l = *lesson;
    struct spot at = l.at;
    int status = walk_open(&walk, l.graph, &arena, e);
    if (status == 0) {
        walk_forward(&walk, &run, NULL, l.input, 0, NULL);
        if (l.greatest) {
            find_greatest(l.node, walk.y[l.node->index], &at);
        }
        append_heading(&l, &at, out);
        status = append_steps(&l, &walk, &run, &at, out, e);
        /* the activation of its options is part of the layer */
        while (status == 0 && l.node->index + 1 < l.graph->count && l.node[1].attached &&
               l.node[1].type->explain) {
            l.node++;
            text_append(out, "\nthen %s: ", l.node->type->member.name);
            status = append_steps(&l, &walk, &run, &at, out, e);
        }
    }
    walk_close(&walk);
    arena_free(&arena);
    return status;
}

void lesson_types(char *text, size_t size)
{
    size_t used = 0;
    *text = '\0';
    for (const struct member *const *member = LAYERS.members; *member; member++) {
        if (((const struct layer_type *)(const void *)*member)->explain && used < size) {
            used += (size_t)snprintf(text + used, size - used, "%s%s", used ? ", " : "",
                                     (*member)->name);
        }
    }
}
