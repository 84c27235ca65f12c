/* explain.c: see explain.h. */
#include "net/explain.h"

#include <math.h>
#include <string.h>

/* What of the input becomes a patch. */
struct cut {
    int channel, rows, columns;
    int y, x, step_y, step_x;
    int h, w;           /* the size of a channel, and... */
    const float *plane; /* ... its first value in lane 0 */
    const float *weights;
};

static struct explained_patch *next_patch(struct explanation *e)
{
    if (e->patch_count == e->room) {
        const int room = e->room ? 2 * e->room : 16;
        struct explained_patch *more = arena_alloc(e->arena, (size_t)room * sizeof *more);
        if (!more) {
            return NULL;
        }
        if (e->patch_count > 0) {
            memcpy(more, e->patches, (size_t)e->patch_count * sizeof *more);
        }
        e->patches = more;
        e->room = room;
    }
    return &e->patches[e->patch_count];
}

static void fill_patch(struct explanation *e, const struct cut *cut, struct explained_patch *patch,
                       double *values, char *outside, double *weights)
{
    for (int r = 0, i = 0; r < cut->rows; r++) {
        for (int k = 0; k < cut->columns; k++, i++) {
            const int y = cut->y + r * cut->step_y, x = cut->x + k * cut->step_x;
            outside[i] = y < 0 || y >= cut->h || x < 0 || x >= cut->w;
            values[i] = outside[i] ? 0 : (double)cut->plane[((size_t)y * cut->w + x) * LANES];
            if (weights) {
                weights[i] = (double)cut->weights[i];
            }
            const double term = values[i] * (weights ? weights[i] : 1);
            patch->sum += term;
            e->magnitude += fabs(term);
        }
    }
}

static const struct explained_patch *add_patch(struct explanation *e, const struct cut *cut)
{
    const size_t n = (size_t)cut->rows * (size_t)cut->columns;
    struct explained_patch *patch = next_patch(e);
    double *values = arena_alloc(e->arena, n * sizeof *values);
    double *weights = cut->weights ? arena_alloc(e->arena, n * sizeof *weights) : NULL;
    char *outside = arena_alloc(e->arena, n);
    if (!patch || !values || !outside || (cut->weights && !weights)) {
        e->failed = 1;
        return NULL;
    }
    *patch = (struct explained_patch){.channel = cut->channel,
                                      .rows = cut->rows,
                                      .columns = cut->columns,
                                      .y = cut->y,
                                      .x = cut->x,
                                      .step_y = cut->step_y,
                                      .step_x = cut->step_x,
                                      .values = values,
                                      .outside = outside,
                                      .weights = weights};
    fill_patch(e, cut, patch, values, outside, weights);
    e->patch_count++;
    return patch;
}

const struct explained_patch *explain_window(struct explanation *e, const struct node *node,
                                             const struct spot *at, const float *x, int channel,
                                             const float *weights)
{
    const struct window *s = &node->window;
    const struct cut cut = {.channel = channel,
                            .rows = s->kh,
                            .columns = s->kw,
                            .y = at->y * s->stride_h - s->pad_top,
                            .x = at->x * s->stride_w - s->pad_left,
                            .step_y = s->dilation_h ? s->dilation_h : 1,
                            .step_x = s->dilation_w ? s->dilation_w : 1,
                            .h = s->h,
                            .w = s->w,
                            .plane = x + (size_t)channel * s->h * s->w * LANES,
                            .weights = weights};
    return add_patch(e, &cut);
}

const struct explained_patch *explain_map(struct explanation *e, const struct node *node,
                                          const float *x, int channel, const float *weights)
{
    const struct shape in = node->in;
    struct cut cut = {.channel = channel,
                      .rows = in.h,
                      .columns = in.w,
                      .step_y = 1,
                      .step_x = 1,
                      .h = in.h,
                      .w = in.w,
                      .plane = x + (size_t)channel * in.h * in.w * LANES,
                      .weights = weights};
    if (in.h == 1 && in.w == 1) {
        cut.channel = -1;
        cut.columns = cut.w = in.c;
    }
    return add_patch(e, &cut);
}

double explain_sum(const struct explanation *e)
{
    double sum = 0;
    for (int i = 0; i < e->patch_count; i++) {
        sum += e->patches[i].sum;
    }
    return sum;
}

void explain_row(struct explanation *e, const char *what, double value)
{
    if (e->row_count < MOST_EXPLAINED_ROWS) {
        e->rows[e->row_count++] = (struct explained_row){what, value};
    }
}

double explain_input(const struct node *node, const float *x, const struct spot *at)
{
    return (double)x[(((size_t)at->channel * node->in.h + at->y) * node->in.w + at->x) * LANES];
}

void explain_greatest(struct explanation *e, const struct explained_patch *patch)
{
    int best = -1;
    for (int i = 0; patch && i < patch->rows * patch->columns; i++) {
        if (!patch->outside[i] && (best < 0 || patch->values[i] > patch->values[best])) {
            best = i;
        }
    }
    if (best >= 0) {
        explain_row(e, "in row", patch->y + best / patch->columns * patch->step_y);
        explain_row(e, "in column", patch->x + best % patch->columns * patch->step_x);
        explain_row(e, "output: the greatest", patch->values[best]);
    }
}

void explain_mean(struct explanation *e, const struct explained_patch *patch, int padding)
{
    int count = 0;
    for (int i = 0; patch && i < patch->rows * patch->columns; i++) {
        count += padding || !patch->outside[i];
    }
    if (count > 0) {
        explain_row(e, "sum of the patch", patch->sum);
        explain_row(e, "values", count);
        explain_row(e, "output: sum / values", patch->sum / count);
    }
}
