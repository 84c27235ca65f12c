/* mosaic.c: the graph of patches: the nodes of a network as they see one image that is cut up. */
#include "net/mosaic.h"

#include <assert.h>
#include <limits.h>
#include <math.h>

/* How a map lies in memory: [h][w][lanes], where lane l has the h x w places from row l / columns *
 * step_h - top and column l % columns * step_w - left of the map on. */
struct view {
    int lanes, columns;
    int step_h, step_w, top, left;
    int h, w;
};

/* As in an image by itself (1 lane) or in the first lane of a tile (LANES). */
static struct view view_whole(struct shape map, int lanes)
{
    return (struct view){
        .lanes = lanes, .columns = 1, .step_h = map.h, .step_w = map.w, .h = map.h, .w = map.w};
}

/* As patches: the way that needs the smallest, and of those the one with the shortest border. */
static struct view view_patches(struct shape map)
{
    struct view best = {0};
    int least = INT_MAX, border = INT_MAX;
    for (int rows = 1; rows <= LANES; rows++) {
        const int columns = LANES / rows;
        const int h = (map.h + rows - 1) / rows, w = (map.w + columns - 1) / columns;
        if (h * w < least || (h * w == least && h + w < border)) {
            least = h * w;
            border = h + w;
            best = (struct view){
                .lanes = LANES, .columns = columns, .step_h = h, .step_w = w, .h = h, .w = w};
        }
    }
    return best;
}

static size_t view_size(const struct view *view)
{
    return (size_t)view->h * (size_t)view->w * (size_t)view->lanes;
}

/* Where the place (y, x) of a map is. */
static int32_t place_in(const struct view *view, int y, int x)
{
    const int lane = y / view->step_h * view->columns + x / view->step_w;
    return (y % view->step_h * view->w + x % view->step_w) * view->lanes + lane;
}

static int relay_make(struct relay *relay, struct shape map, const struct view *from,
                      const struct view *to, float fill, struct arena *arena)
{
    *relay = (struct relay){map.c, view_size(from), view_size(to), fill, NULL};
    if (view_size(from) > INT32_MAX || view_size(to) > INT32_MAX) {
        return -1;
    }
    relay->index = arena_alloc(arena, relay->to * sizeof *relay->index);
    for (size_t i = 0; relay->index && i < relay->to; i++) {
        const int lane = (int)(i % (size_t)to->lanes), place = (int)(i / (size_t)to->lanes);
        const int y = lane / to->columns * to->step_h - to->top + place / to->w;
        const int x = lane % to->columns * to->step_w - to->left + place % to->w;
        const int inside = y >= 0 && y < map.h && x >= 0 && x < map.w;
        relay->index[i] = inside ? place_in(from, y, x) : -1;
    }
    return relay->index ? 0 : -1;
}

void mosaic_relay(const struct relay *relay, const struct kernels *kernels, const float *x,
                  float *y)
{
    for (int map = 0; map < relay->maps; map++, x += relay->from, y += relay->to) {
        kernels->pick(relay->to, relay->index, relay->fill, x, y);
    }
}

/* ---- the types of nodes that do not work place by place ---- */

/* Their options. `node`: the one that does the work, with what it sees. */
struct piece {
    struct layer_options layer;
    struct node node;
    struct shape in; /* ins of `node` */
    struct relay before, after;
};

/* What comes before the rest of the scratch, as whole vectors. */
static size_t vectors_of(const struct relay *relay)
{
    return ((size_t)relay->maps * relay->to + LANES - 1) / LANES * LANES;
}

static struct run run_behind(const struct run *run, size_t used)
{
    struct run inner = *run;
    inner.scratch += used;
    return inner;
}

static void sliding_forward(const struct node *node, const struct run *run, const float *x,
                            float *y)
{
    const struct piece *piece = node->options;
    const struct run inner = run_behind(run, vectors_of(&piece->before));
    mosaic_relay(&piece->before, run->kernels, x, run->scratch);
    piece->node.type->forward(&piece->node, &inner, run->scratch, y);
}

static void product_forward(const struct node *node, const struct run *run, const float *x,
                            float *y)
{
    const struct piece *piece = node->options;
    float *product = run->scratch + vectors_of(&piece->before);
    mosaic_relay(&piece->before, run->kernels, x, run->scratch);
    run->kernels->dense_single((int)shape_size(piece->in), piece->node.out.c, run->scratch,
                               node_parameter(node, run, 0), node_bias(node, run), product);
    mosaic_relay(&piece->after, run->kernels, product, y);
}

static void whole_forward(const struct node *node, const struct run *run, const float *x, float *y)
{
    const struct piece *piece = node->options;
    float *out = run->scratch + vectors_of(&piece->before);
    const struct run inner =
        run_behind(run, vectors_of(&piece->before) + shape_size(piece->node.out) * LANES);
    mosaic_relay(&piece->before, run->kernels, x, run->scratch);
    piece->node.type->forward(&piece->node, &inner, run->scratch, out);
    mosaic_relay(&piece->after, run->kernels, out, y);
}

static const struct layer_type SLIDING = {.member = {.name = "sliding"},
                                          .forward = sliding_forward},
                               PRODUCT = {.member = {.name = "product"},
                                          .forward = product_forward},
                               WHOLE = {.member = {.name = "whole"}, .forward = whole_forward};

/* ---- from the nodes of the network ---- */

static struct shape shape_in(struct shape map, const struct view *view)
{
    return (struct shape){map.c, view->h, view->w};
}

static struct piece *piece_new(struct node *node, const struct layer_type *type,
                               struct arena *arena)
{
    struct piece *piece = arena_alloc(arena, sizeof *piece);
    if (piece) {
        *piece = (struct piece){.node = *node, .in = node->in};
        piece->node.ins = &piece->in;
        node->type = type;
        node->options = piece;
        node->absorbs = node->rectifies = 0;
    }
    return piece;
}

/* What the patches of y are made of. */
static struct view view_windows(const struct window *s, const struct view *y)
{
    const int dilation_h = s->dilation_h ? s->dilation_h : 1;
    const int dilation_w = s->dilation_w ? s->dilation_w : 1;
    return (struct view){.lanes = LANES,
                         .columns = y->columns,
                         .step_h = y->h * s->stride_h,
                         .step_w = y->w * s->stride_w,
                         .top = s->pad_top,
                         .left = s->pad_left,
                         .h = (y->h - 1) * s->stride_h + (s->kh - 1) * dilation_h + 1,
                         .w = (y->w - 1) * s->stride_w + (s->kw - 1) * dilation_w + 1};
}

/* A node that slides becomes one over the windows `seen` of each lane. */
static void see(struct node *node, const struct view *seen, const struct view *y)
{
    struct window *s = &node->window;
    s->h = seen->h, s->w = seen->w;
    s->oh = y->h, s->ow = y->w;
    s->pad_top = s->pad_left = 0;
    node->in = shape_in(node->in, seen);
    node->out = shape_in(node->out, y);
}

static int make_sliding(struct node *node, struct arena *arena)
{
    const struct view x = view_patches(node->in), y = view_patches(node->out);
    struct view seen = view_windows(&node->window, &y);
    if (seen.columns == x.columns && seen.step_h == x.h && seen.step_w == x.w && !seen.top &&
        !seen.left && seen.h <= x.h && seen.w <= x.w) { /* every lane has what it sees */
        see(node, &x, &y);
        return 0;
    }
    struct piece *piece = piece_new(node, &SLIDING, arena);
    if (!piece || relay_make(&piece->before, node->in, &x, &seen, node->beyond, arena) != 0) {
        return -1;
    }
    see(&piece->node, &seen, &y);
    piece->in = piece->node.in;
    struct needs needs = {0};
    if (piece->node.type->need) {
        piece->node.type->need(&piece->node, &needs);
    }
    node->needs.scratch = vectors_of(&piece->before) + needs.scratch;
    return 0;
}

static int make_product(struct node *node, struct arena *arena)
{
    const struct view x = view_patches(node->in), vector = view_whole(node->in, 1);
    const struct shape one = {node->out.c, 1, 1};
    const struct view value = view_whole(one, 1), y = view_patches(one);
    struct piece *piece = piece_new(node, &PRODUCT, arena);
    if (!piece || relay_make(&piece->before, node->in, &x, &vector, 0, arena) != 0 ||
        relay_make(&piece->after, one, &value, &y, 0, arena) != 0) {
        return -1;
    }
    node->needs.scratch = vectors_of(&piece->before) + (size_t)one.c;
    return 0;
}

static int make_whole(struct node *node, struct arena *arena)
{
    const struct view x = view_patches(node->in), y = view_patches(node->out);
    const struct view in = view_whole(node->in, LANES), out = view_whole(node->out, LANES);
    struct piece *piece = piece_new(node, &WHOLE, arena);
    if (!piece || relay_make(&piece->before, node->in, &x, &in, 0, arena) != 0 ||
        relay_make(&piece->after, node->out, &out, &y, 0, arena) != 0) {
        return -1;
    }
    node->needs.scratch += vectors_of(&piece->before) + shape_size(node->out) * LANES;
    return 0;
}

/* How one node of the network works on one image. */
static int make_node(struct node *node, struct arena *arena)
{
    const unsigned flags = node->type->flags;
    if (flags & (LAYER_POINTWISE | LAYER_TRAINING_ONLY)) {
        return 0;
    }
    assert(node->input_count == 1); /* what joins works place by place */
    if (node->dense) {
        return make_product(node, arena);
    }
    if ((flags & LAYER_SLIDES) && node->window.c == node->in.c && !isnan(node->beyond)) {
        return make_sliding(node, arena);
    }
    return make_whole(node, arena);
}

/* What all nodes are alike in: their values are patches. */
static void set_shapes(struct node *node, struct shape *ins)
{
    for (int k = 0; k < node->input_count; k++) {
        const struct view x = view_patches(node->ins[k]);
        ins[k] = shape_in(node->ins[k], &x);
    }
    const struct view y = view_patches(node->out);
    node->out = shape_in(node->out, &y);
    node->in = ins[0];
    node->ins = ins;
}

/* The ends: from the image, and to logits as a tile has them. */
static int make_ends(struct mosaic *mosaic, const struct graph *graph, struct arena *arena)
{
    const struct shape in = graph->input, out = graph->nodes[graph->count - 1].out;
    const struct view image = view_whole(in, 1), entry = view_patches(in);
    const struct view last = view_patches(out), logits = view_whole(out, LANES);
    TRY(relay_make(&mosaic->in, in, &image, &entry, 0, arena));
    mosaic->graph.input = shape_in(in, &entry);
    return relay_make(&mosaic->out, out, &last, &logits, 0, arena);
}

int mosaic_make(struct mosaic *mosaic, const struct graph *graph, struct arena *arena,
                struct error *e)
{
    const size_t count = (size_t)graph->count, edges = (size_t)graph->edges;
    struct node *nodes = arena_alloc(arena, count * sizeof *nodes);
    struct shape *ins = arena_alloc(arena, edges * sizeof *ins);
    mosaic->graph = *graph;
    mosaic->graph.nodes = nodes;
    int failed = !nodes || !ins || make_ends(mosaic, graph, arena) != 0;
    for (int i = 0; i < graph->count && !failed; i++) {
        const struct node *node = &graph->nodes[i];
        struct node shaped = *node;
        set_shapes(&shaped, ins);
        nodes[i] = *node;
        failed = make_node(&nodes[i], arena);
        nodes[i].in = shaped.in;
        nodes[i].out = shaped.out;
        nodes[i].ins = ins;
        ins += node->input_count;
    }
    return failed ? error_memory(e, count * sizeof *nodes) : 0;
}
