/* probe.c: see probe.h. Every output has memory of its own, so no lifetimes are planned: a layer
 * that could work in place does not, and one that only passes its input on has its input's. */
#include "view/probe.h"

#include "base/arena.h"

#include <stdlib.h>
#include <string.h>

static size_t floats_of(struct shape s) { return shape_size(s) * LANES; }

/* Which outputs are the same numbers, and where the others stand. Returns the greatest of them. */
static size_t place_outputs(struct probe *probe)
{
    size_t most = floats_of(probe->graph->input);
    probe->size = most;
    for (int i = 0; i < probe->graph->count; i++) {
        const struct node *node = &probe->graph->nodes[i];
        const size_t own = floats_of(node->out);
        if (node->type->flags & LAYER_TRAINING_ONLY) {
            probe->content[i + 1] = probe->content[node->inputs[0] + 1];
        } else {
            probe->content[i + 1] = i + 1;
            probe->place[i + 1] = probe->size;
            probe->size += own;
        }
        most = most > own ? most : own;
    }
    return most;
}

int probe_open(struct probe *probe, const struct graph *graph, const float *parameters,
               const struct kernels *kernels, int gradients, struct error *e)
{
    const size_t n = (size_t)graph->count;
    *probe = (struct probe){
        .graph = graph,
        .nodes = malloc(n * sizeof *probe->nodes),
        .content = calloc(n + 1, sizeof *probe->content),
        .place = calloc(n + 1, sizeof *probe->place),
        .reached = calloc(n + 1, 1),
    };
    if (probe->nodes == NULL || probe->content == NULL || probe->place == NULL ||
        probe->reached == NULL) {
        return error_memory(e, n * sizeof *probe->nodes);
    }
    memcpy(probe->nodes, graph->nodes, n * sizeof *probe->nodes);
    for (size_t i = 0; i < n; i++) {
        probe->nodes[i].trained = probe->nodes[i].couples = 0;
    }
    const size_t most = place_outputs(probe), scratch = graph_scratch(graph);
    const size_t bytes =
        (probe->size * (gradients ? 2 : 1) + most + scratch + LANES) * sizeof(float);
    probe->y = block_allocate(bytes);
    if (probe->y == NULL) {
        return error_memory(e, bytes);
    }
    probe->spare = probe->y + probe->size;
    probe->run =
        (struct run){.kernels = kernels, .parameters = parameters, .scratch = probe->spare + most};
    probe->dy = gradients ? probe->run.scratch + (scratch + LANES - 1) / LANES * LANES : NULL;
    for (int lane = 0; lane < LANES; lane++) {
        probe->run.live[lane] = 1;
    }
    return 0;
}

void probe_close(struct probe *probe)
{
    free(probe->nodes);
    free(probe->content);
    free(probe->place);
    free(probe->reached);
    free(probe->y);
    *probe = (struct probe){0};
}

struct probe *probes_open(int count, const struct graph *graph, const float *parameters,
                          const struct kernels *kernels, int gradients, struct error *e)
{
    const size_t bytes = (size_t)count * sizeof(struct probe);
    struct probe *probes = block_allocate(bytes); /* a run is aligned */
    if (probes == NULL) {
        error_memory(e, bytes);
        return NULL;
    }
    memset(probes, 0, bytes);
    for (int i = 0; i < count; i++) {
        if (probe_open(&probes[i], graph, parameters, kernels, gradients && i == 0, e) != 0) {
            probes_close(probes, count);
            return NULL;
        }
    }
    return probes;
}

void probes_close(struct probe *probes, int count)
{
    for (int i = 0; i < count && probes != NULL; i++) {
        probe_close(&probes[i]);
    }
    free(probes);
}

float *probe_output(const struct probe *probe, int node)
{
    return probe->y + probe->place[probe->content[node + 1]]; /* NETWORK_INPUT is -1 */
}

float *probe_gradient(const struct probe *probe, int node)
{
    return probe->dy + probe->place[probe->content[node + 1]];
}

void probe_put(struct probe *probe, int lane, const float *x)
{
    const size_t n = shape_size(probe->graph->input);
    const int first = lane < 0 ? 0 : lane, last = lane < 0 ? LANES - 1 : lane;
    for (size_t i = 0; i < n; i++) {
        for (int k = first; k <= last; k++) {
            probe->y[i * LANES + (size_t)k] = x[i];
        }
    }
}

void probe_take(const float *tile, size_t n, int lane, float *planes)
{
    for (size_t i = 0; i < n; i++) {
        planes[i] = tile[i * LANES + (size_t)lane];
    }
}

static int passes_on(const struct probe *probe, int i) { return probe->content[i + 1] != i + 1; }

void probe_forward(struct probe *probe, int last)
{
    for (int i = 0; i <= last; i++) {
        const struct node *node = &probe->nodes[i];
        for (int k = 0; k < node->input_count && !passes_on(probe, i); k++) {
            probe->run.input = k;
            node->type->forward(node, &probe->run, probe_output(probe, node->inputs[k]),
                                probe_output(probe, i));
        }
    }
}

void probe_clear(struct probe *probe)
{
    memset(probe->dy, 0, probe->size * sizeof *probe->dy);
    memset(probe->reached, 0, (size_t)probe->graph->count + 1);
}

static void backward_input(struct probe *probe, int i, int k, rectifier_rule *rule)
{
    const struct node *node = &probe->nodes[i];
    const int input = node->inputs[k];
    const float *x = probe_output(probe, input), *y = probe_output(probe, i),
                *dy = probe_gradient(probe, i);
    probe->run.input = k;
    if (rule != NULL && (node->type->flags & LAYER_RECTIFIES)) {
        rule(node, &probe->run, x, y, dy, probe->spare);
    } else {
        node->type->backward(node, &probe->run, x, y, dy, probe->spare);
    }
    probe->run.kernels->add(floats_of(node->ins[k]), probe->spare, probe_gradient(probe, input));
    probe->reached[probe->content[input + 1]] = 1;
}

void probe_backward(struct probe *probe, int from, rectifier_rule *rule)
{
    probe->reached[probe->content[from + 1]] = 1;
    for (int i = from; i >= 0; i--) {
        const struct node *node = &probe->nodes[i];
        for (int k = node->input_count - 1; k >= 0 && probe->reached[i + 1] && !passes_on(probe, i);
             k--) {
            backward_input(probe, i, k, rule);
        }
    }
}
