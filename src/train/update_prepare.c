/* update_prepare.c: which parameters are treated alike, found once before training. */
#include "train/trainer.h"

#include <string.h>

/* The penalties on a layer: its own, or the network's. */
static const struct regularize *regularize_of(const struct trainer *t, const struct node *node)
{
    const struct layer_options *options = node->options;
    return options->regularize.given ? &options->regularize : &t->model.settings.train.regularize;
}

/* Whether the two stand side by side and can be one piece. */
static int can_join(const struct piece *a, const struct piece *b)
{
    return a->end == b->begin && a->bias == b->bias && a->weights == b->weights && a->l1 == b->l1 &&
           a->l2 == b->l2;
}

static void add_piece(struct update *update, struct piece piece)
{
    struct piece *next = update->pieces + update->piece_count;
    if (update->piece_count > 0 && can_join(next - 1, &piece)) {
        next[-1].end = piece.end;
    } else {
        *next = piece;
        update->piece_count++;
    }
}

static void add_parameter(struct trainer *t, const struct node *node, const struct parameter *p)
{
    const void *options = t->model.settings.train.optimizer.options;
    const int spares = t->optimizer->spares && t->optimizer->spares(options);
    const struct regularize *r = regularize_of(t, node);
    const int weights = p->fan_in > 0, penalised = weights || r->biases;
    struct update *update = &t->update;
    add_piece(update,
              (struct piece){
                  .begin = p->offset,
                  .end = p->offset + (p->size + LANES - 1) / LANES * LANES,
                  .bias = t->model.settings.train.bias_lr != 1 && strcmp(p->suffix, "bias") == 0,
                  .weights = weights || !spares,
                  .l1 = penalised ? r->l1 : 0,
                  .l2 = penalised ? r->l2 : 0,
              });
    if (weights && r->max_norm > 0) {
        const size_t rows = (size_t)p->dims[0];
        update->bounded[update->bounded_count++] =
            (struct bounded){p->offset, rows, p->size / rows, r->max_norm};
    }
}

int update_prepare(struct trainer *t, struct error *e)
{
    const struct graph *graph = &t->model.graph;
    const size_t most = (size_t)graph->count * MOST_PARAMETERS;
    struct update *update = &t->update;
    update->pieces = arena_alloc(&t->model.arena, most * sizeof *update->pieces);
    update->bounded = arena_alloc(&t->model.arena, most * sizeof *update->bounded);
    if (!update->pieces || !update->bounded) {
        return error_memory(e, most * sizeof *update->pieces);
    }
    for (int i = 0; i < graph->count; i++) {
        const struct needs *needs = &graph->nodes[i].needs;
        for (int k = 0; k < needs->parameter_count; k++) {
            if (!needs->parameters[k].fixed) {
                add_parameter(t, &graph->nodes[i], &needs->parameters[k]);
            }
        }
    }
    return 0;
}

size_t update_squares(const struct trainer *t)
{
    return t->model.settings.train.clip_norm > 0
               ? (t->model.graph.moved + UPDATE_RANGE - 1) / UPDATE_RANGE
               : 0;
}
