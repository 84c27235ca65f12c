/* reference_graph.c: networks that are more than a chain, in double: the layers within layers, and
 * who reads whose output. */
#include "reference_internal.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* The value of a type's first option, which may stand without its key. */
static const struct yaml *first_of(const struct yaml *options, const char *key)
{
    return options->kind == YAML_MAP ? yaml_get(options, key) : options;
}

static int is_full(struct ref_network *net)
{
    if (net->count + 4 > REF_MOST_LAYERS && !*net->fault) {
        snprintf(net->fault, sizeof net->fault, "more layers than the reference has room for");
    }
    return *net->fault != 0;
}

/* The last layer reads these. */
static int join(struct ref_network *net, int count, const int *inputs)
{
    struct ref_layer *layer = &net->layers[net->count - 1];
    layer->input_count = count;
    memcpy(layer->inputs, inputs, (size_t)count * sizeof *inputs);
    return net->count - 1;
}

struct size {
    int c, h, w;
};

static struct size size_of(const struct ref_network *net, int layer)
{
    const struct ref_layer *l = layer == REF_INPUT ? NULL : &net->layers[layer];
    return l ? (struct size){l->oc, l->oh, l->ow} : (struct size){net->c, net->h, net->w};
}

static int add_single(struct ref_network *net, const char *type, const struct yaml *options,
                      int input)
{
    const struct size in = size_of(net, input);
    ref_add_layer(net, type, options, in.c, in.h, in.w);
    return join(net, 1, &input);
}

static int add_list(struct ref_network *net, const struct yaml *list, int input);

/* The step at which `in` places have `out`; 0: there is none. */
static int step_between(int in, int out)
{
    for (int step = 1; step <= in; step++) {
        if ((in - 1) / step + 1 == out) {
            return step;
        }
    }
    return 0;
}

/* A window of one place at a step, to the size of `body`: with weights, and normalised where the
 * body is, or as a pooling. */
static int add_shortcut(struct ref_network *net, int input, int body, int conv, int norm)
{
    const struct size x = size_of(net, input), y = size_of(net, body);
    const int step_h = step_between(x.h, y.h), step_w = step_between(x.w, y.w);
    const int filters = conv ? y.c : x.c;
    if (!step_h || !step_w || (!conv && step_h == 1 && step_w == 1)) {
        return input;
    }
    struct ref_layer *layer = &net->layers[net->count++];
    *layer = (struct ref_layer){.in = (size_t)x.c * x.h * x.w,
                                .out = (size_t)filters * y.h * y.w,
                                .oc = filters,
                                .oh = y.h,
                                .ow = y.w,
                                .count_padding = 1};
    snprintf(layer->type, sizeof layer->type, "%s", conv ? "conv" : "avgpool");
    layer->window = (struct ref_window){.c = x.c,
                                        .h = x.h,
                                        .w = x.w,
                                        .oc = filters,
                                        .oh = y.h,
                                        .ow = y.w,
                                        .kh = 1,
                                        .kw = 1,
                                        .stride_h = step_h,
                                        .stride_w = step_w};
    if (conv) {
        ref_take_parameters(net, layer, (size_t)filters * x.c, norm ? 0 : filters);
    }
    input = join(net, 1, &input);
    return conv && norm ? add_single(net, "batchnorm", NULL, input) : input;
}

static int add_residual(struct ref_network *net, const struct yaml *options, int input)
{
    const struct yaml *shortcut = options->kind == YAML_MAP ? yaml_get(options, "shortcut") : NULL;
    const char *word = shortcut ? shortcut->text : "identity";
    const int first = net->count;
    const int body = add_list(net, first_of(options, "body"), input);
    int inputs[2] = {body, input}, norm = 0;
    for (int i = first; i < net->count; i++) {
        norm |= strcmp(net->layers[i].type, "batchnorm") == 0;
    }
    if (strcmp(word, "identity") != 0 && !*net->fault) {
        inputs[1] = add_shortcut(net, input, body, strcmp(word, "conv") == 0, norm);
    }
    const struct size y = size_of(net, body), x = size_of(net, inputs[1]);
    if (x.h != y.h || x.w != y.w || x.c > y.c || (x.c < y.c && strcmp(word, "pool") != 0)) {
        snprintf(net->fault, sizeof net->fault, "residual: the shapes differ");
        return body;
    }
    struct ref_layer *layer = &net->layers[net->count++];
    const size_t out = (size_t)y.c * y.h * y.w;
    *layer = (struct ref_layer){
        .type = "residual", .in = out, .out = out, .oc = y.c, .oh = y.h, .ow = y.w};
    return join(net, 2, inputs);
}

static int add_concat(struct ref_network *net, const struct yaml *options, int input)
{
    const struct yaml *branches = first_of(options, "branches");
    int inputs[REF_MOST_INPUTS], c = 0;
    struct size in = {0, 0, 0};
    for (int k = 0; k < branches->count; k++) {
        inputs[k] = add_list(net, branches->items[k], input);
        const struct size size = size_of(net, inputs[k]);
        if (k > 0 && (size.h != in.h || size.w != in.w)) {
            snprintf(net->fault, sizeof net->fault, "concat: the shapes differ");
        }
        in = size;
        c += size.c;
    }
    struct ref_layer *layer = &net->layers[net->count++];
    *layer = (struct ref_layer){
        .type = "concat", .out = (size_t)c * in.h * in.w, .oc = c, .oh = in.h, .ow = in.w};
    return join(net, branches->count, inputs);
}

/* One item of a list, with what belongs to it. */
static int add_item(struct ref_network *net, const struct yaml *item, int input)
{
    const int is_map = item->kind == YAML_MAP;
    const char *type = is_map ? item->keys[0]->text : item->text;
    const struct yaml *options = is_map ? item->items[0] : NULL;
    if (strcmp(type, "residual") == 0) {
        return add_residual(net, options, input);
    }
    if (strcmp(type, "concat") == 0) {
        return add_concat(net, options, input);
    }
    if (strcmp(type, "repeat") == 0) {
        const int times = atoi(yaml_get(options, "times")->text);
        for (int k = 0; k < times; k++) {
            input = add_list(net, yaml_get(options, "block"), input);
        }
        return input;
    }
    const struct yaml *activation =
        options && options->kind == YAML_MAP ? yaml_get(options, "activation") : NULL;
    input = add_single(net, type, options, input);
    if (activation) {
        const int map = activation->kind == YAML_MAP;
        const struct yaml *name = map ? yaml_get(activation, "type") : activation;
        input = add_single(net, name->text, map ? activation : NULL, input);
    }
    return input;
}

static int add_list(struct ref_network *net, const struct yaml *list, int input)
{
    for (int i = 0; i < list->count && !is_full(net); i++) {
        input = add_item(net, list->items[i], input);
    }
    return input;
}

void ref_network_build(struct ref_network *net, const struct yaml *list, int c, int h, int w)
{
    *net = (struct ref_network){.c = c, .h = h, .w = w};
    add_list(net, list, REF_INPUT);
}

/* ---- arithmetic ---- */

static double *doubles(size_t n)
{
    double *p = calloc(n, sizeof *p);
    if (!p) {
        abort();
    }
    return p;
}

double **ref_network_values(const struct ref_network *net, int n)
{
    double **values = calloc((size_t)net->count + 2, sizeof *values);
    if (!values) {
        abort();
    }
    values[0] = doubles((size_t)n * net->c * net->h * net->w);
    for (int i = 0; i < net->count; i++) {
        values[i + 1] = doubles(n * net->layers[i].out);
    }
    return values;
}

void ref_network_free(double **values)
{
    for (double **v = values; *v; v++) {
        free(*v);
    }
    free(values);
}

/* The part of y that belongs to input k: where its channels begin, and how many values of an image.
 * A residual's inputs both begin at 0; the second may have fewer. */
static size_t part_of(const struct ref_network *net, const struct ref_layer *layer, int k,
                      size_t *size)
{
    size_t at = 0;
    for (int input = 0; input <= k; input++) {
        const struct size s = size_of(net, layer->inputs[input]);
        at += input > 0 && strcmp(layer->type, "concat") == 0 ? *size : 0;
        *size = (size_t)s.c * s.h * s.w;
    }
    return at;
}

void ref_network_forward(const struct ref_network *net, int n, const struct ref_draws *draws,
                         const double *w, double **values)
{
    for (int i = 0; i < net->count; i++) {
        const struct ref_layer *layer = &net->layers[i];
        double *y = values[i + 1];
        if (layer->input_count == 1) {
            ref_layer_forward(net, i, n, draws, w, values[layer->inputs[0] + 1], y);
            continue;
        }
        memset(y, 0, n * layer->out * sizeof *y);
        for (int k = 0; k < layer->input_count; k++) {
            size_t size = 0;
            const size_t at = part_of(net, layer, k, &size);
            const double *x = values[layer->inputs[k] + 1];
            for (size_t e = 0; e < n * size; e++) {
                y[e / size * layer->out + at + e % size] += x[e];
            }
        }
    }
}

/* Layer i's part in the gradients by what it reads. */
static void backward_inputs(const struct ref_network *net, int i, int n,
                            const struct ref_draws *draws, const double *w, double *const *values,
                            double **gradients, double *dw)
{
    const struct ref_layer *layer = &net->layers[i];
    const double *dy = gradients[i + 1];
    for (int k = 0; k < layer->input_count; k++) {
        size_t size = 0;
        const size_t at = part_of(net, layer, k, &size);
        double *dx = doubles(n * size), *to = gradients[layer->inputs[k] + 1];
        if (layer->input_count == 1) {
            ref_layer_backward(net, i, n, draws, w, values[layer->inputs[0] + 1], dy, dw, dx);
        }
        for (size_t e = 0; e < n * size; e++) {
            to[e] += layer->input_count == 1 ? dx[e] : dy[e / size * layer->out + at + e % size];
        }
        free(dx);
    }
}

void ref_network_backward(const struct ref_network *net, int n, const struct ref_draws *draws,
                          const double *w, double *const *values, const double *dlogits, double *dw,
                          double *dx)
{
    double **gradients = ref_network_values(net, n);
    memcpy(gradients[net->count], dlogits, n * net->layers[net->count - 1].out * sizeof *dlogits);
    for (int i = net->count - 1; i >= 0; i--) {
        backward_inputs(net, i, n, draws, w, values, gradients, dw);
    }
    if (dx) {
        memcpy(dx, gradients[0], (size_t)n * net->c * net->h * net->w * sizeof *dx);
    }
    ref_network_free(gradients);
}
