/* examine.c: see examine.h. */
#include "teach/examine.h"

#include "teach/walk.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { LOOKED_AT = 1024 };

static int add_tile(void *user, const struct evaluated_tile *tile)
{
    struct metrics *metrics = user;
    for (int lane = 0; lane < tile->live; lane++) {
        metrics_add(metrics, tile->p + lane, LANES, tile->labels[lane], tile->loss[lane],
                    tile->weight[lane]);
    }
    return 0;
}

static int measure(struct patient *p, struct error *e)
{
    const struct trainer *t = &p->trainer;
    const struct subset *set = t->validation.count > 0 ? &t->validation : &t->train;
    struct evaluator evaluator = {0};
    p->set_name = t->validation.count > 0 ? "validation" : "training";
    TRY(metrics_open(&p->metrics, p->classes, 1, e));
    int status =
        evaluator_open(&evaluator, &p->model.graph, &p->model.input, &p->model.settings.train.loss,
                       p->model.parameters, t->kernels, p->classes, t->threads, &p->arena, e);
    if (status == 0) {
        evaluate(&evaluator, set, add_tile, &p->metrics);
        status = dataset_failed(set->set, e);
    }
    evaluator_close(&evaluator);
    return status;
}

static int count_images(struct patient *p, struct error *e)
{
    const struct subset *train = &p->trainer.train;
    p->train_images = arena_alloc(&p->arena, (size_t)p->classes * sizeof *p->train_images);
    if (!p->train_images) {
        return error_memory(e, (size_t)p->classes * sizeof *p->train_images);
    }
    for (size_t i = 0; i < train->count; i++) {
        const int label = train->set->labels[train->index[i]];
        p->train_images[label] += label < p->classes;
    }
    return 0;
}

/* ---- rectifiers ---- */

/* Mark the channels of a node that gave something else than 0. */
static void mark(const struct node *node, const float *y, int live, char *alive)
{
    const size_t pixels = (size_t)node->out.h * (size_t)node->out.w;
    for (int c = 0; c < node->out.c; c++) {
        for (size_t i = 0; i < pixels && !alive[c]; i++) {
            for (int lane = 0; lane < live; lane++) {
                alive[c] |= y[((size_t)c * pixels + i) * LANES + lane] != 0;
            }
        }
    }
}

static int can_die(const struct node *node)
{
    return (node->type->flags & LAYER_RECTIFIES) && (node->type->flags & LAYER_ACTIVATION);
}

/* Rooms for the marks of all channels of the rectifiers, and the rows of the result. */
static int make_room(struct patient *p, char **alive, struct error *e)
{
    const struct graph *graph = &p->model.graph;
    size_t channels = 0;
    for (int i = 0; i < graph->count; i++) {
        channels += can_die(&graph->nodes[i]) ? (size_t)graph->nodes[i].out.c : 0;
        p->rectified_count += can_die(&graph->nodes[i]);
    }
    *alive = arena_alloc(&p->arena, channels + 1);
    p->rectified = arena_alloc(&p->arena, ((size_t)p->rectified_count + 1) * sizeof *p->rectified);
    if (!*alive || !p->rectified) {
        return error_memory(e, channels + 1);
    }
    for (int i = 0, k = 0; i < graph->count; i++) {
        if (can_die(&graph->nodes[i])) {
            p->rectified[k++] = (struct rectified){&graph->nodes[i], graph->nodes[i].out.c, 0};
        }
    }
    return 0;
}

static void watch_tiles(struct patient *p, struct walk *walk, float *tile, char *alive)
{
    const struct subset *train = &p->trainer.train;
    const struct run run = {.kernels = p->trainer.kernels, .parameters = p->model.parameters};
    p->looked_at = train->count < LOOKED_AT ? train->count : LOOKED_AT;
    for (size_t first = 0; first < p->looked_at; first += LANES) {
        struct labels labels;
        uint32_t index[LANES];
        const int live = (int)(p->looked_at - first < LANES ? p->looked_at - first : LANES);
        /* spread over the set, whose classes may stand one after the other */
        for (int lane = 0; lane < live; lane++) {
            const size_t at = (first + (size_t)lane) * train->count / p->looked_at;
            index[lane] = train->index[at];
        }
        input_tile(&p->model.input, train->set, index, live, tile, &labels, run.kernels);
        walk_forward(walk, &run, NULL, tile, 0, NULL);
        char *marks = alive;
        for (int k = 0; k < p->rectified_count; k++) {
            const struct node *node = p->rectified[k].node;
            mark(node, walk->y[node->index], live, marks);
            marks += node->out.c;
        }
    }
}

static int watch_rectifiers(struct patient *p, struct error *e)
{
    struct walk walk;
    char *alive = NULL;
    float *tile = block_allocate(shape_size(p->model.graph.input) * LANES * sizeof *tile);
    int status = tile ? walk_open(&walk, &p->model.graph, &p->arena, e)
                      : error_memory(e, shape_size(p->model.graph.input) * LANES * sizeof *tile);
    if (tile && status == 0) {
        status = make_room(p, &alive, e);
    }
    if (status == 0) {
        watch_tiles(p, &walk, tile, alive);
        for (int k = 0; k < p->rectified_count; k++) {
            for (int c = 0; c < p->rectified[k].units; c++) {
                p->rectified[k].dead += !*alive++;
            }
        }
        status = dataset_failed(p->trainer.train.set, e);
    }
    if (tile) {
        walk_close(&walk);
    }
    free(tile);
    return status;
}

int examine(struct patient *p, struct error *e)
{
    TRY(measure(p, e));
    TRY(count_images(p, e));
    return watch_rectifiers(p, e);
}
