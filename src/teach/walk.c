/* walk.c: see walk.h. */
#include "teach/walk.h"

#include <stdlib.h>
#include <string.h>

int walk_open(struct walk *walk, const struct graph *graph, struct arena *arena, struct error *e)
{
    size_t floats = 0, scratch = 0;
    *walk = (struct walk){.graph = graph,
                          .y = arena_alloc(arena, (size_t)graph->count * sizeof *walk->y),
                          .own = arena_alloc(arena, (size_t)graph->count * sizeof *walk->own)};
    for (int i = 0; i < graph->count; i++) {
        const struct node *node = &graph->nodes[i];
        floats += shape_size(node->out) * LANES;
        scratch = node->needs.scratch > scratch ? node->needs.scratch : scratch;
    }
    walk->scratch = floats;
    floats += (scratch + 15) / 16 * 16;
    walk->memory = block_allocate((floats + 16) * sizeof *walk->memory);
    walk->sums = calloc(graph->sums + 1, sizeof *walk->sums);
    walk->shared = block_allocate((graph->shared + 16) * sizeof *walk->shared);
    if (!walk->y || !walk->own || !walk->memory || !walk->sums || !walk->shared) {
        return error_memory(e, floats * sizeof *walk->memory);
    }
    float *at = walk->memory;
    for (int i = 0; i < graph->count; i++) {
        walk->own[i] = at;
        at += shape_size(graph->nodes[i].out) * LANES;
    }
    return 0;
}

void walk_close(struct walk *walk)
{
    free(walk->memory);
    free(walk->sums);
    free(walk->shared);
    walk->memory = walk->shared = NULL;
    walk->sums = NULL;
}

const float *walk_input(const struct walk *walk, const struct node *node, int k)
{
    return node->inputs[k] == NETWORK_INPUT ? walk->input : walk->y[node->inputs[k]];
}

/* A layer that must know of the whole batch: which is this tile. */
static void meet(struct walk *walk, const struct node *node, const struct run *run,
                 float *parameters)
{
    struct meeting meeting = {1, 0, walk->sums, walk->graph->sums};
    for (int lane = 0; lane < LANES; lane++) {
        meeting.samples += run->live[lane] > 0;
    }
    node->type->coupling->gather(node, run, walk_input(walk, node, 0), walk->sums);
    node->type->coupling->meet(node, run, &meeting, parameters);
}

static void pass(struct walk *walk, const struct node *node, struct run *run, float *parameters,
                 const struct walk *base)
{
    float *y = walk->own[node->index];
    walk->y[node->index] = y;
    run->shared = run->training ? walk->shared : NULL;
    if (!run->training && (node->type->flags & LAYER_TRAINING_ONLY)) {
        walk->y[node->index] = walk_input(walk, node, 0);
        return;
    }
    if (run->training && node->type->prepare && node->needs.shared > 0) {
        node->type->prepare(node, run, 0, 1); /* so that its kernel is the one that trains */
    }
    if (run->training && node->couples) {
        meet(walk, node, run, parameters);
    }
    if (base && node->type->hold) {
        walk->crossed +=
            node->type->hold(node, run, walk_input(base, node, 0), walk_input(walk, node, 0), y);
        return;
    }
    for (int k = 0; k < node->input_count; k++) {
        run->input = k;
        node->type->forward(node, run, walk_input(walk, node, k), y);
    }
}

void walk_forward(struct walk *walk, const struct run *like, float *parameters, const float *input,
                  int first, const struct walk *base)
{
    struct run run = *like;
    run.parameters = parameters ? parameters : like->parameters;
    run.folded = 0;
    run.does = NULL;
    run.scratch = walk->memory + walk->scratch;
    walk->input = input;
    walk->crossed = 0;
    for (int i = 0; i < first; i++) {
        walk->y[i] = base->y[i];
    }
    for (int i = first; i < walk->graph->count; i++) {
        pass(walk, &walk->graph->nodes[i], &run, parameters, base);
    }
}
