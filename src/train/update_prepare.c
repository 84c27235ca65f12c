/* update_prepare.c: which parameters are treated alike, found once before training. */
#include "net/team.h"
#include "train/trainer.h"

#include <omp.h>
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

/* Those of the nodes that defer, or of the others: as they follow each other in the flat vector. */
static void add_parameters(struct trainer *t, int defers)
{
    const struct graph *graph = &t->model.graph;
    for (int i = 0; i < graph->count; i++) {
        const struct node *node = &graph->nodes[i];
        for (int k = 0; k < node->needs.parameter_count && node->defers == defers; k++) {
            if (!node->needs.parameters[k].fixed) {
                add_parameter(t, node, &node->needs.parameters[k]);
            }
        }
    }
}

static size_t ranges_of(const struct stretch *stretch)
{
    return (stretch->end - stretch->begin + UPDATE_RANGE - 1) / UPDATE_RANGE;
}

/* How many ranges all stretches have. */
static size_t count_ranges(const struct update *update)
{
    const struct stretch *last = update->stretches + update->stretch_count - 1;
    return update->stretch_count > 0 ? last->number + ranges_of(last) : 0;
}

/* The next stretch, from the end of the last to `end`. */
static void add_stretch(struct update *update, size_t end, int own)
{
    const int count = update->stretch_count;
    const size_t begin = count > 0 ? update->stretches[count - 1].end : 0;
    if (end > begin) {
        update->stretches[count] = (struct stretch){begin, end, count_ranges(update), own};
        update->stretch_count++;
    }
}

static void cut_stretches(struct update *update, const struct graph *graph, int teams)
{
    add_stretch(update, graph->summed, 0);
    for (int i = 0; i < graph->count; i++) {
        const struct needs *needs = &graph->nodes[i].needs;
        if (graph->nodes[i].defers) {
            const struct parameter *last = &needs->parameters[needs->parameter_count - 1];
            add_stretch(update, last->offset + (last->size + LANES - 1) / LANES * LANES,
                        teams && team_spares(&graph->nodes[i]));
        }
    }
}

int update_next(const struct update *update, struct update_range *range)
{
    while (range->next == range->end) {
        if (range->stretch + 1 == update->stretch_count) {
            return 0;
        }
        const size_t ranges = ranges_of(&update->stretches[++range->stretch]),
                     me = (size_t)omp_get_thread_num(), threads = (size_t)omp_get_num_threads();
        range->next = ranges * me / threads;
        range->end = ranges * (me + 1) / threads;
    }
    const struct stretch *stretch = &update->stretches[range->stretch];
    range->first = stretch->begin + range->next * UPDATE_RANGE;
    range->n =
        stretch->end - range->first < UPDATE_RANGE ? stretch->end - range->first : UPDATE_RANGE;
    range->number = stretch->number + range->next++;
    return 1;
}

int update_prepare(struct trainer *t, struct error *e)
{
    const struct graph *graph = &t->model.graph;
    const size_t most = (size_t)graph->count * MOST_PARAMETERS;
    struct update *update = &t->update;
    update->pieces = arena_alloc(&t->model.arena, most * sizeof *update->pieces);
    update->bounded = arena_alloc(&t->model.arena, most * sizeof *update->bounded);
    update->stretches =
        arena_alloc(&t->model.arena, ((size_t)graph->count + 1) * sizeof *update->stretches);
    if (!update->pieces || !update->bounded || !update->stretches) {
        return error_memory(e, most * sizeof *update->pieces);
    }
    cut_stretches(update, graph, trainer_teams(t, t->batch_tiles, t->shards));
    add_parameters(t, 0);
    add_parameters(t, 1);
    return 0;
}

size_t update_squares(const struct trainer *t)
{
    return t->model.settings.train.clip_norm > 0 ? count_ranges(&t->update) : 0;
}
