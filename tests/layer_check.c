/* layer_check.c: the legs. What layer.h promises is checked on the way: nothing is read that the
 * flags do not ask for, nothing written but what is declared, gradients are written or added to, dx
 * may be skipped, in place is the same. */
#include "layer_check.h"

#include "kernel_check.h"
#include "network_check.h"

#include <float.h>
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static const double EPSILON = FLT_EPSILON;
enum { TWO = 2 }; /* images of leg 2: two, so that sums over images are seen */

/* The layer, then a dense layer, for there must be something to train. */
struct layer_case {
    char what[200];
    struct network_case net;
    const struct node *node;
    const struct ref_layer *layer;
    size_t parameters; /* of this layer, in the reference's vector */
    uint32_t samples[LANES];
    struct ref_draws draws;
    struct guarded x, dy, flat; /* tiles, and all parameters */
    double *x_d, *dy_d, *w_d;
    double *y, *dx, *dw, *y_bound, *dx_bound, *dw_bound;
};

/* Values of an image all 4 / size apart, and half of that from 0: far from every kink. */
static void fill_apart(struct dice *dice, size_t size, struct guarded *tile)
{
    for (int lane = 0; lane < LANES; lane++) {
        for (size_t i = 0; i < size; i++) {
            const size_t k = (size_t)dice_between(dice, 0, (int)i);
            tile->data[i * LANES + lane] = tile->data[k * LANES + lane];
            tile->data[k * LANES + lane] = 4 * ((float)i + 0.5f) / (float)(size + size % 2) - 2;
        }
    }
}

/* Dead lanes repeat the first image, and get no gradient. */
static void kill_lanes(struct layer_case *c, int live)
{
    for (int lane = live; lane < LANES; lane++) {
        c->samples[lane] = c->samples[0];
        for (size_t i = 0; i < c->x.size; i += LANES) {
            c->x.data[i + lane] = c->x.data[i];
        }
        for (size_t i = 0; i < c->dy.size; i += LANES) {
            c->dy.data[i + lane] = 0;
        }
    }
}

static double *copy_absolute(size_t n, const double *from)
{
    double *to = check_doubles(n);
    ref_absolute(n, from, to);
    return to;
}

static int is_linear(const struct ref_layer *layer)
{
    return layer->weights || strcmp(layer->type, "avgpool") == 0 ||
           strcmp(layer->type, "dropout") == 0 || strcmp(layer->type, "spatial_dropout") == 0 ||
           strcmp(layer->type, "flatten") == 0 || strcmp(layer->type, "reshape") == 0 ||
           strcmp(layer->type, "permute") == 0;
}

static double greatest(size_t n, const double *values)
{
    double most = 0;
    for (size_t i = 0; i < n; i++) {
        most = fmax(most, fabs(values[i]));
    }
    return most;
}

/* What a normalisation does depends on all values of its set, and so do its errors. */
static void find_norm_bounds(struct layer_case *c)
{
    const double y = 1 + greatest(c->dy.size, c->y), dx = greatest(c->x.size, c->dx);
    double sum = 0;
    for (size_t i = 0; i < c->dy.size; i++) {
        c->y_bound[i] = 8 * EPSILON * y;
        sum += fabs(c->dy_d[i]) / c->layer->oc;
    }
    for (size_t i = 0; i < c->x.size; i++) {
        c->dx_bound[i] = 16 * EPSILON * (1 + dx);
    }
    for (size_t i = 0; i < c->parameters; i++) {
        c->dw_bound[i] = 4 * EPSILON * (sum + 1);
    }
}

/* What radial basis functions add up is all of one sign in y; in dx it is at most 2 |dy| (|x| + 1)
 * for each unit. */
static void find_rbf_bounds(struct layer_case *c)
{
    for (size_t i = 0; i < c->dy.size; i++) {
        c->y_bound[i] = 4 * EPSILON * fabs(c->y[i]);
    }
    for (size_t i = 0; i < c->x.size; i++) {
        const double *dy = c->dy_d + i / c->layer->in * c->layer->out;
        for (size_t o = 0; o < c->layer->out; o++) {
            c->dx_bound[i] += 4 * EPSILON * 2 * fabs(dy[o]) * (fabs(c->x_d[i]) + 1);
        }
    }
}

/* From the sums of the terms' absolute values: Winograd's ways mix neighbouring sums. */
static void find_conv_bounds(struct layer_case *c)
{
    const struct ref_layer *layer = c->layer;
    const struct ref_window *r = &layer->window;
    const int groups = r->groups > 1 ? r->groups : 1;
    const struct window s = {r->c / groups, r->h,        r->w,       r->oc / groups,
                             r->oh,         r->ow,       r->kh,      r->kw,
                             r->stride_h,   r->stride_w, r->pad_top, r->pad_left};
    const int plain = r->dilation_h <= 1 && r->dilation_w <= 1;
    check_bound(plain ? winograd_way(&s) : WINOGRAD_NONE, layer->out * LANES, c->y_bound);
    check_bound(plain ? winograd_input_way(&s) : WINOGRAD_NONE, layer->in * LANES, c->dx_bound);
    check_bound(plain ? winograd_weight_way(&s) : WINOGRAD_NONE, layer->weights,
                c->dw_bound + layer->weight);
    check_bound(WINOGRAD_NONE, layer->biases, c->dw_bound + layer->bias);
}

static void find_bounds(struct layer_case *c)
{
    const struct ref_layer *layer = c->layer;
    const size_t ins = layer->in * LANES, outs = layer->out * LANES;
    const int is_pool = strcmp(layer->type, "maxpool") == 0;
    if (layer->eps > 0 || layer->lrn.size) {
        find_norm_bounds(c);
        return;
    }
    if (strcmp(layer->type, "rbf") == 0) {
        find_rbf_bounds(c);
        return;
    }
    double *x = copy_absolute(ins, c->x_d), *dy = copy_absolute(outs, c->dy_d);
    double *w = copy_absolute(c->net.ref.parameters, c->w_d);
    if (is_linear(layer)) {
        ref_layer_forward(&c->net.ref, 0, LANES, &c->draws, w, x, c->y_bound);
    }
    if (is_linear(layer) ||
        is_pool) { /* max pooling: where the gradient goes depends on x itself */
        ref_layer_backward(&c->net.ref, 0, LANES, &c->draws, w, is_pool ? c->x_d : x, dy,
                           c->dw_bound, c->dx_bound);
    }
    if (strcmp(layer->type, "conv") == 0 && layer->connections == NULL) {
        find_conv_bounds(c);
        free(x);
        free(dy);
        free(w);
        return;
    }
    for (size_t i = 0; i < outs; i++) {
        const double sum = is_linear(layer) || is_pool ? c->y_bound[i] : 1 + fabs(c->y[i]);
        c->y_bound[i] = 4 * EPSILON * sum;
    }
    for (size_t i = 0; i < ins; i++) {
        c->dx_bound[i] =
            is_linear(layer) || is_pool ? 4 * EPSILON * c->dx_bound[i] : 10 * EPSILON * dy[i];
    }
    for (size_t i = 0; i < c->parameters; i++) {
        c->dw_bound[i] = 4 * EPSILON * c->dw_bound[i] + FLT_MIN;
    }
    free(x);
    free(dy);
    free(w);
}

/* `c` holds pointers into itself: it stays where it is. */
static void case_make(struct layer_case *c, struct dice *dice, const char *item, struct shape in,
                      int live, int ties)
{
    *c = (struct layer_case){.parameters = 0};
    char text[200];
    snprintf(text, sizeof text, "- %s\n- dense: 1\n", item);
    snprintf(c->what, sizeof c->what, "%s of %dx%dx%d, %d live", item, in.c, in.h, in.w, live);
    if (network_make(&c->net, text, in) != 0) {
        fail_msg("%s: %s", c->what, c->net.errors.items[0].message);
    }
    c->node = c->net.graph.nodes;
    c->layer = c->net.ref.layers;
    c->parameters = c->node->trained ? c->layer->weights + c->layer->biases : 0;
    c->draws.live = live;
    for (int lane = 0; lane < LANES; lane++) {
        c->samples[lane] = (uint32_t)(1000000 - 7 * lane);
    }
    c->x = guarded_new(c->layer->in * LANES);
    c->dy = guarded_new(c->layer->out * LANES);
    c->flat = guarded_new(c->net.graph.parameters);
    dice_fill(dice, &c->flat, -1, 1);
    network_positive_variances(&c->net, c->flat.data);
    if (c->node->type->mask) {
        c->node->type->mask(c->node, c->flat.data + c->node->needs.parameters[0].offset);
    }
    if (ties) {
        dice_fill_integers(dice, &c->x, -2, 0);
        dice_fill_integers(dice, &c->dy, -9, 9);
    } else {
        fill_apart(dice, c->layer->in, &c->x);
        dice_fill(dice, &c->dy, -1, 1);
    }
    kill_lanes(c, live);
    guarded_freeze(&c->x);
    guarded_freeze(&c->dy);
    guarded_freeze(&c->flat);
    c->x_d = check_doubles(c->x.size);
    c->dy_d = check_doubles(c->dy.size);
    c->w_d = check_doubles(c->net.ref.parameters);
    ref_from_tile(c->layer->in, c->x.data, c->x_d);
    ref_from_tile(c->layer->out, c->dy.data, c->dy_d);
    network_to_ref(&c->net, c->flat.data, c->w_d);
}

/* What should come out, and how near. */
static void case_solve(struct layer_case *c)
{
    c->draws.seed = 0x123456789abcdef0;
    c->draws.epoch = 3;
    c->draws.samples = c->samples;
    c->y = check_doubles(c->dy.size);
    c->dx = check_doubles(c->x.size);
    c->dw = check_doubles(c->parameters);
    c->y_bound = check_doubles(c->dy.size);
    c->dx_bound = check_doubles(c->x.size);
    c->dw_bound = check_doubles(c->parameters);
    ref_layer_forward(&c->net.ref, 0, LANES, &c->draws, c->w_d, c->x_d, c->y);
    ref_layer_backward(&c->net.ref, 0, LANES, &c->draws, c->w_d, c->x_d, c->dy_d, c->dw, c->dx);
    find_bounds(c);
}

static void case_free(struct layer_case *c)
{
    struct guarded *const guarded[] = {&c->x, &c->dy, &c->flat};
    double *const doubles[] = {c->x_d, c->dy_d,    c->w_d,      c->y,       c->dx,
                               c->dw,  c->y_bound, c->dx_bound, c->dw_bound};
    for (size_t i = 0; i < sizeof guarded / sizeof *guarded; i++) {
        guarded_check(guarded[i], c->what);
        guarded_free(guarded[i]);
    }
    for (size_t i = 0; i < sizeof doubles / sizeof *doubles; i++) {
        free(doubles[i]);
    }
    network_free(&c->net);
}

/* ---- leg 2 ---- */

/* The derivative of sum(y * dy) by *value, where y is the layer's output for two images. */
static double difference(const struct layer_case *c, const double *x, const double *w,
                         double *value, double *y)
{
    static const double AT[] = {-2, -1, 1, 2}, WEIGHT[] = {1, -8, 8, -1};
    const double h = 1e-3, centre = *value;
    double slope = 0;
    for (int k = 0; k < 4; k++) {
        double sum = 0;
        *value = centre + AT[k] * h;
        ref_layer_forward(&c->net.ref, 0, TWO, &c->draws, w, x, y);
        for (size_t i = 0; i < TWO * c->layer->out; i++) {
            sum += y[i] * c->dy_d[i];
        }
        slope += WEIGHT[k] * sum / (12 * h);
    }
    *value = centre;
    return slope;
}

static void check_differences(const struct layer_case *c)
{
    const size_t ins = TWO * c->layer->in;
    double *y = check_doubles(TWO * c->layer->out), *dx = check_doubles(ins),
           *dw = check_doubles(c->parameters);
    ref_layer_backward(&c->net.ref, 0, TWO, &c->draws, c->w_d, c->x_d, c->dy_d, dw, dx);
    for (size_t i = 0; i < ins + c->parameters; i++) {
        double *value = i < ins ? c->x_d + i : c->w_d + (i - ins);
        const double got = i < ins ? dx[i] : dw[i - ins],
                     want = difference(c, c->x_d, c->w_d, value, y);
        if (!(fabs(got - want) <= 1e-9 * (1 + fabs(want)))) {
            fail_msg("%s: reference's d%s[%zu] is %.12g, differences say %.12g", c->what,
                     i < ins ? "x" : "w", i < ins ? i : i - ins, got, want);
        }
    }
    free(y);
    free(dx);
    free(dw);
}

/* ---- legs 1 and 3 ---- */

struct outcome {
    struct guarded y, dx, gradients;
};

static void check_tile(const struct layer_case *c, const struct kernels *k, size_t count,
                       const struct guarded *tile, const double *want, const double *bound)
{
    double *array = check_doubles(tile->size);
    float *in_order = check_malloc(tile->size * sizeof *in_order);
    ref_from_tile(count, tile->data, array);
    for (size_t i = 0; i < tile->size; i++) {
        in_order[i] = (float)array[i];
    }
    check_near(c->what, k, tile->size, in_order, want, bound);
    free(array);
    free(in_order);
}

static void fill(size_t n, float *values, float value)
{
    for (size_t i = 0; i < n; i++) {
        values[i] = value;
    }
}

/* The layer over a tile that is its batch: where it couples samples, with its meeting. */
static void forward(const struct layer_case *c, struct run *run, const float *x, float *y)
{
    const struct node *node = c->node;
    if (node->couples) {
        double *sums = check_doubles(node->needs.sums);
        float *statistics = check_malloc(c->flat.size * sizeof *statistics);
        memcpy(statistics, c->flat.data, c->flat.size * sizeof *statistics);
        node->type->coupling->gather(node, run, x, sums);
        node->type->coupling->meet(node, run, &(struct meeting){1, (size_t)c->draws.live, sums, 0},
                                   statistics);
        free(sums);
        free(statistics);
    }
    node->type->forward(node, run, x, y);
}

static void backward(const struct layer_case *c, struct run *run, const float *x, const float *y,
                     const float *dy, float *dx)
{
    const struct node *node = c->node;
    if (node->couples) {
        double *sums = check_doubles(node->needs.sums);
        node->type->coupling->gather_back(node, run, x, dy, sums);
        node->type->coupling->meet_back(node, run,
                                        &(struct meeting){1, (size_t)c->draws.live, sums, 0});
        free(sums);
    }
    node->type->backward(node, run, x, y, dy, dx);
}

/* Forward, then backward, with only those of x and y in reach that the flags name: the others are
 * NaNs. Gradients are added to 1, or written over NaNs. */
static struct outcome run_apart(const struct layer_case *c, struct run *run)
{
    const struct layer_type *type = c->node->type;
    struct outcome o = {guarded_new(c->dy.size), guarded_new(c->x.size), guarded_new(c->flat.size)};
    struct guarded no_x = guarded_new(c->x.size), no_y = guarded_new(c->dy.size);
    fill(o.gradients.size, o.gradients.data, run->add ? 1 : NAN);
    run->gradients = o.gradients.data;
    forward(c, run, c->x.data, o.y.data);
    guarded_freeze(&o.y);
    backward(c, run, type->flags & LAYER_READS_X ? c->x.data : no_x.data,
             type->flags & LAYER_READS_Y ? o.y.data : no_y.data, c->dy.data, o.dx.data);
    guarded_check(&o.y, c->what);
    guarded_check(&o.dx, c->what);
    guarded_check(&o.gradients, c->what);
    guarded_check(&no_x, c->what);
    guarded_check(&no_y, c->what);
    guarded_free(&no_x);
    guarded_free(&no_y);
    return o;
}

/* The same bytes without dx and, where allowed, in place. */
static void check_same(const struct layer_case *c, struct run *run, const struct outcome *o)
{
    const struct layer_type *type = c->node->type;
    const size_t bytes = o->gradients.size * sizeof(float);
    float *gradients = check_malloc(bytes);
    float *y = check_malloc(o->y.size * sizeof *y), *dx = check_malloc(o->dx.size * sizeof *dx);
    fill(o->gradients.size, gradients, run->add ? 1 : NAN);
    run->gradients = gradients;
    backward(c, run, c->x.data, o->y.data, c->dy.data, NULL);
    assert_memory_equal(gradients, o->gradients.data, bytes);
    if (type->flags & LAYER_IN_PLACE) { /* then there is no x any more */
        memcpy(y, c->x.data, o->y.size * sizeof *y);
        forward(c, run, y, y);
        assert_memory_equal(y, o->y.data, o->y.size * sizeof *y);
        memcpy(dx, c->dy.data, o->dx.size * sizeof *dx);
        backward(c, run, y, y, dx, dx);
        assert_memory_equal(dx, o->dx.data, o->dx.size * sizeof *dx);
    }
    if (type->flags & LAYER_DX_IN_PLACE) {
        memcpy(dx, c->dy.data, o->dx.size * sizeof *dx);
        backward(c, run, c->x.data, o->y.data, dx, dx);
        assert_memory_equal(dx, o->dx.data, o->dx.size * sizeof *dx);
    }
    free(gradients);
    free(y);
    free(dx);
}

static void check_gradients(const struct layer_case *c, const struct kernels *k,
                            const struct guarded *gradients, int add)
{
    double *all = check_doubles(c->net.ref.parameters), *bound = check_doubles(c->parameters);
    float *own = check_malloc(c->parameters * sizeof *own);
    double *before = check_doubles(c->net.ref.parameters);
    float *flat = check_malloc(c->flat.size * sizeof *flat);
    fill(c->flat.size, flat, (float)add);
    if (c->node->type->mask) { /* what has no gradient is zero whatever was there */
        c->node->type->mask(c->node, flat + c->node->needs.parameters[0].offset);
    }
    network_to_ref(&c->net, flat, before);
    network_to_ref(&c->net, gradients->data, all);
    for (size_t i = 0; i < c->net.ref.parameters; i++) {
        if (i < c->parameters) {
            own[i] = (float)(all[i] - before[i]);
            bound[i] = c->dw_bound[i] + 4 * EPSILON * add;
        } else {
            assert_true(add ? all[i] == 1 : isnan(all[i])); /* another layer's */
        }
    }
    check_near(c->what, k, c->parameters, own, c->dw, bound);
    free(all);
    free(bound);
    free(own);
    free(before);
    free(flat);
}

static void check_level(const struct layer_case *c, const struct kernels *k, int add,
                        struct agreement same[3])
{
    struct guarded scratch = guarded_new(c->node->needs.scratch),
                   shared = guarded_new(c->node->needs.shared);
    struct run run = {.kernels = k,
                      .training = 1,
                      .seed = c->draws.seed,
                      .epoch = c->draws.epoch,
                      .parameters = c->flat.data,
                      .add = add,
                      .scratch = scratch.data,
                      .shared = shared.data};
    network_set_live(&run, c->draws.live);
    memcpy(run.samples, c->samples, sizeof run.samples);
    for (int part = 0; part < 3 && c->node->type->prepare; part++) {
        c->node->type->prepare(c->node, &run, part, 3);
    }
    struct outcome o = run_apart(c, &run);
    check_tile(c, k, c->layer->out, &o.y, c->y, c->y_bound);
    check_tile(c, k, c->layer->in, &o.dx, c->dx, c->dx_bound);
    check_gradients(c, k, &o.gradients, add);
    agreement_check(&same[0], c->what, k, &o.y);
    agreement_check(&same[1], c->what, k, &o.dx);
    agreement_check(&same[2], c->what, k, &o.gradients);
    check_same(c, &run, &o);
    guarded_check(&scratch, c->what);
    guarded_check(&shared, c->what);
    guarded_free(&scratch);
    guarded_free(&shared);
    guarded_free(&o.y);
    guarded_free(&o.dx);
    guarded_free(&o.gradients);
}

static void check_floats(const struct layer_case *c)
{
    const struct kernels *levels[KERNEL_LEVELS];
    const int count = check_levels(levels);
    for (int add = 0; add < 2; add++) {
        struct agreement same[3] = {{0}};
        for (int l = 0; l < count; l++) {
            check_level(c, levels[l], add, same);
        }
        for (int i = 0; i < 3; i++) {
            agreement_free(&same[i]);
        }
    }
}

void layer_check(struct dice *dice, const char *item, struct shape in)
{
    static const int LIVE[] = {LANES, 1, 5};
    for (size_t i = 0; i < sizeof LIVE / sizeof *LIVE; i++) {
        struct layer_case c;
        case_make(&c, dice, item, in, LIVE[i], 0);
        case_solve(&c);
        if (i == 0) {
            check_differences(&c);
        }
        check_floats(&c);
        case_free(&c);
    }
}

void layer_check_ties(struct dice *dice, const char *item, struct shape in)
{
    struct layer_case c;
    case_make(&c, dice, item, in, LANES, 1);
    case_solve(&c);
    memset(c.dx_bound, 0, c.x.size * sizeof *c.dx_bound); /* whole numbers: exact */
    check_floats(&c);
    case_free(&c);
}
