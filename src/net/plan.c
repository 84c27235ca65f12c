/* plan.c: lifetimes, and places for them.
 *
 * Time runs forward through the nodes (node i at time i, of n), to the loss (n), and back (node i
 * at 2n - i). The output of a node is needed until the last node has read it, and, in training,
 * until the last backward that reads it. A node that may work in place takes over its first input's
 * memory when nobody else wants the input as it was.
 *
 * The gradient by an output is written by the last of its readers, which comes first on the way
 * back; those of the others are added to it, so it is complete when its own node's turn comes.
 *
 * Pieces are placed largest first, each at the lowest offset where it meets no piece of overlapping
 * life. In a plan with cuts those that no tile needs after a meeting stand behind the others: a cut
 * before node c is passed just before time c, and on the way back just before 2n - c. */
#include "net/plan.h"

#include <stdlib.h>

/* A stretch of memory and when it is in use, ends included. */
struct piece {
    size_t size, offset;
    int first, last;
    int passing; /* nobody needs it across a cut */
};

enum { NONE = -1 };

/* What becomes of an output; of the input tile too. */
struct value {
    int piece;     /* in whose memory it is */
    int content;   /* the first value that is the same numbers: a node that passes its input through
                      makes none of its own */
    int last_read; /* by the forward of the node with this number; n: by the loss (of contents) */
    int kept;      /* backward reads it too (of contents) */
    int gradient;  /* the piece of the gradient by it, or NONE */
    int done;      /* the node before makes it, or its reader, on the way */
};

struct planner {
    const struct graph *graph;
    struct plan *plan;
    struct piece *pieces;
    int count;
    struct value *values; /* [0] the input tile, [i + 1] the output of node i */
};

static int add_piece(struct planner *planner, size_t size, int first, int last)
{
    planner->pieces[planner->count] =
        (struct piece){.size = (size + LANES - 1) / LANES * LANES, .first = first, .last = last};
    return planner->count++;
}

static void keep_until(struct planner *planner, int piece, int time)
{
    if (planner->pieces[piece].last < time) {
        planner->pieces[piece].last = time;
    }
}

static int by_size(const void *a, const void *b)
{
    const struct piece *const *pa = a, *const *pb = b;
    if ((*pa)->size != (*pb)->size) {
        return (*pa)->size < (*pb)->size ? 1 : -1;
    }
    return *pa < *pb ? -1 : 1;
}

static int by_offset(const void *a, const void *b)
{
    const struct piece *const *pa = a, *const *pb = b;
    return (*pa)->offset < (*pb)->offset ? -1 : (*pa)->offset > (*pb)->offset;
}

/* The lowest offset from `base` where a piece meets none of those that have theirs,
 * order[0..count); `near` has room for them. */
static size_t find_place(const struct piece *piece, struct piece *const *order, int count,
                         size_t base, struct piece **near)
{
    int neighbours = 0;
    for (int k = 0; k < count; k++) {
        if (order[k]->passing == piece->passing && order[k]->first <= piece->last &&
            piece->first <= order[k]->last) {
            near[neighbours++] = order[k];
        }
    }
    qsort(near, (size_t)neighbours, sizeof *near, by_offset);
    size_t offset = base;
    for (int k = 0; k < neighbours && offset + piece->size > near[k]->offset; k++) {
        const size_t end = near[k]->offset + near[k]->size;
        offset = offset > end ? offset : end;
    }
    return offset;
}

/* Place the pieces that pass, or those that do not, from `base`; returns where they end. `order`
 * has all of them by size, `near` room for as many. */
static size_t place_pieces(struct planner *planner, int passing, size_t base, struct piece **order,
                           struct piece **near)
{
    size_t end = base;
    for (int i = 0; i < planner->count; i++) {
        struct piece *piece = order[i];
        if (piece->passing == passing) {
            piece->offset = find_place(piece, order, i, base, near);
            end = end > piece->offset + piece->size ? end : piece->offset + piece->size;
        }
    }
    return end;
}

/* Which pieces no tile needs after a meeting. */
static void find_passing(struct planner *planner, int scratch)
{
    const struct plan *plan = planner->plan;
    for (int i = 0; i < planner->count && plan->cut_count > 0; i++) {
        struct piece *piece = &planner->pieces[i];
        piece->passing = 1;
        for (int k = 0; k < plan->cut_count && i != scratch; k++) {
            const int there = plan->cuts[k], back = 2 * planner->graph->count - there;
            if ((piece->first < there && there <= piece->last) ||
                (piece->first < back && back <= piece->last)) {
                piece->passing = 0;
            }
        }
    }
}

/* Offsets for all pieces, and the plan's sizes. `order` and `near` have room for a pointer each. */
static void place_all(struct planner *planner, int scratch, struct piece **order,
                      struct piece **near)
{
    struct plan *plan = planner->plan;
    find_passing(planner, scratch);
    for (int i = 0; i < planner->count; i++) {
        order[i] = &planner->pieces[i];
    }
    qsort(order, (size_t)planner->count, sizeof *order, by_size);
    plan->kept = place_pieces(planner, 0, 0, order, near);
    plan->floats = place_pieces(planner, 1, plan->kept, order, near);
    plan->scratch = planner->pieces[scratch].offset;
}

static struct value *value_of(const struct planner *planner, int node)
{
    return &planner->values[node + 1]; /* NETWORK_INPUT is -1 */
}

static struct value *content_of(const struct planner *planner, int node)
{
    return &planner->values[value_of(planner, node)->content];
}

/* Whether a node is nothing but its input. */
static int is_skipped(const struct plan *plan, const struct node *node)
{
    return (!plan->training && node->type->flags & LAYER_TRAINING_ONLY) ||
           (plan->folded && node->folded);
}

/* Whether exactly one input of one node is the output of node i. */
static int has_one_reader(const struct graph *graph, int i)
{
    int readers = 0;
    for (int k = i + 1; k < graph->count; k++) {
        for (int j = 0; j < graph->nodes[k].input_count; j++) {
            readers += graph->nodes[k].inputs[j] == i;
        }
    }
    return readers == 1;
}

/* The node that makes what node i reads first, or NONE: it is the input, or others read it too. */
static int maker_of(const struct planner *planner, int i)
{
    const struct graph *graph = planner->graph;
    for (int k = graph->nodes[i].inputs[0]; k != NETWORK_INPUT && has_one_reader(graph, k);
         k = graph->nodes[k].inputs[0]) {
        if (!is_skipped(planner->plan, &graph->nodes[k])) {
            return k;
        }
    }
    return NONE;
}

/* Whether the node can do the activation behind it too. */
static int does_too(const struct plan *plan, const struct node *node, const struct node *activation)
{
    if (node->type->flags & LAYER_DOES_NEXT) {
        return (activation->type->flags & LAYER_CHEAP) != 0;
    }
    return node->rectifies && plan->folded && (activation->type->flags & LAYER_ACTIVATION) &&
           activation->type->detail == ACTIVATION_RELU;
}

/* Which activations the node before them does too, whose only reader they are. */
static void find_done(struct planner *planner)
{
    const struct graph *graph = planner->graph;
    for (int i = 1; i < graph->count; i++) {
        const int maker = maker_of(planner, i);
        if (maker != NONE && does_too(planner->plan, &graph->nodes[maker], &graph->nodes[i])) {
            planner->plan->places[maker].does = &graph->nodes[i];
            value_of(planner, i)->done = 1;
        }
    }
}

/* In evaluation: which nodes do the activation before them too. It has no other reader. */
static void find_absorbed(struct planner *planner)
{
    const struct graph *graph = planner->graph;
    for (int i = 0; i < graph->count; i++) {
        const int before = graph->nodes[i].inputs[0];
        if (graph->nodes[i].absorbs && before != NETWORK_INPUT &&
            (graph->nodes[before].type->flags & LAYER_ACTIVATION) &&
            !value_of(planner, before)->done && has_one_reader(graph, before)) {
            planner->plan->places[i].absorbed = &graph->nodes[before];
            value_of(planner, before)->done = 1;
        }
    }
}

/* Which nodes run, where backward passes, and who reads what, and when last. */
static void find_readers(struct planner *planner)
{
    const struct graph *graph = planner->graph;
    const int training = planner->plan->training;
    for (int i = 0; i < graph->count; i++) {
        const struct node *node = &graph->nodes[i];
        const unsigned flags = node->type->flags;
        struct place *place = &planner->plan->places[i];
        struct value *value = value_of(planner, i);
        place->runs = !is_skipped(planner->plan, node) && !value->done;
        place->learns = training && node->trained;
        for (int k = 0; k < node->input_count; k++) {
            place->learns |= node->inputs[k] >= 0 && planner->plan->places[node->inputs[k]].learns;
        }
        value->content = place->runs ? i + 1 : value_of(planner, node->inputs[0])->content;
        value->gradient = NONE;
        value->kept |= place->runs && place->learns && (flags & LAYER_READS_Y);
        for (int k = 0; k < node->input_count && place->runs; k++) {
            struct value *content = content_of(planner, node->inputs[k]);
            content->last_read = i;
            content->kept |= place->learns && (flags & LAYER_READS_X);
        }
    }
    content_of(planner, graph->count - 1)->last_read = graph->count;
}

/* Whether node i may write its output over its first input. */
static int works_in_place(const struct planner *planner, int i)
{
    const struct node *node = &planner->graph->nodes[i];
    const struct value *content = content_of(planner, node->inputs[0]);
    return (node->type->flags & LAYER_IN_PLACE) && content->last_read == i && !content->kept;
}

/* Pieces for the outputs. */
static void plan_outputs(struct planner *planner)
{
    const struct graph *graph = planner->graph;
    const int n = graph->count;
    planner->values[0].piece = add_piece(planner, shape_size(graph->input) * LANES, -1, 0);
    for (int i = 0; i < n; i++) {
        const struct node *node = &graph->nodes[i];
        const struct place *place = &planner->plan->places[i];
        struct value *value = value_of(planner, i);
        for (int k = 0; k < node->input_count; k++) {
            const int piece = value_of(planner, node->inputs[k])->piece;
            keep_until(planner, piece, i);
            if (place->runs && place->learns && (node->type->flags & LAYER_READS_X)) {
                keep_until(planner, piece, 2 * n - i);
            }
        }
        value->piece = !place->runs || works_in_place(planner, i)
                           ? value_of(planner, node->inputs[0])->piece
                           : add_piece(planner, shape_size(node->out) * LANES, i, i);
        if (place->runs && place->learns && (node->type->flags & LAYER_READS_Y)) {
            keep_until(planner, value->piece, 2 * n - i);
        }
    }
    keep_until(planner, value_of(planner, n - 1)->piece, n);
}

/* The piece for the gradient by input k of node i, and what backward does with it. The gradient is
 * in the memory of dy where the node works in place there, or is done by the node before. */
static int plan_gradient(struct planner *planner, int i, int k, enum gradient *gradient)
{
    const int n = planner->graph->count;
    const struct node *node = &planner->graph->nodes[i];
    const int input = node->inputs[k], dy = value_of(planner, i)->gradient;
    struct value *value = value_of(planner, input);
    const size_t size = shape_size(node->ins[k]) * LANES;
    if (input == NETWORK_INPUT || !planner->plan->places[input].learns) {
        *gradient = GRADIENT_SKIP;
        return dy;
    }
    if (value->gradient != NONE) {
        *gradient = GRADIENT_ADD;
        keep_until(planner, value->gradient, 2 * n - input);
        return add_piece(planner, size, 2 * n - i, 2 * n - i);
    }
    *gradient = GRADIENT_WRITE;
    const int here = !planner->plan->places[i].runs ||
                     (k == 0 && node->type->flags & (LAYER_IN_PLACE | LAYER_DX_IN_PLACE));
    value->gradient = here ? dy : add_piece(planner, size, 2 * n - i, 2 * n - i);
    keep_until(planner, value->gradient, 2 * n - input);
    return value->gradient;
}

/* Pieces for the gradients; `pieces` gets one for each input of each node. */
static void plan_gradients(struct planner *planner, int *pieces)
{
    const struct graph *graph = planner->graph;
    const int n = graph->count;
    value_of(planner, n - 1)->gradient =
        add_piece(planner, shape_size(graph->nodes[n - 1].out) * LANES, n, n + 1);
    for (int i = n - 1; i >= 0; i--) {
        struct place *place = &planner->plan->places[i];
        for (int k = graph->nodes[i].input_count - 1; k >= 0 && place->learns; k--) {
            pieces[place->inputs - planner->plan->places[0].inputs + k] =
                plan_gradient(planner, i, k, &place->inputs[k].gradient);
        }
    }
}

/* The offsets of the pieces, into the plan. */
static void fill_places(struct planner *planner, const int *gradients)
{
    struct plan *plan = planner->plan;
    const struct graph *graph = planner->graph;
    for (int i = 0; i < graph->count; i++) {
        struct place *place = &plan->places[i];
        place->y = planner->pieces[value_of(planner, i)->piece].offset;
        if (place->learns) {
            place->dy = planner->pieces[value_of(planner, i)->gradient].offset;
        }
        for (int k = 0; k < graph->nodes[i].input_count && place->learns; k++) {
            place->inputs[k].dx =
                planner->pieces[gradients[place->inputs - plan->places[0].inputs + k]].offset;
        }
    }
    plan->input = planner->pieces[planner->values[0].piece].offset;
    plan->logits = plan->places[graph->count - 1].y;
    plan->dlogits = plan->places[graph->count - 1].dy;
}

int plan_make(struct plan *plan, const struct graph *graph, int purpose, struct arena *arena,
              struct error *e)
{
    const size_t n = (size_t)graph->count, edges = (size_t)graph->edges, most = 2 * n + edges + 3;
    const int training = purpose == PLAN_TRAINING;
    *plan = (struct plan){.training = training, .folded = purpose == PLAN_FOLDED};
    struct planner planner = {.graph = graph,
                              .plan = plan,
                              .pieces = arena_alloc(arena, most * sizeof *planner.pieces),
                              .values = arena_alloc(arena, (n + 1) * sizeof *planner.values)};
    struct piece **order = arena_alloc(arena, 2 * most * sizeof *order);
    int *gradients = arena_alloc(arena, edges * sizeof *gradients);
    struct edge *edge_places = arena_alloc(arena, edges * sizeof *edge_places);
    plan->places = arena_alloc(arena, n * sizeof *plan->places);
    plan->cuts = arena_alloc(arena, n * sizeof *plan->cuts);
    if (!planner.pieces || !planner.values || !order || !gradients || !edge_places || !plan->cuts ||
        !plan->places) {
        return error_memory(e, most * sizeof *planner.pieces);
    }
    for (size_t i = 0; i < n; i++) {
        plan->places[i].inputs = edge_places;
        edge_places += graph->nodes[i].input_count;
    }
    planner.values[0].gradient = NONE;
    for (int i = 0; i < graph->count && training; i++) {
        if (graph->nodes[i].couples) {
            plan->cuts[plan->cut_count++] = i;
        }
    }
    find_done(&planner);
    if (!training) {
        find_absorbed(&planner);
    }
    find_readers(&planner);
    plan_outputs(&planner);
    if (training) {
        plan_gradients(&planner, gradients);
    }
    const int scratch = add_piece(&planner, graph_scratch(graph), -1, 2 * graph->count + 1);
    place_all(&planner, scratch, order, order + most);
    fill_places(&planner, gradients);
    return 0;
}
