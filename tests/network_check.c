/* network_check.c: networks from text. */
#include "network_check.h"

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

static int build(struct network_case *c, const char *text, struct shape input)
{
    struct decoder decoder = {&c->arena, &c->errors};
    const struct option row = {.key = "network", .kind = &OPTION_NETWORK};
    c->list = yaml_parse(&c->arena, "t.yaml", text, strlen(text), &c->errors);
    if (!c->list || OPTION_NETWORK.decode(&row, &c->network, c->list, &decoder) != 0) {
        return -1;
    }
    ref_network_build(&c->ref, c->list, input.c, input.h, input.w);
    return graph_build(&c->graph, &c->network, input, &c->arena, &c->errors);
}

/* Sizes as the reference sees them. */
static void compare(const struct network_case *c, const char *text)
{
    assert_int_equal(c->graph.count, c->ref.count);
    assert_int_equal(c->graph.values, c->ref.parameters);
    for (int i = 0; i < c->graph.count; i++) {
        const struct node *node = &c->graph.nodes[i];
        const struct ref_layer *layer = &c->ref.layers[i];
        if (node->out.c != layer->oc || node->out.h != layer->oh || node->out.w != layer->ow) {
            fail_msg("%s: output of '%s' is %dx%dx%d, not %dx%dx%d", text, node->name, node->out.c,
                     node->out.h, node->out.w, layer->oc, layer->oh, layer->ow);
        }
        const int count = (layer->weights > 0) + (layer->biases > 0);
        assert_int_equal(node->needs.parameter_count, count);
        for (int k = 0; k < count; k++) {
            assert_int_equal(node->needs.parameters[k].size, k ? layer->biases : layer->weights);
        }
    }
}

int network_make(struct network_case *c, const char *text, struct shape input)
{
    *c = (struct network_case){0};
    const int status = build(c, text, input);
    if (status == 0 && *c->ref.fault) {
        fail_msg("%s: accepted, but %s", text, c->ref.fault);
    }
    if (status == 0) {
        compare(c, text);
    } else if (c->errors.total == 0) {
        fail_msg("%s: refused without a word", text);
    }
    return status;
}

void network_free(struct network_case *c)
{
    arena_free(&c->arena);
    *c = (struct network_case){0};
}

void network_to_ref(const struct network_case *c, const float *flat, double *ref)
{
    for (int i = 0; i < c->graph.count; i++) {
        const struct needs *needs = &c->graph.nodes[i].needs;
        for (int k = 0; k < needs->parameter_count; k++) {
            const size_t to = k ? c->ref.layers[i].bias : c->ref.layers[i].weight;
            ref_from_floats(needs->parameters[k].size, flat + needs->parameters[k].offset,
                            ref + to);
        }
    }
}

void network_from_ref(const struct network_case *c, const double *ref, float *flat)
{
    for (int i = 0; i < c->graph.count; i++) {
        const struct needs *needs = &c->graph.nodes[i].needs;
        for (int k = 0; k < needs->parameter_count; k++) {
            const double *from = ref + (k ? c->ref.layers[i].bias : c->ref.layers[i].weight);
            for (size_t e = 0; e < needs->parameters[k].size; e++) {
                flat[needs->parameters[k].offset + e] = (float)from[e];
            }
        }
    }
}
