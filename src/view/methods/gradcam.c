/* gradcam.c: Selvaraju, Cogswell, Das, Vedantam, Parikh, Batra 2017, "Grad-CAM: visual explanations
 * from deep networks via gradient-based localization". With the maps A[k][i][j] of a layer and the
 * score s of the class,
 *
 *     alpha[k] = mean over i, j of ds / dA[k][i][j]
 *     map[i][j] = max(0, sum over k of alpha[k] A[k][i][j])
 *
 * spread to the image's size: bilinear, pixels being squares. The layer is the last one with maps,
 * as it is before any pooling: there maps say most and still say where. */
#include "view/method.h"
#include "view/unit.h"

#include <math.h>
#include <stdlib.h>

struct gradcam {
    const char *layer;
};

static const struct option OPTIONS[] = {
    {.key = "layer",
     .kind = &OPTION_TEXT,
     .offset = offsetof(struct gradcam, layer),
     .fallback = "",
     .help = "whose maps are weighed (default: the last with maps, before any pooling)"},
    OPTION_END,
};

static int has_maps(const struct node *node) { return node->out.h * node->out.w > 1; }

/* Of few parameters and a smaller map than before: a pooling. */
static int only_shrinks(const struct node *node)
{
    return node->count == 0 && node->input_count == 1 && node->in.c == node->out.c &&
           node->in.h * node->in.w > node->out.h * node->out.w;
}

static int passes_on(const struct node *node)
{
    return (node->type->flags & LAYER_TRAINING_ONLY) != 0;
}

/* The node whose output it is; -1: no layer has maps. */
static int choose_node(const struct graph *graph)
{
    int i = graph->count - 1;
    while (i >= 0 && !has_maps(&graph->nodes[i])) {
        i--;
    }
    while (i >= 0 && (only_shrinks(&graph->nodes[i]) || passes_on(&graph->nodes[i])) &&
           graph->nodes[i].inputs[0] >= 0) {
        i = graph->nodes[i].inputs[0];
    }
    return i;
}

static int find_node(const struct gradcam *o, const struct model *model, int *node, struct error *e)
{
    struct unit unit;
    if (o->layer == NULL) {
        *node = choose_node(&model->graph);
        return *node >= 0
                   ? 0
                   : error_set(e, ERROR_USAGE, "--method gradcam", "no layer has maps to weigh");
    }
    TRY(unit_find_layer(&unit, model, "--method gradcam:", o->layer, e));
    *node = unit.output;
    if (!has_maps(&model->graph.nodes[unit.output])) {
        return error_set(e, ERROR_USAGE, "--method gradcam",
                         "layer '%s' gives a vector: it has no maps to weigh", unit.name);
    }
    return 0;
}

/* sum[h][w], from lane 0. */
static void weigh_maps(const float *y, const float *dy, struct shape s, double *sum)
{
    const size_t plane = (size_t)s.h * (size_t)s.w;
    for (size_t c = 0; c < (size_t)s.c; c++, y += plane * LANES, dy += plane * LANES) {
        double alpha = 0;
        for (size_t i = 0; i < plane; i++) {
            alpha += (double)dy[i * LANES];
        }
        for (size_t i = 0; i < plane; i++) {
            sum[i] += alpha / (double)plane * (double)y[i * LANES];
        }
    }
    for (size_t i = 0; i < plane; i++) {
        sum[i] = sum[i] > 0 ? sum[i] : 0;
    }
}

/* Where the middle of place i of `to` lies among `from` places, and the share of the next one. */
static int place_of(int i, int from, int to, double *share)
{
    double at = (i + 0.5) * from / to - 0.5;
    at = at < 0 ? 0 : at > from - 1 ? from - 1 : at;
    const int before = at >= from - 1 ? (from > 1 ? from - 2 : 0) : (int)at;
    *share = at - before;
    return before;
}

static void spread(const double *from, int from_h, int from_w, float *to, int h, int w)
{
    for (int y = 0; y < h; y++) {
        double down, right;
        const int top = place_of(y, from_h, h, &down), below = from_h > 1 ? top + 1 : top;
        for (int x = 0; x < w; x++) {
            const int left = place_of(x, from_w, w, &right), beside = from_w > 1 ? left + 1 : left;
            const double upper = from[top * from_w + left] * (1 - right) +
                                 from[top * from_w + beside] * right,
                         lower = from[below * from_w + left] * (1 - right) +
                                 from[below * from_w + beside] * right;
            to[(size_t)y * (size_t)w + (size_t)x] = (float)(upper * (1 - down) + lower * down);
        }
    }
}

static int gradcam_find(const void *options, const struct question *question, float *map,
                        struct error *e)
{
    const struct graph *graph = question->probe->graph;
    int node;
    TRY(find_node(options, question->view->model, &node, e));
    const struct shape s = graph->nodes[node].out;
    double *sum = calloc((size_t)s.h * (size_t)s.w, sizeof *sum);
    if (sum == NULL) {
        return error_memory(e, (size_t)s.h * (size_t)s.w * sizeof *sum);
    }
    method_backward(question, NULL);
    weigh_maps(probe_output(question->probe, node), probe_gradient(question->probe, node), s, sum);
    spread(sum, s.h, s.w, map, graph->input.h, graph->input.w);
    free(sum);
    return 0;
}

extern const struct method METHOD_gradcam;
const struct method METHOD_gradcam = {
    .member = {.name = "gradcam",
               .help = "maps of a late layer, weighed by their mean gradients",
               .options = OPTIONS,
               .size = sizeof(struct gradcam)},
    .find = gradcam_find,
};
