/* unit.c: see unit.h. */
#include "view/unit.h"

#include "base/text.h"

#include <stdio.h>
#include <string.h>

void unit_of_node(struct unit *unit, const struct graph *graph, int node)
{
    while (graph->nodes[node].attached) {
        node = graph->nodes[node].inputs[0];
    }
    *unit = (struct unit){.node = node, .output = node, .channel = -1};
    if (node + 1 < graph->count && graph->nodes[node + 1].attached) {
        unit->output = node + 1;
    }
    snprintf(unit->name, sizeof unit->name, "%s", graph->nodes[node].name);
}

/* What stands before the fault: the option as it was given. */
static void show_place(char *place, size_t size, const char *option, const char *text)
{
    char safe[400];
    text_escape(safe, sizeof safe, text, strlen(text));
    snprintf(place, size, "%s %s", option, safe);
}

static int report_unknown(const struct graph *graph, const char *place, const char *layer,
                          struct error *e)
{
    const char *names[MOST_LAYERS + 1];
    char safe[400];
    int count = 0;
    for (int i = 0; i < graph->count && count < MOST_LAYERS; i++) {
        if (!graph->nodes[i].attached) {
            names[count++] = graph->nodes[i].name;
        }
    }
    names[count] = NULL;
    text_escape(safe, sizeof safe, layer, strlen(layer));
    const char *closest = text_closest(layer, names);
    if (closest != NULL) {
        return error_set(e, ERROR_USAGE, place, "no layer '%s'; did you mean '%s'?", safe, closest);
    }
    return error_set(e, ERROR_USAGE, place, "no layer '%s'; the summary lists them", safe);
}

static int find_layer(struct unit *unit, const struct model *model, const char *place,
                      const char *layer, struct error *e)
{
    const struct graph *graph = &model->graph;
    for (int i = 0; i < graph->count; i++) {
        if (!graph->nodes[i].attached && strcmp(graph->nodes[i].name, layer) == 0) {
            unit_of_node(unit, graph, i);
            return 0;
        }
    }
    return report_unknown(graph, place, layer, e);
}

int unit_find_layer(struct unit *unit, const struct model *model, const char *option,
                    const char *layer, struct error *e)
{
    char place[1024];
    show_place(place, sizeof place, option, layer);
    return find_layer(unit, model, place, layer, e);
}

/* A number, or of the last layer a class. -1: neither. */
static long long channel_of(const struct model *model, const struct unit *unit, const char *text)
{
    long long number;
    if (text_to_integer(text, strlen(text), &number) == 0) {
        return number;
    }
    for (int k = 0; unit->output == model->graph.count - 1 && k < model->classes.count; k++) {
        if (strcmp(model->classes.values[k], text) == 0) {
            return k;
        }
    }
    return -1;
}

int unit_find(struct unit *unit, const struct model *model, const char *option, const char *text,
              int all, struct error *e)
{
    char layer[256], place[1024];
    const char *colon = strrchr(text, ':');
    const size_t length = colon != NULL ? (size_t)(colon - text) : strlen(text);
    show_place(place, sizeof place, option, text);
    if (colon == NULL && !all) {
        return error_set(e, ERROR_USAGE, place, "a unit is meant: LAYER:UNIT, as in '%.200s:0'",
                         model->graph.nodes[0].name);
    }
    snprintf(layer, sizeof layer, "%.*s", (int)(length < sizeof layer ? length : 255), text);
    TRY(find_layer(unit, model, place, layer, e));
    if (colon == NULL) {
        return 0;
    }
    const int count = model->graph.nodes[unit->output].out.c;
    const long long channel = channel_of(model, unit, colon + 1);
    if (channel < 0 || channel >= count) {
        return error_set(e, ERROR_USAGE, place, "layer '%s' has units 0 to %d", layer, count - 1);
    }
    unit->channel = (int)channel;
    return 0;
}
