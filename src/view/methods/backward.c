/* backward.c: the methods that follow the score s of a class back to the image. With y = max(x, 0)
 * and g what comes back to y, a rectifier passes on
 *
 *   gradient    g where x > 0           Simonyan, Vedaldi, Zisserman 2014, "Deep inside
 *                                       convolutional networks"; the map is ds/dx itself
 *   guided      g where x > 0 and g > 0   Springenberg, Dosovitskiy, Brox, Riedmiller 2015,
 *                                       "Striving for simplicity", section 3.4
 *   deconvnet   g where g > 0           Zeiler, Fergus 2014, "Visualizing and understanding
 *                                       convolutional networks", section 2.1
 *
 * Everything else passes its gradient: a convolution its transpose, and max pooling gives all to
 * the place of the maximum, which is what the switches of a deconvnet are for. Other activations
 * that rectify (leaky_relu, gelu...) have their own slope in place of "where x > 0". */
#include "view/method.h"

void method_backward(const struct question *question, rectifier_rule *rule)
{
    struct probe *probe = question->probe;
    const int last = probe->graph->count - 1;
    probe_clear(probe);
    probe_gradient(probe, last)[(size_t)question->class * LANES] = 1;
    probe_backward(probe, last, rule);
}

int method_is_without_rectifiers(const struct graph *graph)
{
    for (int i = 0; i < graph->count; i++) {
        if (graph->nodes[i].type->flags & LAYER_RECTIFIES) {
            return 0;
        }
    }
    return 1;
}

static void keep_positive(const float *from, size_t n, float *to)
{
    for (size_t i = 0; i < n; i++) {
        to[i] = from[i] > 0 ? from[i] : 0;
    }
}

void deconvnet_rule(const struct node *node, const struct run *run, const float *x, const float *y,
                    const float *dy, float *dx)
{
    (void)run, (void)x, (void)y;
    keep_positive(dy, shape_size(node->in) * LANES, dx);
}

static void guided_rule(const struct node *node, const struct run *run, const float *x,
                        const float *y, const float *dy, float *dx)
{
    keep_positive(dy, shape_size(node->in) * LANES, dx);
    node->type->backward(node, run, x, y, dx, dx);
}

static int find(const struct question *question, rectifier_rule *rule, float *map)
{
    method_backward(question, rule);
    probe_take(probe_gradient(question->probe, NETWORK_INPUT),
               shape_size(question->probe->graph->input), 0, map);
    return 0;
}

#define DEFINE(NAME, RULE, HELP)                                                                   \
    static int NAME##_find(const void *options, const struct question *question, float *map,       \
                           struct error *e)                                                        \
    {                                                                                              \
        (void)options, (void)e;                                                                    \
        return find(question, RULE, map);                                                          \
    }                                                                                              \
    extern const struct method METHOD_##NAME;                                                      \
    const struct method METHOD_##NAME = {.member = {.name = #NAME, .help = HELP},                  \
                                         .per_channel = 1,                                         \
                                         .from_rectifiers = RULE != NULL,                          \
                                         .find = NAME##_find};

DEFINE(gradient, NULL, "the gradient of the class's score by each pixel")
DEFINE(guided, guided_rule, "guided backpropagation: the gradient, but only what is positive")
DEFINE(deconvnet, deconvnet_rule, "back through a deconvnet, with the switches of max pooling")
