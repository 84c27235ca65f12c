/* permute.c: the axes of a map in another order; y's first axis is the one of x that is named
 * first.
 *
 *     permute: whc            y[w][h][c] = x[c][h][w]
 *     permute: wch            an image 1 x 28 x 28 as a sequence of its rows, 28 x 1 x 28:
 *                             step t has row t, channel k column k */
#include "net/layer.h"

#include <string.h>

struct permute {
    struct layer_options layer;
    const char *order;
};

static const char *const ORDERS[] = {"chw", "cwh", "hcw", "hwc", "wch", "whc", NULL};

static const struct option OPTIONS[] = {
    {.key = "order",
     .kind = &OPTION_WORD,
     .offset = offsetof(struct permute, order),
     .extra = ORDERS,
     .help = "which axis of the input becomes channels, height, width"},
    LAYER_NAME_ROW,
    OPTION_END,
};

/* Of x: the size of axis c, h or w, and how far apart its neighbours stand, in vectors. */
struct axis {
    int size;
    size_t step;
};

static struct axis axis_of(const struct node *node, char name)
{
    const struct shape in = node->in;
    return name == 'c'   ? (struct axis){in.c, (size_t)in.h * in.w}
           : name == 'h' ? (struct axis){in.h, (size_t)in.w}
                         : (struct axis){in.w, 1};
}

static int permute_shape(struct node *node, struct error_list *errors)
{
    const struct permute *o = node->options;
    (void)errors;
    node->out = (struct shape){axis_of(node, o->order[0]).size, axis_of(node, o->order[1]).size,
                               axis_of(node, o->order[2]).size};
    return 0;
}

/* Walk over y in its order; x is `to` or `from` as `back` says. */
static void walk(const struct node *node, int back, const float *from, float *to)
{
    const struct permute *o = node->options;
    const struct axis a = axis_of(node, o->order[0]), b = axis_of(node, o->order[1]),
                      c = axis_of(node, o->order[2]);
    size_t y = 0;
    for (int i = 0; i < a.size; i++) {
        for (int j = 0; j < b.size; j++) {
            for (int k = 0; k < c.size; k++, y++) {
                const size_t x = i * a.step + j * b.step + k * c.step;
                memcpy(to + (back ? x : y) * LANES, from + (back ? y : x) * LANES,
                       LANES * sizeof *to);
            }
        }
    }
}

static void permute_forward(const struct node *node, const struct run *run, const float *x,
                            float *y)
{
    (void)run;
    walk(node, 0, x, y);
}

static void permute_backward(const struct node *node, const struct run *run, const float *x,
                             const float *y, const float *dy, float *dx)
{
    (void)run, (void)x, (void)y;
    if (dx) {
        walk(node, 1, dy, dx);
    }
}

static const struct layer_example EXAMPLES[] = {
    {"wch", {1, 4, 5}}, {"hwc", {2, 3, 4}},          {"whc", {3, 2, 5}},
    {"cwh", {2, 4, 3}}, {"{order: hcw}", {4, 3, 2}}, {NULL, {0, 0, 0}},
};

extern const struct layer_type LAYER_permute;
const struct layer_type LAYER_permute = {
    .member = {.name = "permute",
               .help = "the axes in another order; wch: the rows of an image as a sequence",
               .options = OPTIONS,
               .size = sizeof(struct permute)},
    .shape = permute_shape,
    .forward = permute_forward,
    .backward = permute_backward,
    .examples = EXAMPLES,
};
