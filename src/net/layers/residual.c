/* residual.c: y = body(x) + shortcut(x). He, Zhang, Ren, Sun 2016, "Deep residual learning for
 * image recognition", section 3.2. The activation that the paper has behind the sum is simply the
 * next layer.
 *
 * The shortcut is x itself, or what brings x to the body's shape:
 *
 *   conv   a 1x1 convolution with the stride and the filters that are needed (the paper's option
 * B), and batch normalisation behind it, in place of its bias, when the body has one: the paper has
 * it after each convolution pool   x at every stride-th place, and zeros for the channels that it
 * lacks (option A)
 *
 * The block makes a node for each layer of its body, the shortcut's nodes, and one for the sum,
 * which reads the body's output first. */
#include "net/builder.h"

#include <stdio.h>
#include <string.h>

struct residual {
    struct layer_options layer;
    struct network body;
    struct choice shortcut;
};

/* How x gets to the sum. */
struct shortcut {
    struct member member;
    int fewer_channels; /* the sum leaves out the channels that x lacks */
    /* Put what is needed behind node `input`, to fit node `body`; returns the node to be added.
     * NULL: nothing is needed. */
    int (*build)(struct builder *b, const struct choice *layer, int input, int body, int couples);
};

/* The step that brings `in` places to `out`, or 0 when none does. */
static int step_of(int in, int out)
{
    const int step = (in + out - 1) / out;
    return (in + step - 1) / step == out ? step : 0;
}

/* A layer from its text, with the block's name and place. */
static int build_text(struct builder *b, const struct choice *layer, const char *text, int input)
{
    struct decoder decoder = {b->arena, b->errors};
    struct choice made = {0};
    const char *copy = arena_strndup(b->arena, text, strlen(text));
    const struct yaml *item = copy ? yaml_parse(b->arena, "", copy, strlen(copy), b->errors) : NULL;
    if (!item || item_decode(&LAYERS, &made, item, &decoder) != 0) {
        b->failed = b->stopped = 1;
        return input;
    }
    made.where = layer->where;
    const struct layer_options *options = layer->options;
    b->depth++;
    const int node = builder_node(b, &made, options->name, &input, 1);
    b->depth--;
    return node;
}

static int conv_build(struct builder *b, const struct choice *layer, int input, int body,
                      int couples)
{
    const struct shape x = builder_shape(b, input), y = builder_shape(b, body);
    const int step_h = step_of(x.h, y.h), step_w = step_of(x.w, y.w);
    char text[160];
    if (!step_h || !step_w) {
        return input; /* the sum will say so */
    }
    snprintf(text, sizeof text, "conv: {filters: %d, kernel: 1, stride: [%d, %d], bias: %s}", y.c,
             step_h, step_w, couples ? "false" : "true");
    const int conv = build_text(b, layer, text, input);
    return couples ? build_text(b, layer, "batchnorm", conv) : conv;
}

static int pool_build(struct builder *b, const struct choice *layer, int input, int body,
                      int couples)
{
    const struct shape x = builder_shape(b, input), y = builder_shape(b, body);
    const int step_h = step_of(x.h, y.h), step_w = step_of(x.w, y.w);
    char text[160];
    (void)couples;
    if (!step_h || !step_w || (step_h == 1 && step_w == 1)) {
        return input;
    }
    snprintf(text, sizeof text, "avgpool: {size: 1, stride: [%d, %d]}", step_h, step_w);
    return build_text(b, layer, text, input);
}

static const struct shortcut IDENTITY = {.member = {.name = "identity"}},
                             CONV = {.member = {.name = "conv"}, .build = conv_build},
                             POOL = {.member = {.name = "pool"},
                                     .fewer_channels = 1,
                                     .build = pool_build};
static const struct member *const SHORTCUT_MEMBERS[] = {&IDENTITY.member, &CONV.member,
                                                        &POOL.member, NULL};
static const struct family SHORTCUTS = {"shortcut", "shortcuts", SHORTCUT_MEMBERS};

#define FIELD(name) .offset = offsetof(struct residual, name)
static const struct option OPTIONS[] = {
    {.key = "body",
     .kind = &OPTION_NETWORK,
     FIELD(body),
     .help = "the layers whose output is added to their input"},
    {.key = "shortcut",
     .kind = &OPTION_FAMILY,
     FIELD(shortcut),
     .fallback = "identity",
     .extra = &SHORTCUTS,
     .help = "how the input gets to the sum: as it is, by a 1x1 conv, or subsampled"},
    LAYER_NAME_ROW,
    OPTION_END,
};

static const struct shortcut *shortcut_of(const void *options)
{
    const struct residual *o = options;
    return (const struct shortcut *)(const void *)o->shortcut.type;
}

static int residual_expand(struct builder *b, const struct choice *layer, int input)
{
    const struct residual *o = layer->options;
    const struct shortcut *shortcut = shortcut_of(o);
    const int first = b->graph->count, body = builder_list(b, &o->body, input);
    int inputs[2] = {body, input}, couples = 0;
    for (int i = first; i < b->graph->count; i++) {
        couples |= b->graph->nodes[i].type->coupling != NULL;
    }
    if (shortcut->build && !b->shapeless && !b->stopped) {
        inputs[1] = shortcut->build(b, layer, input, body, couples);
    }
    return builder_node(b, layer, NULL, inputs, 2);
}

static int residual_shape(struct node *node, struct error_list *errors)
{
    const struct shortcut *shortcut = shortcut_of(node->options);
    const struct shape y = node->ins[0], x = node->ins[1];
    node->out = y;
    node->shares = node->rectifies = 1;
    if (x.h == y.h && x.w == y.w && (x.c == y.c || (shortcut->fewer_channels && x.c < y.c))) {
        return 0;
    }
    const int fits = step_of(x.h, y.h) && step_of(x.w, y.w);
    return yaml_error(errors, node->where,
                      "residual '%s': its body gives %dx%dx%d, which cannot be added to %dx%dx%d%s",
                      node->name, y.c, y.h, y.w, x.c, x.h, x.w,
                      !fits             ? "; no stride leads there: mend the body's padding"
                      : shortcut->build ? "; 'shortcut: conv' would do"
                      : x.c <= y.c      ? "; try 'shortcut: conv' or 'shortcut: pool'"
                                        : "; try 'shortcut: conv'");
}

/* Relu of the channels that the shortcut lacks. */
static void rectify_rest(const struct node *node, const struct run *run, float *y)
{
    const size_t begin = shape_size(node->ins[1]);
    size_t first;
    const size_t end = run_share(run, shape_size(node->out) - begin, &first);
    float *rest = y + (begin + first) * LANES;
    run->kernels->activation[ACTIVATION_RELU].forward(rest, rest, end - first, 0);
}

/* The body's output is where y is to be, or is copied there; then x is added. */
static void residual_forward(const struct node *node, const struct run *run, const float *x,
                             float *y)
{
    size_t first;
    const size_t end = run_share(run, shape_size(node->ins[run->input]), &first);
    const size_t at = first * LANES, n = (end - first) * LANES;
    if (run->input == 1 && run->does) {
        run->kernels->add_rectified(n, x + at, y + at);
        rectify_rest(node, run, y);
    } else if (run->input == 1) {
        run->kernels->add(n, x + at, y + at);
    } else if (x != y) {
        memcpy(y + at, x + at, n * sizeof *y);
    }
}

static void residual_backward(const struct node *node, const struct run *run, const float *x,
                              const float *y, const float *dy, float *dx)
{
    (void)x, (void)y;
    if (dx && dx != dy) {
        size_t first;
        const size_t end = run_share(run, shape_size(node->ins[run->input]), &first);
        memcpy(dx + first * LANES, dy + first * LANES, (end - first) * LANES * sizeof *dx);
    }
}

static const struct layer_example EXAMPLES[] = {
    {"[conv: {filters: 2, kernel: 3, padding: 1}, tanh]", {2, 4, 5}},
    {"{body: [conv: {filters: 3, kernel: 3, padding: 1, stride: 2}, tanh], shortcut: conv}",
     {2, 5, 4}},
    {"{body: [conv: {filters: 3, kernel: 3, padding: 1, stride: [2, 1]}, tanh], shortcut: pool}",
     {2, 6, 4}},
    {"[tanh, residual: [conv: {filters: 1, kernel: 1}, sigmoid], dropout: 0.5]", {1, 3, 3}},
    {NULL, {0, 0, 0}},
};

extern const struct layer_type LAYER_residual;
const struct layer_type LAYER_residual = {
    .member = {.name = "residual",
               .help = "adds the output of a list of layers to its input",
               .options = OPTIONS,
               .size = sizeof(struct residual)},
    .flags = LAYER_IN_PLACE | LAYER_POINTWISE,
    .expand = residual_expand,
    .shape = residual_shape,
    .forward = residual_forward,
    .backward = residual_backward,
    .examples = EXAMPLES,
};
