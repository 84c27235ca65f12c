/* reference_network.c: the layers of a network by their names, in double. */
#include "reference_internal.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* ---- reading the config ---- */

/* An option's value: by its key, or, for a type's first option, the bare value. */
static const struct yaml *option_of(const struct yaml *options, const char *key, int first)
{
    if (options && options->kind == YAML_MAP) {
        return yaml_get(options, key);
    }
    return first ? options : NULL;
}

static double number_of(const struct yaml *options, const char *key, int first, double fallback)
{
    const struct yaml *value = option_of(options, key, first);
    return value && value->kind == YAML_SCALAR ? strtod(value->text, NULL) : fallback;
}

static int flag_of(const struct yaml *options, const char *key)
{
    const struct yaml *value = option_of(options, key, 0);
    return !value || strcmp(value->text, "true") == 0;
}

/* 0 for a word. */
static int whole_of(const struct yaml *value) { return (int)strtol(value->text, NULL, 10); }

/* A number for both, or [h, w]. */
static void pair_of(const struct yaml *value, int fallback_h, int fallback_w, int pair[2])
{
    pair[0] = fallback_h;
    pair[1] = fallback_w;
    if (value && value->kind == YAML_LIST) {
        pair[0] = whole_of(value->items[0]);
        pair[1] = whole_of(value->items[1]);
    } else if (value) {
        pair[0] = pair[1] = whole_of(value);
    }
}

/* One axis of a window's walk: how many outputs, and the padding before. */
static int outputs_of(int in, int kernel, int stride, int padding, int same, int *before)
{
    int count = 0;
    *before = padding;
    if (same) {
        count = (int)ceil((double)in / stride);
        const int missing = stride * (count - 1) + kernel - in;
        *before = missing > 0 ? missing / 2 : 0;
        return count;
    }
    for (int at = -padding; at + kernel <= in + padding; at += stride) {
        count++;
    }
    return count;
}

/* Of a sequence only the width is given; its height of 1 passes everything as it is. */
static void pair_of_steps(int is_1d, int neutral, const struct yaml *value, int fallback_h,
                          int fallback_w, int pair[2])
{
    pair_of(value, fallback_h, fallback_w, pair);
    pair[0] = is_1d ? neutral : pair[0];
}

static void read_window(struct ref_network *net, struct ref_layer *layer,
                        const struct yaml *options, const char *size_key, int size_is_first,
                        int size_is_stride, int is_1d)
{
    struct ref_window *s = &layer->window;
    const struct yaml *padding = option_of(options, "padding", 0);
    const int same = padding && padding->kind == YAML_SCALAR && strcmp(padding->text, "same") == 0;
    int size[2], stride[2], pad[2], dilation[2];
    pair_of_steps(is_1d, 1, option_of(options, size_key, size_is_first), 0, 0, size);
    pair_of_steps(is_1d, 1, option_of(options, "stride", 0), size_is_stride ? size[0] : 1,
                  size_is_stride ? size[1] : 1, stride);
    pair_of_steps(is_1d, 0, same ? NULL : padding, 0, 0, pad); /* "valid" is 0 */
    pair_of_steps(is_1d, 1, option_of(options, "dilation", 0), 1, 1, dilation);
    s->kh = size[0];
    s->kw = size[1];
    s->dilation_h = dilation[0];
    s->dilation_w = dilation[1];
    size[0] += (size[0] - 1) * (dilation[0] - 1); /* as wide as a kernel without holes */
    size[1] += (size[1] - 1) * (dilation[1] - 1);
    s->stride_h = stride[0];
    s->stride_w = stride[1];
    s->oh = outputs_of(s->h, size[0], s->stride_h, pad[0], same, &s->pad_top);
    s->ow = outputs_of(s->w, size[1], s->stride_w, pad[1], same, &s->pad_left);
    if (s->oh < 1 || s->ow < 1) {
        snprintf(net->fault, sizeof net->fault, "%s: empty output", layer->type);
    } else if (pad[0] >= size[0] || pad[1] >= size[1]) {
        snprintf(net->fault, sizeof net->fault, "%s: a window of padding only", layer->type);
    }
    layer->oh = s->oh;
    layer->ow = s->ow;
}

void ref_take_parameters(struct ref_network *net, struct ref_layer *layer, size_t weights,
                         int biases)
{
    layer->weights = weights;
    layer->biases = (size_t)biases;
    layer->weight = net->parameters;
    layer->bias = net->parameters + weights;
    net->parameters += layer->weights + layer->biases;
}

/* A pool over the whole map. */
static void read_global(struct ref_layer *layer)
{
    struct ref_window *s = &layer->window;
    s->kh = s->stride_h = s->h;
    s->kw = s->stride_w = s->w;
    layer->oh = layer->ow = s->oh = s->ow = 1;
    layer->count_padding = 1;
}

/* reshape: [c, w] or [c, h, w], one of which may be -1. */
static void read_shape(struct ref_network *net, struct ref_layer *layer, const struct yaml *list)
{
    int *const sizes[] = {&layer->oc, list->count == 3 ? &layer->oh : &layer->ow, &layer->ow};
    long rest = (long)layer->in;
    layer->oh = 1;
    for (int i = 0; i < list->count; i++) {
        *sizes[i] = whole_of(list->items[i]);
        rest = *sizes[i] > 0 && rest % *sizes[i] == 0 ? rest / *sizes[i] : *sizes[i] > 0 ? 0 : rest;
    }
    for (int i = 0; i < list->count; i++) {
        *sizes[i] = *sizes[i] < 0 ? (int)rest : *sizes[i];
    }
    if ((size_t)layer->oc * layer->oh * layer->ow != layer->in) {
        snprintf(net->fault, sizeof net->fault, "reshape: %zu values are not %dx%dx%d", layer->in,
                 layer->oc, layer->oh, layer->ow);
    }
}

/* permute: where the value k of y stands in x. */
static void read_order(struct ref_layer *layer, const char *order)
{
    const struct ref_window *s = &layer->window;
    int *const sizes[] = {&layer->oc, &layer->oh, &layer->ow};
    for (int i = 0; i < 3; i++) {
        *sizes[i] = order[i] == 'c' ? s->c : order[i] == 'h' ? s->h : s->w;
        layer->step[i] = order[i] == 'c' ? s->h * s->w : order[i] == 'h' ? s->w : 1;
    }
}

void ref_add_layer(struct ref_network *net, const char *type, const struct yaml *options, int c,
                   int h, int w)
{
    struct ref_layer *layer = &net->layers[net->count++];
    *layer = (struct ref_layer){.in = (size_t)c * h * w, .oc = c, .oh = h, .ow = w};
    snprintf(layer->type, sizeof layer->type, "%s", type);
    layer->window = (struct ref_window){.c = c, .h = h, .w = w, .oc = c};
    const int is_1d = strlen(type) > 2 && strcmp(type + strlen(type) - 2, "1d") == 0;
    if (is_1d) { /* from here on the type without "1d", over a map of height 1 */
        layer->type[strlen(type) - 2] = '\0';
        c = h > 1 ? h : c;
        layer->oc = layer->window.c = layer->window.oc = c;
        layer->oh = layer->window.h = h = 1;
    }
    type = layer->type;
    if (strcmp(type, "conv") == 0) {
        layer->oc = layer->window.oc = (int)number_of(options, "filters", 1, 0);
        read_window(net, layer, options, "kernel", 0, 0, is_1d);
        layer->window.groups = (int)number_of(options, "groups", 0, 1);
        if (c % layer->window.groups || layer->oc % layer->window.groups) {
            snprintf(net->fault, sizeof net->fault, "conv: groups of unequal size");
        }
        ref_take_parameters(net, layer,
                            (size_t)layer->oc * (c / layer->window.groups) * layer->window.kh *
                                layer->window.kw,
                            flag_of(options, "bias") ? layer->oc : 0);
        layer->connections = option_of(options, "connections", 0);
    } else if (strcmp(type, "maxpool") == 0 || strcmp(type, "avgpool") == 0) {
        read_window(net, layer, options, "size", 1, 1, is_1d);
        layer->count_padding = flag_of(options, "count_padding");
    } else if (strncmp(type, "global_", 7) == 0) {
        read_global(layer);
        memmove(layer->type, type + 7, strlen(type + 7) + 1);
    } else if (strcmp(type, "flatten") == 0) {
        layer->oc = (int)layer->in;
        layer->oh = layer->ow = 1;
    } else if (strcmp(type, "reshape") == 0) {
        read_shape(net, layer, option_of(options, "shape", 1));
    } else if (strcmp(type, "permute") == 0) {
        read_order(layer, option_of(options, "order", 1)->text);
    } else if (strcmp(type, "dense") == 0) {
        layer->oc = (int)number_of(options, "units", 1, 0);
        layer->oh = layer->ow = 1;
        ref_take_parameters(net, layer, layer->oc * layer->in,
                            flag_of(options, "bias") ? layer->oc : 0);
    } else if (strcmp(type, "rbf") == 0) {
        const struct yaml *codes = option_of(options, "codes", 1);
        layer->oc = codes && codes->kind == YAML_LIST ? codes->count : 10;
        layer->oh = layer->ow = 1;
        ref_take_parameters(net, layer, layer->oc * layer->in, 0);
    } else if (strstr(type, "dropout")) {
        layer->rate = (float)number_of(options, "rate", 1, 0);
    } else if (strcmp(type, "gaussian_noise") == 0) {
        layer->rate = (float)number_of(options, "std", 1, 0);
    } else if (strcmp(type, "batchnorm") == 0) {
        const struct yaml *freeze = option_of(options, "freeze", 0);
        const int affine = flag_of(options, "affine");
        layer->eps = number_of(options, "eps", 0, 1e-5);
        layer->frozen = freeze && strcmp(freeze->text, "true") == 0;
        ref_take_parameters(net, layer, affine ? c : 0, affine ? c : 0);
        layer->statistics = 2 * (size_t)c;
        layer->statistic = net->parameters;
        net->parameters += layer->statistics;
    } else if (strcmp(type, "layernorm") == 0 || strcmp(type, "groupnorm") == 0) {
        const struct yaml *freeze = option_of(options, "freeze", 0);
        const int each = strcmp(type, "layernorm") == 0;
        const int count = flag_of(options, "affine") ? each ? c * h * w : c : 0;
        layer->eps = number_of(options, "eps", 0, 1e-5);
        layer->frozen = freeze && strcmp(freeze->text, "true") == 0;
        layer->each = each;
        layer->groups = each ? 1 : (int)number_of(options, "groups", 1, 1);
        ref_take_parameters(net, layer, (size_t)count, count);
        if (c % layer->groups != 0) {
            snprintf(net->fault, sizeof net->fault, "groupnorm: a rest of channels");
        }
    } else if (strcmp(type, "subsample") == 0) {
        int size[2];
        pair_of(option_of(options, "size", 1), 2, 2, size);
        layer->window.kh = layer->window.stride_h = size[0];
        layer->window.kw = layer->window.stride_w = size[1];
        layer->oh = layer->window.oh = outputs_of(h, size[0], size[0], 0, 0, &(int){0});
        layer->ow = layer->window.ow = outputs_of(w, size[1], size[1], 0, 0, &(int){0});
        ref_take_parameters(net, layer, (size_t)c, c);
        if (layer->oh < 1 || layer->ow < 1) {
            snprintf(net->fault, sizeof net->fault, "subsample: empty output");
        }
    } else if (strcmp(type, "lrn") == 0) {
        layer->lrn = (struct ref_lrn){.c = c,
                                      .pixels = (size_t)h * w,
                                      .size = (int)number_of(options, "size", 1, 5),
                                      .alpha = number_of(options, "alpha", 0, 1e-4),
                                      .beta = number_of(options, "beta", 0, 0.75),
                                      .k = number_of(options, "k", 0, 1)};
    } else if (ref_activation(type)) {
        const int is_elu = strcmp(type, "elu") == 0;
        layer->slope = (float)number_of(options, is_elu ? "alpha" : "slope", 1, is_elu ? 1 : 0.01);
    } else {
        snprintf(net->fault, sizeof net->fault, "there is no reference for layer type '%s'", type);
    }
    layer->out = (size_t)layer->oc * layer->oh * layer->ow;
}

/* ---- arithmetic ---- */

/* Philox 4x32-10, written from the paper: R rounds of (multiply, swap, xor with the key), the key
 * bumped between them. */
static void ref_philox(uint64_t seed, uint32_t counter[4])
{
    uint32_t key[2] = {(uint32_t)seed, (uint32_t)(seed >> 32)};
    for (int round = 0; round < 10; round++) {
        const uint64_t product[2] = {0xD2511F53ull * counter[0], 0xCD9E8D57ull * counter[2]};
        const uint32_t next[4] = {
            (uint32_t)(product[1] >> 32) ^ counter[1] ^ key[0], (uint32_t)product[1],
            (uint32_t)(product[0] >> 32) ^ counter[3] ^ key[1], (uint32_t)product[0]};
        memcpy(counter, next, sizeof next);
        key[0] += 0x9E3779B9u;
        key[1] += 0xBB67AE85u;
    }
}

enum { DROPOUT_STREAM = 4 };

/* The random word of element e of layer i for a sample. */
static uint32_t word_of(const struct ref_draws *draws, int i, int s, size_t e)
{
    uint32_t block[4] = {(uint32_t)(e / 4), draws->samples[s], draws->epoch,
                         DROPOUT_STREAM + 256u * (uint32_t)i};
    ref_philox(draws->seed, block);
    return block[e % 4];
}

/* The z that a normal number is below with probability p, by Newton's method; the tail that is
 * small is the one that is solved for, where nothing cancels. */
static double ref_normal(double p)
{
    const double tail = p < 0.5 ? p : 1 - p;
    double z = 0;
    for (int i = 0; i < 60; i++) {
        z +=
            (0.5 * erfc(z * M_SQRT1_2) - tail) / (0.5 * M_2_SQRTPI * M_SQRT1_2 * exp(-0.5 * z * z));
    }
    return p < 0.5 ? -z : z;
}

/* Layers that are random in training: what a value is multiplied with, and what is added. */
static void random_layer(const struct ref_network *net, int i, int n, const struct ref_draws *draws,
                         const double *from, double *to, int back)
{
    const struct ref_layer *layer = &net->layers[i];
    const size_t map = strcmp(layer->type, "spatial_dropout") == 0
                           ? (size_t)layer->oh * layer->ow
                           : 1; /* values with one decision */
    for (size_t at = 0; at < n * layer->in; at++) {
        double factor = 1, added = 0;
        if (draws) {
            const uint32_t word = word_of(draws, i, (int)(at / layer->in), at % layer->in / map);
            const double normal = ref_normal(((word >> 9) + 0.5) / 8388608);
            if (strcmp(layer->type, "gaussian_noise") == 0) {
                added = back ? 0 : layer->rate * normal;
            } else if (strcmp(layer->type, "gaussian_dropout") == 0) {
                factor += sqrt(layer->rate / (1 - layer->rate)) * normal;
            } else {
                factor = (double)word >= layer->rate * 4294967296.0 ? 1 / (1 - layer->rate) : 0;
            }
        }
        to[at] = from[at] * factor + added;
    }
}

static int is_random(const struct ref_layer *layer)
{
    return strstr(layer->type, "dropout") || strcmp(layer->type, "gaussian_noise") == 0;
}

static int moves_values(const struct ref_layer *layer)
{
    return strcmp(layer->type, "flatten") == 0 || strcmp(layer->type, "reshape") == 0 ||
           strcmp(layer->type, "permute") == 0;
}

/* y from x, or with `back` dx from dy. */
static void move_values(const struct ref_layer *layer, int n, int back, const double *from,
                        double *to)
{
    for (size_t k = 0; k < n * layer->in; k++) {
        const size_t e = k % layer->in, plane = (size_t)layer->oh * layer->ow;
        size_t x = k;
        if (strcmp(layer->type, "permute") == 0) {
            x = k - e + e / plane * layer->step[0] + e / layer->ow % layer->oh * layer->step[1] +
                e % layer->ow * layer->step[2];
        }
        to[back ? x : k] = from[back ? k : x];
    }
}

/* How a layer normalises n images. */
static struct ref_norm norm_of(const struct ref_layer *layer, int n, const struct ref_draws *draws,
                               const double *w)
{
    return (struct ref_norm){
        .n = n,
        .c = layer->oc,
        .pixels = (size_t)layer->oh * layer->ow,
        .groups = layer->groups,
        .live = draws && draws->live < n ? draws->live : 0,
        .each = layer->each,
        .eps = layer->eps,
        .running = layer->statistics && (!draws || layer->frozen) ? w + layer->statistic : NULL};
}

static int is_norm(const struct ref_layer *layer) { return layer->eps > 0; }

/* 1 or 0 for a weight, by the config's lists, or by the rule of LeNet-5's C3: runs of three maps,
 * of four, pairs of neighbours and their opposites, and all. */
static int is_connected(const struct ref_layer *layer, size_t weight)
{
    const struct ref_window *s = &layer->window;
    const int map = (int)(weight / s->kw / s->kh % s->c),
              filter = (int)(weight / s->kw / s->kh / s->c);
    if (!layer->connections) {
        return 1;
    }
    if (layer->connections->kind == YAML_LIST) {
        const struct yaml *maps = layer->connections->items[filter];
        for (int i = 0; i < maps->count; i++) {
            if (whole_of(maps->items[i]) == map) {
                return 1;
            }
        }
        return 0;
    }
    const int ahead = (map - filter % 6 + 6) % 6; /* places behind the filter's first map */
    return filter < 6    ? ahead < 3
           : filter < 12 ? ahead < 4
           : filter < 15 ? ((map - filter + 12) % 3 + 3) % 3 != 2
                         : 1;
}

static void mask(const struct ref_layer *layer, double *weight)
{
    for (size_t k = 0; k < layer->weights && layer->connections; k++) {
        weight[k] *= is_connected(layer, k);
    }
}

/* Minus the squared distances of n vectors to the codes, or, where there is a dy, dx. */
static void near_codes(const struct ref_layer *layer, int n, const double *codes, const double *x,
                       const double *dy, double *to)
{
    memset(to, 0, (dy ? layer->in : layer->out) * (size_t)n * sizeof *to);
    for (size_t k = 0; k < (size_t)n * layer->out * layer->in; k++) {
        const size_t i = k % layer->in, o = k / layer->in, s = o / layer->out;
        const double d = x[s * layer->in + i] - codes[o % layer->out * layer->in + i];
        if (dy) {
            to[s * layer->in + i] -= 2 * dy[o] * d;
        } else {
            to[o] -= d * d;
        }
    }
}

void ref_layer_forward(const struct ref_network *net, int i, int n, const struct ref_draws *draws,
                       const double *w, const double *x, double *y)
{
    const struct ref_layer *layer = &net->layers[i];
    const double *weight = w + layer->weight, *bias = layer->biases ? w + layer->bias : NULL;
    struct ref_window window = layer->window;
    window.n = n;
    if (strcmp(layer->type, "conv") == 0) {
        double *own = calloc(layer->weights, sizeof *own);
        if (!own) {
            abort();
        }
        memcpy(own, weight, layer->weights * sizeof *own);
        mask(layer, own);
        ref_conv_forward(&window, x, own, bias, y);
        free(own);
    } else if (strcmp(layer->type, "dense") == 0) {
        ref_dense_forward(n, (int)layer->in, layer->oc, x, weight, bias, y);
    } else if (strcmp(layer->type, "rbf") == 0) {
        near_codes(layer, n, weight, x, NULL, y);
    } else if (strcmp(layer->type, "maxpool") == 0) {
        ref_maxpool_forward(&window, x, y);
    } else if (strcmp(layer->type, "avgpool") == 0) {
        ref_avgpool_forward(&window, layer->count_padding, x, y);
    } else if (moves_values(layer)) {
        move_values(layer, n, 0, x, y);
    } else if (is_random(layer)) {
        random_layer(net, i, n, draws, x, y, 0);
    } else if (is_norm(layer)) {
        const struct ref_norm norm = norm_of(layer, n, draws, w);
        ref_norm_forward(&norm, x, layer->weights ? weight : NULL, bias, y);
    } else if (strcmp(layer->type, "subsample") == 0) {
        ref_subsample_forward(&window, x, weight, bias, y);
    } else if (layer->lrn.size) {
        ref_lrn_forward(&layer->lrn, n, x, y);
    } else {
        for (size_t k = 0; k < n * layer->in; k++) {
            y[k] = ref_activation(layer->type)->forward(x[k], layer->slope);
        }
    }
}

static void parameters_backward(const struct ref_layer *layer, int n, const double *x,
                                const double *dy, double *dw)
{
    double *weight = dw + layer->weight, *bias = layer->biases ? dw + layer->bias : NULL;
    struct ref_window window = layer->window;
    window.n = n;
    if (strcmp(layer->type, "conv") == 0) {
        ref_conv_backward_weight(&window, x, dy, weight, bias);
        mask(layer, weight);
    } else if (strcmp(layer->type, "dense") == 0) {
        ref_dense_backward_weight(n, (int)layer->in, layer->oc, x, dy, weight, bias);
    }
}

void ref_layer_backward(const struct ref_network *net, int i, int n, const struct ref_draws *draws,
                        const double *w, const double *x, const double *dy, double *dw, double *dx)
{
    const struct ref_layer *layer = &net->layers[i];
    struct ref_window window = layer->window;
    window.n = n;
    if (is_norm(layer)) {
        const struct ref_norm norm = norm_of(layer, n, draws, w);
        ref_norm_backward(&norm, x, layer->weights ? w + layer->weight : NULL, dy,
                          dw ? dw + layer->weight : NULL, dw ? dw + layer->bias : NULL, dx);
        return;
    }
    if (strcmp(layer->type, "subsample") == 0) {
        ref_subsample_backward(&window, x, w + layer->weight, dy, dw ? dw + layer->weight : NULL,
                               dw ? dw + layer->bias : NULL, dx);
        return;
    }
    if (layer->lrn.size) {
        if (dx) {
            ref_lrn_backward(&layer->lrn, n, x, dy, dx);
        }
        return;
    }
    if (dw) {
        parameters_backward(layer, n, x, dy, dw);
    }
    if (!dx) {
        return;
    }
    if (strcmp(layer->type, "conv") == 0) {
        ref_conv_backward_input(&window, dy, w + layer->weight, dx);
    } else if (strcmp(layer->type, "dense") == 0) {
        ref_dense_backward_input(n, (int)layer->in, layer->oc, dy, w + layer->weight, dx);
    } else if (strcmp(layer->type, "rbf") == 0) {
        near_codes(layer, n, w + layer->weight, x, dy, dx);
    } else if (strcmp(layer->type, "maxpool") == 0) {
        ref_maxpool_backward(&window, x, dy, dx);
    } else if (strcmp(layer->type, "avgpool") == 0) {
        ref_avgpool_backward(&window, layer->count_padding, dy, dx);
    } else if (moves_values(layer)) {
        move_values(layer, n, 1, dy, dx);
    } else if (is_random(layer)) {
        random_layer(net, i, n, draws, dy, dx, 1);
    } else {
        for (size_t k = 0; k < n * layer->in; k++) {
            dx[k] = dy[k] * ref_activation(layer->type)->derivative(x[k], layer->slope);
        }
    }
}

/* ---- kinks ---- */

/* The gap between the greatest value of a window and the next. */
static double window_gap(const struct ref_window *s, const double *map, int oy, int ox)
{
    double first = -INFINITY, second = -INFINITY;
    for (int k = 0; k < s->kh * s->kw; k++) {
        const int y = oy * s->stride_h - s->pad_top + k / s->kw,
                  x = ox * s->stride_w - s->pad_left + k % s->kw;
        if (y >= 0 && y < s->h && x >= 0 && x < s->w) {
            const double value = map[y * s->w + x];
            second = fmax(second, fmin(first, value));
            first = fmax(first, value);
        }
    }
    return first - second;
}

static double layer_kink(const struct ref_layer *layer, int n, const double *x)
{
    const struct ref_window *s = &layer->window;
    double least = INFINITY;
    if (strcmp(layer->type, "maxpool") == 0) {
        for (int plane = 0; plane < n * s->c; plane++) {
            for (int o = 0; o < s->oh * s->ow; o++) {
                least = fmin(least,
                             window_gap(s, x + (size_t)plane * s->h * s->w, o / s->ow, o % s->ow));
            }
        }
    } else if (strstr("relu leaky_relu elu", layer->type)) {
        for (size_t k = 0; k < n * layer->in; k++) {
            least = fmin(least, fabs(x[k]));
        }
    }
    return least;
}

double ref_network_kink(const struct ref_network *net, int n, double *const *values)
{
    double least = INFINITY;
    for (int i = 0; i < net->count; i++) {
        least = fmin(least, layer_kink(&net->layers[i], n, values[net->layers[i].inputs[0] + 1]));
    }
    return least;
}
