/* plan.c: lifetimes, and places for them.
 *
 * Time runs forward through the layers (layer i at time i, of n), to the loss (n), and back (layer
 * i at 2n - i). The output of layer i is needed until the next layer has read it, and, in training,
 * until the last backward that reads it. A layer that may work in place takes over its input's
 * memory when nobody else wants the input as it was. Pieces are placed largest first, each at the
 * lowest offset where it meets no piece of overlapping life. */
#include "net/plan.h"

#include <stdlib.h>

/* A stretch of memory and when it is in use, ends included. */
struct piece {
    size_t size, offset;
    int first, last;
};

struct planner {
    struct piece *pieces;
    int count;
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

/* Place all pieces; returns the size of the block. `order` and `near` have room for a pointer each.
 */
static size_t place_pieces(struct planner *planner, struct piece **order, struct piece **near)
{
    size_t total = 0;
    for (int i = 0; i < planner->count; i++) {
        order[i] = &planner->pieces[i];
    }
    qsort(order, (size_t)planner->count, sizeof *order, by_size);
    for (int i = 0; i < planner->count; i++) {
        struct piece *piece = order[i];
        int neighbours = 0;
        for (int k = 0; k < i; k++) {
            if (order[k]->first <= piece->last && piece->first <= order[k]->last) {
                near[neighbours++] = order[k];
            }
        }
        qsort(near, (size_t)neighbours, sizeof *near, by_offset);
        piece->offset = 0;
        for (int k = 0; k < neighbours; k++) {
            if (piece->offset + piece->size <= near[k]->offset) {
                break;
            }
            size_t end = near[k]->offset + near[k]->size;
            piece->offset = piece->offset > end ? piece->offset : end;
        }
        if (total < piece->offset + piece->size) {
            total = piece->offset + piece->size;
        }
    }
    return total;
}

/* Whether layer i may write its output over its input. */
static int works_in_place(const struct graph *graph, int i)
{
    return (graph->nodes[i].type->flags & LAYER_IN_PLACE) &&
           (i == 0 || !(graph->nodes[i - 1].type->flags & LAYER_READS_Y));
}

/* Pieces for the outputs: y[0] is the input tile, y[i + 1] the output of layer i. */
static void plan_outputs(struct plan *plan, const struct graph *graph, struct planner *planner,
                         int *y)
{
    const int n = graph->count;
    y[0] = add_piece(planner, shape_size(graph->input) * LANES, -1, 0);
    for (int i = 0; i < n; i++) {
        const struct node *node = &graph->nodes[i];
        plan->places[i].runs = plan->training || !(node->type->flags & LAYER_TRAINING_ONLY);
        keep_until(planner, y[i], i);
        if (!plan->places[i].runs || (works_in_place(graph, i) && plan->training) ||
            (!plan->training && (node->type->flags & LAYER_IN_PLACE))) {
            y[i + 1] = y[i];
        } else {
            y[i + 1] = add_piece(planner, shape_size(node->out) * LANES, i, i);
        }
        if (plan->training && (node->type->flags & LAYER_READS_X)) {
            keep_until(planner, y[i], 2 * n - i);
        }
        if (plan->training && (node->type->flags & LAYER_READS_Y)) {
            keep_until(planner, y[i + 1], 2 * n - i);
        }
    }
    keep_until(planner, y[n], n);
}

/* Pieces for the gradients: dy[i] belongs to the output of layer i. */
static void plan_gradients(struct plan *plan, const struct graph *graph, struct planner *planner,
                           int *dy)
{
    const int n = graph->count;
    plan->first_backward = 0;
    while (!graph->nodes[plan->first_backward].trained) {
        plan->first_backward++;
    }
    dy[n - 1] = add_piece(planner, shape_size(graph->nodes[n - 1].out) * LANES, n, n + 1);
    for (int i = n - 1; i > plan->first_backward; i--) {
        const struct node *node = &graph->nodes[i];
        plan->places[i].has_dx = 1;
        if (node->type->flags & LAYER_IN_PLACE) {
            dy[i - 1] = dy[i];
            keep_until(planner, dy[i], 2 * n - (i - 1));
        } else {
            dy[i - 1] =
                add_piece(planner, shape_size(node->in) * LANES, 2 * n - i, 2 * n - (i - 1));
        }
    }
}

int plan_make(struct plan *plan, const struct graph *graph, int training, struct arena *arena,
              struct error *e)
{
    const int n = graph->count;
    *plan = (struct plan){.training = training};
    const size_t most = 2 * (size_t)n + 3;
    struct planner planner = {.pieces = arena_alloc(arena, most * sizeof *planner.pieces)};
    struct piece **order = arena_alloc(arena, 2 * most * sizeof *order);
    int *index = arena_alloc(arena, 2 * ((size_t)n + 1) * sizeof *index);
    plan->places = arena_alloc(arena, (size_t)n * sizeof *plan->places);
    if (!planner.pieces || !order || !index || !plan->places) {
        return error_memory(e, most * sizeof *planner.pieces);
    }
    int *y = index, *dy = index + n + 1;
    plan_outputs(plan, graph, &planner, y);
    if (training) {
        plan_gradients(plan, graph, &planner, dy);
    }
    size_t scratch_size = 0;
    for (int i = 0; i < n; i++) {
        const size_t need = graph->nodes[i].needs.scratch;
        scratch_size = scratch_size > need ? scratch_size : need;
    }
    const int scratch = add_piece(&planner, scratch_size, -1, 2 * n + 1);
    plan->floats = place_pieces(&planner, order, order + most);
    plan->input = planner.pieces[y[0]].offset;
    plan->logits = planner.pieces[y[n]].offset;
    plan->scratch = planner.pieces[scratch].offset;
    for (int i = 0; i < n; i++) {
        plan->places[i].y = planner.pieces[y[i + 1]].offset;
        if (training && i >= plan->first_backward) {
            plan->places[i].dy = planner.pieces[dy[i]].offset;
        }
    }
    if (training) {
        plan->dlogits = plan->places[n - 1].dy;
    }
    return 0;
}
