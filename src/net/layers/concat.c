/* concat.c: several lists of layers read the same input, and their outputs are joined along the
 * channels: Szegedy et al. 2015, "Going deeper with convolutions", figure 2. An empty list passes
 * the input itself, as in Huang, Liu, van der Maaten, Weinberger 2017, "Densely connected
 * convolutional networks".
 *
 * y [sum of the c][h][w]: the first list's channels first. */
#include "net/builder.h"

#include <string.h>

struct concat {
    struct layer_options layer;
    struct branches branches;
};

static const struct option OPTIONS[] = {
    {.key = "branches",
     .kind = &OPTION_BRANCHES,
     .offset = offsetof(struct concat, branches),
     .help = "lists of layers side by side; an empty one passes the input"},
    LAYER_NAME_ROW,
    OPTION_END,
};

static int concat_expand(struct builder *b, const struct choice *layer, int input)
{
    const struct concat *o = layer->options;
    int inputs[MOST_BRANCHES];
    for (int k = 0; k < o->branches.count; k++) {
        inputs[k] = builder_list(b, &o->branches.lists[k], input);
    }
    return builder_node(b, layer, NULL, inputs, o->branches.count);
}

static int concat_shape(struct node *node, struct error_list *errors)
{
    node->out = (struct shape){0, node->in.h, node->in.w};
    node->shares = 1;
    for (int k = 0; k < node->input_count; k++) {
        const struct shape in = node->ins[k], first = node->in;
        if (in.h != first.h || in.w != first.w) {
            return yaml_error(
                errors, node->where,
                "concat '%s': its first branch gives %dx%dx%d, its branch %d %dx%dx%d: "
                "heights and widths must be the same",
                node->name, first.c, first.h, first.w, k + 1, in.c, in.h, in.w);
        }
        node->out.c += in.c;
    }
    return 0;
}

/* Where an input's channels stand in y. */
static size_t place_of(const struct node *node, int input)
{
    size_t at = 0;
    for (int k = 0; k < input; k++) {
        at += shape_size(node->ins[k]) * LANES;
    }
    return at;
}

/* Copy an input's values, or the run's share of them. */
static void copy(const struct node *node, const struct run *run, const float *from, float *to)
{
    size_t first;
    const size_t end = run_share(run, shape_size(node->ins[run->input]), &first);
    memcpy(to + first * LANES, from + first * LANES, (end - first) * LANES * sizeof *to);
}

static void concat_forward(const struct node *node, const struct run *run, const float *x, float *y)
{
    copy(node, run, x, y + place_of(node, run->input));
}

static void concat_backward(const struct node *node, const struct run *run, const float *x,
                            const float *y, const float *dy, float *dx)
{
    (void)x, (void)y;
    if (dx) {
        copy(node, run, dy + place_of(node, run->input), dx);
    }
}

static const struct layer_example EXAMPLES[] = {
    {"[[conv: {filters: 2, kernel: 1}, tanh], [conv: {filters: 3, kernel: 3, padding: 1}]]",
     {2, 4, 3}},
    {"[[], [conv: {filters: 1, kernel: 3, padding: same}, sigmoid], [], [avgpool: {size: 3, "
     "stride: 1, padding: 1}]]",
     {2, 3, 3}},
    {NULL, {0, 0, 0}},
};

extern const struct layer_type LAYER_concat;
const struct layer_type LAYER_concat = {
    .member = {.name = "concat",
               .help = "joins the outputs of several lists of layers along the channels",
               .options = OPTIONS,
               .size = sizeof(struct concat)},
    .flags = LAYER_POINTWISE,
    .expand = concat_expand,
    .shape = concat_shape,
    .forward = concat_forward,
    .backward = concat_backward,
    .examples = EXAMPLES,
};
